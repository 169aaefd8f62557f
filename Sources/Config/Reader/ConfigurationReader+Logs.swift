extension ConfigurationReader {
    private static let combined =
        "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
        + "\"$http_referer\" \"$http_user_agent\""

    /// The format that nginx always has.
    func addCombinedFormat(at location: SourceLocation) {
        // The text is our own and compiles.
        guard let template = try? template(Self.combined.utf8, at: location) else { return }
        http.logFormats = [LogFormat(name: "combined", escape: .standard, template: template)]
        logFormatIndices = ["combined": 0]
    }

    /// `log_format NAME [escape=…] TEXT …;`
    func logFormat(_ directive: Directive) throws(DirectiveError) {
        let name = directive.text(1)
        if logFormatIndices[name] != nil { throw DirectiveError("duplicate \"log_format\" name \"\(name)\"") }
        var escape: LogFormat.Escape = .standard
        var first = 2
        if let value = directive.value(2, after: "escape=") {
            let text = String(decoding: value, as: UTF8.self)
            guard let known = LogFormat.Escape(rawValue: text) else {
                throw DirectiveError("unknown log format escaping \"\(text)\"")
            }
            escape = known
            first = 3
        }
        var parts: [Template.Part] = []
        for index in first..<directive.words.count {
            parts += try logTemplate(directive[index], at: directive.location)
        }
        logFormatIndices[name] = http.logFormats.count
        http.logFormats.append(LogFormat(name: name, escape: escape, template: Template(joining: parts)))
    }

    /// The texts of a format are joined; a `$1` in them is a name like any other, and so unknown.
    private func logTemplate(_ bytes: Bytes, at location: SourceLocation) throws(DirectiveError) -> [Template.Part] {
        var parts: [Template.Part] = []
        var index = 0
        while index < bytes.count {
            let start = index
            guard bytes[index] == UInt8(ascii: "$") else {
                index = bytes[index...].firstIndex(of: UInt8(ascii: "$")) ?? bytes.count
                parts.append(.literal(Bytes(bytes[start..<index])))
                continue
            }
            index += 1
            let hasBracket = index < bytes.count && bytes[index] == UInt8(ascii: "{")
            if hasBracket { index += 1 }
            let nameStart = index
            while index < bytes.count, Self.isNameByte(bytes[index]) { index += 1 }
            let name = bytes[nameStart..<index]
            if hasBracket, index < bytes.count || !name.isEmpty {
                guard index < bytes.count, bytes[index] == UInt8(ascii: "}") else {
                    let text = String(decoding: name, as: UTF8.self)
                    throw DirectiveError("the closing bracket in \"\(text)\" variable is missing")
                }
                index += 1
            }
            guard !name.isEmpty else { throw DirectiveError("invalid parameter", quoting: bytes[start...]) }
            parts.append(.variable(variable(name, at: location)))
        }
        return parts
    }

    /// `access_log PATH|off|syslog:… [FORMAT [PARAMETERS]];`
    func accessLog(_ directive: Directive) throws(DirectiveError) {
        if scope.isFirst("access_log") { scope.settings.log.targets = [] }
        if directive.isWord(1, "off") {
            if directive.argumentCount > 1 { throw directive.invalidParameter(2) }
            // `off` beside other logs of the block switches all of them off.
            scope.settings.log.targets = []
            scope.seen["access_log off"] = directive.location
            return
        }
        let formatName = directive.argumentCount >= 2 ? directive.text(2) : "combined"
        let destination = try accessLogDestination(directive)
        guard let format = logFormat(named: formatName) else {
            throw DirectiveError(
                "unknown log format \"\(formatName)\"",
                suggestion: EditDistance.nearest(to: formatName, in: http.logFormats.map(\.name)))
        }
        var target = AccessLogTarget(destination: destination, format: format, location: directive.location)
        for index in 3..<max(3, directive.words.count) { try logParameter(directive, index, &target) }
        try checkBuffer(of: target, directive)
        if scope.isFirst("access_log off") { scope.settings.log.targets.append(target) }
    }

    /// nginx compares these names without case, but declares them with it.
    private func logFormat(named name: String) -> Int? {
        if let index = logFormatIndices[name] { return index }
        let lower = name.lowercased()
        return http.logFormats.firstIndex { $0.name.lowercased() == lower }
    }

    private func accessLogDestination(_ directive: Directive) throws(DirectiveError) -> AccessLogTarget.Destination {
        if let parameters = directive.value(1, after: "syslog:") { return .syslog(try syslog(parameters)) }
        let path = ConfigurationPath.absolute(directive[1], in: configuration.prefix)
        guard directive[1].contains(UInt8(ascii: "$")) else {
            return .file(String(decoding: path, as: UTF8.self))
        }
        return .dynamicFile(try template(path, at: directive.location))
    }

    private func logParameter(
        _ directive: Directive, _ index: Int, _ target: inout AccessLogTarget
    ) throws(DirectiveError) {
        if let value = directive.value(index, after: "buffer=") {
            guard let size = ValueParsing.size(value), size > 0, size <= Directive.memorySizeMax else {
                throw DirectiveError("invalid buffer size", quoting: value)
            }
            target.bufferSize = size
        } else if let value = directive.value(index, after: "flush=") {
            guard let time = ValueParsing.milliseconds(value), time > 0 else {
                throw DirectiveError("invalid flush time", quoting: value)
            }
            target.flush = time
        } else if directive.isWord(index, "gzip") {
            target.gzipLevel = 1
            target.bufferSize = target.bufferSize ?? 65_536
        } else if let value = directive.value(index, after: "gzip=") {
            guard let level = ValueParsing.integer(value), level >= 1, level <= 9 else {
                throw DirectiveError("invalid compression level", quoting: value)
            }
            target.gzipLevel = level
            target.bufferSize = target.bufferSize ?? 65_536
        } else if let value = directive.value(index, after: "if=") {
            target.condition = try template(value, at: directive.location)
        } else {
            throw directive.invalidParameter(index, known: ["buffer=", "flush=", "gzip", "if="])
        }
    }

    private func checkBuffer(of target: AccessLogTarget, _ directive: Directive) throws(DirectiveError) {
        guard let size = target.bufferSize else {
            if target.flush != nil {
                throw DirectiveError("no buffer is defined for access_log", quoting: directive[1])
            }
            return
        }
        switch target.destination {
        case .dynamicFile: throw DirectiveError("buffered logs cannot have variables in name")
        case .syslog: throw DirectiveError("logs to syslog cannot be buffered")
        case .file(let path):
            let parameters = LogBufferParameters(size: size, flush: target.flush ?? 0, gzip: target.gzipLevel ?? 0)
            guard (logBuffers[path] ?? parameters) == parameters else {
                throw DirectiveError(
                    "access_log \"\(directive.text(1))\" already defined with conflicting parameters")
            }
            logBuffers[path] = parameters
        }
    }
}

extension Template {
    /// Joins adjacent literals.
    init(joining parts: [Part]) {
        var joined: [Part] = []
        for part in parts {
            if case .literal(let bytes) = part, case .literal(let before)? = joined.last {
                joined[joined.count - 1] = .literal(before + bytes)
            } else {
                joined.append(part)
            }
        }
        self.init(parts: joined)
    }
}
