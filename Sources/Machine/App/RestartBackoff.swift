/// Counts starts in a row and gives the delay before the next one.
///
/// After a stable run the first restart has no delay: nothing suggests a loop, and every millisecond is a parked
/// request. From then on the delay is `firstDelay`, doubled each time up to `lastDelay`, until a run is stable again.
package struct RestartBackoff: Hashable, Sendable {
    /// Restarts since the last stable run.
    package private(set) var restartsInRow: UInt32 = 0

    /// Nothing counted yet: the first restart of a fresh instance is not immediate.
    package init() { restartsInRow = 1 }

    /// A run was stable: it was ready for at least `RestartPolicy.lastDelay`.
    package mutating func recordStableRun() { restartsInRow = 0 }

    /// Forgets everything, because a person asked for a start.
    package mutating func reset() { restartsInRow = 1 }

    /// Counts a restart and says how long to wait before it.
    package mutating func nextDelay(_ policy: RestartPolicy) -> Duration {
        let doublings = restartsInRow
        if restartsInRow < .max { restartsInRow += 1 }
        guard doublings > 0 else { return .zero }
        // 2^20 * 10 ms is three hours: further doublings only risk an overflow.
        return min(policy.firstDelay * (1 << Int(min(doublings - 1, 20))), policy.lastDelay)
    }
}
