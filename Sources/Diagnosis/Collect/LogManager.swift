/// A process manager that writes a log file of its own, and how its lines begin.
enum LogManager: String {
    case pm2 = "PM2", phpFpm = "php-fpm", supervisord

    /// By the title of its process: `PM2 v6.0.8: God Daemon (/home/deploy/.pm2)`,
    /// `php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)`, `/usr/bin/python3 /usr/bin/supervisord -c …`. Nil for all others.
    init?(title: LineText) {
        if title.hasPrefix("PM2 v"), title.contains("God Daemon") {
            self = .pm2
        } else if title.hasPrefix("php-fpm: master process") {
            self = .phpFpm
        } else if title.contains("/supervisord") || title.hasPrefix("supervisord") {
            self = .supervisord
        } else {
            return nil
        }
    }

    /// Whether an open file is the manager's own log: it has those of applications open as well.
    func isLog(_ path: String) -> Bool {
        guard path.hasPrefix("/"), let name = path.split(separator: "/").last else { return false }
        return switch self {
        case .pm2: name == "pm2.log"
        case .phpFpm: name.contains("fpm") && name.hasSuffix("log")
        case .supervisord: name.hasPrefix("supervisord") && name.hasSuffix(".log")
        }
    }

    /// Local time and message of a line:
    /// - PM2: `2026-11-22T10:03:04: PM2 log: App [api:0] exited with code [1] via signal [SIGINT]`
    /// - php-fpm: `[22-Nov-2026 10:03:04] WARNING: [pool www] server reached pm.max_children setting (5), consider raising it`
    /// - supervisord: `2026-11-22 10:03:04,123 WARN exited: api (exit status 1; not expected)`
    func split(_ line: LineText) -> (time: CivilTime, message: LineText)? {
        let bytes = line.bytes
        let start = bytes.startIndex
        let isBracketed = self == .phpFpm
        guard bytes.count > 22, !isBracketed || bytes[start] == 0x5b else { return nil }
        let dateLength = isBracketed ? 11 : 10
        let at = start + (isBracketed ? 1 : 0)
        let date = LineText(bytes[at..<at + dateLength]).string.split(separator: "-")
        let clock = LineText(bytes[(at + dateLength + 1)..<(at + dateLength + 9)]).string.split(separator: ":").compactMap { Int($0) }
        guard date.count == 3, clock.count == 3, let first = Int(date[0]), let last = Int(date[2]),
            let month = Int(date[1]) ?? LogTime.month(named: date[1])
        else { return nil }
        let time = CivilTime(
            year: isBracketed ? last : first, month: month, day: isBracketed ? first : last,
            hour: clock[0], minute: clock[1], second: clock[2])
        return (time, LineText(bytes[(at + dateLength + 9)...]))
    }
}
