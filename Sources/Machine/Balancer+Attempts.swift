package import Wire

extension Balancer {
    /// The state of a new request.
    ///
    /// - Parameters:
    ///   - tryLimit: `proxy_next_upstream_tries`; 0 = as many as there are peers.
    ///   - key: the key of a hashing policy (see `pick`).
    /// - Complexity: O(1); with `consistentHash` O(log points).
    package mutating func begin(tryLimit: Int, key: ByteView) -> AttemptState {
        var attempt = AttemptState()
        let tries = primary.tries + backup.tries
        attempt.triesLeft = Int32(clamping: tryLimit > 0 && tries > tryLimit ? tryLimit : tries)
        if capacity > 64 { attempt.wideSet = wideSets.take(bits: capacity) }
        switch settings.policy {
        case .addressHash: attempt.hash = IPHash.seed
        case .consistentHash: attempt.hash = ring.firstPoint(for: key)
        default: break
        }
        return attempt
    }

    /// Gives back what the request borrowed. Call once, when the request leaves the upstream; a running attempt is
    /// released as `neutral`.
    package mutating func finish(_ attempt: inout AttemptState, now: Milliseconds) {
        if attempt.isRunning { release(&attempt, outcome: .neutral, now: now, times: AttemptTimes()) }
        if attempt.wideSet >= 0 {
            wideSets.give(attempt.wideSet)
            attempt.wideSet = -1
        }
    }

    /// Chooses a peer for the next attempt, and counts the attempt as running on it.
    ///
    /// - Parameters:
    ///   - attempt: the request's state; no attempt may be running in it.
    ///   - key: the same key as for `begin`: the hash key, for `ip_hash` the address bytes; ignored by the other
    ///     policies.
    ///   - hint: the sticky id the request carries; empty for none.
    ///   - now: the loop's time.
    ///   - random: for the random policies.
    /// - Complexity: O(peers); hashing policies O(peers) at worst.
    package mutating func pick(
        _ attempt: inout AttemptState, key: ByteView, hint: ByteView, now: Milliseconds, random: inout RandomSource
    ) -> Pick {
        assert(!attempt.isRunning, "pick while an attempt is running")
        if attempt.isRunning { release(&attempt, outcome: .neutral, now: now, times: AttemptTimes()) }
        let second = wholeSeconds(now)
        clock = now
        attempt.isLastResort = false
        var slot = choose(&attempt, key: key, hint: hint, now: now, random: &random)
        if slot < 0, attempt.tier == 0, backup.count > 0 {
            attempt.tier = 1
            slot = chooseAgain(attempt, hint: hint, now: now)
        }
        if slot < 0, attempt.stale != 0 {
            attempt.tried &= ~attempt.stale
            attempt.stale = 0
            attempt.tier = 0
            slot = chooseAgain(attempt, hint: hint, now: now)
            if slot < 0, backup.count > 0 {
                attempt.tier = 1
                slot = chooseAgain(attempt, hint: hint, now: now)
            }
        }
        if slot < 0, settings.neverEmpty {
            slot = chooseLeastBad(attempt)
            attempt.isLastResort = slot >= 0
        }
        guard slot >= 0 else { return isAnyFull(attempt, at: second) ? .busy : .noLivePeer }

        peers[slot].connections &+= 1
        markTried(&attempt, slot)
        attempt.peer = Int32(truncatingIfNeeded: slot)
        attempt.attempts &+= 1
        if case .leastTime(_, inflight: true) = settings.policy, !isSingle { startInflight(&attempt, slot, now: now) }
        if isSingle { return .peer(slot) }
        if second - peers[slot].checked > peers[slot].failTimeout {
            peers[slot].checked = second
            if peers[slot].fails > 0 { publications.append(.probed(peer: slot)) }
        }
        return .peer(slot)
    }

    /// Ends the running attempt: gives the try back as used and brings the peer's account up to date. Nothing happens
    /// when none is running.
    ///
    /// - Complexity: O(1).
    package mutating func release(
        _ attempt: inout AttemptState, outcome: AttemptOutcome, now: Milliseconds, times: AttemptTimes
    ) {
        guard attempt.isRunning else { return }
        let slot = Int(attempt.peer)
        attempt.peer = -1
        if case .leastTime(let metric, let inflight) = settings.policy, !isSingle {
            accountTimes(&attempt, slot, metric, inflight, outcome, now, times)
        }
        peers[slot].connections = max(0, peers[slot].connections &- 1)
        if isSingle {
            settleSingle(slot)
            attempt.triesLeft = 0
        } else {
            if outcome == .inconclusive {
                if slot < 64 { attempt.stale |= 1 << UInt64(truncatingIfNeeded: slot) }
            } else {
                settle(slot, outcome, now: now)
            }
            attempt.triesLeft = max(0, attempt.triesLeft &- 1)
        }
        if peers[slot].isRemoved, peers[slot].connections == 0 { free(slot) }
    }
}
