import Diagnosis
import Messages

extension LifeEvent {
    /// What the supervisor told of an app, as evidence; empty for what is none. An end by the OOM killer is two: the kill, and the end.
    static func list(_ event: AppEvent) -> [LifeEvent] {
        let kinds: [LifeEvent.Kind]
        switch event.kind {
        case .started: kinds = [.started]
        case .exited:
            let end: LifeEvent.Kind =
                event.exitSignal > 0
                ? .killed(signal: Int(event.exitSignal), coreDumped: false) : .exited(code: Int(max(0, event.exitStatus)))
            // The group's counter does not tell whose limit it was: that of the app, when it has one.
            let kill: [LifeEvent.Kind] = event.outOfMemoryKills > 0 ? [.outOfMemory(constraint: "")] : []
            kinds = event.isExpected ? [.stopped] : kill + [end]
        case .startFailed: kinds = [.failed(result: "start")]
        case .startTimedOut, .watchdogExpired: kinds = [.failed(result: "timeout")]
        case .ignoredStopSignal, .notKilled: kinds = [.stopTimedOut]
        case .rollBegan: kinds = [.reload]
        case .backingOff: kinds = [.restartScheduled(count: 0)]
        default: kinds = []
        }
        let time = Timestamp(milliseconds: Int64(clamping: event.time / 1_000_000))
        return kinds.map {
            LifeEvent(
                time: time, kind: $0, pid: event.process > 0 ? event.process : nil, process: AppEnd(event)?.subject, line: event.text,
                source: AppHistory.source)
        }
    }
}

extension AppEnd {
    /// The facts of an end; nil for what is none, or was asked for.
    init?(_ event: AppEvent) {
        guard event.kind == .exited, !event.isExpected, event.hasInstance else { return nil }
        self.init(
            time: Timestamp(milliseconds: Int64(clamping: event.time / 1_000_000)), instance: "\(event.app).\(event.slot)#\(event.serial)",
            release: Int(event.release), process: event.process, status: event.exitStatus >= 0 ? Int(event.exitStatus) : nil,
            signal: event.exitSignal > 0 ? Int(event.exitSignal) : nil, outOfMemoryKills: Int(event.outOfMemoryKills),
            ranMilliseconds: Int64(clamping: event.milliseconds))
    }
}
