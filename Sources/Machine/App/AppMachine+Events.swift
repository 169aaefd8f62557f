extension AppMachine {
    /// Takes in an event of one instance. An event of a spawn that is unknown, or over, has no effect, except that a
    /// process nobody knows is killed and a keeper nobody knows is let go.
    package mutating func handle(
        _ event: InstanceEvent, for key: InstanceKey, now: Duration, actions: inout [AppAction]
    ) {
        guard let index = occupants.firstIndex(where: { $0.instance.key == key }) else {
            switch event {
            case .started: actions.append(.kill(key))
            case .startFailed, .emptied: actions.append(.forget(key))
            default: break
            }
            return
        }
        occupants[index].instance.handle(event, now: now, actions: &actions)
        settle(now: now, actions: &actions)
    }

    /// Takes in that time has passed. Harmless at any time, needed at `deadline`.
    package mutating func timerFired(now: Duration, actions: inout [AppAction]) {
        for index in occupants.indices
        where occupants[index].instance.timerFired(now: now, actions: &actions) {
            startOccupant(at: index, now: now, actions: &actions)
        }
        if let deadline = roll.deadline, deadline <= now { rollEvents.append(.timer) }
        settle(now: now, actions: &actions)
    }

    /// Starts the instances at rest that should run; retires those that should not.
    mutating func fillSlots(now: Duration, actions: inout [AppAction]) {
        for index in occupants.indices where occupants[index].role == .current {
            if occupants[index].instance.slot >= count {
                occupants[index].instance.retire(now: now, actions: &actions)
            } else if isRunning {
                switch occupants[index].instance.phase {
                case .stopped, .finished: startOccupant(at: index, now: now, actions: &actions)
                case .draining, .stopping, .killing, .emptying:
                    occupants[index].instance.start(serial: 0, now: now, actions: &actions)
                case .backingOff, .starting, .probing, .ready: break
                }
            }
        }
    }

    /// Gives each slot that has no instance at all a first one, also beside the adopted candidate of a roll that goes on. While a roll is
    /// under way, slots are its affair; one from which something withdrawn is still on its way out has to wait.
    mutating func fillEmptySlots(now: Duration, actions: inout [AppAction]) {
        guard isRunning, !roll.isActive else { return }
        func isFull(_ occupant: Occupant, _ slot: Int) -> Bool {
            occupant.instance.slot == slot && (occupant.role != .candidate || !allowsTwo)
        }
        for slot in 0..<count where !occupants.contains(where: { isFull($0, slot) }) {
            append(slot: slot, release: activeRelease, role: .current, isNew: false, share: .full, now: now,
                   actions: &actions)
        }
    }

    /// Adds an instance and starts it.
    mutating func append(
        slot: Int, release: UInt32, role: Role, isNew: Bool, share: RouteShare, now: Duration,
        actions: inout [AppAction]
    ) {
        let instance = InstanceMachine(
            slot: slot, release: release, policy: isNew ? rollPolicy : policy, isCandidate: role == .candidate,
            share: share)
        occupants.append(Occupant(role: role, isNew: isNew, instance: instance))
        startOccupant(at: occupants.count - 1, now: now, actions: &actions)
    }

    /// Starts the process of an occupant that has none, with the active release if it is a current one.
    private mutating func startOccupant(at index: Int, now: Duration, actions: inout [AppAction]) {
        let occupant = occupants[index]
        // A stopped app may have got another release, and a roll that was undone left slots of the withdrawn one.
        if occupant.role == .current, !roll.isActive, occupant.instance.release != activeRelease {
            occupants[index].instance = InstanceMachine(
                slot: occupant.instance.slot, release: activeRelease, policy: policy)
        }
        let serial = nextSerial
        nextSerial &+= 1
        occupants[index].instance.start(serial: serial, now: now, actions: &actions)
    }
}
