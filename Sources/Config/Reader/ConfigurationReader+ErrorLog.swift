extension ConfigurationReader {
    /// `error_log TARGET [LEVEL];`
    func errorLog(_ directive: Directive) throws(DirectiveError) -> ErrorLogSettings {
        let destination: LogDestination
        if directive.isWord(1, "stderr") {
            destination = .standardError
        } else if directive.value(1, after: "memory:") != nil {
            throw DirectiveError("nginx was built without debug support")
        } else if let parameters = directive.value(1, after: "syslog:") {
            destination = .syslog(try syslog(parameters))
        } else {
            destination = .file(prefixed(directive.text(1)))
        }
        var settings = ErrorLogSettings(destination: destination)
        settings.location = directive.location
        guard directive.argumentCount >= 2 else { return settings }
        var level: LogLevel?
        for index in 2...directive.argumentCount {
            let word = directive.text(index)
            if word.hasPrefix("debug_") {
                let known = ["core", "alloc", "mutex", "event", "http", "mail", "stream"]
                guard known.contains(String(word.dropFirst(6))) else {
                    throw DirectiveError("invalid log level \"\(word)\"")
                }
                level = .debug
                continue
            }
            guard let found = LogLevel.allCases.first(where: { $0.name == word }), found != .stderr else {
                let names = LogLevel.allCases.map(\.name)
                throw DirectiveError(
                    "invalid log level \"\(word)\"", suggestion: EditDistance.nearest(to: word, in: names))
            }
            if level != nil { throw DirectiveError("duplicate log level \"\(word)\"") }
            level = found
        }
        settings.level = level ?? .error
        return settings
    }

    private static let facilities = [
        "kern", "user", "mail", "daemon", "auth", "intern", "lpr", "news", "uucp", "clock", "authpriv", "ftp", "ntp",
        "audit", "alert", "cron", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ]
    private static let severities = ["emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"]

    /// The parameters behind `syslog:`.
    func syslog(_ parameters: ArraySlice<UInt8>) throws(DirectiveError) -> SyslogSettings {
        var settings: SyslogSettings?
        var (facility, severity, tag): (UInt8?, UInt8?, String?)
        var omitsHostName = false
        for part in parameters.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let text = String(decoding: part, as: UTF8.self)
            if text.hasPrefix("server=") {
                if settings != nil { throw DirectiveError("duplicate syslog \"server\"") }
                settings = try syslogServer(Bytes(part.dropFirst(7)))
            } else if text.hasPrefix("facility=") {
                if facility != nil { throw DirectiveError("duplicate syslog \"facility\"") }
                facility = try Self.number(of: text.dropFirst(9), in: Self.facilities, "facility")
            } else if text.hasPrefix("severity=") {
                if severity != nil { throw DirectiveError("duplicate syslog \"severity\"") }
                severity = try Self.number(of: text.dropFirst(9), in: Self.severities, "severity")
            } else if text.hasPrefix("tag=") {
                if tag != nil { throw DirectiveError("duplicate syslog \"tag\"") }
                tag = try Self.syslogTag(part.dropFirst(4))
            } else if text == "nohostname" {
                omitsHostName = true
            } else {
                throw DirectiveError("unknown syslog parameter \"\(text)\"")
            }
        }
        guard var settings else { throw DirectiveError("no syslog server specified") }
        settings.facility = facility ?? settings.facility
        settings.severity = severity ?? settings.severity
        settings.tag = tag ?? settings.tag
        settings.omitsHostName = omitsHostName
        return settings
    }

    private func syslogServer(_ text: Bytes) throws(DirectiveError) -> SyslogSettings {
        let place = "syslog server \"\(String(decoding: text, as: UTF8.self))\""
        let server = try address(text, HostPort.Rules(defaultPort: 514), in: place)
        guard let found = addresses(of: server.address) else { throw DirectiveError("host not found in \(place)") }
        var settings = SyslogSettings(server: server.address)
        settings.resolved = found
        return settings
    }

    private static func number(
        of word: Substring, in names: [String], _ what: String
    ) throws(DirectiveError) -> UInt8 {
        guard let index = names.firstIndex(of: String(word)) else {
            throw DirectiveError("unknown syslog \(what) \"\(word)\"")
        }
        return UInt8(index)
    }

    private static func syslogTag(_ tag: ArraySlice<UInt8>) throws(DirectiveError) -> String {
        guard tag.count <= 32 else { throw DirectiveError("syslog tag length exceeds 32") }
        guard tag.allSatisfy(isNameByte) else {
            throw DirectiveError("syslog \"tag\" only allows alphanumeric characters and underscore")
        }
        return String(decoding: tag, as: UTF8.self)
    }
}
