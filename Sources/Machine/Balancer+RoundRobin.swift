import Wire

extension Balancer {
    /// The tier a request is in.
    func tier(of attempt: AttemptState) -> Tier { attempt.tier == 0 ? primary : backup }

    /// One choice by the upstream's policy, in the request's tier. -1 = none.
    mutating func choose(
        _ attempt: inout AttemptState, key: ByteView, hint: ByteView, now: Milliseconds, random: inout RandomSource
    ) -> Int {
        if isSingle { return chooseSingle(attempt, hint: hint, second: wholeSeconds(now)) }
        switch settings.policy {
        case .addressHash:
            return chooseByAddress(&attempt, address: key, hint: hint, second: wholeSeconds(now))
        case .hash:
            return chooseByHash(&attempt, key: key, hint: hint, second: wholeSeconds(now))
        case .consistentHash:
            return chooseOnRing(&attempt, key: key, hint: hint, second: wholeSeconds(now))
        case .random:
            return chooseRandom(&attempt, hint: hint, second: wholeSeconds(now), random: &random)
        case .randomTwo(let metric):
            return chooseRandomTwo(&attempt, metric, hint: hint, now: now, random: &random)
        case .roundRobin, .leastConnections, .leastTime:
            return chooseAgain(attempt, hint: hint, now: now)
        }
    }

    /// The choice in the backup tier after the primary one had none: hashing and random policies go by round robin
    /// there.
    mutating func chooseAgain(_ attempt: AttemptState, hint: ByteView, now: Milliseconds) -> Int {
        switch settings.policy {
        case .leastConnections:
            return chooseLeastConnections(attempt, hint: hint, second: wholeSeconds(now))
        case .leastTime(let metric, _):
            return chooseLeastTime(attempt, metric, hint: hint, now: now)
        default:
            return chooseRoundRobin(attempt, hint: hint, second: wholeSeconds(now))
        }
    }

    /// A lone server is used whatever its failures and whether it was tried; only `down` and `max_conns` count.
    private mutating func chooseSingle(_ attempt: AttemptState, hint: ByteView, second: Int64) -> Int {
        let sticky = findSticky(attempt, hint: hint, second: second)
        if sticky >= 0 { return sticky }
        let slot = Int(order[primary.start])
        return peers[slot].flags.isEmpty && !peers[slot].isFull ? slot : -1
    }

    /// Smooth weighted round robin: each eligible peer gains its effective weight, the richest is taken and pays the
    /// sum. Failures lower the effective weight, each look at the peer mends it by one.
    mutating func chooseRoundRobin(_ attempt: AttemptState, hint: ByteView, second: Int64) -> Int {
        let tier = tier(of: attempt)
        let sticky = findSticky(attempt, hint: hint, second: second)
        // A peer far in debt by sticky requests is not reweighted again: otherwise the others would grow without bound.
        let debtMax = (tier.totalWeight &- peers[max(sticky, 0)].weight) &* Peer.weightUnit
        if sticky >= 0, peers[sticky].currentWeight <= -debtMax { return sticky }
        var best = -1
        var total = 0
        for place in tier.start..<tier.start &+ tier.count {
            let slot = Int(order[place])
            if isTried(attempt, slot) || !peers[slot].isEligible(at: second) { continue }
            total &+= earn(slot)
            if best < 0 || peers[slot].currentWeight > peers[best].currentWeight { best = slot }
        }
        if sticky >= 0 { best = sticky }
        if best >= 0 { peers[best].currentWeight &-= total }
        return best
    }

    /// Adds a peer's effective weight to its current one and mends the former. Returns what was added.
    mutating func earn(_ slot: Int) -> Int {
        let weight = peers[slot].effectiveWeight
        let gain = weight &* share(slot)
        peers[slot].currentWeight &+= gain
        if weight < peers[slot].weight { peers[slot].effectiveWeight = weight &+ 1 }
        return gain
    }

    /// How much of its weight a peer has now, 1...`Peer.weightUnit`: less than all while its slow start runs.
    func share(_ slot: Int) -> Int {
        if peers[slot].slowStartedAt < 0 { return Peer.weightUnit }
        let elapsed = clock &- peers[slot].slowStartedAt
        if elapsed >= peers[slot].slowStart { return Peer.weightUnit }
        return max(1, Int(elapsed) &* Peer.weightUnit / Int(peers[slot].slowStart))
    }

    /// The peer with the sticky id `hint` in the request's tier, when it may be used. A draining one may. -1 = none.
    mutating func findSticky(_ attempt: AttemptState, hint: ByteView, second: Int64) -> Int {
        guard !hint.isEmpty, hint.count <= PeerID.maxCount else { return -1 }
        let wanted = PeerID(hint)
        let tier = tier(of: attempt)
        for place in tier.start..<tier.start &+ tier.count {
            let slot = Int(order[place])
            guard Int(peers[slot].idCount) == hint.count, ids[slot] == wanted else { continue }
            if isTried(attempt, slot) { return -1 }
            if !peers[slot].flags.subtracting(.draining).isEmpty { return -1 }
            return peers[slot].isFailed(at: second) || peers[slot].isFull ? -1 : slot
        }
        return -1
    }

    /// The peers of both tiers in their order: at 0..<`primary.count + backup.count`.
    @inline(__always)
    func slot(at place: Int) -> Int { Int(order[place < primary.count ? place : backup.start &+ place &- primary.count]) }

    /// Whether an untried live peer of the request's tier is kept back by nothing but `max_conns`.
    mutating func isAnyFull(_ attempt: AttemptState, at second: Int64) -> Bool {
        for place in 0..<primary.count &+ backup.count {
            let slot = slot(at: place)
            if !isSingle, isTried(attempt, slot) || peers[slot].isFailed(at: second) { continue }
            if peers[slot].flags.isEmpty, peers[slot].isFull { return true }
        }
        return false
    }
}
