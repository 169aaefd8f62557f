extension AppMachine {
    /// Lets the roll see what its instances did, does what it says, until nothing more follows; then the rest.
    mutating func settle(now: Duration, actions: inout [AppAction]) {
        sweep()
        while !rollEvents.isEmpty {
            let event = rollEvents.removeFirst()
            var rollActions: [ReleaseMachine.Action] = []
            roll.handle(event, now: now, actions: &rollActions)
            perform(rollActions, now: now, actions: &actions)
            sweep()
        }
        if !roll.isActive, let count = pendingCount {
            pendingCount = nil
            // Asked for in a roll from a fixed address that failed, it is too much.
            self.count = allowsTwo ? count : 1
            fillSlots(now: now, actions: &actions)
        }
        fillEmptySlots(now: now, actions: &actions)
        replaceSick(now: now, actions: &actions)
        let outlook = presentOutlook
        if outlook != lastOutlook {
            lastOutlook = outlook
            actions.append(.outlook(outlook))
        }
    }

    /// Turns changes of the instances into events of the roll and removes what is gone for good.
    private mutating func sweep() {
        for index in occupants.indices.reversed() {
            let occupant = occupants[index]
            let instance = occupant.instance
            if instance.isReady != occupant.wasReady {
                occupants[index].wasReady = instance.isReady
                if occupant.isNew, occupant.role != .outgoing {
                    rollEvents.append(
                        instance.isReady ? .newReady(slot: instance.slot) : .newUnready(slot: instance.slot))
                }
            }
            guard instance.phase == .stopped else { continue }
            switch occupant.role {
            case .candidate:
                occupants.remove(at: index)
                rollEvents.append(.candidateGone(slot: instance.slot))
            case .outgoing:
                occupants.remove(at: index)
                rollEvents.append(.oldGone(slot: instance.slot))
            case .current where instance.slot >= count: occupants.remove(at: index)
            case .current: break
            }
        }
    }

    /// Does what the roll says.
    mutating func perform(_ rollActions: [ReleaseMachine.Action], now: Duration, actions: inout [AppAction]) {
        for action in rollActions {
            switch action {
            case .startCandidate(let slot, let share): startCandidate(slot, share: share, now: now, actions: &actions)
            case .setShare(let slot, let share):
                for index in indices(of: slot, .candidate) {
                    occupants[index].instance.setShare(share, actions: &actions)
                }
            case .commit(let slots): commit(slots, actions: &actions)
            case .retireOld(let slot): retireOld(slot, now: now, actions: &actions)
            case .withdraw: withdraw(now: now, actions: &actions)
            case .undo(let slots): undo(slots, now: now, actions: &actions)
            case .startOldAgain(let slot):
                append(slot: slot, release: activeRelease, role: .current, isNew: false, share: .full, now: now,
                       actions: &actions)
            case .soaking(let until): actions.append(.report(nil, .soaking(until: until)))
            case .ended(let result): ended(result, now: now, actions: &actions)
            }
        }
    }

    /// Starts the new instance of a slot, unless it was taken over from a supervisor that died in the middle of this roll.
    private mutating func startCandidate(_ slot: Int, share: RouteShare, now: Duration, actions: inout [AppAction]) {
        guard let index = indices(of: slot, .candidate).first else {
            return append(
                slot: slot, release: roll.plan.release, role: .candidate, isNew: true, share: share, now: now, actions: &actions)
        }
        occupants[index].instance.update(rollPolicy, now: now)
        occupants[index].instance.setShare(share, actions: &actions)
        if occupants[index].instance.isReady { rollEvents.append(.newReady(slot: slot)) }
    }

    /// Ends all candidates.
    mutating func withdraw(now: Duration, actions: inout [AppAction]) {
        for index in occupants.indices where occupants[index].role == .candidate {
            occupants[index].role = .outgoing
            occupants[index].instance.retire(now: now, actions: &actions)
        }
    }

    private func indices(of slot: Int, _ role: Role) -> [Int] {
        occupants.indices.filter { occupants[$0].role == role && occupants[$0].instance.slot == slot }
    }

    private mutating func commit(_ slots: [Int], actions: inout [AppAction]) {
        activeRelease = roll.plan.release
        policy = rollPolicy
        allowsTwo = rollAllowsTwo
        for index in occupants.indices where slots.contains(occupants[index].instance.slot) {
            switch occupants[index].role {
            case .current: occupants[index].role = .outgoing
            case .candidate:
                occupants[index].role = .current
                occupants[index].instance.promote()
                occupants[index].instance.setShare(.full, actions: &actions)
            case .outgoing: break
            }
        }
    }

    private mutating func retireOld(_ slot: Int, now: Duration, actions: inout [AppAction]) {
        // In place there was no commit yet: the one to go is still the current one.
        for index in indices(of: slot, .current) where roll.plan.isInPlace { occupants[index].role = .outgoing }
        let old = indices(of: slot, .outgoing)
        for index in old { occupants[index].instance.retire(now: now, actions: &actions) }
        if old.isEmpty { rollEvents.append(.oldGone(slot: slot)) }
    }

    private mutating func undo(_ slots: [Int], now: Duration, actions: inout [AppAction]) {
        for index in occupants.indices where slots.contains(occupants[index].instance.slot) {
            switch occupants[index].role {
            case .current:
                occupants[index].role = .outgoing
                occupants[index].instance.retire(now: now, actions: &actions)
            case .outgoing: occupants[index].role = .current
            case .candidate: break
            }
        }
    }

    private mutating func ended(_ result: AppReport.RollResult, now: Duration, actions: inout [AppAction]) {
        if result == .completed { pendingCount = pendingCount ?? rollCount }
        rollPolicy = policy
        rollCount = nil
        for index in occupants.indices { occupants[index].isNew = false }
        actions.append(.report(nil, .rollEnded(release: roll.plan.release, result)))
        replacementEnded(result, now: now, actions: &actions)
    }

    /// The best that any instance promises.
    private var presentOutlook: AppOutlook {
        var coming: Duration?
        var implausible: Duration?
        for occupant in occupants {
            switch occupant.instance.outlook {
            case .up: return .up
            case .coming(let time): coming = earliest(coming, time)
            case .implausible(let time): implausible = earliest(implausible, time)
            case .down: break
            }
        }
        if let coming { return .coming(nextStart: coming) }
        if let implausible { return .implausible(nextStart: implausible) }
        // At a fixed address the old one goes before the new one comes.
        return roll.isActive && isRunning ? .coming(nextStart: .zero) : .down
    }
}
