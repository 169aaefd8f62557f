import Board
import Config
import Loop
import Machine
import Wire

typealias WorkerRef = Ref<Worker>

/// Everything one worker process owns: the loop, the slabs, the configuration in its compiled form.
///
/// There is one per process, reached from every connection and request by reference; nothing here is shared with another thread.
struct Worker: ~Copyable {
    /// Reads or writes that one connection may do before it is the others' turn. Edge-triggered, a fast peer would keep the loop to itself.
    static let turnBudget = 16
    /// Bytes of files that may be sent to one client in one turn.
    static let turnBytes = 2 << 20

    var loop: EventLoop
    let pool: Ref<BufferPool>
    /// Into which clients' bytes are received first (`ClientConnection.receiveFirst`).
    var inbox: Ref<Buffer>
    var connections: Slab<ClientConnection>
    var requests: Slab<Request>
    var headReaders: Slab<HeadReader>
    var exchanges: Slab<Exchange>
    var answerReaders: Slab<AnswerReader>
    var upstreamConnections: Slab<UpstreamConnection>
    var resolverConversations = Slab<ResolverConversation>(limit: 1 << 20)
    /// Servers of upstreams whose names are looked up while the worker runs.
    var followedServers: [Ref<FollowedServer>] = []
    /// Compiled configuration, immortal.
    let http: Ref<HTTPRuntime>
    var listeners: [Ref<Listener>] = []
    var log: LogWriter
    var clock = ClockText()
    /// Requests to go on with before the next wait: after a delay, a freed slot, a finished subrequest.
    var posted = Table<Token>(capacity: 64)
    /// Client sockets to close when this tick's log lines are written: who sees the end of a connection finds its line in the log.
    var closing = Table<ClosingSocket>(capacity: 64)
    /// When the connections are looked at for idle ones to close, at the earliest.
    var roomWanted: UInt64 = 0
    /// Serial number of the last accepted connection, `*N` in error lines.
    var connectionSerial: UInt64 = 0
    /// QUIT: no new connections, idle ones are closed, the process ends with its last request.
    var isDraining = false
    /// TERM.
    var isStopping = false
    /// When a drain cuts what is left, 0 never.
    var shutdownDeadline: UInt64 = 0
    /// The drain is over: nothing is begun any more.
    var isOverdue = false
    /// Serial number of temporary files.
    var tempSerial: UInt64
    /// Timer of the worker itself: end of an accept pause.
    var workerTimer = TimerID.none
    /// Accepting is paused until then (out of descriptors), 0 if it is not.
    var acceptPausedUntil: UInt64 = 0
    /// Every connection is in use: the listeners are out of the event loop until one is free.
    var isFull = false
    /// worker_shutdown_timeout in milliseconds, for a drain that was not ordered by the supervisor; nil: none.
    var shutdownTimeout: UInt64?
    var acceptComplainedAt: UInt64 = 0
    /// Values that are being computed, each for the one before.
    var variableDepth = 0
    var counters = Counters()
    /// What is told of failed attempts.
    var failures: FailureReporter
    /// Zones of limit_req and limit_conn, by their number in the configuration, and this worker's column of the latter.
    var requestZones: [RequestZone?] = []
    var connectionZones: [ConnectionZone?] = []
    var zoneColumn = 0
    /// This worker's column of the memory that all workers share; nil without one.
    var board: BoardColumn?
    /// What stands in that column, by number of the counter: a worker begins with a column of zeros.
    var published = InlineArray<16, UInt64>(repeating: 0)
    /// The health checks, if this worker runs them.
    var health = HealthChecks(limit: 1 << 16)
    let identity: WorkerIdentityText
    /// Generator behind `random`, `$request_id` and jitter.
    var random: RandomSource
    /// Compressors that are free, kept because they are costly to make.
    var deflaters: [Ref<Deflater>] = []
    /// Texts of peers that came while the worker runs, one of each: they are never freed, and names come back.
    var texts: [[UInt8]: ByteView] = [:]
    var ssiPatterns = SSIPatterns()
    var outputVector = OutputVector()
    let responseHeadOptions: HeadOptions
    /// How the next supervisor finds this worker when its own is gone.
    var succession = Succession()

    /// Numbers for stub_status; the board's column is written from these.
    struct Counters {
        var accepted: UInt64 = 0
        var handled: UInt64 = 0
        var requests: UInt64 = 0
        var reading = 0
        var writing = 0
        /// Attempts that followed on a failed one, and requests that got a 502, 503 or 504 of ours.
        var retried: UInt64 = 0
        var rescued: UInt64 = 0
        var failed: UInt64 = 0
        /// Requests that wait for a peer now, and that ever did.
        var parked = 0
        var parkedTotal: UInt64 = 0
    }
}

/// What the worker calls itself and its environment.
struct WorkerIdentityText {
    /// `nginx/1.31.4` or `goodgate/0.1.0`: the Server field with server_tokens on.
    let serverToken: ByteView
    /// `nginx` or `goodgate`.
    let serverName: ByteView
    let hostName: ByteView
    let processID: Int32
    let startedAsNginx: Bool
}

extension Ref where Value == Worker {
    var now: UInt64 { @inline(__always) get { value.loop.now } }

    /// A text that lives as long as the worker. Control path: allocates when it is new.
    func intern(_ bytes: [UInt8]) -> ByteView {
        if let known = value.texts[bytes] { return known }
        let made = ByteView.immortal(bytes)
        value.texts[bytes] = made
        return made
    }

    /// Goes on with a request before the loop waits again.
    func post(_ request: RequestRef) {
        value.posted.append(Token(kind: EventKind.request, slot: request.value.slot, generation: request.value.generation))
    }
}
