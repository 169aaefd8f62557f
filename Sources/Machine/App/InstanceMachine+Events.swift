extension InstanceMachine {
    /// Takes in one event of this very spawn; the caller has compared the serial.
    mutating func handle(_ event: InstanceEvent, now: Duration, actions: inout [AppAction]) {
        switch event {
        case .started(let processID): started(processID, now: now, actions: &actions)
        case .startFailed(let failure): startFailed(failure, now: now, actions: &actions)
        case .exited(let exit): exited(exit, now: now, actions: &actions)
        case .emptied: emptied(now: now, actions: &actions)
        case .keeperLost: keeperLost(now: now, actions: &actions)
        case .portAccepts:
            if case .probing = state, !policy.hasHealth { becomeReady(now: now, actions: &actions) }
        case .healthPassed: healthPassed(now: now, actions: &actions)
        case .healthFailed(let isSilent): healthFailed(isSilent: isSilent, now: now, actions: &actions)
        case .notified(let notice): notified(notice, now: now, actions: &actions)
        case .drained:
            if case .draining = state { stop(signal: policy.stopSignal, now: now, actions: &actions) }
        case .memoryExceeded:
            guard hasProcess else { return }
            if case .killing = state { return }
            if case .emptying = state { return }
            endsInFailure = true
            isOverMemoryMax = true
            actions.append(.report(key, .memoryExceeded))
            kill(now: now, actions: &actions)
        }
    }

    /// Takes in that time has passed. Does nothing before `deadline`.
    ///
    /// - Returns: Whether a new spawn is due; the caller gives it a serial by `start`.
    mutating func timerFired(now: Duration, actions: inout [AppAction]) -> Bool {
        guard let deadline, deadline <= now else { return false }
        switch state {
        case .stopped, .finished: return false
        case .backingOff: return true
        case .starting, .probing:
            endsInFailure = true
            actions.append(.report(key, .startTimedOut))
            if case .starting = state {
                kill(now: now, actions: &actions)
            } else {
                stop(signal: policy.stopSignal, now: now, actions: &actions)
            }
        case .ready(let readiness): readyDeadlinePassed(readiness, now: now, actions: &actions)
        case .draining: stop(signal: policy.stopSignal, now: now, actions: &actions)
        case .stopping:
            actions.append(.report(key, .ignoredStopSignal))
            kill(now: now, actions: &actions)
        case .killing:
            actions.append(.report(key, .notKilled))
            kill(now: now, actions: &actions)
        case .emptying:
            state = .emptying(deadline: now + Self.killInterval)
            actions.append(.kill(key))
        }
        return false
    }

    private mutating func readyDeadlinePassed(_ readiness: Readiness, now: Duration, actions: inout [AppAction]) {
        var readiness = readiness
        if let end = readiness.watchdogDeadline, end <= now {
            endsInFailure = true
            actions.append(.report(key, .watchdogExpired))
            // SIGABRT, so that a core or a stack trace shows where it hangs.
            return stop(signal: 6, now: now, actions: &actions)
        }
        if let end = readiness.provenAt, end <= now {
            readiness.provenAt = nil
            recordProof()
        }
        if let end = readiness.reloadDeadline, end <= now { readiness.reloadDeadline = nil }
        if let end = readiness.unhealthyDeadline, end <= now, readiness.reloadDeadline == nil {
            readiness.unhealthyDeadline = nil
            readiness.isDue = true
        }
        if let end = readiness.unhealthyDeadline, end <= now { readiness.unhealthyDeadline = readiness.reloadDeadline }
        state = .ready(readiness)
    }

    private mutating func started(_ processID: Int32, now: Duration, actions: inout [AppAction]) {
        self.processID = processID
        actions.append(.report(key, .started(processID: processID)))
        // In any other state a stop came in between; its kill is on the way.
        if case .starting(let deadline) = state { state = .probing(deadline: deadline) }
    }

    private mutating func startFailed(_ failure: StartFailure, now: Duration, actions: inout [AppAction]) {
        switch state {
        case .starting, .killing: break
        default: return
        }
        failedStartsInRow += 1
        actions.append(.report(key, .startFailed(failure, failuresInRow: failedStartsInRow)))
        endsInFailure = true
        settle(now: now, wasCounted: true, actions: &actions)
    }

    private mutating func exited(_ exit: InstanceExit, now: Duration, actions: inout [AppAction]) {
        guard hasProcess else { return }
        if case .emptying = state { return }
        unroute(actions: &actions)
        recordStability(now: now)
        let isExpected = goal == .stop && !endsInFailure
        var exit = exit
        exit.isOverMemoryMax = isOverMemoryMax
        lastExit = exit
        processID = nil
        actions.append(.report(key, .exited(exit, runtime: now - startedAt, expected: isExpected)))
        state = .emptying(deadline: now + Self.killInterval)
    }

    private mutating func emptied(now: Duration, actions: inout [AppAction]) {
        guard hasProcess else { return }
        if case .emptying = state {} else {
            // The keeper always tells the end of the main process first; without it nothing is known of it.
            exited(InstanceExit(cause: .unknown), now: now, actions: &actions)
        }
        settle(now: now, wasCounted: false, actions: &actions)
    }

    private mutating func keeperLost(now: Duration, actions: inout [AppAction]) {
        guard hasProcess else { return }
        actions.append(.report(key, .keeperLost))
        endsInFailure = true
        exited(InstanceExit(cause: .unknown), now: now, actions: &actions)
        // Sent by the driver itself, since there is no keeper: to the process group and the cgroup.
        actions.append(.kill(key))
    }

    /// No process is left: what next?
    private mutating func settle(now: Duration, wasCounted: Bool, actions: inout [AppAction]) {
        actions.append(.forget(key))
        processID = nil
        if !isProven, !wasCounted, goal == .run || isCandidate { failedStartsInRow += 1 }
        guard goal == .run, !isCandidate else {
            state = .stopped
            return
        }
        if startsAgain {
            state = .backingOff(until: now)
            return
        }
        let hasFailed = endsInFailure || !(lastExit?.isClean ?? false)
        switch policy.restart.condition {
        case .never: state = .finished
        case .onFailure where !hasFailed: state = .finished
        case .onFailure, .always:
            restarts += 1
            let until = now + backoff.nextDelay(policy.restart)
            state = .backingOff(until: until)
            actions.append(.report(key, .backingOff(until: until)))
            return
        }
        actions.append(.report(key, .finished))
    }

    private mutating func healthPassed(now: Duration, actions: inout [AppAction]) {
        switch state {
        case .probing: becomeReady(now: now, actions: &actions)
        case .ready(var readiness) where readiness.failingSince != nil:
            readiness.failingSince = nil
            readiness.unhealthyDeadline = nil
            readiness.isDue = false
            readiness.isSilent = false
            state = .ready(readiness)
            actions.append(.report(key, .healthy))
        default: break
        }
    }

    private mutating func healthFailed(isSilent: Bool, now: Duration, actions: inout [AppAction]) {
        // It keeps its route: the balancer knows the check's result and avoids it, unless nothing better lives.
        guard case .ready(var readiness) = state else { return }
        let isNews = readiness.failingSince == nil
        guard isNews || isSilent != readiness.isSilent else { return }
        // One that says that it is not well may know what it waits for. One that says nothing hangs.
        let sure = (readiness.failingSince ?? now) + policy.startTimeout
        readiness.isSilent = isSilent
        if !readiness.isDue { readiness.unhealthyDeadline = isSilent ? min(now + policy.patience, sure) : sure }
        if isNews {
            readiness.failingSince = now
            actions.append(.report(key, .unhealthy))
        }
        state = .ready(readiness)
    }

    private mutating func notified(_ notice: InstanceEvent.Notice, now: Duration, actions: inout [AppAction]) {
        switch (notice, state) {
        case (.ready, .probing): becomeReady(now: now, actions: &actions)
        case (.ready, .ready(var readiness)):
            readiness.reloadDeadline = nil
            state = .ready(readiness)
        case (.watchdog, .ready(var readiness)):
            guard let watchdog = policy.watchdog else { return }
            readiness.watchdogDeadline = now + watchdog
            state = .ready(readiness)
        case (.reloading, .ready(var readiness)):
            readiness.reloadDeadline = now + policy.startTimeout
            state = .ready(readiness)
        case (.stopping, .ready), (.stopping, .probing):
            // It ends by itself: nothing new to it, no signal, but no longer than a stop may take.
            unroute(actions: &actions)
            recordStability(now: now)
            state = .stopping(deadline: now + policy.stopTimeout)
        default: break
        }
    }
}
