internal import Board
internal import Config
internal import Machine
internal import Messages

/// What of a configuration is the supervisor's business. The one place that knows the shape of `Configuration`.
struct ProcessSettings {
    /// One listening address.
    struct Listen {
        var key: String
        var address: NetworkAddress
        var options: ListenSettings.SocketOptions
    }

    /// One address of a `server` of an upstream.
    struct Server {
        var peer: PeerKey
        /// As written.
        var name: String
        var weight: Int
        var isBackup: Bool
        var isDown: Bool
        var isDraining: Bool
    }

    var isDaemon = true
    var hasMasterProcess = true
    var workerCount = 1
    var workerFileLimit: Int?
    var workerCoreSizeLimit: Int?
    /// Milliseconds; nil: none.
    var workerShutdownTimeout: UInt64?
    var pidPath: String?
    var user: String?
    var group: String?
    var workingDirectory: String?
    var environment: [EnvironmentVariable] = []
    var errorLogs: [ErrorLogSettings] = []
    /// Some error log, of whatever block, is standard error.
    var usesStandardError = false
    var listens: [Listen] = []
    /// Every log file, each once.
    var logs: [ConfigurationNeeds.Log] = []
    var logPaths: [String] { logs.map(\.path) }
    /// Every known server address of every upstream, with what the configuration says of it.
    var servers: [Server] = []
    /// The queues of upstreams (`queue`): each has a place on the board, where the workers say how many wait.
    var queues: [PeerKey] = []
    /// Where the control process listens; nil: there is none.
    var controlSocket: String?
    /// Upstreams with servers whose names are followed at run time (`resolve`).
    var resolvingUpstreams: Set<String> = []
    /// Every zone of `sticky learn` that is told of, each once.
    var sessionZones: [SessionZone] = []
    /// The zones of limit_req and limit_conn.
    var limitZones: [LimitZone] = []
    /// The `app` blocks.
    var apps: [AppSpecification] = []
    /// Which upstreams send to which app.
    var appUpstreams: [(upstream: String, app: String)] = []
    /// Some location has `verdict_to`.
    var showsVerdicts = false
    /// Directories for temporary files, each once.
    var temporaryDirectories: [String] = []

    init() {}

    /// - Parameter paths: where relative names begin, and the built-in log.
    init(_ configuration: Configuration, paths: ProgramPaths) {
        self.init()
        let main = configuration.main
        isDaemon = main.isDaemon
        hasMasterProcess = main.hasMasterProcess
        workerCount = main.hasMasterProcess ? min(max(1, main.workerProcesses), SupervisorMachine.Limits.workersMax) : 1
        workerFileLimit = main.workerFileLimit
        workerCoreSizeLimit = main.workerCoreSizeLimit
        workerShutdownTimeout = main.workerShutdownTimeout > 0 ? UInt64(main.workerShutdownTimeout) : nil
        pidPath = main.pidPath
        user = main.user
        group = main.group
        workingDirectory = main.workingDirectory
        environment = main.environment
        errorLogs = Self.withDefault(main.errorLogs, path: paths.errorLog)

        let workerUser = System.isRoot ? main.user ?? "nobody" : nil
        apps = main.apps.map { app in
            var specification = AppSpecification(app, workerUser: workerUser)
            specification.directory = specification.directory ?? (paths.prefix.isEmpty ? nil : paths.prefix)
            return specification
        }
        logs = ConfigurationNeeds(configuration).logs
        for case .file(let path) in errorLogs.map(\.destination) where !logs.contains(where: { $0.path == path }) {
            logs.append(ConfigurationNeeds.Log(path: path))
        }
        let errorLogsEverywhere = [errorLogs] + (configuration.http?.locations.map(\.core.errorLogs) ?? [])
        usesStandardError = errorLogsEverywhere.contains { $0.contains { $0.destination == .standardError } }
        guard let http = configuration.http else { return }
        for listener in http.listeners where listener.arrivesAt == nil {
            listens.append(Listen(key: listener.address.listenKey, address: listener.address, options: listener.socket))
        }
        servers = Self.servers(of: http)
        queues = http.upstreams.filter { $0.queue != nil }.map { .queue(of: $0.label) }
        resolvingUpstreams = Set(http.upstreams.filter { $0.servers.contains(where: \.isResolved) }.map(\.name))
        appUpstreams = http.upstreams.compactMap { upstream in
            upstream.app.map { (upstream: upstream.name, app: main.apps[$0].name) }
        }
        showsVerdicts = http.showsVerdicts
        sessionZones = http.upstreams.compactMap { upstream in
            guard case .learn(let learn) = upstream.sticky, learn.zoneName.utf8.count <= StickySession.zoneBytesMax else { return nil }
            return SessionZone(
                name: learn.zoneName, capacity: learn.zoneSize / StickySettings.bytesPerSession, timeout: Int64(learn.timeout))
        }
        limitZones =
            http.limitRequestZones.map { LimitZone(kind: .requests, name: $0.name, size: $0.size, key: $0.keyText) }
            + http.limitConnectionZones.map { LimitZone(kind: .connections, name: $0.name, size: $0.size, key: $0.keyText) }
        var seenDirectories = Set<String>()
        for location in http.locations {
            for path in [location.core.clientBodyTempPath.path, location.proxy.tempPath.path] {
                let full = path.hasPrefix("/") ? path : paths.prefix + path
                if seenDirectories.insert(full).inserted { temporaryDirectories.append(full) }
            }
        }
    }

    /// The addresses in the order of the configuration; equal ones of an upstream are told apart by their ordinal.
    private static func servers(of http: HTTPSettings) -> [Server] {
        var list: [Server] = []
        var seen: [PeerKey: Int] = [:]
        for upstream in http.upstreams {
            for server in upstream.servers {
                for address in server.resolved {
                    var peer = PeerKey(upstream: upstream.label, address: address.listenKey)
                    let ordinal = seen[peer, default: 0]
                    seen[peer] = ordinal + 1
                    peer.ordinal = ordinal
                    list.append(
                        Server(
                            peer: peer, name: String(decoding: server.text, as: UTF8.self), weight: server.weight,
                            isBackup: server.isBackup, isDown: server.isDown, isDraining: server.isDraining))
                }
            }
        }
        return list
    }

    /// What has a place on the board: every known server address of every upstream, and the queues.
    var peers: [PeerKey] { servers.map(\.peer) + queues }

    /// nginx's rule: with no log that is a file or standard error, the built-in one is added at level error.
    private static func withDefault(_ logs: [ErrorLogSettings], path: String) -> [ErrorLogSettings] {
        let hasPlainLog = logs.contains { if case .syslog = $0.destination { false } else { true } }
        guard !hasPlainLog else { return logs }
        return logs + [ErrorLogSettings(destination: path.isEmpty ? .standardError : .file(path))]
    }

    var plan: GenerationPlan { GenerationPlan(workerCount: workerCount, shutdownTimeout: workerShutdownTimeout) }

    /// What workers see of an environment: the variables of `env`, and `TZ`. Nothing else leaks in.
    func workerEnvironment(from own: [String]) -> [String] {
        func inherited(_ name: String) -> String? { own.first { $0.hasPrefix(name + "=") } }
        var list: [String] = []
        for variable in environment {
            if let value = variable.value {
                list.append("\(variable.name)=\(value)")
            } else if let entry = inherited(variable.name) {
                list.append(entry)
            }
        }
        if !environment.contains(where: { $0.name == "TZ" }), let zone = inherited("TZ") { list.append(zone) }
        // Where a Swift toolchain is installed, the run time would hold a crashed worker for seconds to print where it was.
        if !environment.contains(where: { $0.name == "SWIFT_BACKTRACE" }) { list.append("SWIFT_BACKTRACE=enable=no") }
        return list
    }
}
