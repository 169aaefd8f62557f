import Wire

/// Chooses a peer for each attempt and keeps account of the peers of one upstream, in one worker.
///
/// ```
///   begin ──► pick ──► .peer(index) ──► (headerReceived) ──► release ──► finish
///               ▲                                               │
///               └────────────── next attempt ◄──────────────────┘
/// ```
/// The order of choice is nginx's, to the letter, for each policy (D9): so an nginx user sees the same peer take the
/// same request. Every peer has an index that stays its own from the update that brings it until the last attempt on it
/// ends; callers keep their own per-peer tables (socket addresses, idle connections) under this index.
///
/// Time and randomness are parameters. Thread: the one loop of the worker. `begin`, `pick`, `release` and `finish` do
/// not allocate, except that upstreams with more than 64 peers lend each request a bitmap and make a new one when none
/// is free.
///
/// With several workers the failure state is merged from the board: see `Balancer+Sharing.swift`.
///
/// What each request calls is `mutating` even where it changes nothing: Swift 6.3 passes a borrowed value of this size as a copy of all its
/// 418 bytes (a `memcpy` of 75 instructions), and one that may be changed in place.
package struct Balancer: ~Copyable {
    package let settings: BalancerSettings
    var peers: FixedTable<Peer>
    /// Sticky ids, 32 bytes per slot.
    var ids: FixedTable<PeerID>
    /// Slots in the order of choice: primary servers from 0, backup servers from `capacity`.
    var order: FixedTable<Int32>
    /// Sum of the weights before each place of `order` in its tier (`random`).
    var ranges: FixedTable<Int>
    var primary = Tier()
    var backup = Tier()
    /// Names, server texts and routes by slot (control path only).
    var names: [PeerIdentity]
    /// Points of consistent hashing, ordered by hash.
    var ring = HashRing()
    /// Bitmaps of tried peers for requests on more than 64 slots.
    var wideSets = WideSets()
    /// The time of the running call (for slow starts).
    var clock: Milliseconds = 0
    /// Shares of server errors by slot; empty unless the pool is never empty.
    var errorShares: FixedTable<ErrorShare>
    /// Whether any peer has `max_conns`.
    var hasConnectionLimits = false
    /// What others have to be told (see `takePublication`).
    var publications = PublicationQueue()

    /// - Parameters:
    ///   - settings: the policy and the like.
    ///   - peers: the peers in configuration order; backup servers among them.
    package init(settings: BalancerSettings, peers list: [PeerSettings]) {
        let capacity = max(settings.capacity, list.count, 1)
        self.settings = settings
        peers = FixedTable(count: capacity, repeating: Peer())
        ids = FixedTable(count: capacity, repeating: PeerID())
        names = Array(repeating: PeerIdentity(), count: capacity)
        errorShares = FixedTable(count: settings.neverEmpty ? capacity : 0, repeating: ErrorShare())
        order = FixedTable(count: 2 * capacity, repeating: -1)
        ranges = FixedTable(count: 2 * capacity, repeating: 0)
        _ = update(peers: list, now: -1)
    }

    /// Number of slots: peer indices are below this. Grows by `update` only.
    package var capacity: Int { peers.count }
    /// Number of peers now in use, both tiers.
    package var peerCount: Int { primary.count + backup.count }
    /// One primary server and no backup: nginx then never takes it out for failures.
    package var isSingle: Bool { primary.count == 1 && backup.count == 0 }
}

/// Where the peers of one tier stand in `Balancer.order`, and their sums.
struct Tier: BitwiseCopyable {
    var start = 0
    var count = 0
    var totalWeight = 0
    /// Tries this tier is worth: its peers that are not down.
    var tries = 0
}

/// What identifies a peer over updates.
struct PeerIdentity: Hashable {
    var name: [UInt8] = []
    var server: [UInt8] = []
    var route: [UInt8] = []
    var isBackup = false
    /// 0 for the first peer with these texts, 1 for the second …: nginx allows the same address twice.
    var ordinal = 0
}
