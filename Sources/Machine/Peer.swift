/// Why a peer is not offered to new requests. Failures (`max_fails`) are not in here: they are a matter of time.
package struct PeerFlags: OptionSet, BitwiseCopyable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `down`, or un-routed because its process is gone.
    package static let down = PeerFlags(rawValue: 1)
    /// Draining: only requests that carry its sticky id.
    package static let draining = PeerFlags(rawValue: 2)
    /// An active check failed.
    package static let unhealthy = PeerFlags(rawValue: 4)
    /// Not yet passed its first check.
    package static let unproven = PeerFlags(rawValue: 8)
    /// Beside `unhealthy`: it does not even answer its check in time.
    package static let unresponsive = PeerFlags(rawValue: 16)
}

/// A balancer's account of one peer. A slot of the peer table; unused while `isUsed` is false.
struct Peer: BitwiseCopyable {
    var weight = 1
    var effectiveWeight = 1
    /// In units of 1/`weightUnit`, so that a slow start can give a part of a weight.
    var currentWeight = 0
    static let weightUnit = 256

    /// Attempts of this worker that run now.
    var connections = 0
    /// Attempts of the other workers, as last told (`zone` upstreams only).
    var foreignConnections = 0
    /// 0 = no limit.
    var maxConnections = 0

    var fails = 0
    var maxFails = 1
    /// Whole seconds: the last failure, and the last failure or probe.
    var accessed = Peer.never
    var checked = Peer.never
    var failTimeout: Int64 = 10

    var flags: PeerFlags = []
    var isUsed = false
    var isBackup = false
    /// Taken out of the lists while attempts still run; the slot is free again when the last one ends.
    var isRemoved = false
    /// Index of the distinct `server` text (consistent hashing).
    var serverIndex: Int32 = -1
    /// Bytes of the sticky id in the id table.
    var idCount: UInt8 = 0

    /// least_time: moving averages and the account of running requests, in milliseconds.
    var headerTime: Int64 = 0
    var responseTime: Int64 = 0
    var inflightTime: Int64 = 0
    var inflightLast: Int64 = 0
    var inflightChanged: Int64 = 0
    var inflightRequests: Int64 = 0

    /// Slow start: its length and when it began; -1 = not running.
    var slowStart: Milliseconds = 0
    var slowStartedAt: Milliseconds = -1

    /// Before every clock, with room for subtraction.
    static let never: Int64 = -(1 << 40)

    /// Attempts of all workers.
    var allConnections: Int { connections &+ foreignConnections }

    var isFull: Bool { maxConnections > 0 && allConnections >= maxConnections }

    /// Whether failures keep the peer out at `second`.
    func isFailed(at second: Int64) -> Bool {
        maxFails > 0 && fails >= maxFails && second - checked <= failTimeout
    }

    /// Whether the peer may be chosen at `second`, not looking at what the request already tried.
    func isEligible(at second: Int64) -> Bool {
        flags.isEmpty && !isFailed(at: second) && !isFull
    }
}
