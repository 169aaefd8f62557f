/// What stands at the far end of a connection: a client, or an origin.
protocol NetworkPeer: AnyObject {
    /// Bytes, an end or a reset arrived.
    func received(_ connection: SimulatedConnection)
}

/// One direction of a connection.
struct Flow {
    /// Arrived and not yet read.
    private var bytes: [UInt8] = []
    private var start = 0
    /// Sent, and not yet arrived.
    var inFlight = 0
    /// Nothing arrives before what was sent earlier.
    var lastArrival: UInt64 = 0
    var isEnded = false
    var isReset = false
    /// No more may be sent.
    var isClosed = false

    var count: Int { bytes.count - start }

    mutating func append(_ more: [UInt8]) { bytes += more }

    mutating func drop() {
        bytes.removeAll(keepingCapacity: true)
        start = 0
    }

    /// The first bytes, which stay.
    func peek(_ limit: Int) -> ArraySlice<UInt8> { bytes[start..<min(bytes.count, start + limit)] }

    mutating func consume(_ count: Int) {
        start += count
        if start == bytes.count { drop() }
    }

    mutating func take(_ limit: Int) -> [UInt8] {
        let taken = Array(peek(limit))
        consume(taken.count)
        return taken
    }
}

/// A TCP connection between the worker and a peer.
final class SimulatedConnection {
    let number: Int
    /// The worker's descriptor, -1 before accept and after close.
    var descriptor: Int32 = -1
    /// What stands at the other end; nil while the connection is being made.
    weak var peer: (any NetworkPeer)?
    var toWorker = Flow()
    var toPeer = Flow()
    var isConnecting = false
    /// What SO_ERROR says once.
    var error: Int32 = 0
    var isClosedByWorker = false
    var isClosedByPeer = false
    /// Never accepted: the worker's successor has it.
    var isElsewhere = false
    var resetsOnClose = false
    /// The worker found no room: it is told when there is some.
    var wantsRoom = false
    /// Bytes under way to the peer, or unread by it, that the worker's kernel takes.
    let capacity: Int
    /// Between accept or connect and close, for messages.
    let name: String

    init(number: Int, capacity: Int, name: String) {
        self.number = number
        self.capacity = capacity
        self.name = name
    }

    var room: Int { max(0, capacity - toPeer.inFlight - toPeer.count) }
    /// What was sent last waits for more of it.
    var isCorked = false
    /// As the kernel has it: a third of the buffer must be free.
    var hasRoom: Bool { room * 3 >= capacity }
}
