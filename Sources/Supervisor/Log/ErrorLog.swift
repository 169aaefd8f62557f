internal import Config

/// The supervisor's own lines in the error log, in nginx's form.
///
/// Before the configuration is in force it writes to the built-in log (`-e`) and repeats what is bad on standard error; afterwards it
/// writes to the logs of the main context. A log that cannot be written is not worth dying for: the line is lost.
final class ErrorLog {
    /// Where lines go.
    struct Sink {
        var descriptor: Descriptor?
        var level: LogLevel
        var syslog: SyslogSink?
        /// Standard error itself.
        var isStandardError: Bool { descriptor == nil && syslog == nil }
    }

    /// Name before repeated lines on standard error.
    let programName: String
    var sinks: [Sink] = []
    /// Whether lines of warning and worse are repeated on standard error (until the process runs on its own).
    var repeatsOnStandardError = true
    /// Process id in the lines; the daemon sets its own.
    var process = System.process

    init(programName: String) { self.programName = programName }

    /// Writes one line to every log that wants its level.
    func write(_ level: LogLevel, _ text: String) {
        let line = Self.line(level, text, time: System.logTime, process: process)
        var wroteStandardError = false
        for sink in sinks where level <= sink.level {
            if let syslog = sink.syslog {
                syslog.send(level, line.dropLast())
                continue
            }
            if sink.isStandardError { wroteStandardError = true }
            try? System.write(line, to: sink.descriptor?.number ?? 2)
        }
        if repeatsOnStandardError, level <= .warning, !wroteStandardError {
            try? System.write(Array("\(programName): [\(level.name)] \(text)\n".utf8), to: 2)
        }
    }

    /// A failed system call: `TEXT (98: Address already in use)`.
    func write(_ level: LogLevel, _ text: String, _ error: SystemError) { write(level, "\(text) \(error.text)") }

    /// One line: `2026/11/22 08:25:04 [notice] PID#TID: text`. Control bytes in the text are made harmless, so that it stays one line.
    static func line(_ level: LogLevel, _ text: String, time: String, process: Int32) -> [UInt8] {
        let safe = text.utf8.map { $0 < 0x20 ? UInt8(ascii: " ") : $0 }
        return Array("\(time) [\(level.name)] \(process)#\(process): ".utf8) + safe + [UInt8(ascii: "\n")]
    }
}
