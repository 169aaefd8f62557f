import Machine

/// P13: the application was told to stop while requests were still sent to it.
enum P13StoppedWhileRouted {
    static let rule = Rule(
        number: 13, slug: "stopped-while-routed", title: "Stopped while requests came", depth: 7,
        reasons: [.connReset, .connEndBeforeHead, .bodyTruncated, .connKeepaliveRace], judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        let links = evidence.backends(of: failure)
        var past: String?
        for link in links where link.isObserved || links.count == 1 {
            let events = evidence.events.filter {
                EvidenceSet.event($0, belongsTo: link.unit) && failure.covers($0.time, before: 30_000, after: 5_000)
            }
            let stops = events.filter { $0.kind == .stopping }
            let windows = stops.map { window(of: $0, events, link, failure, evidence) }
            guard let index = windows.firstIndex(where: { $0.upperBound >= failure.first && $0.lowerBound <= failure.last }) else {
                if let stop = stops.last {
                    past = "\(link.unit.name) was told to stop at \(stop.time.text), and that was over before the failures"
                }
                continue
            }
            let finding = finding(failure, link, stops[index], events, endOfWindow: windows[index].upperBound)
            return RuleSupport.weighed(finding, by: stops, within: windows, failure)
        }
        if let past { return .ruledOut(past) }
        return links.isEmpty ? .notApplicable : evidence.notLogged("no stop of \(links[0].unit.name) was ordered at that time", at: failure)
    }

    /// Milliseconds for which a proxy notices the end of connections after their process has gone.
    private static let notice: Int64 = 3_000

    /// When a stop cuts requests: until the unit has gone. What is cut after that was of the next process.
    private static func window(
        of stop: LifeEvent, _ events: [LifeEvent], _ link: BackendLink, _ failure: FailureCase, _ evidence: EvidenceSet
    ) -> ClosedRange<Timestamp> {
        let stopped = events.first { $0.kind == .stopped && $0.time >= stop.time }
        let gone = stopped ?? RuleSupport.served(after: stop.time, of: link, failure, evidence)
        let end = gone.map { $0.time.advanced(byMilliseconds: notice) } ?? failure.last
        return stop.time.advanced(byMilliseconds: -1_500)...max(end, stop.time)
    }

    private static func finding(
        _ failure: FailureCase, _ link: BackendLink, _ stop: LifeEvent, _ events: [LifeEvent], endOfWindow end: Timestamp
    ) -> Finding {
        var lines = [RuleSupport.failures(failure, rule.reasons), RuleSupport.line(stop)]
        let killed = events.first { $0.kind == .stopTimedOut && $0.time >= stop.time && $0.time <= end }
        if let killed { lines.append(RuleSupport.line(killed)) }
        let gone = events.first { $0.kind == .stopped && $0.time >= stop.time }
        if let gone { lines.append(RuleSupport.line(gone)) }
        let unit = link.unit
        // A crash of the next process cuts requests just as well.
        let crash = events.first { event in
            event.kind.isCrash && !event.isWorker && gone.map { event.time > $0.time } ?? false && event.time <= failure.last
        }
        let isSure = link.isObserved && failure.first >= stop.time.advanced(byMilliseconds: -1_500) && crash == nil
        return Finding(
            isSure ? .proven : .likely, Culprit(.unit, unit.name),
            "\(unit.name) was told to stop at \(stop.time.text) while requests were still sent to it"
                + (killed == nil ? ", and cut those in flight." : "; it did not finish in time and was killed."),
            evidence: lines, disproof: "Failures that began before the stop.",
            fix: Fix(
                unit.isOwn
                    ? "Give it time for its longest request: `stop_timeout` of the app."
                    : "First take it out of the proxy, wait for the requests in flight, then stop it; or let "
                        + "Goodgate run it, which does so.",
                commands: killed == nil || unit.isOwn
                    ? [] : ["systemctl edit \(unit.name)   # TimeoutStopSec longer than the longest request"]))
    }
}
