import Machine

/// P30: the status is the application's own, or the proxy does not say why.
enum P30ApplicationAnswered {
    static let rule = Rule(
        number: 30, slug: "application-answered", title: "The application itself answered so", depth: 2,
        reasons: [.appAnswered, .unknown], release: .answers, judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        guard failure.has([.appAnswered]) else { return .undecided("the proxy's log does not say what happened") }
        let statuses = Set(failure.samples.map(\.clientStatus).filter { $0 != 0 }).sorted().map(String.init)
        return .finding(
            Finding(
                .proven, Culprit(.application, failure.peerText),
                "\(failure.peerText) itself answered "
                    + "\(statuses.isEmpty ? "with an error" : "with " + RuleSupport.list(statuses)): the proxy "
                    + "passed a complete response on.",
                evidence: [RuleSupport.failures(failure, [.appAnswered])],
                disproof: "The status having been made by the proxy (no complete response head read).",
                fix: Fix("Read the application's log; it may be a proxy itself, with an upstream of its own.")))
    }
}
