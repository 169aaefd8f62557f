import Wire

extension Balancer {
    /// The peer with the least estimated time for one more request in relation to its weight; equals go by round robin.
    mutating func chooseLeastTime(
        _ attempt: AttemptState, _ metric: LeastTimeMetric, hint: ByteView, now: Milliseconds
    ) -> Int {
        let second = wholeSeconds(now)
        let sticky = findSticky(attempt, hint: hint, second: second)
        if sticky >= 0 { return sticky }
        let tier = tier(of: attempt)
        for place in tier.start..<tier.start &+ tier.count {
            let slot = Int(order[place])
            if isTried(attempt, slot) || !peers[slot].isEligible(at: second) { continue }
            guard peers[slot].inflightRequests > 0 else { continue }
            let waited =
                peers[slot].inflightLast / peers[slot].inflightRequests &+ (now &- peers[slot].inflightChanged)
            peers[slot].inflightTime = Peer.average(peers[slot].inflightTime, waited)
        }
        return chooseLeast(attempt, second: second) { peer in peer.estimatedTime(metric, second: second) }
    }

    /// Counts a just picked attempt among its peer's requests in flight (`inflight`).
    mutating func startInflight(_ attempt: inout AttemptState, _ slot: Int, now: Milliseconds) {
        if peers[slot].inflightRequests > 0 {
            peers[slot].inflightLast &+= (now &- peers[slot].inflightChanged) &* peers[slot].inflightRequests
        }
        peers[slot].inflightChanged = now
        peers[slot].inflightRequests &+= 1
        attempt.isInflight = true
    }

    private mutating func endInflight(
        _ attempt: inout AttemptState, _ slot: Int, after duration: Milliseconds, now: Milliseconds
    ) {
        if peers[slot].inflightRequests <= 1 {
            peers[slot].inflightLast = 0
        } else {
            peers[slot].inflightLast &+=
                (now &- peers[slot].inflightChanged) &* peers[slot].inflightRequests &- duration
            peers[slot].inflightChanged = now
        }
        peers[slot].inflightRequests = max(0, peers[slot].inflightRequests &- 1)
        attempt.isInflight = false
    }

    /// Tells the balancer that the running attempt's response head is complete. Needed for `least_time header inflight`
    /// only; otherwise nothing happens. O(1).
    ///
    /// - Parameter headerTime: milliseconds since the pick.
    package mutating func headerReceived(_ attempt: inout AttemptState, headerTime: Milliseconds, now: Milliseconds) {
        guard attempt.isRunning, case .leastTime(.header, inflight: true) = settings.policy, !isSingle else { return }
        let slot = Int(attempt.peer)
        peers[slot].headerTime = Peer.average(peers[slot].headerTime, headerTime)
        if attempt.isInflight { endInflight(&attempt, slot, after: headerTime, now: now) }
    }

    /// The end of an attempt in the account of times. Only successful attempts count, so that a peer that fails fast is
    /// not preferred.
    mutating func accountTimes(
        _ attempt: inout AttemptState, _ slot: Int, _ metric: LeastTimeMetric, _ inflight: Bool,
        _ outcome: AttemptOutcome,
        _ now: Milliseconds, _ times: AttemptTimes
    ) {
        if attempt.isInflight { endInflight(&attempt, slot, after: max(0, times.response), now: now) }
        guard outcome == .succeeded, times.header >= 0 else { return }
        peers[slot].responseTime = Peer.average(peers[slot].responseTime, max(times.response, times.header))
        // With `header inflight` the time was taken when the head came.
        if inflight, metric == .header { return }
        peers[slot].headerTime = Peer.average(peers[slot].headerTime, times.header)
    }
}

extension Peer {
    /// Exponential moving average with weight 1/20 for the new value, rounded; the first value counts as it is. In the
    /// integers.
    static func average(_ old: Int64, _ new: Int64) -> Int64 {
        old == 0 ? new : (new &+ old &* 19 &+ 10) / 20
    }

    /// Milliseconds the peer would need for its running attempts and one more.
    func estimatedTime(_ metric: LeastTimeMetric, second: Int64) -> Int64 {
        var time = metric == .header ? headerTime : responseTime
        if second - checked > failTimeout {
            // Not looked at for long: halve its time once per window, so that slow peers get another chance.
            time >>= min(62, (second - checked) / (failTimeout + 1))
        }
        if inflightRequests > 0 { time = max(time, inflightTime) }
        // Above 5 s all are equally bad; below, steps of 20 ms make close ones equal.
        time = time > 5000 ? 5000 : time &+ 20 &- time % 20
        return time &* Int64(1 &+ allConnections)
    }
}
