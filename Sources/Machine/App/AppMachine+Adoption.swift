// Taking over what a supervisor before this one left: regular instances, what was on its way out, candidates of a roll that goes on.
extension AppMachine {
    /// Takes over a process that runs already. Called before `start`, which fills the other slots, or `stop`.
    ///
    /// Of two in a slot the first stays, so the driver begins with the one that is to.
    ///
    /// - Parameters:
    ///   - policy: Of its release; nil: that of the active one.
    ///   - isCandidate: It belongs to a roll that the driver goes on with by `deploy`, or gives up by `withdrawCandidates`.
    ///   - isEnding: It was sent its stop signal, for whatever reason: if the app is to run, it starts again.
    package mutating func adopt(
        _ key: InstanceKey, release: UInt32, policy: InstancePolicy? = nil, isCandidate: Bool = false, processID: Int32,
        lastExit: InstanceExit? = nil, isReady: Bool, isEnding: Bool = false, restarts: UInt64, runtime: Duration = .zero, now: Duration,
        actions: inout [AppAction]
    ) {
        nextSerial = max(nextSerial, key.serial &+ 1)
        let wanted = isCandidate ? Role.candidate : .current
        // A second one in a slot is the remainder of a roll that nobody will finish.
        let isSecond = occupants.contains { $0.role == wanted && $0.instance.slot == key.slot }
        let isLeft = isSecond || isCandidate && key.slot >= count
        let role = isLeft ? Role.outgoing : wanted
        var instance = InstanceMachine(
            slot: key.slot, release: release, policy: policy ?? self.policy, isCandidate: role == .candidate,
            share: isCandidate ? .none : .full)
        instance.adopt(
            serial: key.serial, processID: processID, isReady: isReady, isEnding: isEnding, restarts: restarts, runtime: runtime, now: now,
            actions: &actions)
        instance.lastExit = lastExit
        if isLeft || key.slot >= count { instance.retire(now: now, actions: &actions) }
        occupants.append(Occupant(role: role, isNew: role == .candidate, instance: instance))
        settle(now: now, actions: &actions)
    }

    /// Gives up the roll that adopted candidates were for.
    package mutating func withdrawCandidates(now: Duration, actions: inout [AppAction]) {
        guard !roll.isActive else { return }
        withdraw(now: now, actions: &actions)
        settle(now: now, actions: &actions)
    }

    /// Replaces the regular instances that run another release than the active one, which nobody had come to yet.
    @discardableResult
    package mutating func completeRoll(now: Duration, actions: inout [AppAction]) -> Answer {
        let slots = occupants.filter { $0.role == .current && $0.instance.release != activeRelease && $0.instance.hasProcess }
            .map(\.instance.slot).sorted()
        return slots.isEmpty ? .refused : replace(slots, now: now, actions: &actions)
    }

    /// Whether any slot has a regular instance.
    package var hasCurrent: Bool { occupants.contains { $0.role == .current } }

    /// Whether any slot has an instance that a roll has to prove.
    package var hasCandidate: Bool { occupants.contains { $0.role == .candidate } }
}
