import Config
import Glibc
import Loop
import Machine
import Wire

extension Ref where Value == Worker {
    /// Whether any log takes lines of a level. `log` asks before it composes a text.
    func logs(_ level: LogLevel) -> Bool { level.rawValue <= value.log.lowestLevel }

    /// Writes a line without a connection: `2026/11/22 08:25:04 [error] PID#TID: text`.
    func log(_ level: LogLevel, _ message: @autoclosure () -> String, errno code: Int32 = 0, connection: UInt64 = 0) {
        guard logs(level) else { return }
        write(level, message(), code, connection, to: value.log.errorLogs) { _ in }
    }

    /// Writes a line to all logs of a list that take its level. `context` appends what follows the message.
    func write(
        _ level: LogLevel, _ message: String, _ code: Int32, _ connection: UInt64, to targets: FixedList<ErrorLogTarget>,
        context: (Ref<Buffer>) -> Void
    ) {
        let line = value.pool.value.take(4096)
        defer { value.pool.value.give(line) }
        line.append(errorTime)
        line.append(" [")
        line.append(text: level.name)
        line.append("] ")
        line.append(decimal: Int(value.identity.processID))
        line.append(0x23)
        line.append(decimal: Int(value.identity.processID))
        line.append(": ")
        if connection != 0 {
            line.append(0x2a)
            line.append(decimal: connection)
            line.append(0x20)
        }
        line.append(text: message)
        if code != 0 {
            line.append(" (")
            line.append(decimal: Int(code))
            line.append(": ")
            line.append(text: Socket.errorText(code))
            line.append(")")
        }
        context(line)
        // A decoded path may hold line breaks: a client does not write lines of its own into a log that people and `doctor` believe.
        line.replaceLineBreaks(from: 0)
        for index in targets.indices where level.rawValue <= targets[index].level.rawValue { send(line.view, level, to: targets[index].sink) }
    }

    private func send(_ line: ByteView, _ level: LogLevel, to sink: ErrorLogTarget.Sink) {
        switch sink {
        case .file(let index):
            // Errors are rare, and read by people who wait for them: written at once, so that no crash and no answer overtakes them.
            let buffer = value.log.buffer(of: index, now: now)
            buffer.append(line.prefix(8000))
            buffer.append(0x0a)
            value.log.files[index].flush(now: now)
        case .standardError:
            let copy = value.pool.value.take(4096)
            copy.append(line)
            copy.append(0x0a)
            _ = File.append(copy.view, to: 2)
            value.pool.value.give(copy)
        case .syslog(let index): sendSyslog(severity: min(8, max(1, level.rawValue)) - 1, target: index) { $0.append(line) }
        }
    }
}

extension Ref where Value == Request {
    /// Writes a line about this request: `… *N MESSAGE (ERRNO: text) while ACTION, client: …, server: …, request: "…", upstream: "…", host: "…"`.
    /// With a mark of a failed attempt, `, reason: connect.refused, incident: 2WK3G7A0` follows (`error_log_verdict`).
    func log(
        _ level: LogLevel, _ message: @autoclosure () -> String, errno code: Int32 = 0, while action: StaticString? = nil,
        mark: FailureMark? = nil
    ) {
        let worker = worker
        guard worker.logs(level) else { return }
        let targets = value.location?.value.errorLogs ?? worker.value.log.errorLogs
        worker.write(level, message(), code, connection.value.serial, to: targets) { line in
            if let action {
                line.append(" while ")
                line.append(ByteView(action))
            }
            appendContext(to: line)
            guard let mark, worker.value.failures.appendsVerdict else { return }
            line.append(", reason: ")
            line.append(ByteView(mark.reason.name))
            line.append(", incident: ")
            line.append(mark.incident)
        }
    }

    private func appendContext(to line: Ref<Buffer>) {
        line.append(", client: ")
        line.append(connection.peerText)
        if let server = value.server {
            line.append(", server: ")
            line.append(server.value.name)
        }
        if !main.value.requestLine.isEmpty {
            line.append(", request: \"")
            line.append(main.value.requestLine)
            line.append("\"")
        }
        if !isMain {
            line.append(", subrequest: \"")
            line.append(value.uri)
            line.append("\"")
        }
        if let exchange = value.exchange { exchange.appendUpstream(to: line) }
        if let host = main.field(.host) {
            line.append(", host: \"")
            line.append(host)
            line.append("\"")
        }
        if let referrer = main.field(.referer) {
            line.append(", referrer: \"")
            line.append(referrer)
            line.append("\"")
        }
    }

    /// Foreign bytes for a message: control bytes escaped.
    func escapedForLog(_ bytes: ByteView) -> String {
        let scratch = pool.value.take(4096)
        defer { pool.value.give(scratch) }
        let part = bytes.prefix(1000)
        scratch.write(reserving: part.count * 4 + 4) { writer in
            LogEscape.default.write(part, into: &writer)
        }
        return scratch.view.string
    }
}
