/// Severity of a line in the error log; the order is nginx's.
package enum LogLevel: Int, CaseIterable, Comparable, Sendable {
    case emergency = 1, alert, critical, error, warning, notice, info, debug

    /// nginx's word for it, as in `[emerg]`.
    package var name: String {
        switch self {
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

    package init?(name: String) {
        guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }

    package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}
