import Config
import Glibc
import Loop
import Machine
import Pattern
import Wire

typealias RequestRef = Ref<Request>

/// One request from its first byte to its log line (nginx: `ngx_http_request_t`). A subrequest is one as well, with a parent.
///
/// Lives in a slab slot that is reused; `reset` brings it back to its first state. Views stored here point into the connection's head
/// buffer, the arena, the exchange's response head, or configuration: all outlive the request.
struct Request: ~Copyable, SlabValue {
    /// Where the request is (nginx: phases). The step of each is one function in `Request+Phases.swift`.
    enum Phase: UInt8 {
        case readingHead, serverRewrite, findLocation, rewrite, postRewrite, preaccess, access, tryFiles, content, responding, finished
    }

    let slot: UInt32
    var generation: UInt32 = 0
    var connection: ConnectionRef?
    /// nil for a main request.
    var parent: RequestRef?
    /// The main request; itself for a main request.
    var main: RequestRef?
    var phase = Phase.readingHead
    var arena = Arena()

    // Request line and head.
    /// What reads the head: there from the first byte of the head to its last.
    var headReader: Ref<HeadReader>?
    /// Bytes of the head, request line included.
    var headLength = 0
    /// The head itself, where it was parsed.
    var headBytes = ByteView()
    var fields = Table<HeaderField>(capacity: 4)
    var method = Method.get
    var methodName = ByteView()
    var versionMinor = 1
    var requestLine = ByteView()
    /// "HTTP/1.1" as sent; empty until the request line is complete.
    var protocolName = ByteView()
    /// As the client sent it.
    var unparsedURI = ByteView()
    /// Decoded, normalised path; changes with rewrites and internal redirects.
    var uri = ByteView()
    var arguments = ByteView()
    /// Host without port in lower case, from the request line or the Host field; nil if neither.
    var host: ByteView?
    /// Whether the server could be told by it; nil while nobody has looked.
    var isServerKnown: Bool?
    /// The port that was sent with it.
    var hostPort: UInt16?
    var schemeFromLine: ByteView?
    /// The path is exactly as the client sent it, so an unchanged proxy_pass sends the client's own bytes.
    var isURIValidUnparsed = false
    /// The path needed decoding or normalising.
    var isURIComplex = false
    var isKeepalive = false
    var isInternal = false
    var isBadHead = false
    /// `Connection: upgrade` was sent.
    var hasConnectionUpgrade = false
    /// Counted among the requests that are being answered.
    var isCounted = false

    // Where it is served.
    var server: Ref<VirtualServer>?
    var location: Ref<Location>?
    /// try_files found a file below an alias that stands for the whole path: the path is appended to it (nginx: add_uri_to_alias).
    var addsPathToAlias = false
    /// The path still begins with the location's prefix: no rewrite ended by `break` changed it (nginx: valid_location).
    var isLocationValid = true
    /// Location changes so far; 10 is the limit, then 500 (nginx: uri_changes).
    var uriChangesLeft = 11
    /// Set while an error page is served.
    var isErrorPage = false
    /// Status to answer with when an internal redirect by error_page says so; 0 if none.
    var errorStatus = 0
    /// rewrite changed the URI and asks for the location search again.
    var isURIChanged = false
    /// Captures of the last regular expression: its subject, and offsets.
    var captureSubject = ByteView()
    var captures = CaptureOffsets()
    var captureCount = 0
    /// Values stored by `set`, named captures, or computed once (map, geo), by variable index; made when first needed.
    var variables = VariableStore()

    // Body.
    var body = RequestBody()

    // Answer.
    var response = AnswerHead()
    /// The head was sent (or is in the output queue): the status can change no more.
    var isHeaderSent = false
    /// Only the head is sent: HEAD, 204, 304.
    var isHeaderOnly = false
    /// The body is framed in chunks.
    var isChunked = false
    /// All of the answer is in the output queue.
    var isResponseComplete = false
    var output = OutputQueue()
    /// Buffer being filled with head and small pieces, the last segment of the output queue if not nil.
    var outputTail: Ref<Buffer>?
    /// Body filters that this answer passes, in order; empty on the fast path.
    var filters: [any BodyFilter] = []
    /// The last of them is for the whole answer, subrequests included (gzip).
    var hasAnswerFilter = false
    var subrequests = SubrequestState()

    /// Bytes sent to the client for this request.
    var bytesSent: Int64 = 0
    /// Bytes of the head in it.
    var headerSize: Int64 = 0
    /// Open files of this answer, closed at the end.
    var files = Table<Int32>(capacity: 2)

    // Limits and state of modules.
    var exchange: ExchangeRef?
    /// Attempts on upstreams so far, for variables and records.
    var attempts = Table<AttemptStat>(capacity: 1)
    /// The next attempt starts a new group in the lists of $upstream_* variables.
    var startsAttemptGroup = false
    /// What failed attempts left.
    var failure = RequestFailure()
    var timer = TimerID.none
    /// limit_rate in bytes per second, nil until evaluated.
    var limitRate: Int64?
    var limitRateAfter: Int64?
    var isDelayed = false
    var limits = LimitState()
    /// What goes on after the wait in `phase`: see `resume`.
    var resumption = Resumption.none
    var startedAt: UInt64 = 0
    /// References by who still works for it: subrequests, post action.
    var pendingSubrequests = 0
    var modules = ModuleState()
    var isAborted = false
    /// The answer ended too early: the connection is cut after what there is.
    var isTruncated = false
    var isLogged = false
    /// While post_action runs: whether the connection is kept afterwards; else nil.
    var keepaliveAfterPostAction: Bool?
    var isPostAction: Bool { keepaliveAfterPostAction != nil }

    /// What a request that waits goes on with.
    enum Resumption: UInt8 { case none, runPhases, flush, resolve, upstream }

    init(slot: UInt32) { self.slot = slot }
}

extension Ref where Value == Request {
    var connection: ConnectionRef { @inline(__always) get { value.connection! } }
    var worker: WorkerRef { @inline(__always) get { value.connection!.value.worker! } }
    var pool: Ref<BufferPool> { @inline(__always) get { worker.value.pool } }
    var main: RequestRef { @inline(__always) get { value.main! } }
    var isMain: Bool { @inline(__always) get { value.parent == nil } }
    var location: Ref<Location> { @inline(__always) get { value.location! } }
    var server: Ref<VirtualServer> { @inline(__always) get { value.server! } }
    var token: Token { Token(kind: EventKind.request, slot: value.slot, generation: value.generation) }

    /// The first field with a token, if any.
    func field(_ token: HeaderToken) -> ByteView? {
        if !isMain { return main.field(token) }
        for index in value.fields.indices where value.fields[index].token == token { return value.fields[index].value }
        return nil
    }

    /// Copies into the request's arena.
    func keep(_ bytes: ByteView) -> ByteView { value.arena.copy(bytes, pool) }

    func setTimer(after milliseconds: UInt64) {
        if value.timer == .none { value.timer = worker.value.loop.timers.make(token) }
        worker.value.loop.timers.rebind(value.timer, to: token)
        worker.value.loop.timers.arm(value.timer, at: worker.now &+ max(1, milliseconds))
    }

    /// The head is complete, or will never be.
    func giveHeadReader() {
        guard let reader = value.headReader else { return }
        value.headReader = nil
        worker.value.headReaders.give(reader)
    }

    /// Brings the slot back to its first state and gives back all memory. The caller gives the slot itself back.
    func reset() {
        releaseSubrequests()
        giveHeadReader()
        if value.timer != .none { worker.value.loop.timers.clear(value.timer) }
        if let exchange = value.exchange { exchange.release() }
        if value.isCounted {
            value.isCounted = false
            worker.value.counters.writing -= 1
        }
        dropOutput()
        if value.body.file >= 0, !value.body.keepsFile {
            _ = File.remove(value.body.filePath)
        }
        value.body.release(pool)
        for index in value.files.indices { Socket.close(value.files[index]) }
        value.files.removeAll()
        value.arena.release(pool)
        value.fields.removeAll()
        value.response.reset()
        value.variables.reset()
        value.attempts.removeAll()
        value.startsAttemptGroup = false
        if value.failure.count > 0 { value.failure = RequestFailure() }
        for buffer in value.modules.takeKept() { pool.value.give(buffer) }
        if let original = value.modules.clientAddress { connection.replacePeer(original.socketAddress) }
        value.modules.reset()
        if !value.filters.isEmpty { value.filters.removeAll() }
        value.hasAnswerFilter = false
        releasePostponed()
        value.exchange = nil
        value.parent = nil
        value.main = nil
        value.location = nil
        value.server = nil
        value.host = nil
        value.isServerKnown = nil
        value.hostPort = nil
        value.hasConnectionUpgrade = false
        value.schemeFromLine = nil
        value.phase = .readingHead
        value.headLength = 0
        value.isURIValidUnparsed = false
        value.isURIComplex = false
        value.isKeepalive = false
        value.isInternal = false
        value.addsPathToAlias = false
        value.isBadHead = false
        value.uriChangesLeft = 11
        value.isErrorPage = false
        value.errorStatus = 0
        value.isURIChanged = false
        value.isLocationValid = true
        value.captureCount = 0
        value.captureSubject = ByteView()
        value.requestLine = ByteView()
        value.protocolName = ByteView()
        value.unparsedURI = ByteView()
        value.uri = ByteView()
        value.arguments = ByteView()
        value.methodName = ByteView()
        value.method = .get
        value.versionMinor = 1
        value.isHeaderSent = false
        value.isHeaderOnly = false
        value.isChunked = false
        value.isResponseComplete = false
        value.bytesSent = 0
        value.headerSize = 0
        value.limitRate = nil
        value.limitRateAfter = nil
        value.isDelayed = false
        value.limits.reset()
        value.resumption = .none
        value.pendingSubrequests = 0
        value.isAborted = false
        value.isTruncated = false
        value.isLogged = false
        value.keepaliveAfterPostAction = nil
        value.connection = nil
    }

    /// Throws away what was not sent yet.
    func dropOutput() {
        for index in value.output.segments.indices {
            if index >= value.output.first, let buffer = value.output.segments[index].buffer { pool.value.give(buffer) }
        }
        value.output.segments.removeAll()
        value.output.first = 0
        value.output.byteCount = 0
        value.output.heldMemory = 0
        if let tail = value.outputTail { pool.value.give(tail) }
        value.outputTail = nil
    }
}

extension Ref where Value == Request {
    /// Copies bytes into the request's arena.
    func keep(_ bytes: [UInt8]) -> ByteView {
        let chunk = value.arena.room(for: bytes.count, pool)
        let start = chunk.value.end
        for byte in bytes { chunk.append(byte) }
        return chunk.whole[start..<chunk.value.end]
    }

    /// Copies a text into the request's arena. Not for the hot path.
    func keep(_ text: String) -> ByteView { keep(Array(text.utf8)) }
}
