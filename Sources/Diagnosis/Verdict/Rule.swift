package import Machine

/// One entry of the rulebook: data, and a pure function from a case and its evidence to an outcome.
package struct Rule: Sendable {
    /// 1...30.
    package var number: Int
    /// Part of the documentation page's name, for example `keepalive-race`.
    package var slug: String
    package var title: String
    /// How near to the root: of two findings with equal confidence the deeper one is the cause and the other its symptom. 1...9.
    package var depth: Int
    /// The rule is asked only when one of these occurred.
    package var reasons: Set<ReasonCode>
    /// What has to be seen to put its findings down to a release of an own app; nil: they are no release's fault.
    package var release: ReleaseEvidence?
    package var judge: @Sendable (FailureCase, EvidenceSet) -> RuleOutcome

    /// How a release shows that it is the cause.
    package enum ReleaseEvidence: Sendable {
        /// An instance of it ended.
        case end
        /// What it answers, or does not, has changed.
        case answers
    }

    package init(
        number: Int, slug: String, title: String, depth: Int, reasons: Set<ReasonCode>, release: ReleaseEvidence? = nil,
        judge: @escaping @Sendable (FailureCase, EvidenceSet) -> RuleOutcome
    ) {
        self.number = number; self.slug = slug; self.title = title; self.depth = depth; self.reasons = reasons; self.release = release
        self.judge = judge
    }

    /// `P06`.
    package var id: String { number < 10 ? "P0\(number)" : "P\(number)" }
    /// Where the page lies, relative to the repository.
    package var page: String { "docs/verdicts/\(id)-\(slug).md" }
}

/// What one rule says about one case.
package enum RuleOutcome: Sendable {
    case finding(Finding)
    /// The evidence contradicts the rule; the sentence says how.
    case ruledOut(String)
    /// The evidence it needs is not there.
    case undecided(String)
    /// The rule has nothing to say here; not worth a word in the verdict.
    case notApplicable
}

/// A rule's positive answer.
package struct Finding: Sendable {
    /// How sure, and who it is.
    package var confidence: Confidence
    package var culprit: Culprit
    /// One sentence, no full stop needed at its end by callers: it has one.
    package var cause: String
    package var evidence: [EvidenceLine]
    /// What would prove this wrong.
    package var disproof: String
    package var fix: Fix
    /// The reason, where evidence corrects the immediate one.
    package var reason: ReasonCode?

    package init(
        _ confidence: Confidence, _ culprit: Culprit, _ cause: String, evidence: [EvidenceLine], disproof: String,
        fix: Fix,
        reason: ReasonCode? = nil
    ) {
        self.confidence = confidence; self.culprit = culprit; self.cause = cause; self.evidence = evidence
        self.disproof = disproof; self.fix = fix; self.reason = reason
    }
}
