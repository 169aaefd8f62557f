extension Balancer {
    /// How the peers of both tiers are now. O(peers).
    package func conditions(now: Milliseconds) -> PeerConditions {
        var conditions = PeerConditions()
        for slot in 0..<capacity where isListed(slot) { conditions[condition(of: slot, now: now)] += 1 }
        return conditions
    }

    private func condition(of slot: Int, now: Milliseconds) -> PeerCondition {
        let flags = peers[slot].flags
        if flags.contains(.down) { return .down }
        if flags.contains(.draining) { return .draining }
        if flags.contains(.unhealthy) { return .unhealthy }
        if flags.contains(.unproven) { return .unproven }
        // A lone server is never out for its failures.
        return !isSingle && peers[slot].isFailed(at: wholeSeconds(now)) ? .failed : .up
    }
}
