import Wire

extension Balancer {
    /// The peer with the fewest running attempts in relation to its weight; equals go by round robin.
    mutating func chooseLeastConnections(_ attempt: AttemptState, hint: ByteView, second: Int64) -> Int {
        let sticky = findSticky(attempt, hint: hint, second: second)
        if sticky >= 0 { return sticky }
        let tier = tier(of: attempt)
        var best = -1
        var bestPlace = tier.start
        var areMany = false
        for place in tier.start..<tier.start &+ tier.count {
            let slot = Int(order[place])
            if isTried(attempt, slot) || !peers[slot].isEligible(at: second) { continue }
            guard best >= 0 else {
                (best, bestPlace) = (slot, place)
                continue
            }
            let mine = peers[slot].allConnections &* weight(best)
            let its = peers[best].allConnections &* weight(slot)
            if mine < its {
                (best, bestPlace, areMany) = (slot, place, false)
            } else if mine == its {
                areMany = true
            }
        }
        guard best >= 0 else { return -1 }
        var total = 0
        if areMany {
            for place in bestPlace..<tier.start &+ tier.count {
                let slot = Int(order[place])
                if isTried(attempt, slot) || !peers[slot].isEligible(at: second) { continue }
                let mine = peers[slot].allConnections &* weight(best)
                if mine != peers[best].allConnections &* weight(slot) { continue }
                total &+= earn(slot)
                if peers[slot].currentWeight > peers[best].currentWeight { best = slot }
            }
        }
        peers[best].currentWeight &-= total
        return best
    }

    /// A peer's weight now, in units of 1/`Peer.weightUnit`.
    func weight(_ slot: Int) -> Int { peers[slot].weight &* share(slot) }
}
