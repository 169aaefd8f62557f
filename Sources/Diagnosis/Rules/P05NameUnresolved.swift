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
        let code = failure.detailNumber ?? detail.after(" could not be resolved (")?.number
        // A name server that gives no answer says nothing of the name, and the host's own resolver is another.
        if let code, [1, 2, 5, 110].contains(code) { return .finding(byResolver(host, code, lines, evidence)) }
        guard let name = evidence.name.value else {
            return .finding(
                Finding(
                    .likely, Culprit(.name, host), "\(host) did not resolve (\(answer(code))).",
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
                    code == nil && !evidence.resolvers.isEmpty ? .likely : .proven, Culprit(.name, host),
                    "\(host) does not resolve: \(code == nil ? why : answer(code)).", evidence: lines,
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
                "\(host) did not resolve at the time (\(answer(code))); it does now: the name came "
                    + "later, or the proxy asks another resolver.",
                evidence: lines, disproof: "The proxy's own `resolver` answering at that time.",
                fix: Fix(
                    "Start the upstream before the proxy, or let the proxy resolve at run time and keep the last "
                        + "good answer.",
                    commands: ["\(failure.proxy) -T 2>/dev/null | grep -n resolver"])))
    }

    /// The resolver that the proxy is configured with gave no answer: whether the name exists is not known.
    private static func byResolver(_ host: String, _ code: Int, _ lines: [EvidenceLine], _ evidence: EvidenceSet) -> Finding {
        let servers = evidence.resolvers.map(\.text), places = evidence.resolvers.map(\.place)
        let who = servers.isEmpty ? "the configured resolver" : "the resolver " + servers.joined(separator: " or ")
        let what = code == 110 ? "did not answer" : code == 5 ? "refused to answer" : "answered with an error (\(answer(code)))"
        let asks = servers.prefix(2).map { server -> ShellCommand in
            let parts = PeerAddress(parsing: server), port = Int(parts.port ?? 0)
            return "dig +time=2 +tries=1 -p \(port == 0 ? 53 : port) \("@" + parts.hostText.filter { !"[]".contains($0) }) \(host)"
        }
        return Finding(
            .likely, Culprit(.network, servers.count == 1 ? "resolver \(servers[0])" : "resolver"),
            "\(who.prefix(1).uppercased() + who.dropFirst()) \(what) when the proxy asked for \(host): "
                + "whether the name exists is not known.",
            evidence: lines + zip(servers, places).map { EvidenceLine("resolver \($0.0)", source: $0.1) },
            disproof: "An answer for \(host) from \(who) at that time.",
            fix: Fix(
                "Ask it from this host; repair it, or name another one with `resolver`, which the proxy asks instead of this host's own.",
                commands: asks.isEmpty ? ["grep -w nameserver /etc/resolv.conf"] : asks))
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
