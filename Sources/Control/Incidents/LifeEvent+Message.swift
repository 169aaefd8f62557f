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
            let kill: [LifeEvent.Kind] = event.outOfMemoryKills > 0 ? [.outOfMemory(constraint: "MEMCG")] : []
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
                time: time, kind: $0, pid: event.process > 0 ? event.process : nil, line: event.text, source: AppHistory.source)
        }
    }
}
