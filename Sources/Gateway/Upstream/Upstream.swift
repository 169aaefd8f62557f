import Board
import Config
import Loop
import Machine
import Messages
import Wire

/// A group of servers, as one worker sees it: the balancer, the idle connections, and the peers' addresses. Immortal.
struct Upstream: ~Copyable {
    let index: Int
    /// As nginx's messages and variables name it.
    let name: ByteView
    /// As verdicts, the board and people do (`UpstreamSettings.label`).
    let label: ByteView
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
    let sticky: Ref<StickyRuntime>?
    /// By peer, its name on the board.
    var boardKeys: [PeerKey]
    /// Port of a group that a proxy_pass implies, 0 else.
    let implicitPort: UInt16
    /// With `app`, `health_check` or `panic on`: never-empty pool, retry budget, and broken answers count (D9).
    let isGuarded: Bool
    var budget = RetryBudget()
    /// `health_check`s of the locations that pass to this group.
    var checks: [Ref<HealthCheckRuntime>] = []
    /// Whether the board's word on a peer's health counts: with `checks`, or when the app's instances are checked.
    var isChecked = false
    /// Exchanges under way, for the budget's floor.
    var exchangeCount = 0
    /// This worker's share of the peers' common state.
    var sharing = PeerSharing()
    /// The incident of the last failed attempt here.
    var lastIncident = IncidentWord(rawValue: 0)
    /// The servers of the configuration; beside them come the addresses of names that are followed, and the instances of `app`.
    var configured: [ConfiguredPeer] = []
    /// Servers that an operator has taken out (`goodgate drain`), as they were named.
    var drained: Set<[UInt8]> = []
    /// Of the peers that there are all are so.
    var isAllDrained = false
    var followed: [Ref<FollowedServer>] = []
    /// Requests that came before the names were looked up for the first time.
    var waitingForNames: [Token] = []
    /// Instances of the app, as last told; and whether one of them may get requests.
    var instances: [UpstreamNews.Instance] = []
    var newsParts = UpstreamNewsParts()
    var isRouted = false
    /// An instance was there once: that none is is no start any more.
    var wasRouted = false
    /// What is known of instances that are not there yet. Until the supervisor says so: they are on their way.
    var outlook = UpstreamOutlook(starting: 1)
    /// Requests that wait for a peer; without `queue` of capacity 0.
    var parking = ParkingQueue(settings: Machine.QueueSettings(capacity: 0))

    /// What a worker needs to know of a peer beyond the balancer's accounts.
    struct PeerRuntime {
        var address: SocketAddress
        /// As nginx prints it in $upstream_addr and messages.
        var name: ByteView
        /// What a sticky cookie says: the MD5 of the address in hex, or the route.
        var stickyID = ByteView()
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
    /// The next round comes back to it.
    var isPosted = false
    var openedAt: UInt64 = 0
    var idleSince: UInt64 = 0
    /// How long it was idle before the running exchange, in milliseconds.
    var idleBefore: UInt64 = 0
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
        noteClosed(idle: worker.now &- value.idleSince)
        dropFromPool()
        close()
    }

    /// News of a connection that is idle, in the pass before all others of a tick: so no exchange of this tick picks one that is closed.
    func handleIfIdle(_ mask: EventMask) {
        if value.exchange == nil, value.ticket != nil { handle(mask) }
    }

    /// The peer ended a connection that was idle for so long: its time limit becomes known.
    func noteClosed(idle: UInt64) {
        guard let upstream = value.upstream, value.peer < upstream.value.peers.count else { return }
        upstream.value.peers[value.peer].learner.sawClose(idle: Machine.Milliseconds(clamping: idle))
    }

    /// The peer answered on a connection that had been idle.
    func noteAnswered() {
        guard let upstream = value.upstream, value.peer < upstream.value.peers.count else { return }
        upstream.value.peers[value.peer].learner.sawUse(idle: Machine.Milliseconds(clamping: value.idleBefore))
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
        guard let upstream = value.upstream, !worker.value.isDraining else { return close() }
        value.exchange = nil
        value.requestsServed += 1
        value.idleSince = worker.now
        let now = Machine.Milliseconds(worker.now)
        let idleMax = upstream.value.peers[value.peer].learner.idleMax(configured: upstream.value.idle.settings.timeout)
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
    /// - Parameter looks: whether to ask the kernel if the connection is still open; else only what the loop was told counts.
    func takeIdle(_ upstream: Ref<Upstream>, peer: Int, tag: Int, looks: Bool) -> UpstreamConnectionRef? {
        while let number = upstream.value.idle.take(peer: peer, tag: tag, now: Machine.Milliseconds(now)) {
            let connection = value.upstreamConnections[UInt32(number)]
            connection.value.ticket = nil
            connection.value.idleBefore = now &- connection.value.idleSince
            if connection.value.isPeerClosed || looks && Socket.peek(connection.value.descriptor) != Socket.wouldBlock {
                connection.noteClosed(idle: connection.value.idleBefore)
                connection.close()
                continue
            }
            return connection
        }
        return nil
    }
}
