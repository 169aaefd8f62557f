import Config
import Loop
import Wire

/// One access_log of a location, compiled.
struct AccessLog {
    /// Index in the log writer's files, -1 for other destinations.
    let file: Int32
    /// Index of the syslog target, -1 for other destinations.
    let syslog: Int32
    let format: FixedList<TextPart>
    let escape: LogEscape
    /// Index of the target in the location's settings, for paths and conditions with variables.
    let target: Int
    let hasCondition: Bool
    let hasDynamicPath: Bool
}

extension Ref where Value == Request {
    /// Writes the access-log lines (nginx: log phase).
    func writeAccessLog() {
        guard let location = value.location else { return }
        if !isMain, !location.value.settings.value.core.logsSubrequests { return }
        let logs = location.value.accessLogs
        for index in logs.indices {
            let log = logs[index]
            if log.hasCondition, !conditionHolds(log) { continue }
            if log.syslog >= 0 {
                sendAccessToSyslog(log)
            } else if log.hasDynamicPath {
                writeToDynamicPath(log)
            } else if log.file >= 0 {
                let buffer = worker.value.log.buffer(of: Int(log.file), now: worker.now)
                appendLine(log, to: buffer)
                buffer.append(0x0a)
            }
        }
    }

    private func conditionHolds(_ log: AccessLog) -> Bool {
        guard let condition = location.value.settings.value.log.targets[log.target].condition else { return true }
        let text = evaluate(condition)
        return !text.isEmpty && text != "0"
    }

    /// Appends the line without its end.
    func appendLine(_ log: AccessLog, to buffer: Ref<Buffer>) {
        for index in log.format.indices {
            switch log.format[index] {
            case .literal(let bytes): buffer.append(bytes)
            case .variable(let variableIndex): appendVariable(variableIndex, log.escape, to: buffer)
            case .capture: break
            }
        }
    }

    private func appendVariable(_ index: Int32, _ escape: LogEscape, to buffer: Ref<Buffer>) {
        guard let text = variable(index) else {
            if escape == .default { buffer.append(0x2d) }
            return
        }
        if escape == .none { return buffer.append(text) }
        if escape == .default, LogEscape.isPlain(text) { return buffer.append(text) }
        buffer.write(reserving: text.count * 6 + 1) { writer in
            escape.write(text, into: &writer)
        }
    }
}
