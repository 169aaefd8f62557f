import Config
import Loop
import Machine
import Wire

/// A group of servers, as one worker sees it: the balancer, the idle connections, and the peers' addresses. Immortal.
struct Upstream: ~Copyable {
    let index: Int
    let name: ByteView
    let settings: Ref<UpstreamSettings>
    var balancer: Balancer
    var idle: KeepalivePool
    /// By peer index of the balancer.
    var peers: [PeerRuntime]
    /// What a hashing policy hashes.
    let hashKey: CompiledText?
    let usesAddressHash: Bool
    /// keepalive is on: connections are kept after an answer.
    let keepsConnections: Bool
    /// Connections are shared only between exchanges of the same location (`keepalive … local`).
    let isLocal: Bool

    /// What a worker needs to know of a peer beyond the balancer's accounts.
    struct PeerRuntime {
        var address: SocketAddress
        /// As nginx prints it in $upstream_addr and messages.
        var name: ByteView
        var learner = IdleTimeoutLearner()
    }
}

typealias UpstreamConnectionRef = Ref<UpstreamConnection>

/// A connection to a peer: used by one exchange, or idle in its upstream's pool.
struct UpstreamConnection: ~Copyable, SlabValue {
    let slot: UInt32
    var generation: UInt32 = 0
    var worker: WorkerRef?
    var descriptor: Int32 = -1
    var upstream: Ref<Upstream>?
    var peer = 0
    /// Who uses it; nil while idle.
    var exchange: ExchangeRef?
    var ticket: KeepaliveTicket?
    var isReadable = false
    var isWritable = false
    var isPeerClosed = false
    var openedAt: UInt64 = 0
    var idleSince: UInt64 = 0
    var requestsServed = 0
    /// Location whose exchanges may reuse it, 0 for any.
    var tag = 0
    var timer = TimerID.none

    init(slot: UInt32) { self.slot = slot }
}

extension Ref where Value == UpstreamConnection {
    var worker: WorkerRef { @inline(__always) get { value.worker! } }
    var token: Token { Token(kind: EventKind.upstream, slot: value.slot, generation: value.generation) }

    func setTimer(after milliseconds: UInt64) { worker.value.loop.timers.arm(value.timer, at: worker.now &+ max(1, milliseconds)) }
    func clearTimer() { worker.value.loop.timers.clear(value.timer) }

    /// Epoll's news.
    func handle(_ mask: EventMask) {
        if mask.contains(.readable) || mask.contains(.peerClosed) || mask.contains(.failed) { value.isReadable = true }
        if mask.contains(.peerClosed) || mask.contains(.failed) { value.isPeerClosed = true }
        if mask.contains(.writable) || mask.contains(.failed) { value.isWritable = true }
        if let exchange = value.exchange { return exchange.connectionIsReady() }
        // Idle: whatever comes now (an end, a reset, bytes nobody asked for) makes it useless. A mere "writable" is no news.
        guard value.isReadable else { return }
        let peeked = Socket.peek(value.descriptor)
        if peeked == Socket.wouldBlock {
            value.isReadable = false
            return
        }
        noteClosedWhileIdle()
        dropFromPool()
        close()
    }

    /// The peer ended an idle connection: its time limit becomes known.
    private func noteClosedWhileIdle() {
        guard let upstream = value.upstream, value.peer < upstream.value.peers.count else { return }
        upstream.value.peers[value.peer].learner.sawClose(idle: Machine.Milliseconds(clamping: worker.now &- value.idleSince))
    }

    private func dropFromPool() {
        if let ticket = value.ticket { value.upstream?.value.idle.remove(ticket) }
        value.ticket = nil
    }

    func timedOut() {
        if let exchange = value.exchange { return exchange.timedOut() }
        dropFromPool()
        close()
    }

    /// Closes the socket and frees the slot.
    func close() {
        clearTimer()
        if value.descriptor >= 0 { Socket.close(value.descriptor) }
        value.descriptor = -1
        value.exchange = nil
        value.ticket = nil
        worker.value.upstreamConnections.give(self)
    }

    /// Keeps the connection for the next exchange, or closes it where limits say so.
    func park() {
        guard let upstream = value.upstream else { return close() }
        value.exchange = nil
        value.requestsServed += 1
        value.idleSince = worker.now
        let now = Machine.Milliseconds(worker.now)
        let idleMax = upstream.value.peers[value.peer].learner.idleMax(configured: Machine.Milliseconds(upstream.value.idle.settings.timeout))
        let stored = upstream.value.idle.store(
            Int32(value.slot), peer: value.peer, tag: value.tag, requestsServed: value.requestsServed,
            openedAt: Machine.Milliseconds(value.openedAt), idleMax: idleMax, now: now)
        switch stored {
        case .refused: close()
        case .kept(let ticket, let evicted):
            value.ticket = ticket
            if let evicted {
                let old = worker.value.upstreamConnections[UInt32(evicted)]
                old.value.ticket = nil
                old.close()
            }
            setTimer(after: UInt64(clamping: min(idleMax, Machine.Milliseconds(upstream.value.idle.settings.timeout))))
        }
    }
}

extension Ref where Value == Worker {
    /// An idle connection to a peer, or nil.
    func takeIdle(_ upstream: Ref<Upstream>, peer: Int, tag: Int) -> UpstreamConnectionRef? {
        while let number = upstream.value.idle.take(peer: peer, tag: tag, now: Machine.Milliseconds(now)) {
            let connection = value.upstreamConnections[UInt32(number)]
            connection.value.ticket = nil
            // News may wait in this very tick: never pick a connection that is known to be closed.
            if connection.value.isPeerClosed {
                connection.close()
                continue
            }
            upstream.value.peers[peer].learner.sawUse(idle: Machine.Milliseconds(clamping: now &- connection.value.idleSince))
            return connection
        }
        return nil
    }
}
