import Machine

/// P05: the upstream's name does not resolve.
enum P05NameUnresolved {
    static let rule = Rule(
        number: 5, slug: "name-unresolved", title: "The name does not resolve", depth: 6, reasons: [.dnsFailed],
        judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        guard failure.has([.dnsFailed]) else { return .notApplicable }
        let host = failure.host ?? evidence.name.value?.host ?? failure.upstream
        // A client may have chosen it (`proxy_pass http://$host`).
        let ask: ShellCommand = "getent ahosts \(host)"
        var lines = [RuleSupport.failures(failure, [.dnsFailed])]
        if !failure.detail.isEmpty {
            lines.append(EvidenceLine(failure.detail, source: "error log", time: failure.first))
        }
        let detail = LineText(failure.detail)
        if detail.contains("no resolver defined") { return .finding(withoutResolver(host, lines, evidence)) }
        if detail.contains("host not found in upstream") { return .finding(atStart(host, detail, ask, lines, failure, evidence)) }
        guard let name = evidence.name.value else {
            return .finding(
                Finding(
                    .likely, Culprit(.name, host), "\(host) did not resolve (\(answer(failure.detailNumber))).",
                    evidence: lines,
                    disproof: "The resolver answering for \(host).",
                    fix: Fix("Ask the resolver.", commands: [ask])))
        }
        let servers =
            name.nameservers.isEmpty
            ? "no nameserver configured" : "nameserver " + name.nameservers.joined(separator: ", ")
        lines.append(EvidenceLine(servers, source: "/etc/resolv.conf"))
        if let why = name.failure {
            lines.append(EvidenceLine("\(host): \(why)", source: ask.text, time: failure.now))
            return .finding(
                Finding(
                    .proven, Culprit(.name, host), "\(host) does not resolve: \(why).", evidence: lines,
                    disproof: "An answer for \(host) from the proxy's own resolver.",
                    fix: Fix(
                        "Correct the name, or make it known to the resolver (or /etc/hosts).",
                        commands: [ask, "cat /etc/resolv.conf"])))
        }
        lines.append(
            EvidenceLine(
                "\(host) is \(RuleSupport.list(name.addresses.map(\.hostText))) now", source: evidence.name.source,
                time: failure.now))
        return .finding(
            Finding(
                .likely, Culprit(.name, host),
                "\(host) did not resolve at the time (\(answer(failure.detailNumber))); it does now: the name came "
                    + "later, or the proxy asks another resolver.",
                evidence: lines, disproof: "The proxy's own `resolver` answering at that time.",
                fix: Fix(
                    "Start the upstream before the proxy, or let the proxy resolve at run time and keep the last "
                        + "good answer.",
                    commands: ["\(failure.proxy) -T 2>/dev/null | grep -n resolver"])))
    }

    /// The name may well resolve: nobody was asked.
    private static func withoutResolver(_ host: String, _ lines: [EvidenceLine], _ evidence: EvidenceSet) -> Finding {
        Finding(
            .proven, Culprit(.configuration, evidence.upstream.value?.place ?? "proxy_pass with a variable"),
            "proxy_pass takes the name \(host) from a variable, and no `resolver` is configured there: nobody was asked for it.",
            evidence: lines, disproof: "A `resolver` in that location, its server or http.",
            fix: Fix(
                "Name a resolver, or an upstream group with that name.", commands: ["grep -w nameserver /etc/resolv.conf"],
                diff: "+resolver ADDRESS valid=10s;"))
    }

    /// nginx did not start, or went on with its old configuration at a reload.
    private static func atStart(
        _ host: String, _ detail: LineText, _ ask: ShellCommand, _ lines: [EvidenceLine], _ failure: FailureCase, _ evidence: EvidenceSet
    ) -> Finding {
        let place = detail.after("\" in ").map { $0.word.string } ?? host
        var lines = lines, isStill = false
        if let name = evidence.name.value {
            isStill = name.addresses.isEmpty
            let now = isStill ? name.failure ?? "no address" : "\(RuleSupport.list(name.addresses.map(\.hostText))) now"
            lines.append(EvidenceLine("\(host): \(now)", source: evidence.name.source, time: failure.now))
        }
        return Finding(
            isStill ? .proven : .likely, Culprit(.configuration, place),
            "\(failure.proxy) refused to start, or to reload, at \(failure.first.text): \(host) did not resolve (\(place))"
                + (isStill ? "." : "; the name came later, or the network was not up yet."),
            evidence: lines, disproof: "Workers that were started with this configuration at that time.",
            fix: Fix(
                "Correct the name or make it known; for good, resolve at run time, or start after the network is up "
                    + "(`After=network-online.target`).",
                commands: [ask, "\(failure.proxy) -t"]))
    }

    private static func answer(_ code: Int?) -> String {
        switch code {
        case 1: "format error"
        case 2: "server failure"
        case 3: "host not found"
        case 5: "refused"
        case 110: "the resolver did not answer"
        default: "no address"
        }
    }
}
