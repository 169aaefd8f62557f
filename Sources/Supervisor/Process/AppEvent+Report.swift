internal import Config
internal import Machine
internal import Messages

extension AppEvent {
    /// A line of an app's history as a message.
    /// - Parameters:
    ///   - time: wall clock, nanoseconds since 1970.
    ///   - now: monotonic time, as in the report.
    init(
        _ report: AppReport, app: String, instance: InstanceKey?, text: String, level: LogLevel, time: UInt64, now: Duration
    ) {
        self.init(time: time, kind: report.kind, app: app, level: level.rawValue, text: text)
        if let instance {
            hasInstance = true
            slot = UInt32(clamping: instance.slot)
            serial = instance.serial
        }
        switch report {
        case .started(let process): self.process = process
        case .ready(let after): milliseconds = UInt64(max(0, after.milliseconds))
        case .exited(let exit, let runtime, let isExpected):
            milliseconds = UInt64(max(0, runtime.milliseconds))
            self.isExpected = isExpected
            outOfMemoryKills = exit.outOfMemoryKills
            switch exit.cause {
            case .status(let status): exitStatus = status
            case .signal(let signal): exitSignal = signal
            case .unknown: break
            }
        case .backingOff(let until), .soaking(let until): milliseconds = UInt64(max(0, (until - now).milliseconds))
        case .rollBegan(let release), .rollEnded(let release, _): self.release = release
        default: break
        }
    }
}

extension AppReport {
    /// What kind of event it is.
    fileprivate var kind: AppEvent.Kind {
        switch self {
        case .started: .started
        case .startFailed: .startFailed
        case .ready: .ready
        case .exited: .exited
        case .startTimedOut: .startTimedOut
        case .watchdogExpired: .watchdogExpired
        case .unhealthy: .unhealthy
        case .healthy: .healthy
        case .replacing: .replacing
        case .ignoredStopSignal: .ignoredStopSignal
        case .notKilled: .notKilled
        case .memoryExceeded: .memoryExceeded
        case .keeperLost: .keeperLost
        case .backingOff: .backingOff
        case .finished: .finished
        case .rollBegan: .rollBegan
        case .soaking: .soaking
        case .rollEnded(_, let result): result == .completed ? .rollCompleted : .rollFailed
        }
    }
}
