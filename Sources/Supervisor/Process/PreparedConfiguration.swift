internal import Board
internal import Config
internal import Messages

/// A configuration for which everything is at hand: sockets listen, files are open, users are known. One for each generation of workers.
final class PreparedConfiguration {
    let settings: ProcessSettings
    /// The configuration files as the workers will read them, in a sealed memfd.
    let bundle: Descriptor
    private(set) var listeners: ListenerTable
    /// Open log files by full path.
    var logs: [String: Descriptor]
    let identity: WorkerIdentity
    /// The board of its workers; set before the first of them starts.
    var board: BoardMemory?
    var peerPlaces: [PeerPlace] = []
    /// Peers that its workers found by name, with places on the board.
    var foundPeers: Set<PeerKey> = []

    init(settings: ProcessSettings, bundle: Descriptor, listeners: ListenerTable, logs: [String: Descriptor], identity: WorkerIdentity) {
        self.settings = settings
        self.bundle = bundle
        self.listeners = listeners
        self.logs = logs
        self.identity = identity
    }

    /// Puts the configuration on the board: that of the configuration before, so that peers keep their state, or a new one.
    func takeBoard(after old: PreparedConfiguration?) throws(SystemError) {
        let peers = settings.peers
        if let known = old?.board, known.hasRoom(workers: settings.workerCount, peers: peers.count) {
            board = known
        } else {
            board = try BoardMemory(workers: settings.workerCount, peers: peers.count, after: old?.board)
        }
        peerPlaces = board?.places(for: peers) ?? []
        if let known = old?.board, known !== board { board?.takeHealth(of: peers, from: known) }
    }

    /// Another configuration is in force: of the listening sockets, it keeps those that it has as well.
    func closeListeners() { listeners = ListenerTable() }

    /// Closes the supervisor's copies of the listening sockets; what they were is still known.
    func closeSockets() { for listener in listeners.listeners { listener.sockets = [] } }

    /// Where the supervisor's own lines go.
    var errorLogSinks: [ErrorLog.Sink] {
        settings.errorLogs.compactMap { log in
            switch log.destination {
            case .file(let path): logs[path].map { ErrorLog.Sink(descriptor: $0, level: log.level) }
            case .standardError: ErrorLog.Sink(descriptor: nil, level: log.level)
            case .syslog(let server): ErrorLog.Sink(descriptor: nil, level: log.level, syslog: SyslogSink(server))
            }
        }
    }

    /// The file that becomes standard error, so that nothing that any library prints is lost; nil when some error
    /// log is standard error itself.
    var standardError: Descriptor? {
        if settings.usesStandardError { return nil }
        for log in settings.errorLogs {
            if case .file(let path) = log.destination, let file = logs[path] { return file }
        }
        return nil
    }
}
