/// `app NAME { }`: a program that Goodgate runs and keeps running.
package struct AppSettings: Hashable, Sendable {
    /// Name of the app.
    package var name: String
    /// Longest name: what its keeper has room for.
    package static let nameBytesMax = 63
    /// Where it stands.
    package var location: SourceLocation
    /// `command`: program and arguments, executed directly, no shell.
    package var command: [String] = []
    /// `directory`; nil: the prefix.
    package var directory: String?
    /// `user`; nil: the workers' user when the supervisor is root, else the supervisor's.
    package var user: String?
    /// `group`, second argument of `user`.
    package var group: String?
    /// `env NAME=VALUE` and `env NAME`, in order.
    package var environment: [EnvironmentVariable] = []
    /// `env_file`, absolute paths; read at each start.
    package var environmentFiles: [String] = []
    /// `instances`; `auto` is already replaced by the number of processors.
    package var instances = 1
    /// `listen`; without, an app that no upstream uses is `nowhere`.
    package var listen: Listen = .port
    /// Whether `listen` or `health` says that it listens, or that it does not.
    package var saysWhereItListens = false
    /// `health`; nil: none.
    package var health: Health?
    /// `start_timeout`: until ready.
    package var startTimeout: Milliseconds = 30_000
    /// `stop_signal`: its number on Linux.
    package var stopSignal: Int32 = 15
    /// `stop_timeout`: from the signal to SIGKILL.
    package var stopTimeout: Milliseconds = 30_000
    /// `restart`.
    package var restart = Restart()
    /// `memory_max`: cgroup limit; nil: none.
    package var memoryMax: ByteCount?
    /// `memory_recycle`: resident size at which an instance is replaced; nil: never.
    package var memoryRecycle: ByteCount?
    /// `nofile`: descriptor limit; nil: inherited.
    package var fileLimit: Int?
    /// `umask`; nil: inherited.
    package var umask: UInt16?
    /// `watchdog`: `WATCHDOG=1` must come at least this often; nil: none.
    package var watchdog: Milliseconds?
    /// `log`; nil: only the last lines are kept in memory.
    package var log: Log?

    /// Signals by which a program may be asked to end, without `SIG`; of the real-time ones only the first.
    package static let signals: [String: Int32] = [
        "HUP": 1, "INT": 2, "QUIT": 3, "ABRT": 6, "KILL": 9, "USR1": 10, "USR2": 12, "ALRM": 14, "TERM": 15, "WINCH": 28, "PWR": 30,
        "RTMIN": 34,
    ]

    /// The number of a signal, `QUIT` or `RTMIN+3`; nil: there is none of this name.
    package static func signalNumber(_ name: String) -> Int32? {
        guard name.hasPrefix("RTMIN+") else { return signals[name] }
        // RTMAX is RTMIN+30.
        guard let offset = Int32(name.dropFirst(6)), (0...30).contains(offset) else { return nil }
        return signals["RTMIN"].map { $0 + offset }
    }

    /// How an instance gets its socket.
    package enum Listen: Hashable, Sendable {
        /// A free TCP port in `$PORT`.
        case port
        /// The gateway's listener, by LISTEN_FDS.
        case descriptor
        /// A Unix-domain path in `$SOCKET_PATH`.
        case unix
        /// Fixed by the app; one instance only.
        case fixed(NetworkAddress)
        /// `none`: it gets no requests.
        case nowhere
    }

    /// `health uri=… interval=… timeout=… passes=… fails=… match=…;`
    package struct Health: Hashable, Sendable {
        /// `uri=`
        package var uri: Bytes = Array("/".utf8)
        /// `interval=`: from the end of one check to the next.
        package var interval: Milliseconds = 1_000
        /// `timeout=`: of a whole check.
        package var timeout: Milliseconds = 1_000
        /// Successes in a row to become healthy.
        package var passes = 1
        /// Failures in a row to become unhealthy.
        package var fails = 3
        /// Name of a `match` block; nil: status 2xx or 3xx.
        package var match: String?

        package init() {}
    }

    /// `restart always|on-failure|never backoff=MIN..MAX;`
    package struct Restart: Hashable, Sendable {
        /// When an instance is started again.
        package enum Policy: String, Hashable, Sendable, CaseIterable { case always, onFailure = "on-failure", never }
        /// When an instance is started again.
        package var policy: Policy = .always
        /// Delay before the first restart in a row.
        package var backoffMin: Milliseconds = 100
        /// Longest delay.
        package var backoffMax: Milliseconds = 15_000

        package init() {}
    }

    /// `log PATH rotate=SIZE keep=N;`
    package struct Log: Hashable, Sendable {
        /// What stands in the place of a path for `log stderr`; a path begins with a slash.
        package static let standardError = "stderr"

        /// Absolute path, or `standardError`.
        package var path: String
        /// Size at which the file is rotated; nil: never.
        package var rotateSize: ByteCount?
        /// Rotated files that are kept.
        package var keep = 7

        package init(path: String) { self.path = path }
    }

    package init(name: String, location: SourceLocation) {
        self.name = name
        self.location = location
    }
}
