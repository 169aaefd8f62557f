import Wire

extension Balancer {
    /// `random`: by weight; after too many vain tries round robin.
    mutating func chooseRandom(_ attempt: inout AttemptState, hint: ByteView, second: Int64, random: inout RandomSource)
        -> Int
    {
        let tier = tier(of: attempt)
        if attempt.vainTries > Balancer.vainTriesMax || tier.count < 2 {
            return chooseRoundRobin(attempt, hint: hint, second: second)
        }
        let sticky = findSticky(attempt, hint: hint, second: second)
        if sticky >= 0 { return sticky }
        while attempt.vainTries <= Balancer.vainTriesMax {
            let slot = randomSlot(tier, &random)
            if !isTried(attempt, slot), peers[slot].isEligible(at: second) { return slot }
            attempt.vainTries &+= 1
        }
        return chooseRoundRobin(attempt, hint: hint, second: second)
    }

    /// `random two`: of two different random peers the less loaded one; after too many vain tries round robin.
    mutating func chooseRandomTwo(
        _ attempt: inout AttemptState, _ metric: RandomTwoMetric, hint: ByteView, now: Milliseconds,
        random: inout RandomSource
    ) -> Int {
        let second = wholeSeconds(now)
        let tier = tier(of: attempt)
        if attempt.vainTries > Balancer.vainTriesMax || tier.count < 2 {
            return chooseRoundRobin(attempt, hint: hint, second: second)
        }
        let sticky = findSticky(attempt, hint: hint, second: second)
        if sticky >= 0 { return sticky }
        var first = -1
        while attempt.vainTries <= Balancer.vainTriesMax {
            let slot = randomSlot(tier, &random)
            if slot != first, !isTried(attempt, slot), peers[slot].isEligible(at: second) {
                if first >= 0 { return isLessLoaded(first, than: slot, metric, second) ? first : slot }
                first = slot
                continue
            }
            attempt.vainTries &+= 1
        }
        return chooseRoundRobin(attempt, hint: hint, second: second)
    }

    private func isLessLoaded(_ a: Int, than b: Int, _ metric: RandomTwoMetric, _ second: Int64) -> Bool {
        switch metric {
        case .leastConnections:
            return peers[b].allConnections &* peers[a].weight > peers[a].allConnections &* peers[b].weight
        case .leastTime(let time):
            let mine = peers[a].estimatedTime(time, second: second) &* Int64(peers[b].weight)
            return mine < peers[b].estimatedTime(time, second: second) &* Int64(peers[a].weight)
        }
    }

    /// A peer of the tier with a probability in proportion to its weight.
    private func randomSlot(_ tier: Tier, _ random: inout RandomSource) -> Int {
        let x = Int(truncatingIfNeeded: random.next(below: UInt64(tier.totalWeight)))
        var (low, high) = (tier.start, tier.start &+ tier.count)
        while high &- low > 1 {
            let middle = (low &+ high) / 2
            if x < ranges[middle] { high = middle } else { low = middle }
        }
        return Int(order[low])
    }
}
