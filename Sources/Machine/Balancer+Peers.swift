extension Balancer {
    /// Whether an index is a peer's now. O(1).
    package func isPeer(_ peer: Int) -> Bool { peer >= 0 && peer < capacity && peers[peer].isUsed }

    /// Whether a peer is in the lists: not one that was taken out and only has attempts to end. O(1).
    package func isListed(_ peer: Int) -> Bool { isPeer(peer) && !peers[peer].isRemoved }

    /// Attempts of this worker that run on a peer. O(1).
    package mutating func connections(of peer: Int) -> Int { isPeer(peer) ? peers[peer].connections : 0 }

    /// Failures of a peer that are not forgiven. O(1).
    package func fails(of peer: Int) -> Int { isPeer(peer) ? peers[peer].fails : 0 }

    /// Whether a peer was just put out for its failures (nginx logs "upstream server temporarily disabled" on each
    /// failure from there on). O(1).
    package func isDisabled(_ peer: Int) -> Bool {
        isPeer(peer) && !isSingle && peers[peer].maxFails > 0 && peers[peer].fails >= peers[peer].maxFails
    }

    /// Why a peer is not offered. O(1).
    package func flags(of peer: Int) -> PeerFlags { isPeer(peer) ? peers[peer].flags : [] }

    /// Sets or clears a reason at run time: drain, un-route, health checks. O(peers).
    package mutating func setFlag(_ flag: PeerFlags, _ isSet: Bool, peer: Int, now: Milliseconds) {
        guard isPeer(peer) else { return }
        let wasOffered = peers[peer].flags.isEmpty
        if isSet { peers[peer].flags.insert(flag) } else { peers[peer].flags.remove(flag) }
        if !wasOffered, peers[peer].flags.isEmpty { startSlowly(peer, now: now) }
        primary.tries = countTries(primary)
        backup.tries = countTries(backup)
    }

    private func countTries(_ tier: Tier) -> Int {
        var tries = 0
        for place in tier.start..<tier.start + tier.count
        where peers[Int(order[place])].flags.isDisjoint(with: [.down, .draining]) {
            tries += 1
        }
        return tries
    }
}
