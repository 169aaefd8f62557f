extension ReleaseMachine {
    /// Begins a roll. The caller has checked that none is active.
    mutating func begin(_ plan: Plan, actions: inout [Action]) {
        self.plan = plan
        readySlots = []
        guard let first = plan.slots.first else {
            actions.append(.ended(.completed))
            return
        }
        if plan.isInPlace {
            groups = [[first]]
            phase = .parking(slot: first)
            actions.append(.retireOld(slot: first))
            return
        }
        let rest = Array(plan.slots.dropFirst())
        if plan.provesAllFirst {
            groups = rest.isEmpty ? [[first]] : [[first], rest]
        } else {
            groups = plan.slots.map { [$0] }
        }
        prove(group: 0, actions: &actions)
    }

    /// Takes in one event. Events that mean nothing in the present phase are ignored.
    mutating func handle(_ event: Event, now: Duration, actions: inout [Action]) {
        switch event {
        case .newReady(let slot):
            readySlots.insert(slot)
            newReady(slot, now: now, actions: &actions)
        case .newUnready(let slot):
            readySlots.remove(slot)
        case .candidateGone(let slot):
            readySlots.remove(slot)
            candidateGone(slot, actions: &actions)
        case .oldGone(let slot): oldGone(slot, actions: &actions)
        case .sample(let comparison):
            if case .soaking = phase, comparison.isWorse { fail(.worse(comparison), actions: &actions) }
        case .timer:
            if case .soaking(let until) = phase, until <= now { provenGroup(0, actions: &actions) }
        case .cancel:
            switch phase {
            case .idle: break
            case .retiring(_, _, let remaining):
                actions.append(.undo(slots: remaining))
                end(.cancelled, actions: &actions)
            default: fail(.cancelled, actions: &actions)
            }
        }
    }

    private mutating func prove(group: Int, actions: inout [Action]) {
        phase = .proving(group: group, waiting: groups[group])
        for slot in groups[group] { actions.append(.startCandidate(slot: slot, share: .none)) }
    }

    private mutating func newReady(_ slot: Int, now: Duration, actions: inout [Action]) {
        switch phase {
        case .proving(let group, var waiting):
            waiting.removeAll { $0 == slot }
            guard waiting.isEmpty else {
                phase = .proving(group: group, waiting: waiting)
                return
            }
            if group == 0, plan.soak > .zero {
                phase = .soaking(until: now + plan.soak)
                actions.append(.setShare(slot: slot, .slice))
                actions.append(.soaking(until: now + plan.soak))
            } else {
                provenGroup(group, actions: &actions)
            }
        case .retiring(let group, nil, let remaining):
            retireNext(group: group, remaining: remaining, actions: &actions)
        case .provingInPlace(slot):
            actions.append(.commit(slots: [slot]))
            end(.completed, actions: &actions)
        default: break
        }
    }

    private mutating func provenGroup(_ group: Int, actions: inout [Action]) {
        let next = group + 1
        if plan.provesAllFirst, next < groups.count { return prove(group: next, actions: &actions) }
        let slots = plan.provesAllFirst ? plan.slots : groups[group]
        actions.append(.commit(slots: slots))
        retireNext(group: group, remaining: slots, actions: &actions)
    }

    /// Retires the next old instance whose successor is ready now.
    private mutating func retireNext(group: Int, remaining: [Int], actions: inout [Action]) {
        guard !remaining.isEmpty else {
            let next = group + 1
            return next < groups.count ? prove(group: next, actions: &actions) : end(.completed, actions: &actions)
        }
        guard let slot = remaining.first(where: { readySlots.contains($0) }) else {
            phase = .retiring(group: group, current: nil, remaining: remaining)
            return
        }
        phase = .retiring(group: group, current: slot, remaining: remaining.filter { $0 != slot })
        actions.append(.retireOld(slot: slot))
    }

    private mutating func oldGone(_ slot: Int, actions: inout [Action]) {
        switch phase {
        case .retiring(let group, slot, let remaining):
            retireNext(group: group, remaining: remaining, actions: &actions)
        case .parking(slot):
            phase = .provingInPlace(slot: slot)
            actions.append(.startCandidate(slot: slot, share: .full))
        default: break
        }
    }

    private mutating func candidateGone(_ slot: Int, actions: inout [Action]) {
        switch phase {
        case .proving, .soaking: fail(.failed(slot: slot), actions: &actions)
        case .provingInPlace(slot):
            actions.append(.startOldAgain(slot: slot))
            end(.reverted, actions: &actions)
        default: break
        }
    }

    private mutating func fail(_ result: AppReport.RollResult, actions: inout [Action]) {
        actions.append(.withdraw)
        end(result, actions: &actions)
    }

    private mutating func end(_ result: AppReport.RollResult, actions: inout [Action]) {
        phase = .idle
        groups = []
        readySlots = []
        actions.append(.ended(result))
    }
}
