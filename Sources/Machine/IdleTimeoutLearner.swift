/// Learns after how long a peer closes idle connections, so that ours retire before and no request meets a closing
/// connection.
///
/// Two sources. What the peer says (`Keep-Alive: timeout=N`) is taken at once. What it does is taken from idle
/// connections that it closed: the shortest idle time seen at a close is an upper bound for what is safe. Several
/// closes at once (a restart, a shutdown) say nothing about a timeout: a close counts only together with a second one
/// that came after nearly the same idle time. What is learned from closes is forgotten when connections stay alive
/// longer.
///
/// One per peer; plain value; no allocation.
package struct IdleTimeoutLearner: BitwiseCopyable, Equatable, Sendable {
    /// From the header; -1 = never said.
    private var said: Milliseconds = -1
    /// Believed from closes; -1 = unknown.
    private var seen: Milliseconds = -1
    /// The last close that waits for a second one like it; -1 = none.
    private var candidate: Milliseconds = -1

    /// Closes after less than this say nothing: the peer may close after each answer.
    static let closeMin: Milliseconds = 100

    package init() {}

    /// The peer sent `Keep-Alive: timeout=N`. 0 or less is ignored. O(1).
    package mutating func sawHeader(timeoutSeconds: Int) {
        guard timeoutSeconds > 0 else { return }
        said = Milliseconds(min(timeoutSeconds, 86_400)) * 1000
    }

    /// The peer closed a pooled connection that was idle for `idle`. O(1).
    package mutating func sawClose(idle: Milliseconds) {
        guard idle >= IdleTimeoutLearner.closeMin else { return }
        if isClose(idle, candidate) {
            seen = min(idle, candidate)
            candidate = idle
        } else if seen >= 0, isClose(idle, seen) {
            seen = min(seen, idle)
        } else {
            candidate = idle
        }
    }

    /// A pooled connection answered after having been idle for `idle`. O(1).
    package mutating func sawUse(idle: Milliseconds) {
        if seen >= 0, idle > seen { seen = -1 }
        if said >= 0, idle > said + said / 4 { said = -1 }
    }

    /// How long a connection may be idle and still be used: the learned time less a margin of an eighth, at least 200
    /// ms, at most 2 s.
    ///
    /// - Parameter configured: `keepalive_timeout`, which is the answer when nothing was learned, and never exceeded.
    package func idleMax(configured: Milliseconds) -> Milliseconds {
        guard let learned else { return configured }
        let margin = min(max(learned / 8, 200), 2000)
        return max(0, min(configured, learned - margin))
    }

    /// The learned time, for explanations; nil when nothing is known.
    package var learned: Milliseconds? {
        switch (said >= 0, seen >= 0) {
        case (true, true): min(said, seen)
        case (true, false): said
        case (false, true): seen
        case (false, false): nil
        }
    }

    /// Within an eighth, or 300 ms.
    private func isClose(_ a: Milliseconds, _ b: Milliseconds) -> Bool {
        b >= 0 && abs(a - b) <= max(max(a, b) / 8, 300)
    }
}
