package import Machine

/// The answer to "why": what a person can act on, and what it rests on.
package struct Verdict: Sendable, Codable {
    /// Another rule and what it said.
    package struct Alternative: Sendable, Hashable, Codable {
        /// `P10`.
        package var rule: String
        package var title: String
        /// nil for what was ruled out or could not be checked.
        package var confidence: Confidence?
        package var text: String
    }
    /// The incident it explains, when there is one.
    package var incident: IncidentID?
    /// Grows as evidence arrives; 1 is the first.
    package var version: Int
    /// `connect.refused`, …
    package var reason: String
    /// `P10`; nil: unknown.
    package var rule: String?
    package var title: String
    package var culprit: Culprit
    /// One sentence.
    package var cause: String
    package var evidence: [EvidenceLine]
    /// nil: unknown.
    package var confidence: Confidence?
    package var disproof: String
    package var fix: Fix
    /// Other rules that fit less well.
    package var alternatives: [Alternative]
    /// What was checked and excluded.
    package var ruledOut: [Alternative]
    /// What could not be looked at, by name.
    package var gaps: [String]
    /// The documentation page.
    package var page: String?
    /// When the evidence was collected, in order; nil where that was long after the failures, as the doctor does.
    package var looks: [EvidenceLook]?

    /// Title, rule and confidence: `Nothing listens there (P01, proven)`.
    package var headline: String {
        let confidence = confidence.map { ", \($0.name)" } ?? ""
        return title + (rule.map { " (\($0)\(confidence))" } ?? "")
    }

    /// Whether no rule explained it.
    package var isUnknown: Bool { rule == nil }
}

extension Verdict {
    /// Without what must not leave the host, whichever part it has got into. Evidence is masked where it is made; a diff is not, as it is
    /// what will be applied.
    func masked() -> Verdict {
        var verdict = self
        verdict.culprit.name = SecretMask.mask(culprit.name)
        verdict.cause = SecretMask.mask(cause)
        verdict.disproof = SecretMask.mask(disproof)
        verdict.fix.summary = SecretMask.mask(fix.summary)
        verdict.fix.commands = fix.commands.map(SecretMask.mask)
        for index in verdict.evidence.indices { verdict.evidence[index].source = SecretMask.mask(evidence[index].source) }
        for index in verdict.alternatives.indices { verdict.alternatives[index].text = SecretMask.mask(alternatives[index].text) }
        for index in verdict.ruledOut.indices { verdict.ruledOut[index].text = SecretMask.mask(ruledOut[index].text) }
        return verdict
    }
}
