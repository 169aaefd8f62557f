extension DirectiveTableBuilder {
    /// Our own directives, and those of NGINX Plus that are no part of an upstream.
    mutating func addGoodgate() {
        origin = .goodgate
        module = "goodgate"
        add("app", .main, .exactly(1), isBlock: true, isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            try reader.readApp(directive)
        }
        addAppParameters()
        add("control", .main, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            if directive.isWord(1, "off") {
                reader.configuration.main.control.isEnabled = false
            } else if let path = directive.value(1, after: "unix:"), !path.isEmpty {
                let text = reader.prefixed(String(decoding: path, as: UTF8.self))
                guard text.utf8.count <= NetworkAddress.unixPathLengthMax else {
                    throw DirectiveError("too long path in the unix domain socket in control \"\(directive.text(1))\"")
                }
                reader.configuration.main.control.socketPath = text
            } else {
                throw directive.invalidParameter(1, known: ["off", "unix:"])
            }
        }
        add("incident_log", .main, .between(1, 3), GoodgateHandlers.incidentLog)
        add("error_log_verdict", .main, .flag) { (reader, directive) throws(DirectiveError) in
            reader.configuration.main.appendsVerdictToErrorLog = try directive.flag()
        }
        add("proxy_status", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.core.proxyStatus = try directive.choice()
        }
        add("verdict_to", .inherited, .atLeast(1), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            if reader.scope.isFirst("verdict_to") { reader.scope.settings.core.verdictTo = [] }
            if directive.argumentCount == 1, directive.isWord(1, "off") { return }
            for index in 1...directive.argumentCount {
                let range = try reader.addressRange(directive, index)
                reader.scope.settings.core.verdictTo.append(range)
            }
        }
        add("strict_line_endings", [.http, .server], .flag, Setter.flag(head: \.requiresCRLF))
        add("proxy_replay_idempotency_key", .inherited, .flag, Setter.flag(\.proxy.replaysWithIdempotencyKey))
        add("upstream_health", .location, .between(0, 1), GoodgateHandlers.upstreamHealth)
        origin = .nginxPlus
        module = "http_upstream_hc"
        add("health_check", .location, .any, GoodgateHandlers.healthCheck)
        add("match", .http, .exactly(1), isBlock: true, isRepeatable: true, isEarly: true) {
            (reader, directive) throws(DirectiveError) in
            try reader.readMatch(directive)
        }
        module = "http_api"
        accept(
            "api", .location, .between(0, 1),
            "the API has a socket of its own (\"control\"), because it may stop and replace what runs; the location answers 501"
        ) { (reader, directive) throws(DirectiveError) in
            var isWritable = false
            if directive.argumentCount == 1 {
                guard let value = directive.value(1, after: "write=") else {
                    throw directive.invalidParameter(1, known: ["write=on", "write=off"])
                }
                guard value.elementsEqual("on".utf8) || value.elementsEqual("off".utf8) else {
                    throw directive.invalidParameter(1, known: ["write=on", "write=off"])
                }
                isWritable = value.count == 2
            }
            reader.scope.settings.handler = .api(isWritable: isWritable)
        }
        accept("status_zone", [.server, .location, .locationIf], .exactly(1), "everything is counted anyway")
        origin = .nginx
    }

    private mutating func addAppParameters() {
        add("command", .app, .atLeast(1)) { (reader, directive) throws(DirectiveError) in
            guard !directive[1].isEmpty else { throw DirectiveError(directive, "empty program") }
            reader.scope.app?.command = (1...directive.argumentCount).map { directive.text($0) }
        }
        add("directory", .app, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.app?.directory = reader.prefixed(directive.text(1))
        }
        add("user", .app, .between(1, 2)) { (reader, directive) throws(DirectiveError) in
            guard reader.facts.isRoot else {
                return reader.warn("the \"user\" of an app makes sense only if goodgate is started by root, ignored", directive)
            }
            reader.scope.app?.user = directive.text(1)
            reader.scope.app?.group = directive.argumentCount == 2 ? directive.text(2) : nil
        }
        add("env", .app, .exactly(1), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            let variable = EnvironmentVariable(word: directive[1])
            let startsWithDigit = variable.name.utf8.first.map { (0x30...0x39).contains($0) } ?? true
            guard !startsWithDigit else { throw directive.invalidParameter(1) }
            reader.scope.app?.environment.append(variable)
        }
        add("env_file", .app, .exactly(1), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            guard !directive[1].isEmpty else { throw DirectiveError(directive, "empty path") }
            let path = ConfigurationPath.absolute(directive.text(1), in: reader.configuration.directory)
            reader.scope.app?.environmentFiles.append(path)
        }
        add("instances", .app, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            if directive.isWord(1, "auto") {
                reader.scope.app?.instances = max(1, reader.facts.processorCount)
                return
            }
            let count = try directive.number()
            guard (1...1_000).contains(count) else { throw DirectiveError("value must be between 1 and 1000") }
            reader.scope.app?.instances = count
        }
        add("listen", .app, .exactly(1), AppHandlers.listen)
        add("health", .app, .any, AppHandlers.health)
        add("start_timeout", .app, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            let time = try directive.milliseconds()
            guard time > 0 else { throw DirectiveError(directive, "invalid value") }
            reader.scope.app?.startTimeout = time
        }
        add("stop_timeout", .app, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.app?.stopTimeout = try directive.milliseconds()
        }
        add("stop_signal", .app, .exactly(1), AppHandlers.stopSignal)
        add("restart", .app, .between(1, 2), AppHandlers.restart)
        add("memory_max", .app, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.app?.memoryMax = try AppHandlers.memory(directive)
        }
        add("memory_recycle", .app, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.app?.memoryRecycle = try AppHandlers.memory(directive)
        }
        add("nofile", .app, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.app?.fileLimit = try AppHandlers.files(directive)
        }
        add("umask", .app, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            guard let mask = UInt16(directive.text(1), radix: 8), mask <= 0o777 else {
                throw DirectiveError(directive, "invalid value")
            }
            reader.scope.app?.umask = mask
        }
        add("watchdog", .app, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            let time = try directive.milliseconds()
            guard time > 0 else { throw DirectiveError(directive, "invalid value") }
            reader.scope.app?.watchdog = time
        }
        add("log", .app, .between(1, 3), AppHandlers.log)
    }
}

/// Handlers of our own directives.
enum GoodgateHandlers {
    static let incidentLog: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        if directive.isWord(1, "off") {
            reader.configuration.main.incidentLog = nil
            return
        }
        var settings = IncidentLogSettings(path: reader.prefixed(directive.text(1)))
        for index in 2..<directive.words.count {
            if let value = directive.value(index, after: "retain="), let time = ValueParsing.seconds(value), time > 0 {
                settings.retention = time
            } else if let value = directive.value(index, after: "max="),
                let size = ValueParsing.size(value, allowsGiga: true), size >= 65_536
            {
                settings.sizeMax = size
            } else {
                throw directive.invalidParameter(index, known: ["retain=", "max="])
            }
        }
        reader.configuration.main.incidentLog = settings
    }

    static let upstreamHealth: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        guard directive.argumentCount == 1 else {
            reader.scope.settings.handler = .upstreamHealth(nil)
            return
        }
        // The group may be defined further down.
        reader.scope.settings.handler = .upstreamHealth(nil)
        let (name, id) = (directive.text(1), reader.scope.id)
        reader.deferredToEnd.append { reader in
            if let index = reader.http.upstreams.firstIndex(where: { !$0.isImplicit && $0.name == name }) {
                reader.http.locations[id.index].handler = .upstreamHealth(index)
                return
            }
            var diagnostic = Diagnostic(
                .emergency, "unknown upstream \"\(name)\"", at: directive.location, directive: "upstream_health")
            diagnostic.suggestion = EditDistance.nearest(to: name, in: reader.http.upstreams.map(\.name))
            reader.diagnostics.append(diagnostic)
        }
    }

    private static let healthParameters = [
        "interval=", "jitter=", "fails=", "passes=", "uri=", "port=", "match=", "mandatory", "persistent",
        "keepalive_time=",
    ]

    static let healthCheck: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        var check = HealthCheckSettings(location: directive.location, settings: reader.scope.id)
        for index in 1..<directive.words.count {
            let text = directive.text(index)
            let key = String(text.prefix { $0 != "=" })
            let value = directive[index].dropFirst(key.utf8.count + 1)
            var invalid: DirectiveError { directive.invalidParameter(index, known: healthParameters) }
            func time() throws(DirectiveError) -> Milliseconds {
                guard let time = ValueParsing.milliseconds(value) else { throw invalid }
                return time
            }
            func count() throws(DirectiveError) -> Int {
                guard let count = ValueParsing.integer(value), count > 0 else { throw invalid }
                return count
            }
            switch key {
            case "interval":
                check.interval = try time()
                guard check.interval > 0 else { throw invalid }
            case "jitter": check.jitter = try time()
            case "fails": check.fails = try count()
            case "passes": check.passes = try count()
            case "uri":
                guard value.first == UInt8(ascii: "/") else { throw invalid }
                check.uri = Bytes(value)
            case "port":
                guard let port = UInt16(exactly: try count()) else { throw invalid }
                check.port = port
            case "match":
                let name = String(decoding: value, as: UTF8.self)
                guard let match = reader.http.matches.firstIndex(where: { $0.name == name }) else {
                    throw DirectiveError(
                        "unknown match \"\(name)\"",
                        suggestion: EditDistance.nearest(to: name, in: reader.http.matches.map(\.name)))
                }
                check.match = match
            case "mandatory": check.isMandatory = true
            case "persistent": check.isPersistent = true
            case "keepalive_time": check.keepaliveTime = try time()
            default: throw invalid
            }
        }
        reader.healthChecks.append(check)
    }
}
