import Machine

/// P08: the request could not be repeated, because nobody knows whether the application had acted on it.
enum P08PostNotRetried {
    static let rule = Rule(
        number: 8, slug: "post-not-retried", title: "A POST is not repeated", depth: 1,
        reasons: [.connReset, .connEndBeforeHead, .connKeepaliveRace, .responseTimeout, .sendTimeout], judge: judge)

    private static let unsafeMethods: Set<String> = ["POST", "PATCH", "LOCK"]

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        let known = failure.samples.filter { $0.method != nil }
        guard !known.isEmpty else { return .notApplicable }
        let lost = known.filter {
            $0.action == .failedToClient && unsafeMethods.contains($0.method ?? "") && ($0.bytesWritten ?? 1) > 0
        }
        let saved = known.filter {
            $0.action != .failedToClient && $0.action != .cut && !unsafeMethods.contains($0.method ?? "")
        }
        guard !lost.isEmpty else { return .ruledOut("the failed requests were not POST or PATCH") }
        let others = (evidence.upstream.value?.servers.count ?? 1) > 1 || !failure.siblings.isEmpty
        guard others || !saved.isEmpty else { return .notApplicable }
        return .finding(
            Finding(
                saved.isEmpty || lost.count < known.count - saved.count ? .possible : .likely,
                Culprit(.request, "POST and PATCH requests"),
                "\(lost.count) of \(known.count) sampled requests were POST or PATCH, which a proxy must not repeat "
                    + "once they were sent; the others were served elsewhere.",
                evidence: [
                    RuleSupport.failures(failure, rule.reasons),
                    EvidenceLine(
                        "methods: " + RuleSupport.list(Array(Set(known.compactMap(\.method))).sorted()),
                        source: "attempt records"),
                ],
                disproof: "A GET of the same incident that failed as well.",
                fix: Fix(
                    "Remove the cause of the broken connections. `proxy_next_upstream non_idempotent` is safe only for "
                        + "an application that knows a repeated request by an Idempotency-Key."
                )))
    }
}
