import Machine

/// P14: a reload of the proxy ended long-lived connections.
enum P14ReloadCutsStreams {
    static let rule = Rule(
        number: 14, slug: "reload-cuts-streams", title: "A reload cut long connections", depth: 6,
        reasons: [.bodyTruncated, .connReset, .clientGone],
        judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        let long = failure.samples.filter { $0.phase == .relayingBody }
        guard !long.isEmpty else { return .notApplicable }
        guard let reload = failure.proxyLoaded, failure.covers(reload, before: 5_000, after: 5_000) else {
            return .ruledOut("the proxy was not reloaded at that time")
        }
        let old = long.filter { ($0.duration ?? $0.connectionAge ?? 0) > 10_000 }
        return .finding(
            Finding(
                old.count * 2 > long.count ? .firm : .possible,
                Culprit(.configuration, "the proxy's reload at \(reload.text)"),
                "The proxy was reloaded at \(reload.text), and its old workers ended the connections they still held.",
                evidence: [
                    RuleSupport.failures(failure, [.bodyTruncated, .connReset, .clientGone]),
                    EvidenceLine("workers started", source: RuleSupport.startSource(evidence), time: reload),
                    EvidenceLine(
                        "\(old.count) of \(long.count) sampled connections were older than 10 s",
                        source: "attempt records"),
                ],
                disproof: "The same cuts without a reload.",
                fix: Fix("Reload less often, or give old workers more time.", diff: "+worker_shutdown_timeout 1h;")))
    }
}
