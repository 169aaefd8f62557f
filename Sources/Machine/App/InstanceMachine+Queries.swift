extension InstanceMachine {
    /// The state as others see it.
    package enum Phase: String, Hashable, Sendable, CaseIterable {
        case stopped, finished, backingOff, starting, probing, ready, draining, stopping, killing, emptying
    }

    /// The state without its data.
    package var phase: Phase {
        switch state {
        case .stopped: .stopped
        case .finished: .finished
        case .backingOff: .backingOff
        case .starting: .starting
        case .probing: .probing
        case .ready: .ready
        case .draining: .draining
        case .stopping: .stopping
        case .killing: .killing
        case .emptying: .emptying
        }
    }

    /// Whether a process of it may exist.
    package var hasProcess: Bool {
        switch state {
        case .stopped, .finished, .backingOff: false
        case .starting, .probing, .ready, .draining, .stopping, .killing, .emptying: true
        }
    }

    /// Whether it takes requests.
    package var isReady: Bool { if case .ready = state { true } else { false } }

    /// Whether it is ready and its check, if any, passes.
    package var isHealthy: Bool {
        if case .ready(let readiness) = state { readiness.failingSince == nil } else { false }
    }

    /// What its failing check says; nil: it passes, or the instance is not ready.
    var sickness: (since: Duration, isDue: Bool, isSilent: Bool)? {
        guard case .ready(let readiness) = state, let since = readiness.failingSince else { return nil }
        return (since, readiness.isDue, readiness.isSilent)
    }

    /// When `timerFired` has to be called, at the latest. nil: nothing is awaited.
    package var deadline: Duration? {
        switch state {
        case .stopped, .finished: return nil
        case .backingOff(let until): return until
        case .starting(let deadline), .probing(let deadline), .draining(let deadline), .stopping(let deadline),
            .killing(let deadline), .emptying(let deadline):
            return deadline
        case .ready(let readiness):
            let checked = earliest(readiness.unhealthyDeadline, readiness.reloadDeadline)
            return earliest(earliest(readiness.watchdogDeadline, readiness.provenAt), checked)
        }
    }

    /// What can be expected of this instance alone.
    var outlook: AppOutlook {
        switch state {
        case .ready where isRouted: return .up
        case .ready: return .coming(nextStart: startedAt)
        case .starting, .probing:
            return failedStartsInRow < AppMachine.failedStartsMax
                ? .coming(nextStart: startedAt) : .implausible(nextStart: startedAt)
        case .backingOff(let until):
            return failedStartsInRow < AppMachine.failedStartsMax
                ? .coming(nextStart: until) : .implausible(nextStart: until)
        case .draining, .stopping, .killing, .emptying:
            if goal == .stop || isCandidate { return .down }
            // It will start again as soon as the restart policy lets it, which nobody knows before its end.
            return failedStartsInRow < AppMachine.failedStartsMax
                ? .coming(nextStart: startedAt) : .implausible(nextStart: startedAt + policy.restart.lastDelay)
        case .stopped, .finished: return .down
        }
    }
}

/// The earlier of two times, of which either may be missing.
func earliest(_ first: Duration?, _ second: Duration?) -> Duration? {
    guard let first else { return second }
    guard let second else { return first }
    return min(first, second)
}
