import Loop
import Wire

typealias ConnectionRef = Ref<ClientConnection>

/// A client's connection: the socket, what was read and not yet used, and the request under way.
///
/// HTTP/1.1 has one request at a time; the request owns what is to be written. A later HTTP/2 connection has several, so requests never
/// reach into the connection but through the methods in `ClientConnection+….swift`.
struct ClientConnection: ~Copyable, SlabValue {
    /// What the connection waits for. Each state has one timer and one phase name in messages.
    enum State: UInt8 {
        /// Slot not in use.
        case closed
        /// PROXY protocol header expected.
        case readingProxyHeader
        /// Between requests, nothing read: keepalive_timeout.
        case idle
        /// Some bytes of a head are there: client_header_timeout.
        case readingHead
        /// A request is being worked on.
        case processing
        /// Answered; the rest of the request is read and thrown away before closing (lingering_close).
        case lingering
    }

    let slot: UInt32
    var generation: UInt32 = 0
    var worker: WorkerRef?
    var state = State.closed
    var descriptor: Int32 = -1
    /// There may be something to read (edge-triggered epoll told so, and no short read since).
    var isReadable = false
    /// The last write was complete.
    var isWritable = false
    /// The client has closed its side, or the connection failed.
    var isPeerClosed = false
    /// A write failed: nothing more can be sent.
    var isBroken = false
    /// The answer's last bytes were given to the kernel to leave with the end of the connection (MSG_MORE).
    var holdsBytes = false
    /// Inside the loop of `readHead`, which goes on by itself when a request ends in it.
    var isInHeadLoop = false
    /// The next round comes back to it.
    var isPosted = false
    /// Small writes leave at once (TCP_NODELAY), as the supervisor asked for at the listening socket; `tcp_nodelay off` changes it.
    var isNoDelay = true
    var serial: UInt64 = 0
    var listener: Ref<Listener>?
    private var storedPeer = CompactAddress()
    /// Once it was asked for; not of a unix socket.
    var local: CompactAddress?
    /// Text of the peer's address without port, formatted once.
    var peerText = InlineArray<47, UInt8>(repeating: 0)
    var peerTextCount: UInt8 = 0
    /// Received bytes: the head being read, or a body's first part, or the next pipelined request.
    var input: Ref<Buffer>?
    var request: RequestRef?
    /// Requests seen on this connection.
    var requestCount = 0
    var acceptedAt: UInt64 = 0
    /// When its last request ended, or it was accepted.
    var idleSince: UInt64 = 0
    /// Idle: a worker that leaves does not close it before this time (keepalive_min_timeout). 0: at once.
    var keptUntil: UInt64 = 0
    /// When reading a PROXY header: what it said, kept for the connection's life.
    var proxyHeader: Ref<ProxyHeaderInfo>?
    var readTimer = TimerID.none
    var writeTimer = TimerID.none
    /// Lingering ends at this time whatever comes.
    var lingerUntil: UInt64 = 0
    /// Lingering ends when nothing comes for so many milliseconds.
    var lingerTimeout: UInt64 = 0

    init(slot: UInt32) { self.slot = slot }

    var peer: SocketAddress {
        get { storedPeer.socketAddress }
        set { storedPeer = CompactAddress(newValue) }
    }
}

extension Ref where Value == ClientConnection {
    var worker: WorkerRef { @inline(__always) get { value.worker! } }
    var token: Token { Token(kind: EventKind.client, slot: value.slot, generation: value.generation) }
    var pool: Ref<BufferPool> { @inline(__always) get { worker.value.pool } }

    /// The peer's address as text, `unix:` for a unix socket.
    var peerText: ByteView {
        if value.peerTextCount == 0 {
            let scratch = pool.value.take(256)
            value.peer.append(to: scratch, withPort: false)
            let text = scratch.view
            value.peerTextCount = UInt8(min(47, text.count))
            for index in 0..<Int(value.peerTextCount) { value.peerText[index] = text[index] }
            pool.value.give(scratch)
        }
        // The slot's memory outlives every request on it.
        return ByteView(inline: self, count: Int(value.peerTextCount))
    }

    func setReadTimer(after milliseconds: UInt64) {
        if value.readTimer == .none { value.readTimer = worker.value.loop.timers.make(token) }
        worker.value.loop.timers.arm(value.readTimer, at: worker.now &+ max(1, milliseconds))
    }

    func clearReadTimer() {
        if value.readTimer != .none { worker.value.loop.timers.clear(value.readTimer) }
    }

    func setWriteTimer(after milliseconds: UInt64) {
        if value.writeTimer == .none {
            value.writeTimer = worker.value.loop.timers.make(
                Token(kind: EventKind.clientWrite, slot: value.slot, generation: value.generation))
        }
        worker.value.loop.timers.arm(value.writeTimer, at: worker.now &+ max(1, milliseconds))
    }

    func setNoDelay(_ on: Bool) {
        value.isNoDelay = on
        if value.listener!.value.isTCP { Socket.setNoDelay(value.descriptor, on) }
    }

    func clearWriteTimer() {
        if value.writeTimer != .none { worker.value.loop.timers.clear(value.writeTimer) }
    }
}

extension ByteView {
    /// The text of a connection's peer address, which lives in its slab slot.
    fileprivate init(inline connection: ConnectionRef, count: Int) {
        // SAFETY: slab memory is never freed, and the text changes only when the slot gets a new connection.
        self = unsafe withUnsafePointer(to: &connection.value.peerText) { pointer in
            unsafe ByteView(start: UnsafeRawPointer(pointer).assumingMemoryBound(to: UInt8.self), count: count)
        }
    }
}
