import Machine

/// P04: the name has another address now than the one the proxy resolved at its start.
enum P04StaleName {
    static let rule = Rule(
        number: 4, slug: "stale-name", title: "The name's address has changed", depth: 7,
        reasons: [
            .connectRefused, .connectTimeout, .connectUnreachable, .poolEmpty, .responseInvalid, .responseWrongProtocol,
            .appAnswered,
        ],
        judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        guard let peer = failure.peer, peer.isIP, let host = failure.host else { return .notApplicable }
        guard let name = evidence.name.value else {
            return .undecided(evidence.name.unavailableBecause ?? "\(host) was not resolved")
        }
        guard !name.addresses.isEmpty else { return .ruledOut("\(host) does not resolve at all now") }
        if name.addresses.contains(peer.withPort(0)) {
            return .ruledOut("\(host) still has the address \(peer.hostText)")
        }
        // Loopback families are P02's.
        if peer.isLoopback, name.addresses.contains(where: \.isLoopback) { return .notApplicable }
        let server = evidence.upstream.value?.servers.first { $0.text.hasPrefix(host) }
        let lines = [
            RuleSupport.failures(failure, rule.reasons),
            EvidenceLine("the proxy dialled \(peer.hostText)", source: "attempt records", time: failure.last),
            EvidenceLine(
                "\(host) is \(RuleSupport.list(name.addresses.map(\.hostText))) now", source: evidence.name.source,
                time: failure.now),
        ]
        let written = server?.text ?? host
        return .finding(
            Finding(
                failure.isHostGuess ? .possible : server?.resolves == true ? .likely : .firm, Culprit(.name, host),
                "\(host) has moved: the proxy still dials \(peer.hostText), which it resolved "
                    + (server?.resolves == true ? "before." : "at its start."),
                evidence: lines,
                disproof: "\(peer.hostText) being an answer for \(host) at the time of the failures.",
                fix: Fix(
                    "Reload now; for good, resolve at run time (`zone`, `resolver` and `server … resolve`, in nginx "
                        + "1.27.3 and later).",
                    commands: ["\(failure.proxy) -s reload"],
                    diff:
                        " upstream \(evidence.upstream.value?.groupName ?? "NAME") {\n+    zone "
                        + "\(evidence.upstream.value?.groupName ?? "NAME") 64k;\n+    resolver RESOLVER valid=10s;\n- "
                        + "   server \(written);\n+    server \(written) resolve;\n }"
                )))
    }
}
