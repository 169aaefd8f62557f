extension AppMachine {
    /// What became of a command.
    package enum Answer: Hashable, Sendable {
        /// It is being done; reports tell how it ends.
        case accepted
        /// A roll is under way.
        case busy
        /// There is nothing to do it with: the app is stopped, or has no such slot.
        case refused
    }

    /// Starts all slots; those that wait out a backoff or were at rest start at once.
    package mutating func start(now: Duration, actions: inout [AppAction]) {
        isRunning = true
        for index in occupants.indices { occupants[index].instance.clearBackoff(now: now) }
        fillSlots(now: now, actions: &actions)
        settle(now: now, actions: &actions)
    }

    /// Stops everything: un-route, drain, signal, kill. A roll is given up.
    package mutating func stop(now: Duration, actions: inout [AppAction]) {
        isRunning = false
        rollEvents.append(.cancel)
        for index in occupants.indices { occupants[index].instance.retire(now: now, actions: &actions) }
        settle(now: now, actions: &actions)
    }

    /// Kills everything that a stop has left. Nothing of an app that is to run.
    package mutating func kill(now: Duration, actions: inout [AppAction]) {
        guard !isRunning else { return }
        for index in occupants.indices { occupants[index].instance.endAtOnce(now: now, actions: &actions) }
        settle(now: now, actions: &actions)
    }

    /// Changes the number of slots; the highest go first. During a roll it is done after it.
    package mutating func scale(to count: Int, now: Duration, actions: inout [AppAction]) -> Answer {
        guard count >= 1, count == 1 || (roll.isActive ? rollAllowsTwo : allowsTwo) else { return .refused }
        if roll.isActive {
            pendingCount = count
        } else {
            self.count = count
            fillSlots(now: now, actions: &actions)
        }
        settle(now: now, actions: &actions)
        return .accepted
    }

    /// Applies what can be changed without a new process (`AppSpecification.Change.live`).
    ///
    /// - Parameters:
    ///   - specification: Of the active release.
    ///   - incoming: Of the release that the roll under way brings; nil: none, or it only renews processes.
    package mutating func update(
        _ specification: AppSpecification, incoming: AppSpecification? = nil, now: Duration, actions: inout [AppAction]
    ) {
        policy = InstancePolicy(specification)
        rollPolicy = InstancePolicy(incoming ?? specification)
        for index in occupants.indices {
            occupants[index].instance.update(occupants[index].isNew ? rollPolicy : policy, now: now)
        }
        _ = scale(to: (incoming ?? specification).instances, now: now, actions: &actions)
    }

    /// Brings a new release: proven beside the old one, or, at a fixed address, in its place.
    ///
    /// - Parameters:
    ///   - specification: Of the new release; its number of instances is taken over at the end.
    ///   - release: Its number; not the active one.
    ///   - soak: How long the first new instance serves a slice before the rest follows.
    package mutating func deploy(
        _ specification: AppSpecification, release: UInt32, soak: Duration, now: Duration, actions: inout [AppAction]
    ) -> Answer {
        if roll.isActive {
            guard isStuck else { return .busy }
            rollEvents.append(.cancel)
            settle(now: now, actions: &actions)
        }
        // From a fixed address to another kind, or back, the two could run together; but if either is fixed, the
        // careful way is right for both.
        let isInPlace = !allowsTwo || !specification.listen.allowsTwo
        rollPolicy = InstancePolicy(specification)
        rollAllowsTwo = specification.listen.allowsTwo
        rollCount = rollAllowsTwo ? specification.instances : 1
        guard isRunning else {
            activeRelease = release
            policy = rollPolicy
            allowsTwo = rollAllowsTwo
            count = rollCount ?? count
            rollCount = nil
            actions.append(.report(nil, .rollEnded(release: release, .completed)))
            return .accepted
        }
        return begin(
            ReleaseMachine.Plan(
                release: release, slots: Array(0..<count), soak: soak, provesAllFirst: true, isInPlace: isInPlace),
            now: now, actions: &actions)
    }

    /// Whether a deploy would be answered by `busy`. Over at the latest when an event ends what is in the way.
    package var isBusy: Bool {
        if roll.isActive { return !isStuck }
        return isRunning && isLeaving(slots: Array(0..<count), release: nil)
    }

    /// Whether something withdrawn or replaced is still on its way out of one of these slots. A candidate of the release was adopted for
    /// this very roll.
    private func isLeaving(slots: [Int], release: UInt32?) -> Bool {
        occupants.contains { occupant in
            guard slots.contains(occupant.instance.slot) else { return false }
            switch occupant.role {
            case .current: return false
            case .candidate: return release.map { $0 != occupant.instance.release } ?? false
            case .outgoing: return true
            }
        }
    }

    /// Whether the roll waits for new instances of which none has a process: it is given up for another one without loss, and at once.
    private var isStuck: Bool {
        guard case .retiring(_, nil, let remaining) = roll.phase else { return false }
        return !occupants.contains { occupant in
            occupant.role == .current && remaining.contains(occupant.instance.slot) && occupant.instance.hasProcess
        }
    }

    /// Replaces all processes by new ones of the same release, one slot after the other.
    package mutating func restart(now: Duration, actions: inout [AppAction]) -> Answer {
        replace(Array(0..<count), now: now, actions: &actions)
    }

    /// The counts of a soak so far; a clearly worse release is withdrawn at once.
    package mutating func recordSoak(_ comparison: SoakComparison, now: Duration, actions: inout [AppAction]) {
        rollEvents.append(.sample(comparison))
        settle(now: now, actions: &actions)
    }

    mutating func replace(_ slots: [Int], now: Duration, actions: inout [AppAction]) -> Answer {
        guard isRunning else { return .refused }
        guard !roll.isActive else { return .busy }
        rollPolicy = policy
        rollAllowsTwo = allowsTwo
        rollCount = nil
        return begin(
            ReleaseMachine.Plan(
                release: activeRelease, slots: slots, soak: .zero, provesAllFirst: false, isInPlace: !allowsTwo),
            now: now, actions: &actions)
    }

    private mutating func begin(_ plan: ReleaseMachine.Plan, now: Duration, actions: inout [AppAction]) -> Answer {
        guard !isLeaving(slots: plan.slots, release: plan.release) else { return .busy }
        actions.append(.report(nil, .rollBegan(release: plan.release)))
        var rollActions: [ReleaseMachine.Action] = []
        roll.begin(plan, actions: &rollActions)
        perform(rollActions, now: now, actions: &actions)
        settle(now: now, actions: &actions)
        return .accepted
    }
}
