import Machine

/// P29: after a reload the proxy took a dead server for a living one.
enum P29HealthForgotten {
    static let rule = Rule(
        number: 29, slug: "health-forgotten", title: "Health forgotten by a reload", depth: 3,
        reasons: [.connectRefused, .connectTimeout, .connectUnreachable, .poolEmpty], judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        guard let loaded = failure.proxyLoaded, (evidence.upstream.value?.servers.count ?? 1) > 1 else {
            return .notApplicable
        }
        let delay = failure.first.since(loaded)
        guard delay >= -1_000, delay <= 10_000 else {
            return .ruledOut("the first failure was not within 10 s of a reload")
        }
        let short = failure.last.since(failure.first) <= 30_000
        guard short, let peer = failure.peer, evidence.knowsListeners(for: peer), evidence.listeners(for: peer).isEmpty
        else { return .notApplicable }
        return .finding(
            Finding(
                .possible, Culprit(.configuration, "the reload at \(loaded.text)"),
                "The proxy was reloaded at \(loaded.text) and sent requests to \(peer.text) again, although it was "
                    + "down: the new workers start with every server up.",
                evidence: [
                    RuleSupport.failures(failure, rule.reasons),
                    EvidenceLine(
                        "workers started", source: RuleSupport.startSource(evidence), time: loaded),
                ],
                disproof: "\(peer.text) having been up before the reload.",
                fix: Fix(
                    "Carry health over a reload (Goodgate does; a shared `zone` alone does not), or mark the server "
                        + "`down` until it is back."
                )))
    }
}
