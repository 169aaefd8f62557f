// What the app's machine orders: start, retire, another share of the traffic, another policy.
extension InstanceMachine {
    /// Starts a process in this slot if it has none.
    ///
    /// - Parameters:
    ///   - serial: Number of the spawn.
    ///   - now: Monotonic time.
    /// - Returns: Whether a spawn was ordered.
    @discardableResult
    mutating func start(serial: UInt32, now: Duration, actions: inout [AppAction]) -> Bool {
        guard !hasProcess else {
            startsAgain = goal == .stop || startsAgain
            goal = .run
            return false
        }
        goal = .run
        startsAgain = false
        self.serial = serial
        startedAt = now
        processID = nil
        isProven = false
        endsInFailure = false
        isOverMemoryMax = false
        isHurried = false
        state = .starting(deadline: now + policy.startTimeout)
        actions.append(.spawn(key, release: release))
        return true
    }

    /// Takes over a running process that a supervisor before this one started.
    ///
    /// - Parameters:
    ///   - isEnding: It was sent its stop signal. If it is to run, `start` comes next, and then one that was stopped starts again.
    ///   - runtime: How long it runs already.
    mutating func adopt(
        serial: UInt32, processID: Int32, isReady: Bool, isEnding: Bool, restarts: UInt64, runtime: Duration, now: Duration,
        actions: inout [AppAction]
    ) {
        goal = isEnding ? .stop : .run
        // Whether it was ever ready is not known any more; that it ends is no failed start.
        isProven = isEnding
        self.serial = serial
        self.processID = processID
        self.restarts = restarts
        startedAt = now
        if isEnding {
            state = .stopping(deadline: now + policy.stopTimeout)
        } else if isReady {
            mayHaveTraffic = true
            becomeReady(now: now, actions: &actions)
        } else {
            state = .probing(deadline: now + policy.startTimeout)
        }
        startedAt = now - runtime
        if case .ready(var readiness) = state {
            readiness.since = startedAt
            state = .ready(readiness)
        }
    }

    /// Ends the instance for good: un-route, drain, signal, kill, as far as each is still needed.
    mutating func retire(now: Duration, actions: inout [AppAction]) {
        goal = .stop
        startsAgain = false
        switch state {
        case .stopped, .finished, .draining, .stopping, .killing, .emptying: break
        case .backingOff: state = .stopped
        case .starting: kill(now: now, actions: &actions)
        case .probing: stop(signal: policy.stopSignal, now: now, actions: &actions)
        case .ready: drain(now: now, actions: &actions)
        }
        if case .finished = state { state = .stopped }
    }

    /// Ends what is on its way out, or about to be, without further patience.
    mutating func endAtOnce(now: Duration, actions: inout [AppAction]) {
        switch state {
        case .starting, .probing, .ready, .draining, .stopping: kill(now: now, actions: &actions)
        // It was killed already, or has ended.
        case .stopped, .finished, .backingOff, .killing, .emptying: break
        }
    }

    /// Its check fails and it is not replaced by another one: it ends, and what follows is the restart policy's affair.
    mutating func giveUp(now: Duration, actions: inout [AppAction]) {
        guard case .ready(let readiness) = state else { return }
        endsInFailure = true
        isHurried = readiness.isSilent
        drain(now: now, actions: &actions)
    }

    /// A replacement failed: it is due again, later.
    mutating func postponeReplacement(until deadline: Duration) {
        guard case .ready(var readiness) = state, readiness.isDue else { return }
        readiness.isDue = false
        readiness.unhealthyDeadline = deadline
        state = .ready(readiness)
    }

    /// Changes how much of the traffic it gets.
    mutating func setShare(_ share: RouteShare, actions: inout [AppAction]) {
        guard share != self.share else { return }
        self.share = share
        if case .ready = state { applyShare(actions: &actions) }
    }

    /// Makes a candidate the regular occupant of its slot.
    mutating func promote() { isCandidate = false }

    /// Takes over other timeouts, another stop signal or restart policy, from now on.
    mutating func update(_ policy: InstancePolicy, now: Duration) {
        self.policy = policy
        guard case .ready(var readiness) = state else { return }
        if policy.watchdog == nil { readiness.watchdogDeadline = nil }
        if !policy.hasHealth {
            readiness.failingSince = nil
            readiness.unhealthyDeadline = nil
            readiness.isDue = false
            readiness.isSilent = false
        }
        state = .ready(readiness)
    }

    /// Asks for a start without further delay if it waits for one, or rests.
    mutating func clearBackoff(now: Duration) {
        backoff.reset()
        if case .backingOff = state { state = .backingOff(until: now) }
    }
}

// Steps that orders and events share.
extension InstanceMachine {
    /// Routes, un-routes or re-weighs a ready instance by its share.
    mutating func applyShare(actions: inout [AppAction]) {
        if share == .none {
            unroute(actions: &actions)
        } else {
            isRouted = true
            actions.append(.route(key, share))
        }
    }

    /// Orders the un-routing if a route is in force, or may be.
    mutating func unroute(actions: inout [AppAction]) {
        guard isRouted || mayHaveTraffic else { return }
        isRouted = false
        mayHaveTraffic = false
        actions.append(.unroute(key))
    }

    /// From ready towards the stop signal: at once when it has no traffic.
    mutating func drain(now: Duration, actions: inout [AppAction]) {
        guard isRouted || mayHaveTraffic else { return stop(signal: policy.stopSignal, now: now, actions: &actions) }
        unroute(actions: &actions)
        recordStability(now: now)
        state = .draining(deadline: now + (isHurried ? min(policy.drainTimeout, policy.patience) : policy.drainTimeout))
    }

    /// Sends a stop signal.
    mutating func stop(signal: Int32, now: Duration, actions: inout [AppAction]) {
        unroute(actions: &actions)
        recordStability(now: now)
        let time = isHurried ? min(policy.stopTimeout, policy.patience) : policy.stopTimeout
        state = .stopping(deadline: now + time)
        actions.append(.stop(key, signal: signal, killAfter: time))
    }

    /// Kills the whole group.
    mutating func kill(now: Duration, actions: inout [AppAction]) {
        unroute(actions: &actions)
        recordStability(now: now)
        state = .killing(deadline: now + Self.killInterval)
        actions.append(.kill(key))
    }

    /// A run that was ready for a while was no failed start; one that was for the longest delay shows that the app works: the next
    /// restart is immediate.
    mutating func recordStability(now: Duration) {
        guard case .ready(let readiness) = state else { return }
        if now - readiness.since >= Self.provenTime { recordProof() }
        if now - readiness.since >= policy.restart.lastDelay { backoff.recordStableRun() }
    }

    /// Forgets the failed starts before this run.
    mutating func recordProof() {
        isProven = true
        failedStartsInRow = 0
    }

    /// From probing to ready.
    mutating func becomeReady(now: Duration, actions: inout [AppAction]) {
        let provenAt = failedStartsInRow > 0 ? now + Self.provenTime : nil
        state = .ready(Readiness(since: now, provenAt: provenAt, watchdogDeadline: policy.watchdog.map { now + $0 }))
        actions.append(.report(key, .ready(after: now - startedAt)))
        if share != .none { applyShare(actions: &actions) }
    }
}
