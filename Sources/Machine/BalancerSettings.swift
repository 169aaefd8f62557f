/// How an upstream chooses among its peers (nginx's load balancing methods).
package enum BalancingPolicy: Equatable, Sendable {
    /// Smooth weighted round robin, nginx's default.
    case roundRobin
    /// `least_conn`
    case leastConnections
    /// `least_time header|last_byte [inflight]`
    case leastTime(LeastTimeMetric, inflight: Bool)
    /// `ip_hash`; the key of a pick is the client's address: 4 bytes (of which 3 count) or 16, anything else counts as
    /// 0.0.0.
    case addressHash
    /// `hash KEY`
    case hash
    /// `hash KEY consistent`
    case consistentHash
    /// `random`
    case random
    /// `random two [least_conn | least_time=…]`
    case randomTwo(RandomTwoMetric)
}

/// The time that `least_time` compares.
package enum LeastTimeMetric: Equatable, Sendable {
    /// Time to the response head.
    case header
    /// Time to the last byte.
    case lastByte
}

/// What `random two` compares.
package enum RandomTwoMetric: Equatable, Sendable {
    case leastConnections
    case leastTime(LeastTimeMetric)
}

/// What a balancer needs to know of its upstream, apart from the peers.
package struct BalancerSettings: Sendable {
    package var policy: BalancingPolicy
    /// Peers that can be held without a later allocation; at least the number of peers given at first is taken.
    package var capacity: Int
    /// Whether the pool may never be empty: with no live peer the least bad one is probed (upstreams with `app`,
    /// `health_check` or `panic on`; D9). False keeps nginx's behaviour: no live peer.
    package var neverEmpty: Bool
    /// Whether an unproven peer is no last resort either (`health_check mandatory`).
    package var provesFirst: Bool

    package init(
        policy: BalancingPolicy = .roundRobin, capacity: Int = 0, neverEmpty: Bool = false, provesFirst: Bool = false
    ) {
        self.policy = policy
        self.capacity = capacity
        self.neverEmpty = neverEmpty
        self.provesFirst = provesFirst
    }
}

/// One peer: one address of one `server` line.
package struct PeerSettings: Sendable {
    /// The printable address, as nginx writes it ("127.0.0.1:8080", "unix:/path"). With `server` and `isBackup` it
    /// identifies the peer over updates; its MD5 is the peer's sticky id.
    package var name: [UInt8]
    /// The text of the `server` line's address, as written. Consistent hashing hashes this, not the address.
    package var server: [UInt8]
    /// The `route` parameter for sticky sessions; empty for none. At most 32 bytes are kept.
    package var route: [UInt8]
    /// 1...65535; clamped.
    package var weight: Int
    /// 0 = no limit.
    package var maxConnections: Int
    /// 0 = failures are not counted.
    package var maxFails: Int
    /// Whole seconds, >= 0.
    package var failTimeoutSeconds: Int
    /// Time over which a recovered or new peer's weight grows to `weight`; 0 = at once.
    package var slowStart: Milliseconds
    package var isBackup: Bool
    package var isDown: Bool
    /// No new clients; requests with the peer's sticky id still come.
    package var isDraining: Bool

    package init(
        name: [UInt8], server: [UInt8] = [], route: [UInt8] = [], weight: Int = 1, maxConnections: Int = 0,
        maxFails: Int = 1,
        failTimeoutSeconds: Int = 10, slowStart: Milliseconds = 0, isBackup: Bool = false, isDown: Bool = false,
        isDraining: Bool = false
    ) {
        self.name = name
        self.server = server.isEmpty ? name : server
        self.route = route
        self.weight = weight
        self.maxConnections = maxConnections
        self.maxFails = maxFails
        self.failTimeoutSeconds = failTimeoutSeconds
        self.slowStart = slowStart
        self.isBackup = isBackup
        self.isDown = isDown
        self.isDraining = isDraining
    }
}
