/// What a request remembers about its attempts on one upstream: which peers it tried, how many tries are left, where
/// its hash stands.
///
/// A small trivial value inside the request. Made by `Balancer.begin`, changed by `pick` and `release`, given back by
/// `finish` (a request on an upstream with more than 64 peers borrows a bitmap from the balancer).
package struct AttemptState: BitwiseCopyable {
    /// Index of the peer of the running attempt; -1 between attempts.
    package internal(set) var peer: Int32 = -1
    /// Tries left, including the running one until it is released; >= 0.
    package internal(set) var triesLeft: Int32 = 0
    /// Picks that gave a peer so far, >= 0.
    package internal(set) var attempts: Int32 = 0
    /// Whether the running attempt goes to a peer that is failed, unhealthy or unproven, because no better one was
    /// there.
    package internal(set) var isLastResort = false
    /// Hash state: the accumulated hash, or the index of the point on the ring.
    var hash: UInt32 = 0
    /// How often the key was hashed (`hash`).
    var rehash: UInt32 = 0
    /// Vain tries of a hashing or random policy; above 20 it goes over to round robin.
    var vainTries: UInt8 = 0
    /// 0 = primary servers, 1 = backup servers.
    var tier: UInt8 = 0
    /// Whether the running attempt is counted in its peer's `inflight` figures.
    var isInflight = false
    /// Which of the peers 0...63 were tried.
    var tried: UInt64 = 0
    /// Which of them were tried by nothing but a cached connection that was dead: they come again when no other is left.
    var stale: UInt64 = 0
    /// Borrowed bitmap for balancers with more than 64 slots; -1 = none.
    var wideSet: Int32 = -1

    package init() {}

    /// Whether an attempt is running (picked, not yet released).
    package var isRunning: Bool { peer >= 0 }

    /// One more try: nginx gives it when a cached connection turned out to be dead.
    package mutating func grantTry() { triesLeft &+= 1 }
}

/// The answer to `Balancer.pick`.
package enum Pick: Equatable, Sendable {
    /// Index of the peer; stable while the attempt runs.
    case peer(Int)
    /// No peer may be used now: down, failed or tried (nginx: "no live upstreams").
    case noLivePeer
    /// There is at least one live untried peer, but all such are at `max_conns`. nginx answers as for `noLivePeer`; a
    /// `queue` may wait.
    case busy
}

/// How an attempt ended, for the peer's account.
package enum AttemptOutcome: Equatable, Sendable {
    /// An answer came to its end, or the client left.
    case succeeded
    /// Counts against the peer.
    case failed
    /// Another peer is tried though this one is not at fault (403 and 404 in `proxy_next_upstream`): its times are not
    /// accounted.
    case neutral
    /// A cached connection was dead before a byte of an answer came. That says nothing of the peer: no account changes,
    /// and the request may try the peer again.
    case inconclusive
}

/// Durations of an attempt in milliseconds since its pick; -1 = did not happen.
package struct AttemptTimes: BitwiseCopyable, Sendable {
    /// Until the response head was complete.
    package var header: Milliseconds
    /// Until the end of the attempt.
    package var response: Milliseconds

    package init(header: Milliseconds = -1, response: Milliseconds = -1) {
        self.header = header
        self.response = response
    }
}
