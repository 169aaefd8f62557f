// One instance in place of another that is sick or has grown: by a roll of one slot, so that the new one proves first that it is better.
//
// An instance whose check gets no answer is replaced after the patience of its policy; one that says that it is not well after
// `start_timeout`. When more than half of the instances fail their checks it is the app, or something that it needs, and new
// processes would make it worse: then silence, too, gets `start_timeout`. One at a time, with a delay that grows as that of restarts does.
// If the new one gets ready no better, what is silent is restarted in its place, and what still answers is left to answer.
// So is what is silent beside a deploy, which may soak for an hour: the next roll is too far away.
extension AppMachine {
    /// Replaces the process of one slot by a new one (`memory_recycle`). Busy also when the last such replacement was a moment ago.
    package mutating func recycle(slot: Int, now: Duration, actions: inout [AppAction]) -> Answer {
        guard occupants.contains(where: { $0.role == .current && $0.instance.slot == slot && $0.instance.isReady })
        else { return .refused }
        guard nextReplacement <= now else { return .busy }
        return beginReplacement(slot, now: now, actions: &actions)
    }

    /// When an instance that is due can be replaced; nil: none is, or something else has to happen first.
    var replacementDeadline: Duration? {
        guard let index = replaceable else { return nil }
        return replacementTime(of: index)
    }

    /// Replaces an instance that is due, if it is time.
    mutating func replaceSick(now: Duration, actions: inout [AppAction]) {
        // A candidate that does not answer is no candidate any more.
        for index in occupants.indices where occupants[index].role == .candidate && occupants[index].instance.sickness?.isDue == true {
            occupants[index].instance.giveUp(now: now, actions: &actions)
        }
        guard let index = replaceable, replacementTime(of: index) <= now, let sickness = occupants[index].instance.sickness
        else { return }
        guard !roll.isActive else {
            nextReplacement = now + replacements.nextDelay(policy.restart)
            return occupants[index].instance.giveUp(now: now, actions: &actions)
        }
        actions.append(.report(occupants[index].instance.key, .replacing(isSilent: sickness.isSilent)))
        _ = beginReplacement(occupants[index].instance.slot, now: now, actions: &actions)
    }

    /// The roll ended: what became of the instance that it was for.
    mutating func replacementEnded(_ result: AppReport.RollResult, now: Duration, actions: inout [AppAction]) {
        guard let slot = replacedSlot else { return }
        replacedSlot = nil
        nextReplacement = now + replacements.nextDelay(policy.restart)
        guard case .failed = result,
            let index = occupants.firstIndex(where: { $0.role == .current && $0.instance.slot == slot }),
            let sickness = occupants[index].instance.sickness
        else { return }
        if sickness.isSilent {
            occupants[index].instance.giveUp(now: now, actions: &actions)
        } else {
            occupants[index].instance.postponeReplacement(until: now + policy.startTimeout)
        }
    }

    private mutating func beginReplacement(_ slot: Int, now: Duration, actions: inout [AppAction]) -> Answer {
        // Nothing was replaced for a while: that it had to be is no loop.
        if now - nextReplacement >= policy.restart.lastDelay * 4 { replacements.recordStableRun() }
        replacedSlot = slot
        if !allowsTwo {
            for index in occupants.indices where occupants[index].instance.slot == slot {
                occupants[index].instance.isHurried = occupants[index].instance.sickness?.isSilent == true
            }
        }
        let answer = replace([slot], now: now, actions: &actions)
        if answer != .accepted { replacedSlot = nil }
        return answer
    }

    /// The due instance that fails longest, alone in its slot; during a roll that is no replacement itself, of those that are silent.
    private var replaceable: Int? {
        guard isRunning, !roll.isActive || replacedSlot == nil else { return nil }
        var found: (index: Int, since: Duration)?
        for index in occupants.indices where occupants[index].role == .current {
            let instance = occupants[index].instance
            guard let sickness = instance.sickness, sickness.isDue, sickness.isSilent || !roll.isActive,
                sickness.since < found?.since ?? .seconds(Int64.max),
                occupants.count(where: { $0.instance.slot == instance.slot }) == 1
            else { continue }
            found = (index, sickness.since)
        }
        return found?.index
    }

    private func replacementTime(of index: Int) -> Duration {
        guard let sickness = occupants[index].instance.sickness else { return nextReplacement }
        let current = occupants.count { $0.role == .current }
        let sick = occupants.count { $0.role == .current && $0.instance.sickness != nil }
        let isAppSick = current > 1 && sick * 2 > current
        return max(nextReplacement, isAppSick ? sickness.since + policy.startTimeout : .zero)
    }
}
