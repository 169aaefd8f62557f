/// What upstreams with `app`, `health_check` or `panic on` have beyond nginx (D9): a pool that is never empty, and
/// peers judged by the answers they give. Slow start is every upstream's.
extension Balancer {
    /// The last resort: an untried peer although it is failed, unhealthy or unproven; never one that is down, draining
    /// or full. Failed ones come before unproven, these before unhealthy, and unresponsive ones last; among equals the one whose last
    /// failure is longest ago, then the one with the fewest attempts. With `provesFirst` unproven ones are left out, too.
    /// -1 = none.
    ///
    /// A peer whose failure window is over is still found by the policy itself first: it gets one request as a probe
    /// (half-open), and nothing more until that succeeds.
    mutating func chooseLeastBad(_ attempt: AttemptState) -> Int {
        var best = -1
        let excluded: PeerFlags = settings.provesFirst ? [.down, .draining, .unproven] : [.down, .draining]
        for place in 0..<primary.count &+ backup.count {
            let slot = slot(at: place)
            if isTried(attempt, slot) || peers[slot].isFull { continue }
            if !peers[slot].flags.isDisjoint(with: excluded) { continue }
            guard best >= 0 else {
                best = slot
                continue
            }
            if rank(slot) < rank(best) { best = slot }
        }
        return best
    }

    private func rank(_ slot: Int) -> (Int, Int64, Int) {
        (peers[slot].badness, peers[slot].accessed, peers[slot].connections)
    }

    /// Counts an answer of a peer for its share of server errors. O(peers) when the share is bad, else O(1). Nothing
    /// happens unless the pool is never empty.
    ///
    /// A peer with a bad share is put out as for `max_fails`, unless it is the last good one: then a bad peer is better
    /// than none.
    /// - Parameter isServerError: a status of 500 or above that is not one of ours, or an answer that broke off.
    /// - Returns: whether the peer was put out.
    @discardableResult
    package mutating func recordAnswer(peer: Int, isServerError: Bool, now: Milliseconds) -> Bool {
        guard settings.neverEmpty, isPeer(peer), peers[peer].maxFails > 0 else { return false }
        errorShares[peer].record(isServerError, now: now)
        guard isServerError, errorShares[peer].isBad(now: now) else { return false }
        let second = wholeSeconds(now)
        if peers[peer].isFailed(at: second) { return false }
        var others = 0
        for place in 0..<primary.count {
            let slot = Int(order[place])
            if slot != peer, peers[slot].isEligible(at: second), !errorShares[slot].isBad(now: now) { others += 1 }
        }
        guard others > 0 else { return false }
        if peers[peer].fails < peers[peer].maxFails { fail(peer, count: peers[peer].maxFails - peers[peer].fails, now: now) }
        errorShares[peer] = ErrorShare()
        return true
    }

    /// Begins a peer's slow start, if it has one and is not alone. O(1).
    mutating func startSlowly(_ slot: Int, now: Milliseconds) {
        if peers[slot].slowStart > 0, !isSingle { peers[slot].slowStartedAt = max(0, now) }
    }
}

extension Peer {
    /// Rank as a last resort: lower is better.
    var badness: Int {
        (flags.contains(.unproven) ? 1 : 0) + (flags.contains(.unhealthy) ? 2 : 0)
            + (flags.contains(.unresponsive) ? 4 : 0)
    }
}

/// A peer's share of server errors in the last five to ten seconds, in two buckets.
struct ErrorShare: BitwiseCopyable {
    /// Answers needed before the share says anything.
    static let answersMin: Int32 = 20

    private var answers: (now: Int32, before: Int32) = (0, 0)
    private var errors: (now: Int32, before: Int32) = (0, 0)
    private var bucket: Int64 = 0

    mutating func record(_ isError: Bool, now: Milliseconds) {
        let current = now / 5000
        if current != bucket {
            let isNext = current == bucket &+ 1
            answers = (0, isNext ? answers.now : 0)
            errors = (0, isNext ? errors.now : 0)
            bucket = current
        }
        if answers.now < Int32.max { answers.now &+= 1 }
        if isError, errors.now < Int32.max { errors.now &+= 1 }
    }

    /// Half of the answers or more, with enough of them.
    func isBad(now: Milliseconds) -> Bool {
        let current = now / 5000
        if current &- bucket > 1 { return false }
        let isOld = current != bucket
        let total = Int(answers.now) + (isOld ? 0 : Int(answers.before))
        let bad = Int(errors.now) + (isOld ? 0 : Int(errors.before))
        return total >= ErrorShare.answersMin && bad * 2 >= total
    }
}
