package import Machine

/// The evidence and the verdicts of one incident, as they grow.
package struct Investigation: Sendable {
    /// The incident and all that was collected for it.
    package let incident: IncidentID
    /// All that was collected so far.
    package private(set) var evidence = EvidenceSet()
    /// The newest verdict; nil before the first judgement.
    package private(set) var verdict: Verdict?

    /// What was collected, and when.
    package private(set) var looks: [EvidenceLook] = []

    /// The kernel's counters at the first look.
    private var countersBefore: [String: Int64]?

    package init(incident: IncidentID) { self.incident = incident }

    /// What the kernel's counters grew by since the first look, which is within milliseconds of the failure: what they count happened
    /// within the incident.
    private mutating func countCounters(_ step: InvestigationPlan.Step, _ subject: CollectionSubject, _ system: some SystemReader) {
        guard step != .final, step == .durable || countersBefore == nil else { return }
        let now = HostCollector.counters(system, of: subject)
        if let countersBefore, case .known(var facts, let source) = evidence.host {
            facts.counterDeltas = HostCollector.difference(countersBefore, now)
            evidence.host = .known(facts, source: source)
        }
        countersBefore = countersBefore ?? now
    }

    /// Gives the memory back once nobody judges any more; the verdict stays.
    package mutating func forgetEvidence() {
        evidence = EvidenceSet()
        countersBefore = nil
    }

    /// A look did not end.
    mutating func miss(_ what: String) { if !evidence.unread.contains(what) { evidence.unread.append(what) } }

    /// Notes a look that has just ended.
    private mutating func note(_ step: InvestigationPlan.Step, from began: Timestamp, to now: Timestamp, _ failure: FailureCase) {
        let failed = looks.contains { $0.step == step } || step == .final ? failure.last : failure.first
        if looks.count == EvidenceLook.countMax { looks.remove(at: EvidenceLook.countMax / 2) }
        // Clocks may be set.
        looks.append(
            EvidenceLook(step: step, time: began, afterMilliseconds: max(0, now.since(failed)), tookMilliseconds: max(0, now.since(began))))
    }

    /// Collects one class of evidence and judges again.
    /// - Parameters:
    ///   - step: volatile evidence within 50 ms of the failure, durable within 2 s, the logs once more at the end.
    ///   - failure: the incident as it is now.
    ///   - upstream: what the configuration says of it; nil when not known.
    ///   - app: the app behind the peer, when goodgate runs it.
    /// - Returns: the verdict when it differs from the one before, with the next version.
    package mutating func proceed(
        _ step: InvestigationPlan.Step, failure: FailureCase, subject: CollectionSubject,
        upstream: UpstreamFacts? = nil, app: AppHistory? = nil,
        on system: some SystemReader
    ) -> Verdict? {
        let began = system.now()
        if let upstream { evidence.upstream = .known(upstream, source: upstream.place) }
        var subject = subject
        subject.countersBefore = countersBefore
        Collectors.collect(subject, from: system, step: step, into: &evidence)
        countCounters(step, subject, system)
        let then = evidence.own?.unit
        evidence.own = app
        if step == .final, let then { evidence.own?.unit = then }
        if let app, let lines = app.ends.last?.lastLines, !lines.isEmpty {
            evidence.lastLines = .known(lines, source: "goodgate app logs \(app.app)")
        }
        if step == .durable, let peer = failure.peer,
            failure.has([.responseWrongProtocol, .tlsHandshake, .responseInvalid])
        {
            ProbeCollector().sample(peer, inTLS: evidence.wantsTLS(failure), from: system, into: &evidence)
        }
        note(step, from: began, to: system.now(), failure)
        var next = VerdictEngine.judge(
            failure, evidence: evidence, incident: incident, version: (verdict?.version ?? 0) + 1)
        next.looks = looks
        if let verdict, verdict.rule == next.rule, verdict.confidence == next.confidence, verdict.cause == next.cause,
            verdict.culprit == next.culprit, verdict.evidence.count >= next.evidence.count
        {
            // The same answer; but the counts may have grown, and more was ruled out or could not be looked at.
            var kept = next
            kept.version = verdict.version
            if verdict.evidence.count > next.evidence.count { kept.evidence = verdict.evidence }
            self.verdict = kept
            return nil
        }
        verdict = next
        return next
    }
}
