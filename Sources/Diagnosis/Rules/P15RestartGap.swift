import Machine

/// P15: a planned restart, and nobody held the requests meanwhile.
enum P15RestartGap {
    static let rule = Rule(
        number: 15, slug: "restart-gap", title: "The gap of a restart", depth: 6,
        reasons: [.connectRefused, .socketMissing, .poolEmpty], judge: judge)

    static func judge(_ failure: FailureCase, _ evidence: EvidenceSet) -> RuleOutcome {
        let links = evidence.backends(of: failure)
        for link in links where link.isObserved || links.count == 1 {
            let events = evidence.events.filter { evidence.tells($0, of: link) == true }
            guard
                let stop = events.last(where: {
                    // A log has whole seconds: what failed after the stop may bear a time before it.
                    ($0.kind == .stopping || $0.kind == .reload) && failure.covers($0.time, before: 60_000, after: 999)
                })
            else { continue }
            let start = events.first { $0.kind == .started && $0.time >= stop.time }
            guard failure.first >= stop.time.advanced(byMilliseconds: -1_500) else { continue }
            let served = RuleSupport.served(after: stop.time, of: link, failure, evidence)
            // Booting takes its time after "Started" for a Type=simple unit, until it says that it listens.
            let booted = (start?.time ?? failure.now).advanced(byMilliseconds: 60_000)
            let end = served?.time.advanced(byMilliseconds: RuleSupport.settling) ?? booted
            if let served, failure.first > end {
                return .ruledOut("\(link.unit.name) was restarted and listened again at \(served.time.text), before the failures")
            }
            guard served != nil || failure.last <= end else { continue }
            guard start != nil || link.unit.isStarting || link.unit.activeState == "deactivating" else { continue }
            // A release that dies after its start is no gap: nobody would have waited long enough.
            if let start {
                let again = "\(link.unit.name) was started again at \(start.time.text)"
                let death = events.first { $0.time >= start.time && $0.time <= failure.last && isDeath($0) }
                if let death { return .ruledOut("\(again) and ended at \(death.time.text)") }
                let isDown = link.unit.isDown && RuleSupport.wasDown(link.unit, failure)
                if isDown { return .ruledOut("\(again) and is \(link.unit.activeState)") }
            }
            var lines = [RuleSupport.failures(failure, rule.reasons), RuleSupport.line(stop)]
            if let start { lines.append(RuleSupport.line(start)) }
            let unit = link.unit
            if let served { lines.append(RuleSupport.line(served)) }
            let gap = min(failure.last, served?.time ?? failure.last).since(stop.time)
            var confidence: Confidence = link.isObserved && failure.last <= end ? .proven : .likely
            // As long as it does not serve again, this may last: then the restart is when it began, and not why.
            if served == nil, !servesNow(unit, failure, evidence) {
                let isBooting = start.map { (evidence.looked ?? failure.now).since($0.time) <= boot } ?? true
                confidence = min(confidence, isBooting ? .firm : .likely)
                lines.append(
                    EvidenceLine(
                        "it was not seen to serve again",
                        source: failure.peer.map(evidence.listenerSource) ?? RuleSupport.unitSource(unit)))
            }
            return RuleSupport.weighed(
                Finding(
                    confidence, Culprit(.unit, unit.name),
                    "\(unit.name) was restarted at \(stop.time.text); for \(gap < 1_000 ? "a moment" : RuleSupport.age(gap)) "
                        + (unit.isOwn ? "no instance served." : "nothing listened and nobody held the requests."),
                    evidence: lines, disproof: "Failures before the stop, or long after the start.",
                    fix: Fix(
                        unit.isOwn
                            ? "Run two instances: one serves while the other is replaced."
                            : "Hold requests over a restart (Goodgate: `queue`), start the new instance before stopping "
                                + "the old, or let systemd own the socket (a .socket unit).",
                        commands: unit.type == "simple" || unit.type == "exec"
                            ? ["# \(unit.name) has Type=\(unit.type): systemd calls it started before it listens; use Type=notify"] : [])),
                by: [stop], within: [stop.time.advanced(byMilliseconds: -1_500)...max(end, stop.time)], failure)
        }
        return links.isEmpty
            ? .notApplicable : evidence.notLogged("\(links[0].unit.name) was not restarted by order at that time", at: failure)
    }

    /// Milliseconds after "Started" in which hardly anybody doubts that it will serve.
    private static let boot: Int64 = 5_000

    /// Whether the peer has come back: its socket is bound now, where the proxy finds it. Other namespaces have files of the same path.
    private static func servesNow(_ unit: UnitState, _ failure: FailureCase, _ evidence: EvidenceSet) -> Bool {
        // Its next instance may have another port.
        if unit.isOwn { return unit.activeState == "active" }
        guard let peer = failure.peer, !evidence.listeners(for: peer).isEmpty else { return false }
        return peer.path == nil || evidence.socketPath.value.map { $0.missing == nil } ?? false
    }

    private static func isDeath(_ event: LifeEvent) -> Bool {
        switch event.kind {
        case .failed, .outOfMemory, .gaveUp: true
        default: event.kind.isCrash && !event.isWorker
        }
    }
}
