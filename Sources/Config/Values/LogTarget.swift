/// Severity of error-log lines, as syslog(3) numbers them.
package enum LogLevel: UInt8, Comparable, Hashable, Sendable, CaseIterable {
    case stderr = 0, emergency, alert, critical, error, warning, notice, info, debug

    /// Whether `left` is more severe than `right`.
    package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }

    /// nginx's word, e.g. `crit`.
    package var name: String {
        switch self {
        case .stderr: "stderr"
        case .emergency: "emerg"
        case .alert: "alert"
        case .critical: "crit"
        case .error: "error"
        case .warning: "warn"
        case .notice: "notice"
        case .info: "info"
        case .debug: "debug"
        }
    }
}

/// Where lines of a log go.
package enum LogDestination: Hashable, Sendable {
    /// A file; absolute path.
    case file(String)
    case standardError
    case syslog(SyslogSettings)
}

/// `syslog:server=…,facility=…` of access_log and error_log.
package struct SyslogSettings: Hashable, Sendable {
    /// Where datagrams go.
    package var server: HostAddress
    /// Addresses of the server if it is a name, as far as resolved while parsing.
    package var resolved: [NetworkAddress] = []
    /// Facility number of RFC 3164, 0…23; 23 (`local7`) by default.
    package var facility: UInt8 = 23
    /// Severity of access-log lines, 0…7; 6 (`info`) by default. Error-log lines carry their own.
    package var severity: UInt8 = 6
    /// Tag; `nginx` by default.
    package var tag = "nginx"
    /// Whether the host name is left out.
    package var omitsHostName = false

    package init(server: HostAddress) { self.server = server }
}

/// One `error_log`.
package struct ErrorLogSettings: Hashable, Sendable {
    /// Where lines go.
    package var destination: LogDestination
    /// Lines of this level and of more severe ones are written.
    package var level: LogLevel = .error
    /// Where it stands; nil: nobody wrote it.
    package var location: SourceLocation?

    package init(destination: LogDestination, level: LogLevel = .error) {
        self.destination = destination
        self.level = level
    }
}
