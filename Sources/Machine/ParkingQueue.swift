/// `queue N timeout=T` and what follows from the kind of upstream.
package struct QueueSettings: Equatable, Sendable {
    /// Requests that may wait at once, over all workers; 0 = no queue.
    package var capacity: Int
    package var timeout: Milliseconds
    /// Bytes that the parked requests of this worker may hold.
    package var memoryMax: Int
    /// Upstreams with an app park only while a peer is plausibly coming, and refuse with 503. Plain ones follow NGINX
    /// Plus: they wait in any case, also for `max_conns`, and refuse with 502.
    package var followsOutlook: Bool

    package init(capacity: Int, timeout: Milliseconds = 60_000, memoryMax: Int = 64 << 20, followsOutlook: Bool = false)
    {
        self.capacity = capacity
        self.timeout = timeout
        self.memoryMax = memoryMax
        self.followsOutlook = followsOutlook
    }

    /// The default of upstreams with an app: `queue 1000 timeout=30s`.
    package static let app = QueueSettings(capacity: 1000, timeout: 30_000, followsOutlook: true)
}

/// A place in a parking queue, kept by the request while it waits.
package struct ParkingTicket: BitwiseCopyable, Equatable, Sendable {
    let node: Int32
    let generation: UInt32
}

/// The answer to `ParkingQueue.park`.
package enum Parked: Equatable, Sendable {
    /// The request waits; until `deadline` at most.
    case waits(ParkingTicket, deadline: Milliseconds)
    /// Answer at once: 503 with this `Retry-After` in seconds, or 502 when there is none.
    case refused(ParkingRefusal, retryAfter: Int?)
}

/// Why a request was not parked, or why its waiting ended without a peer.
package enum ParkingRefusal: Equatable, Sendable {
    case noQueue, full, memory, notPlausible, timeout
}

/// Requests of one upstream that wait in one worker for a peer: first come, first served; bounded in number, time and
/// memory.
///
/// All wait equally long, so the order of arrival is the order of deadlines too, and every operation is O(1); only one that
/// was taken out in vain and waits once more is put where its deadline belongs. The driver: parks when `pick` finds
/// nothing; on a readiness message, or when an attempt ended (`max_conns`), takes requests with `takeNext` as long as
/// `pick` gives them a peer; arms a timer per request at its deadline, and calls `remove` when it fires; on a worse outlook empties the
/// queue with `takeImplausible`. Requests are numbers of the driver's. Memory: the table of places grows with use up to the capacity.
package struct ParkingQueue: ~Copyable {
    package let settings: QueueSettings
    private var nodes: FixedTable<Node>
    private var first: Int32 = -1
    private var last: Int32 = -1
    private var freeHead: Int32 = -1
    /// Requests waiting now.
    package private(set) var count = 0
    /// Bytes they hold.
    package private(set) var bytes = 0

    struct Node: BitwiseCopyable {
        var request: Int32 = -1
        var generation: UInt32 = 0
        var previous: Int32 = -1
        var next: Int32 = -1
        var bytes = 0
        var deadline: Milliseconds = 0
        var isUsed = false
    }

    package init(settings: QueueSettings) {
        self.settings = settings
        nodes = FixedTable(count: 0, repeating: Node())
    }
}

extension ParkingQueue {
    /// Lets a request wait.
    ///
    /// - Parameters:
    ///   - request: its number.
    ///   - bytes: the memory it holds, with its buffered body.
    ///   - othersWaiting: requests that wait in other workers (from the board).
    ///   - outlook: what is known about coming peers.
    ///   - deadline: the end of its time, if it has waited before; else it has a whole `timeout`.
    package mutating func park(
        _ request: Int32, bytes size: Int, othersWaiting: Int = 0, outlook: UpstreamOutlook, deadline: Milliseconds? = nil,
        now: Milliseconds
    ) -> Parked {
        let deadline = deadline ?? now &+ settings.timeout
        if settings.capacity <= 0 || settings.timeout <= 0 { return refuse(.noQueue, outlook, now) }
        if settings.followsOutlook, !outlook.isPlausible(before: deadline) {
            return refuse(.notPlausible, outlook, now)
        }
        if count &+ max(0, othersWaiting) >= settings.capacity { return refuse(.full, outlook, now) }
        let size = max(0, size)
        if size > settings.memoryMax &- bytes { return refuse(.memory, outlook, now) }
        if freeHead < 0 { grow() }
        let node = freeHead
        let index = Int(node)
        freeHead = nodes[index].next
        nodes[index].request = request
        nodes[index].bytes = size
        nodes[index].deadline = deadline
        nodes[index].isUsed = true
        link(node)
        count += 1
        bytes += size
        return .waits(ParkingTicket(node: node, generation: nodes[index].generation), deadline: deadline)
    }

    /// What to answer when waiting did not help.
    package func refuse(_ reason: ParkingRefusal, _ outlook: UpstreamOutlook, _ now: Milliseconds) -> Parked {
        .refused(reason, retryAfter: settings.followsOutlook ? outlook.retryAfter(now: now) : nil)
    }

    /// Takes a request out whose client is gone, or whose time is over: refuse that one with `timeout`. False when the ticket is stale.
    @discardableResult
    package mutating func remove(_ ticket: ParkingTicket) -> Bool {
        let index = Int(ticket.node)
        guard index >= 0, index < nodes.count, nodes[index].isUsed, nodes[index].generation == ticket.generation else {
            return false
        }
        unlink(ticket.node)
        return true
    }

    /// Takes out the request that has waited longest and is in time. nil when none waits.
    package mutating func takeNext(now: Milliseconds) -> Int32? {
        guard first >= 0, nodes[Int(first)].deadline > now else { return nil }
        return take(first)
    }

    /// Takes out a request for which, by a changed outlook, no peer will come in its time: refuse it with
    /// `notPlausible`. nil when there is none. Those with the nearest deadline come first.
    package mutating func takeImplausible(outlook: UpstreamOutlook) -> Int32? {
        guard settings.followsOutlook, first >= 0, !outlook.isPlausible(before: nodes[Int(first)].deadline) else {
            return nil
        }
        return take(first)
    }

    /// Calls `body` with each request that waits and the end of its time, the one that has waited longest first.
    package func forEach(_ body: (Int32, Milliseconds) -> Void) {
        var node = first
        while node >= 0 {
            body(nodes[Int(node)].request, nodes[Int(node)].deadline)
            node = nodes[Int(node)].next
        }
    }

    private mutating func take(_ node: Int32) -> Int32 {
        let request = nodes[Int(node)].request
        unlink(node)
        return request
    }

    /// Puts a node where its deadline belongs: nearly always last, else near the front.
    private mutating func link(_ node: Int32) {
        var following: Int32 = -1
        let deadline = nodes[Int(node)].deadline
        if last >= 0, nodes[Int(last)].deadline > deadline {
            following = first
            while nodes[Int(following)].deadline <= deadline { following = nodes[Int(following)].next }
        }
        let preceding = following >= 0 ? nodes[Int(following)].previous : last
        nodes[Int(node)].previous = preceding
        nodes[Int(node)].next = following
        if preceding >= 0 { nodes[Int(preceding)].next = node } else { first = node }
        if following >= 0 { nodes[Int(following)].previous = node } else { last = node }
    }

    private mutating func unlink(_ node: Int32) {
        let index = Int(node)
        let old = nodes[index]
        if old.previous >= 0 { nodes[Int(old.previous)].next = old.next } else { first = old.next }
        if old.next >= 0 { nodes[Int(old.next)].previous = old.previous } else { last = old.previous }
        nodes[index].isUsed = false
        nodes[index].generation = old.generation &+ 1
        nodes[index].next = freeHead
        freeHead = node
        count -= 1
        bytes -= old.bytes
    }

    private mutating func grow() {
        let old = nodes.count
        let new = max(16, min(old * 2, settings.capacity))
        nodes.grow(to: new, repeating: Node())
        for index in old..<new { nodes[index].next = index + 1 < new ? Int32(index + 1) : -1 }
        freeHead = Int32(old)
    }
}
