extension VerdictEngine {
    /// A finding about an own app whose failures began with a release: that is the culprit, and going back is the fix.
    ///
    /// That failures follow a release is seen, that they are its fault is concluded: without the end of one of its instances never more
    /// than firm.
    static func blamed(_ finding: Finding, of rule: Rule, _ failure: FailureCase, _ evidence: EvidenceSet) -> Finding {
        guard let kind = rule.release, let app = evidence.own, let change = app.change(behind: failure, kind) else { return finding }
        let name = app.unit.appName, new = change.new, former = change.former
        var finding = finding
        finding.culprit = Culprit(.release, "release \(new.number) of \(app.unit.name)")
        if kind == .answers { finding.confidence = min(finding.confidence, .firm) }
        let delay = RuleSupport.age(failure.first.since(new.since)), served = RuleSupport.age(new.since.since(former.since))
        finding.evidence += [
            EvidenceLine(
                "release \(new.number) came into force, \(delay) before the first failure", source: AppHistory.source, time: new.since),
            EvidenceLine("release \(former.number) had served for \(served) and had not failed so", source: "goodgate incidents"),
        ]
        finding.disproof = "The same failures under release \(former.number)."
        if change.isGone {
            finding.fix.summary = "Release \(new.number) is not in force any more. \(finding.fix.summary)"
        } else {
            finding.fix.summary =
                "Go back to release \(former.number) (if a reload brought the new one: by its former `app` block). \(finding.fix.summary)"
            finding.fix.commands = [("goodgate rollback \(name)" as ShellCommand).text] + finding.fix.commands
        }
        return finding
    }
}
