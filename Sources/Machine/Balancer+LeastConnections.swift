import Wire

extension Balancer {
    /// The peer with the fewest running attempts in relation to its weight; equals go by round robin.
    mutating func chooseLeastConnections(_ attempt: AttemptState, hint: ByteView, second: Int64) -> Int {
        let sticky = findSticky(attempt, hint: hint, second: second)
        if sticky >= 0 { return sticky }
        return chooseLeast(attempt, second: second) { peer in Int64(peer.allConnections) }
    }

    /// The eligible peer of the attempt's tier with the least cost in relation to its weight; equals go by round robin.
    /// -1: there is none. O(peers of the tier).
    @inline(__always)
    mutating func chooseLeast(_ attempt: AttemptState, second: Int64, cost: (borrowing Peer) -> Int64) -> Int {
        let tier = tier(of: attempt)
        var best = -1
        var bestPlace = tier.start
        var bestCost: Int64 = 0
        var areMany = false
        for place in tier.start..<tier.start &+ tier.count {
            let slot = Int(order[place])
            if isTried(attempt, slot) || !peers[slot].isEligible(at: second) { continue }
            let its = cost(peers[slot])
            guard best >= 0 else {
                (best, bestPlace, bestCost) = (slot, place, its)
                continue
            }
            switch compare(its, of: slot, with: bestCost, of: best) {
            case ..<0: (best, bestPlace, bestCost, areMany) = (slot, place, its, false)
            case 0: areMany = true
            default: break
            }
        }
        guard best >= 0, areMany else { return best }
        var total = 0
        for place in bestPlace..<tier.start &+ tier.count {
            let slot = Int(order[place])
            if isTried(attempt, slot) || !peers[slot].isEligible(at: second) { continue }
            if compare(cost(peers[slot]), of: slot, with: bestCost, of: best) != 0 { continue }
            total &+= earn(slot)
            // From here on `best` is one of several whose cost in relation to the weight is the same.
            if peers[slot].currentWeight > peers[best].currentWeight { (best, bestCost) = (slot, cost(peers[slot])) }
        }
        peers[best].currentWeight &-= total
        return best
    }

    /// Below 0, 0 or above 0: `cost` of one peer is less than, as much as or more than that of another, each in relation
    /// to its weight.
    private func compare(_ cost: Int64, of slot: Int, with other: Int64, of otherSlot: Int) -> Int64 {
        cost &* Int64(weight(otherSlot)) &- other &* Int64(weight(slot))
    }

    /// A peer's weight now, in units of 1/`Peer.weightUnit`.
    func weight(_ slot: Int) -> Int { peers[slot].weight &* share(slot) }
}
