extension Balancer {
    /// The end of an attempt on a lone server: its failures are forgotten.
    mutating func settleSingle(_ slot: Int) {
        guard peers[slot].fails > 0 else { return }
        peers[slot].fails = 0
        publications.append(.recovered(peer: slot))
    }

    /// The end of an attempt in the peer's account of failures.
    mutating func settle(_ slot: Int, _ outcome: AttemptOutcome, now: Milliseconds) {
        if outcome == .failed {
            fail(slot, count: 1, now: now)
        } else if peers[slot].accessed < peers[slot].checked, peers[slot].fails > 0 {
            // A probe after the failure window came to a good end: the peer is live again.
            if peers[slot].maxFails > 0, peers[slot].fails >= peers[slot].maxFails { startSlowly(slot, now: now) }
            peers[slot].fails = 0
            publications.append(.recovered(peer: slot))
        }
    }

    /// So many failures at once in the peer's account, `count` at most its `maxFails` or 1.
    mutating func fail(_ slot: Int, count: Int, now: Milliseconds) {
        let second = wholeSeconds(now)
        peers[slot].fails = min(peers[slot].fails &+ count, Int(Int32.max))
        peers[slot].accessed = second
        peers[slot].checked = second
        if peers[slot].maxFails > 0 {
            let loss = peers[slot].weight / peers[slot].maxFails &* count
            peers[slot].effectiveWeight = max(0, peers[slot].effectiveWeight &- loss)
        }
        publications.append(.failed(peer: slot, count: count))
    }

    mutating func isTried(_ attempt: AttemptState, _ slot: Int) -> Bool {
        if slot < 64 { return attempt.tried >> UInt64(truncatingIfNeeded: slot) & 1 == 1 }
        return attempt.wideSet >= 0 && wideSets.contains(attempt.wideSet, slot)
    }

    mutating func markTried(_ attempt: inout AttemptState, _ slot: Int) {
        if slot < 64 {
            attempt.tried |= 1 << UInt64(truncatingIfNeeded: slot)
        } else {
            // The balancer may have grown after the request began.
            if attempt.wideSet < 0 { attempt.wideSet = wideSets.take(bits: capacity) }
            wideSets.insert(attempt.wideSet, slot)
        }
    }
}

/// Bitmaps lent to requests on balancers with more than 64 slots.
struct WideSets {
    private var words: [UInt64] = []
    private var wordsPerSet = 0
    private var free: [Int32] = []

    /// Lends a cleared set for slots below `bits`. Allocates when none is free.
    mutating func take(bits: Int) -> Int32 {
        let needed = (bits + 63) / 64
        if needed > wordsPerSet { widen(to: needed) }
        guard let set = free.popLast() else {
            let set = Int32(words.count / wordsPerSet)
            words.append(contentsOf: repeatElement(0, count: wordsPerSet))
            free.reserveCapacity(words.count / wordsPerSet)
            return set
        }
        for word in 0..<wordsPerSet { words[Int(set) &* wordsPerSet &+ word] = 0 }
        return set
    }

    mutating func give(_ set: Int32) { free.append(set) }

    func contains(_ set: Int32, _ bit: Int) -> Bool {
        guard bit >> 6 < wordsPerSet else { return false }
        return words[Int(set) &* wordsPerSet &+ bit >> 6] >> UInt64(bit & 63) & 1 == 1
    }

    mutating func insert(_ set: Int32, _ bit: Int) {
        if bit >> 6 >= wordsPerSet { widen(to: bit >> 6 + 1) }
        words[Int(set) &* wordsPerSet &+ bit >> 6] |= 1 << UInt64(bit & 63)
    }

    /// Lays all sets out anew with more words each (after an update brought more peers). Control path.
    private mutating func widen(to newWords: Int) {
        let sets = wordsPerSet == 0 ? 0 : words.count / wordsPerSet
        var wider = [UInt64](repeating: 0, count: sets * newWords)
        for set in 0..<sets {
            for word in 0..<wordsPerSet { wider[set * newWords + word] = words[set * wordsPerSet + word] }
        }
        (words, wordsPerSet) = (wider, newWords)
    }
}
