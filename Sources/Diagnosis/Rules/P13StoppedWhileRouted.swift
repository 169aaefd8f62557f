import Machine

/// P13: the application was told to stop while requests were still sent to it.
enum P13StoppedWhileRouted {
    static let rule = Rule(
        number: 13, slug: "stopped-while-routed", title: "Stopped while requests came", depth: 7,
        reasons: [.connReset, .connEndBeforeHead, .bodyTruncated, .connKeepaliveRace], judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        let links = evidence.backends(of: failure)
        for link in links where link.isObserved || links.count == 1 {
            let events = evidence.events.filter {
                EvidenceSet.event($0, belongsTo: link.unit) && failure.covers($0.time, before: 30_000, after: 5_000)
            }
            guard let stop = events.first(where: { $0.kind == .stopping }) else { continue }
            guard failure.last >= stop.time.advanced(byMilliseconds: -1_500) else { continue }
            var lines = [RuleSupport.failures(failure, rule.reasons), RuleSupport.line(stop)]
            let killed = events.first { $0.kind == .stopTimedOut }
            if let killed { lines.append(RuleSupport.line(killed)) }
            if let gone = events.first(where: { $0.kind == .stopped }) { lines.append(RuleSupport.line(gone)) }
            let unit = link.unit
            return .finding(
                Finding(
                    link.isObserved && failure.first >= stop.time.advanced(byMilliseconds: -1_500) ? .proven : .likely,
                    Culprit(.unit, unit.name),
                    "\(unit.name) was told to stop at \(stop.time.text) while requests were still sent to it"
                        + (killed == nil
                            ? ", and cut those in flight." : "; it did not finish in time and was killed."),
                    evidence: lines, disproof: "Failures that began before the stop.",
                    fix: Fix(
                        unit.isOwn
                            ? "Give it time for its longest request: `stop_timeout` of the app."
                            : "First take it out of the proxy, wait for the requests in flight, then stop it; or let "
                                + "Goodgate run it, which does so.",
                        commands: killed == nil || unit.isOwn
                            ? [] : ["systemctl edit \(unit.name)   # TimeoutStopSec longer than the longest request"])))
        }
        return links.isEmpty ? .notApplicable : evidence.notLogged("no stop of \(links[0].unit.name) was ordered at that time", at: failure)
    }
}
