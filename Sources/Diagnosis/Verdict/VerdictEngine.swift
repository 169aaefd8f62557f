package import Machine

/// Asks every rule and picks the answer. Pure: same case, same evidence, same verdict.
///
/// Of the findings the one with the highest confidence wins; of equals the deepest, so that an OOM kill is told instead of the refused
/// connections that follow it. A finding that is only `possible` wins only when nothing contradicts it by being equally good: two different
/// possible culprits make the verdict unknown, because a wrong verdict is worse than none.
package enum VerdictEngine {
    /// - Parameters:
    ///   - failure: what failed.
    ///   - evidence: what the collectors brought; every part may be missing.
    ///   - incident: printed in the verdict.
    ///   - version: 1 for the first judgement; callers count up as evidence arrives.
    /// - Complexity: the rules are linear in the evidence.
    package static func judge(
        _ failure: FailureCase, evidence: EvidenceSet, incident: IncidentID? = nil, version: Int = 1,
        rules: [Rule] = Rulebook.all
    ) -> Verdict {
        var evidence = evidence
        evidence.gather()
        var findings: [(rule: Rule, finding: Finding)] = []
        var ruledOut: [Verdict.Alternative] = []
        for rule in rules where failure.has(rule.reasons) {
            switch rule.judge(failure, evidence) {
            case .finding(let finding): findings.append((rule, dated(finding, failure, evidence)))
            case .ruledOut(let why):
                ruledOut.append(.init(rule: rule.id, title: rule.title, confidence: nil, text: why))
            case .undecided(let why):
                ruledOut.append(.init(rule: rule.id, title: rule.title, confidence: nil, text: "not decided: " + why))
            case .notApplicable: break
            }
        }
        findings.sort { isBetter($0, $1) }
        guard let first = findings.first, !isTornBetween(findings) else {
            return unknown(
                failure, evidence: evidence, candidates: findings, ruledOut: ruledOut, incident: incident,
                version: version
            ).masked()
        }
        let others = findings.dropFirst().map {
            Verdict.Alternative(
                rule: $0.rule.id, title: $0.rule.title, confidence: $0.finding.confidence, text: $0.finding.cause)
        }
        let rule = first.rule, best = blamed(first.finding, of: rule, failure, evidence)
        return Verdict(
            incident: incident, version: version, reason: "\((best.reason ?? failure.reason).name)", rule: rule.id, title: rule.title,
            culprit: best.culprit, cause: best.cause, evidence: best.evidence, confidence: best.confidence, disproof: best.disproof,
            fix: best.fix, alternatives: others, ruledOut: ruledOut, gaps: evidence.gaps, page: rule.page
        ).masked()
    }

    /// Milliseconds for which what is seen is still true of what failed.
    private static let presentMax: Int64 = 120_000

    /// What is seen now proves nothing of failures long ago, unless a log or a time tells of then.
    private static func dated(_ finding: Finding, _ failure: FailureCase, _ evidence: EvidenceSet) -> Finding {
        guard finding.confidence > .likely, let looked = evidence.looked, looked.since(failure.last) > presentMax else { return finding }
        let found = finding.evidence.filter { $0.source != "attempt records" }
        let end = failure.last.advanced(byMilliseconds: 5_000)
        guard !found.isEmpty, !found.contains(where: { $0.time.map { $0 <= end } ?? false }) else { return finding }
        var finding = finding
        finding.confidence = .likely
        let text = "this was seen \(RuleSupport.age(looked.since(failure.last))) after the last failure, and may not have been so then"
        finding.evidence.append(EvidenceLine(text, source: "the times above", time: looked))
        return finding
    }

    private static func isBetter(_ a: (rule: Rule, finding: Finding), _ b: (rule: Rule, finding: Finding)) -> Bool {
        if a.finding.confidence != b.finding.confidence { return a.finding.confidence > b.finding.confidence }
        if a.rule.depth != b.rule.depth { return a.rule.depth > b.rule.depth }
        return a.rule.number < b.rule.number
    }

    /// Two merely possible findings of one depth that accuse different culprits.
    private static func isTornBetween(_ findings: [(rule: Rule, finding: Finding)]) -> Bool {
        guard findings.count >= 2, findings[0].finding.confidence == .possible,
            findings[1].finding.confidence == .possible
        else {
            return false
        }
        return findings[0].rule.depth == findings[1].rule.depth
            && findings[0].finding.culprit != findings[1].finding.culprit
    }

    private static func unknown(
        _ failure: FailureCase, evidence: EvidenceSet, candidates: [(rule: Rule, finding: Finding)],
        ruledOut: [Verdict.Alternative],
        incident: IncidentID?, version: Int
    ) -> Verdict {
        let reason = failure.reason
        let excluded = ruledOut.filter { !$0.text.hasPrefix("not decided") }.map(\.title)
        let tail = excluded.isEmpty ? "" : "; ruled out: " + excluded.joined(separator: ", ").lowercased()
        return Verdict(
            incident: incident, version: version, reason: "\(reason.name)", rule: nil, title: "Cause unknown",
            culprit: Culprit(.unknown, failure.peerText),
            cause: "\(failure.peerText) failed with \(reason.name) and no rule explains it\(tail).",
            evidence: VerdictEngine.summary(of: failure), confidence: nil,
            disproof: "",
            fix: Fix("Give the missing rights (see what could not be looked at) or send this page with a report."),
            alternatives: candidates.map {
                .init(rule: $0.rule.id, title: $0.rule.title, confidence: $0.finding.confidence, text: $0.finding.cause)
            },
            ruledOut: ruledOut, gaps: evidence.gaps, page: nil)
    }

    /// The failures themselves, as one line per reason.
    package static func summary(of failure: FailureCase) -> [EvidenceLine] {
        failure.counts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key.rawValue < $1.key.rawValue }.map {
            EvidenceLine(
                "\($0.value) × \($0.key.name) at \(failure.peerText)", source: "attempt records", time: failure.first)
        }
    }
}
