/// Settings of the main context.
package struct MainSettings: Sendable {
    /// `worker_processes`; `auto` is already replaced by the number of processors.
    package var workerProcesses = 1
    /// `user`; nil: the worker keeps the supervisor's user, or `nobody` when that is root.
    package var user: String?
    /// Where `user` stands.
    package var userLocation: SourceLocation?
    /// Group of `user`; nil: the user's own, or one named as the user.
    package var group: String?
    /// `pid`; absolute path. nil: `off`.
    package var pidPath: String?
    /// `error_log`, at least one; the one of `-e` when the file names none.
    package var errorLogs: [ErrorLogSettings] = []
    /// `daemon`.
    package var isDaemon = true
    /// `master_process`.
    package var hasMasterProcess = true
    /// `worker_rlimit_nofile`; nil: unchanged.
    package var workerFileLimit: Int?
    /// `worker_rlimit_core` in bytes; nil: unchanged.
    package var workerCoreSizeLimit: ByteCount?
    /// `worker_shutdown_timeout`; 0: none.
    package var workerShutdownTimeout: Milliseconds = 0
    /// `working_directory`.
    package var workingDirectory: String?
    /// `env NAME` and `env NAME=VALUE`, in order. `TZ` is always kept.
    package var environment: [EnvironmentVariable] = []
    /// `error_log_verdict`: whether error lines end with reason and incident; nil: on unless started as `nginx`.
    package var appendsVerdictToErrorLog: Bool?
    /// `events { }`.
    package var events = EventsSettings()
    /// `app NAME { }`, in order.
    package var apps: [AppSettings] = []
    /// `control unix:PATH;`
    package var control = ControlSettings()
    /// `incident_log`; nil: memory only.
    package var incidentLog: IncidentLogSettings?

    package init() {}
}

/// `env`.
package struct EnvironmentVariable: Hashable, Sendable {
    /// Name of the variable.
    package var name: String
    /// nil: inherited from the supervisor's environment.
    package var value: String?

    package init(name: String, value: String?) {
        self.name = name
        self.value = value
    }
}

/// Settings of `events { }`.
package struct EventsSettings: Hashable, Sendable {
    /// `worker_connections`: connections of one worker, to clients and upstreams.
    package var workerConnections = 512
    /// Where that stands; nil: it is the default.
    package var workerConnectionsLocation: SourceLocation?
    /// Whether an `events` block stands in the file.
    package var isPresent = false

    package init() {}
}

/// `control`.
package struct ControlSettings: Hashable, Sendable {
    /// Path of the control socket; nil: the built-in default.
    package var socketPath: String?
    /// `control off;`
    package var isEnabled = true

    package init() {}
}

/// `incident_log PATH retain=30d max=1g;`
package struct IncidentLogSettings: Hashable, Sendable {
    /// Absolute path of the database.
    package var path: String
    /// How long incidents are kept.
    package var retention: Seconds = 30 * 86_400
    /// Size at which the oldest are pruned.
    package var sizeMax: ByteCount = 1 << 30

    package init(path: String) { self.path = path }
}
