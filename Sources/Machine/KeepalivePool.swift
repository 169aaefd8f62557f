/// Limits of the idle connections of one upstream.
package struct KeepaliveSettings: Equatable, Sendable {
    /// `keepalive N`: idle connections kept, of all peers together; 0 = none.
    package var capacity: Int
    /// `keepalive_requests`: a connection that served so many is not kept.
    package var requests: Int
    /// `keepalive_time`: age above which a connection is not kept.
    package var time: Milliseconds
    /// `keepalive_timeout`: how long a connection may be idle.
    package var timeout: Milliseconds

    package init(capacity: Int, requests: Int = 1000, time: Milliseconds = 3_600_000, timeout: Milliseconds = 60_000) {
        self.capacity = capacity
        self.requests = requests
        self.time = time
        self.timeout = timeout
    }
}

/// A place in a keep-alive pool. Kept by the connection while it is idle.
package struct KeepaliveTicket: BitwiseCopyable, Equatable, Sendable {
    let node: Int32
    let generation: UInt32
}

/// The answer to `KeepalivePool.store`.
package enum KeepaliveStored: Equatable, Sendable {
    /// Kept. The least recently used connection had to go for it, if there is one: close it.
    case kept(KeepaliveTicket, evicted: Int32?)
    /// Not kept (limits): close it.
    case refused
}

/// The idle connections of one upstream in one worker, as connection numbers: which one to use next, which ones to
/// close.
///
/// All lists are links in one table of `capacity` places: one list over all in the order of use, one per peer, one of
/// free places. Every operation is O(1) and allocates nothing. Timers: the driver arms one per connection, for as
/// long as it may be idle, and calls `remove` when it fires.
package struct KeepalivePool: ~Copyable {
    package let settings: KeepaliveSettings
    private var nodes: FixedTable<Node>
    /// Head of each peer's list; -1 = none.
    private var heads: FixedTable<Int32>
    private var first: Int32 = -1
    private var last: Int32 = -1
    private var freeHead: Int32 = -1
    /// Idle connections now.
    package private(set) var count = 0

    // Not private: Swift 6.3.1 emits broken code in other modules for a private type inside of a ~Copyable one.
    struct Node: BitwiseCopyable {
        var connection: Int32 = -1
        var peer: Int32 = -1
        var generation: UInt32 = 0
        var previous: Int32 = -1
        var next: Int32 = -1
        var peerPrevious: Int32 = -1
        var peerNext: Int32 = -1
        var tag: Int = 0
        var deadline: Milliseconds = 0
    }

    /// - Parameter peerCapacity: peer indices are below this; grow it with `growPeers`.
    package init(settings: KeepaliveSettings, peerCapacity: Int) {
        self.settings = settings
        let capacity = min(max(settings.capacity, 0), 1 << 20)
        nodes = FixedTable(count: capacity, repeating: Node())
        heads = FixedTable(count: max(peerCapacity, 1), repeating: -1)
        for index in 0..<capacity { nodes[index].next = index + 1 < capacity ? Int32(index + 1) : -1 }
        freeHead = capacity > 0 ? 0 : -1
    }
}

extension KeepalivePool {
    /// Keeps a connection that just became idle.
    ///
    /// - Parameters:
    ///   - connection: its number, >= 0, given back by `take` and the others.
    ///   - tag: only a `take` with the same tag finds it (a location's settings that must match, `keepalive … local`);
    ///     0 = any.
    ///   - requestsServed, openedAt: compared with `keepalive_requests` and `keepalive_time`.
    ///   - idleMax: how long it may be idle at most, e.g. learned from the peer; `keepalive_timeout` holds as well.
    package mutating func store(
        _ connection: Int32, peer: Int, tag: Int = 0, requestsServed: Int, openedAt: Milliseconds,
        idleMax: Milliseconds = .max, now: Milliseconds
    ) -> KeepaliveStored {
        let idle = min(settings.timeout, idleMax)
        guard nodes.count > 0, peer >= 0, peer < heads.count, requestsServed < settings.requests,
            now - openedAt <= settings.time, idle > 0
        else { return .refused }
        var evicted: Int32?
        if freeHead < 0, last >= 0 {
            evicted = nodes[Int(last)].connection
            unlink(last)
        }
        guard freeHead >= 0 else { return .refused }
        let node = freeHead
        let index = Int(node)
        freeHead = nodes[index].next
        nodes[index].connection = connection
        nodes[index].peer = Int32(truncatingIfNeeded: peer)
        nodes[index].tag = tag
        nodes[index].deadline = now &+ idle
        link(node)
        count += 1
        return .kept(KeepaliveTicket(node: node, generation: nodes[index].generation), evicted: evicted)
    }

    /// Takes the most recently used idle connection to a peer that is not past its time. O(1), but for connections with
    /// other tags.
    ///
    /// - Returns: its number; nil when there is none. Connections past their time are left for their timers.
    package mutating func take(peer: Int, tag: Int = 0, now: Milliseconds) -> Int32? {
        guard peer >= 0, peer < heads.count else { return nil }
        var node = heads[peer]
        while node >= 0 {
            let index = Int(node)
            if nodes[index].tag == tag, nodes[index].deadline > now {
                unlink(node)
                return nodes[index].connection
            }
            node = nodes[index].peerNext
        }
        return nil
    }

    /// Takes out a connection that its peer closed, or that broke. False when the ticket is stale.
    @discardableResult
    package mutating func remove(_ ticket: KeepaliveTicket) -> Bool {
        let index = Int(ticket.node)
        guard index >= 0, index < nodes.count, nodes[index].peer >= 0, nodes[index].generation == ticket.generation
        else { return false }
        unlink(ticket.node)
        return true
    }

    /// Takes out any idle connection of a peer (the peer is gone: close them). nil when none is left.
    package mutating func takeAny(peer: Int) -> Int32? {
        guard peer >= 0, peer < heads.count, heads[peer] >= 0 else { return nil }
        let node = heads[peer]
        unlink(node)
        return nodes[Int(node)].connection
    }

    /// Takes out any idle connection at all, the least recently used first (shutdown). nil when none is left.
    package mutating func takeAny() -> Int32? {
        guard last >= 0 else { return nil }
        let node = last
        unlink(node)
        return nodes[Int(node)].connection
    }

    /// Makes room for more peers (after `Balancer.update`). Control path.
    package mutating func growPeers(to capacity: Int) {
        if capacity > heads.count { heads.grow(to: capacity, repeating: -1) }
    }

    private mutating func link(_ node: Int32) {
        let index = Int(node)
        nodes[index].previous = -1
        nodes[index].next = first
        if first >= 0 { nodes[Int(first)].previous = node } else { last = node }
        first = node
        let peer = Int(nodes[index].peer)
        nodes[index].peerPrevious = -1
        nodes[index].peerNext = heads[peer]
        if heads[peer] >= 0 { nodes[Int(heads[peer])].peerPrevious = node }
        heads[peer] = node
    }

    /// Takes a place out of its lists and puts it among the free ones. Its connection number stays readable until it is
    /// used again.
    private mutating func unlink(_ node: Int32) {
        let index = Int(node)
        let old = nodes[index]
        if old.previous >= 0 { nodes[Int(old.previous)].next = old.next } else { first = old.next }
        if old.next >= 0 { nodes[Int(old.next)].previous = old.previous } else { last = old.previous }
        if old.peerPrevious >= 0 {
            nodes[Int(old.peerPrevious)].peerNext = old.peerNext
        } else {
            heads[Int(old.peer)] = old.peerNext
        }
        if old.peerNext >= 0 { nodes[Int(old.peerNext)].peerPrevious = old.peerPrevious }
        nodes[index].peer = -1
        nodes[index].generation = old.generation &+ 1
        nodes[index].next = freeHead
        freeHead = node
        count -= 1
    }
}
