import Config
import Loop
import Machine
import Wire

typealias ExchangeRef = Ref<Exchange>

/// The work of getting an answer for one request from an upstream: attempts on peers, sending, reading the head, relaying the body
/// (nginx: ngx_http_upstream_t).
///
/// ```
/// idle ─► picking ─► connecting ─► sending ─► awaitingHead ─► (holding) ─► relaying ─► finished
///            ▲           │            │            │              │          └─► tunnel (101) ─► finished
///            └───────────┴────────────┴────────────┴──────────────┘  failed attempt, next peer
/// idle ◄─► resolving: the addresses of the host are being looked up (`Request+Resolve`)
/// picking ◄─► parked: no peer now, but one may come (`Exchange+Parking`)
/// ```
struct Exchange: ~Copyable, SlabValue {
    enum State: UInt8 { case idle, resolving, picking, parked, connecting, sending, awaitingHead, holding, relaying, tunnel, finished }

    let slot: UInt32
    var generation: UInt32 = 0
    var worker: WorkerRef?
    var state = State.idle
    var request: RequestRef?
    var upstream: Ref<Upstream>?
    var proxy: Ref<ProxyRuntime>?
    var connection: UpstreamConnectionRef?
    var attempt = AttemptState()
    /// The peer that messages name, also after its attempt: -1 the group, as no peer could be picked; -2 none yet.
    var shownPeer = -2
    var hashKey = ByteView()
    /// What the request says of its peer (`sticky cookie`, `route`) or its session (`learn`); empty: nothing.
    var stickyID = ByteView()
    /// Place of the sticky cookie among the answer's fields, -1: none yet.
    var stickyField = -1
    /// Location whose connections may be reused, 0: those of all (`keepalive … local`).
    var tag = 0
    /// The running attempt uses a connection that had served before.
    var isReused = false
    /// The connection was taken back from the accept queue of an instance that is gone: nobody read the request.
    var isRescued = false
    /// An attempt of this exchange failed on such a connection.
    var metDeadConnection = false
    /// `upstream` was made for this exchange alone.
    var ownsUpstream = false
    var hasAttemptState = false
    /// `learn`: the request's session was bound to a peer when one was picked.
    var isSessionBound = false
    var ignoresClientAbort = false
    var startedAt: UInt64 = 0

    // Waiting for addresses.
    /// The host that is being looked up, and the port it will be asked at.
    var awaitedHost = ByteView()
    var awaitedPort: UInt16 = 0
    /// It waited for the first addresses of its upstream.
    var hasWaitedForNames = false

    // Waiting for a peer.
    /// Place in the queue; nil although parked: woken.
    var ticket: ParkingTicket?
    /// When it first waited, 0 never; the queue's timeout counts from then.
    var parkedAt: UInt64 = 0
    /// How often it waited although an instance was there.
    var looks: UInt8 = 0
    /// How often it waited after an instance had it completely.
    var replays: UInt8 = 0
    /// Milliseconds it waited, -1 not at all.
    var queueTime: Int64 = -1

    // The request as it is sent.
    var head: Ref<Buffer>?
    var headSent = 0
    var bodySent: Int64 = 0
    /// Content-Length that the head tells the peer, if we wrote it.
    var announcedLength: Int64?
    /// Streaming: bytes taken from the client, framed, not yet sent.
    var bodyQueue: Ref<Buffer>?
    var isBodyChunked = false
    /// Streaming: part of the body was given to an attempt, so no other attempt can have it.
    var isBodyLost = false
    /// proxy_set_body.
    var bodyText: ByteView?
    var isRequestSent = false
    /// A part of the request could not be sent: the connection is good for this answer at most.
    var isSendBroken = false
    /// The method on its request line (proxy_method).
    var method = Method.get
    /// An Idempotency-Key is in its head.
    var hasIdempotencyKey = false
    /// A send told that the peer has reset the connection; the kernel says it once, and a read would only see an end.
    var wasReset = false

    // The answer.
    var input: Ref<Buffer>?
    /// What reads its head: there from the head's first byte to its last.
    var answerReader: Ref<AnswerReader>?
    /// What its head says, when `hasHead`.
    var answer = ResponseHead()
    var fields = FieldTable(capacity: 4)
    /// The head was read completely: `fields` and `input` hold it.
    var hasHead = false
    var headLength = 0
    var status = 0
    /// How the body of the answer ends.
    var framing = AnswerFraming.none
    var remaining: Int64 = 0
    var decoder = ChunkedDecoder()
    var isKeepalive = false
    var isBuffering = true
    /// Reading rests until the client has taken what waits for it.
    var isPaused = false
    /// Reading rests until the connection's timer: for proxy_limit_rate, or because it is the others' turn.
    var isResting = false
    /// Buffer being filled by the relay, with nothing in it yet.
    var spare: Ref<Buffer>?
    /// Temporary file for an answer that comes faster than the client takes it.
    var spillFile: Int32 = -1
    var spillLength: Int64 = 0
    /// It cannot be written: from here on the upstream waits for the client.
    var isSpillBroken = false
    /// proxy_store: the file being written, -1 none; its name, and the name it gets.
    var storeFile: Int32 = -1
    var storeTemporary = ByteView()
    var storePath: ByteView?
    var storeLength: Int64 = 0
    /// Last-Modified of the answer, -1 none.
    var lastModified: Int64 = -1
    /// proxy_limit_rate in bytes per second, 0 none; and when the answer began, in seconds.
    var limitRate: Int64 = 0
    var answerStart: UInt64 = 0
    var answerBytes: Int64 = 0
    /// Bytes from upstream to client of a tunnel that wait for room, and the other way round.
    var toClient: Ref<Buffer>?
    var toPeer: Ref<Buffer>?
    /// Interim answers seen, bounded.
    var interimCount = 0

    init(slot: UInt32) { self.slot = slot }

    var isFinished: Bool { state == .finished }
}

extension Ref where Value == Exchange {
    var worker: WorkerRef { @inline(__always) get { value.worker! } }
    var request: RequestRef { @inline(__always) get { value.request! } }
    var proxy: Ref<ProxyRuntime> { @inline(__always) get { value.proxy! } }
    var upstream: Ref<Upstream> { @inline(__always) get { value.upstream! } }
    var pool: Ref<BufferPool> { @inline(__always) get { worker.value.pool } }
    var now: Machine.Milliseconds { Machine.Milliseconds(worker.now) }

    /// The statistics of the running attempt.
    func withStat(_ body: (inout AttemptStat) -> Void) {
        let count = request.value.attempts.count
        if count > 0 { body(&request.value.attempts[count - 1]) }
    }

    /// Ends everything that goes on upstream, whatever state it is in; the request goes on without.
    func detach() {
        guard value.state != .finished else { return }
        leaveQueue()
        if value.state == .resolving { request.leaveResolver(self) }
        if value.connection != nil { finishAttempt(outcome: .succeeded) }
        dropConnection()
        endBalancing()
        dropStore()
        value.state = .finished
    }

    /// Gives the slot and all memory back. The request ends.
    func release() {
        detach()
        dropStore()
        leaveUpstream()
        giveAnswerReader()
        if let head = value.head { pool.value.give(head) }
        if let input = value.input { pool.value.give(input) }
        if let spare = value.spare { pool.value.give(spare) }
        if let queue = value.bodyQueue { pool.value.give(queue) }
        if let buffer = value.toClient { pool.value.give(buffer) }
        if let buffer = value.toPeer { pool.value.give(buffer) }
        value.head = nil
        value.input = nil
        value.spare = nil
        value.bodyQueue = nil
        value.toClient = nil
        value.toPeer = nil
        if value.spillFile >= 0 {
            Socket.close(value.spillFile)
            value.spillFile = -1
        }
        value.spillLength = 0
        value.isSpillBroken = false
        value.storePath = nil
        value.request = nil
        value.state = .idle
        worker.value.exchanges.give(self)
    }

    /// Forgets the group; one of its own goes.
    func leaveUpstream() {
        if value.ownsUpstream, let upstream = value.upstream { upstream.destroy() }
        value.ownsUpstream = false
        value.upstream = nil
    }

    func endBalancing() {
        guard value.hasAttemptState else { return }
        value.hasAttemptState = false
        upstream.value.exchangeCount -= 1
        let peer = Int(value.attempt.peer)
        upstream.value.balancer.finish(&value.attempt, now: now)
        if peer >= 0 {
            upstream.publishNews(of: peer, now: worker.now)
            upstream.wakeNextParked(worker, after: .neutral, at: peer)
        }
    }

    func dropConnection() {
        // It goes with the connection: a failed exchange may stay as long as its page.
        giveAnswerReader()
        guard let connection = value.connection else { return }
        value.connection = nil
        connection.close()
    }

    /// Closes the account of the running attempt with its peer.
    /// - Parameter phase: for the log, if the peer is out from now on.
    func finishAttempt(outcome: AttemptOutcome, phase: StaticString = "reading upstream") {
        guard value.attempt.isRunning else { return }
        // Nobody takes the client's body until the next attempt has a connection.
        if request.value.body.state == .streaming { request.connection.clearReadTimer() }
        if outcome == .succeeded { learnSessionAtEnd() }
        let peer = Int(value.attempt.peer)
        var header: Machine.Milliseconds = -1
        var response: Machine.Milliseconds = -1
        let now = worker.now
        var status = 0
        withStat { stat in
            stat.responseTime = Int64(now &- stat.startedAt)
            header = stat.headerTime
            response = stat.responseTime
            status = stat.status
        }
        upstream.value.balancer.release(
            &value.attempt, outcome: outcome, now: self.now, times: AttemptTimes(header: header, response: response))
        upstream.publishNews(of: peer, isBroken: isBroken(outcome, status: status), now: now)
        if outcome == .failed, upstream.value.balancer.isDisabled(peer) {
            request.log(.warning, "upstream server temporarily disabled", while: phase)
        }
        // A client that left before an answer has shown nothing of the peer.
        upstream.wakeNextParked(worker, after: outcome == .succeeded && !value.hasHead ? .neutral : outcome, at: peer)
    }

    /// Whether an attempt that ends now had no good answer, for the account by which a new release is judged; nil: it says nothing of the
    /// peer. So it is when the client left before an answer, and when a connection ended that had been idle for a second or more: the peer
    /// may have had enough of it.
    private func isBroken(_ outcome: AttemptOutcome, status: Int) -> Bool? {
        guard status > 0 else { return nil }
        if status == 502, !value.hasHead, value.isReused, let connection = value.connection, connection.value.idleBefore >= 1000 {
            return nil
        }
        return outcome == .failed || status >= 500
    }

    /// `, upstream: "http://127.0.0.1:3000/path"` for messages; the group's bare name when no peer could be picked.
    func appendUpstream(to line: Ref<Buffer>) {
        guard let proxy = value.proxy, value.upstream != nil, value.shownPeer >= -1 else { return }
        line.append(", upstream: \"")
        line.append(proxy.value.scheme)
        line.append("://")
        if value.shownPeer >= 0, value.shownPeer < upstream.value.peers.count {
            line.append(upstream.value.peers[value.shownPeer].name)
            if upstream.value.peers[value.shownPeer].address.isUnix { line.append(":") }
        } else if let upstream = value.upstream {
            line.append(upstream.value.name)
        }
        line.append(sentTarget)
        line.append("\"")
    }

    /// The target of the request that was made for the upstream: what was asked there, wherever the client's request is
    /// now (X-Accel-Redirect, error_page).
    private var sentTarget: ByteView {
        guard let head = value.head?.view,
            let start = head.firstIndex(of: 0x20), let end = head.firstIndex(of: 0x0d)
        else { return ByteView() }
        // " HTTP/1.1" follows it.
        return head[start + 1..<max(start + 1, end - 9)]
    }

    /// A field of the answer by a variable's name (`_` for `-`).
    func upstreamField(variable name: ByteView) -> ByteView? {
        guard value.hasHead, let input = value.input else { return nil }
        let base = input.whole
        guard let first = value.fields.firstIndex(variable: name, base) else { return nil }
        guard let second = value.fields.firstIndex(variable: name, base, from: first + 1) else {
            return value.fields[first].value.view(base)
        }
        let scratch = pool.value.take(1024)
        scratch.append(value.fields[first].value.view(base))
        var next: Int? = second
        while let index = next {
            scratch.append(", ")
            scratch.append(value.fields[index].value.view(base))
            next = value.fields.firstIndex(variable: name, base, from: index + 1)
        }
        let joined = request.keep(scratch.view)
        pool.value.give(scratch)
        return joined
    }
}
