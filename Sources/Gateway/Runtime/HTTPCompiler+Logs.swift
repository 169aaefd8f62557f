import Config
import Loop
import Wire

extension HTTPCompiler {
    mutating func compileMainLogs() {
        log.errorLogs = FixedList(configuration.value.main.errorLogs.map { target(of: $0) })
    }

    mutating func compileLogs(_ location: Ref<Location>) {
        let settings = location.value.settings.value
        if !settings.core.errorLogs.isEmpty { location.value.errorLogs = FixedList(settings.core.errorLogs.map { target(of: $0) }) }
        location.value.accessLogs = FixedList(settings.log.targets.enumerated().map { index, target in accessLog(index, target) })
    }

    private mutating func target(of settings: ErrorLogSettings) -> ErrorLogTarget {
        let level = max(.emergency, settings.level)
        log.lowestLevel = max(log.lowestLevel, level.rawValue)
        switch settings.destination {
        case .file(let path): return ErrorLogTarget(sink: .file(log.file(path, descriptor: -1)), level: level)
        case .standardError: return ErrorLogTarget(sink: .standardError, level: level)
        case .syslog(let syslog): return ErrorLogTarget(sink: .syslog(log.syslog(syslog, hostName: hostName)), level: level)
        }
    }

    private mutating func accessLog(_ index: Int, _ target: AccessLogTarget) -> AccessLog {
        let format = configuration.value.http!.logFormats[target.format]
        var file: Int32 = -1
        var syslog: Int32 = -1
        var isDynamic = false
        switch target.destination {
        case .file(let path):
            file = Int32(log.file(path, descriptor: -1))
            // The buffer is the file's: all that name one name the same (the parser sees to it), and others use it.
            if let size = target.bufferSize {
                log.files[Int(file)].value.bufferSize = size
                log.files[Int(file)].value.flushAfter = UInt64(target.flush ?? 0)
                log.files[Int(file)].value.gzipLevel = target.gzipLevel ?? 0
            }
        case .dynamicFile: isDynamic = true
        case .syslog(let settings): syslog = Int32(log.syslog(settings, hostName: hostName))
        }
        let escape: LogEscape
        switch format.escape {
        case .standard: escape = .default
        case .json: escape = .json
        case .none: escape = .none
        }
        return AccessLog(
            file: file, syslog: syslog, format: compile(format.template).parts, escape: escape, target: index,
            hasCondition: target.condition != nil, hasDynamicPath: isDynamic)
    }
}

extension LogWriter {
    /// Index of a syslog target, made if new.
    mutating func syslog(_ settings: SyslogSettings, hostName: String) -> Int {
        if let index = syslogs.firstIndex(where: { $0.value.settings == settings }) { return index }
        syslogs.append(Ref.immortal(SyslogTarget(settings, hostName: hostName)))
        return syslogs.count - 1
    }
}
