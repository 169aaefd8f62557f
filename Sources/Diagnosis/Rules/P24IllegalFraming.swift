import Machine

/// P24: the response breaks HTTP's rules of framing.
enum P24IllegalFraming {
    static let rule = Rule(
        number: 24, slug: "illegal-framing", title: "Illegal response header", depth: 6,
        reasons: [.responseIllegalFraming, .responseInvalid], release: .answers, judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        guard failure.has(rule.reasons) else { return .notApplicable }
        if let sample = evidence.sample.value, sample.guess != .http1, sample.guess != .nothing {
            return .ruledOut("the peer does not speak HTTP/1 at all")
        }
        let detail = LineText(failure.detail)
        let both = detail.contains("\"Content-Length\" and \"Transfer-Encoding\"")
        let duplicate = detail.contains("duplicate header line")
        let what =
            both
            ? "Content-Length and Transfer-Encoding together"
            : duplicate
                ? "a header twice that may occur once (\(detail.between("\"", ":")?.string ?? "?"))"
                : failure.detail.isEmpty ? "a header that breaks HTTP's rules" : plain(failure.detail)
        return .finding(
            Finding(
                failure.detail.isEmpty ? .firm : .proven, Culprit(.application, failure.peerText),
                "The application sent \(what).",
                evidence: [RuleSupport.failures(failure, rule.reasons)]
                    + (failure.detail.isEmpty
                        ? [] : [EvidenceLine(failure.detail, source: "error log", time: failure.last)]),
                disproof: "A raw answer of the application without it.",
                fix: Fix(
                    both || duplicate
                        ? "Do not set Transfer-Encoding or Content-Length by hand in the application; the server does it."
                        : "Look at the raw answer: bytes in it belong neither to a header nor to a body as HTTP has them.",
                    commands: RuleSupport.rawAnswer(failure, evidence, body: true).map { ["\($0) | head -c 2000"] } ?? [])))
    }

    /// A log's "upstream sent invalid header: …" without the words that begin the sentence anyway.
    private static func plain(_ detail: String) -> String {
        var text = detail[...]
        for word in ["upstream ", "sent "] where text.hasPrefix(word) { text = text.dropFirst(word.count) }
        return String(text)
    }
}
