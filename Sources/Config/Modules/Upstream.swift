extension DirectiveTableBuilder {
    /// Upstream groups.
    mutating func addUpstream() {
        module = "http_upstream"
        add("upstream", .http, .exactly(1), isBlock: true, isRepeatable: true) {
            (reader, directive) throws(DirectiveError) in
            try reader.readUpstream(directive)
        }
        add("server", .upstream, .atLeast(1), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            let server = try reader.upstreamServer(directive)
            reader.scope.upstream?.servers.append(server)
        }
        add("resolver", .upstream, .atLeast(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.upstream?.resolver = try reader.resolver(directive)
        }
        add("resolver_timeout", .upstream, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.upstream?.resolverTimeout = try directive.milliseconds()
        }
        add("zone", .upstream, .between(1, 2), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            try UpstreamHandlers.zone(reader, directive)
        }
        module = "http_upstream_keepalive"
        add("keepalive", .upstream, .between(1, 2), UpstreamHandlers.keepalive)
        add("keepalive_requests", .upstream, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.keepalive.requests = try directive.number()
        }
        add("keepalive_time", .upstream, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.keepalive.time = try directive.milliseconds()
        }
        add("keepalive_timeout", .upstream, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.keepalive.timeout = try directive.milliseconds()
        }
        addPolicies()
        module = "http_upstream_sticky"
        add("sticky", .upstream, .atLeast(2), UpstreamHandlers.sticky)
        origin = .nginxPlus
        module = "http_upstream"
        add("queue", .upstream, .between(1, 2), UpstreamHandlers.queue)
        accept(
            "state", .upstream, .exactly(1),
            "the servers in the file are read at start and reload; nothing writes it, as no command adds or removes servers"
        ) { (reader, directive) throws(DirectiveError) in
            reader.scope.upstream?.statePath = reader.prefixed(directive.text(1))
        }
        refuse(
            "ntlm", .upstream, .exactly(0), as: .notSupportedYet("connections are not bound to clients for NTLM"))
        refuse(
            "sticky_cookie_insert", .upstream, as: .never("it is obsolete in NGINX Plus too; use \"sticky cookie\""))
        origin = .goodgate
        module = "goodgate"
        add("app", .upstream, .between(1, 2)) { (reader, directive) throws(DirectiveError) in
            reader.scope.appName = (directive.text(1), directive.location)
            guard directive.argumentCount == 2 else { return }
            guard let value = directive.value(2, after: "slow_start="), let time = ValueParsing.milliseconds(value) else {
                throw directive.invalidParameter(2, known: ["slow_start="])
            }
            guard reader.policyWeighsFreely else {
                throw DirectiveError("balancing method does not support parameter", quoting: directive[2])
            }
            reader.scope.upstream?.appSlowStart = time
        }
        add("panic", .upstream, .flag) { (reader, directive) throws(DirectiveError) in
            reader.scope.upstream?.isPanicEnabled = try directive.flag()
        }
        origin = .nginx
    }

    private mutating func addPolicies() {
        module = "http_upstream_balancing"
        add("ip_hash", .upstream, .exactly(0), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            reader.setPolicy(.ipHash, directive)
        }
        add("least_conn", .upstream, .exactly(0), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            reader.setPolicy(.leastConnections, directive)
        }
        add("hash", .upstream, .between(1, 2), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            let key = try reader.template(directive[1], at: directive.location)
            if directive.argumentCount == 2, !directive.isWord(2, "consistent") {
                throw directive.invalidParameter(2, known: ["consistent"])
            }
            reader.setPolicy(.hash(key: key, isConsistent: directive.argumentCount == 2), directive)
        }
        add("random", .upstream, .between(0, 2), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            guard directive.argumentCount > 0 else {
                reader.setPolicy(.random(.one), directive)
                return
            }
            guard directive.isWord(1, "two") else { throw directive.invalidParameter(1, known: ["two"]) }
            var method: BalancingPolicy.LeastTime?
            if directive.argumentCount == 2 {
                switch directive.text(2) {
                case "least_conn": method = nil
                case "least_time=header": method = .header(inflight: false)
                case "least_time=last_byte": method = .lastByte(inflight: false)
                default: throw directive.invalidParameter(2, known: ["least_conn", "least_time=header"])
                }
            }
            reader.setPolicy(.random(.two(method)), directive)
        }
        add("least_time", .upstream, .between(1, 2), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            let isInflight = directive.argumentCount == 2
            if isInflight, !directive.isWord(2, "inflight") {
                throw directive.invalidParameter(2, known: ["inflight"])
            }
            switch String(decoding: lowercased(directive[1]), as: UTF8.self) {
            case "header": reader.setPolicy(.leastTime(.header(inflight: isInflight)), directive)
            case "last_byte": reader.setPolicy(.leastTime(.lastByte(inflight: isInflight)), directive)
            default: throw DirectiveError("invalid value", quoting: directive[1])
            }
        }
    }
}

/// Handlers of the upstream modules.
enum UpstreamHandlers {
    static func zone(_ reader: ConfigurationReader, _ directive: Directive) throws(DirectiveError) {
        guard !directive[1].isEmpty else { throw DirectiveError("invalid zone name", quoting: directive[1]) }
        var size: ByteCount?
        if directive.argumentCount == 2 {
            guard let value = ValueParsing.size(directive[2]) else {
                throw DirectiveError("invalid zone size", quoting: directive[2])
            }
            guard value >= 8 * reader.facts.pageSize else {
                throw DirectiveError("zone \"\(directive.text(1))\" is too small")
            }
            size = value
        }
        try reader.declareZone(directive.text(1), use: "http_upstream", size: size)
        reader.scope.upstream?.zone = UpstreamSettings.Zone(name: directive.text(1), size: size)
    }

    static let keepalive: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        guard let count = ValueParsing.integer(directive[1]) else {
            throw DirectiveError("invalid value \"\(directive.text(1))\" in \"keepalive\" directive")
        }
        if directive.argumentCount == 2, !directive.isWord(2, "local") {
            throw directive.invalidParameter(2, known: ["local"])
        }
        reader.scope.keepalive.connections = count
        reader.scope.keepalive.isLocal = directive.argumentCount == 2
    }

    static let queue: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        guard let length = ValueParsing.integer(directive[1]), length > 0 else {
            throw DirectiveError("invalid queue size", quoting: directive[1])
        }
        var queue = QueueSettings(length: length)
        if directive.argumentCount == 2 {
            guard let value = directive.value(2, after: "timeout=") else {
                throw directive.invalidParameter(2, known: ["timeout="])
            }
            guard let timeout = ValueParsing.milliseconds(value) else {
                throw DirectiveError("invalid timeout", quoting: value)
            }
            queue.timeout = timeout
        }
        reader.scope.upstream?.queue = queue
    }

    static let sticky: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        switch directive.text(1) {
        case "cookie":
            let cookie = try stickyCookie(reader, directive)
            reader.scope.upstream?.sticky = .cookie(cookie)
        case "route":
            var variables: [Template] = []
            for index in 2...directive.argumentCount {
                let name = try reader.variableName(directive[index])
                variables.append(Template(parts: [.variable(try reader.namedVariable(name, at: directive.location))]))
            }
            reader.scope.upstream?.sticky = .route(variables)
        case "learn":
            // Made first: it reads the upstream's name, which an optional-chained assignment would hold exclusively.
            let learn = try stickyLearn(reader, directive)
            reader.scope.upstream?.sticky = .learn(learn)
        default: throw unknownParameter(directive, 1)
        }
    }

    private static func unknownParameter(_ directive: Directive, _ index: Int) -> DirectiveError {
        DirectiveError("unknown parameter", quoting: directive[index])
    }

    private static func stickyCookie(
        _ reader: ConfigurationReader, _ directive: Directive
    ) throws(DirectiveError) -> StickySettings.Cookie {
        guard !directive[2].isEmpty else { throw DirectiveError(directive, "empty cookie name") }
        var cookie = StickySettings.Cookie(
            name: directive[2],
            variable: reader.variable(Bytes("cookie_".utf8) + directive[2], at: directive.location))
        var seen: Set<String> = []
        for index in 3..<directive.words.count {
            let text = directive.text(index)
            let key = String(text.prefix { $0 != "=" })
            let value = directive[index].dropFirst(key.utf8.count + 1)
            if !seen.insert(key).inserted { throw DirectiveError(directive, "parameter \"\(key)\" is duplicate") }
            let hasValue = text.utf8.contains(UInt8(ascii: "="))
            switch key {
            case "domain" where hasValue:
                if value.isEmpty { throw DirectiveError(directive, "no value for \"domain\"") }
                cookie.domain = try reader.template(value, at: directive.location)
            case "path" where hasValue:
                if value.isEmpty { throw DirectiveError(directive, "no value for \"path\"") }
                cookie.path = Template(literal: Bytes(value))
            case "expires" where hasValue:
                if value.elementsEqual("max".utf8) {
                    cookie.expires = .max
                } else {
                    guard let seconds = ValueParsing.seconds(value) else {
                        throw DirectiveError(directive, "invalid \"expires\" parameter value")
                    }
                    cookie.expires = seconds
                }
            case "httponly" where !hasValue: cookie.isHTTPOnly = true
            case "secure" where !hasValue: cookie.isSecure = true
            case "samesite" where hasValue:
                let template = try reader.template(value, at: directive.location)
                if let constant = template.constant {
                    let known = ["strict", "lax", "none"]
                    guard known.contains(String(decoding: lowercased(constant), as: UTF8.self)) else {
                        throw DirectiveError(directive, "invalid \"samesite\" parameter value")
                    }
                }
                cookie.sameSite = template
            default: throw unknownParameter(directive, index)
            }
        }
        return cookie
    }

    private static func stickyLearn(
        _ reader: ConfigurationReader, _ directive: Directive
    ) throws(DirectiveError) -> StickySettings.Learn {
        var learn = StickySettings.Learn(create: [], lookup: [], zoneName: "", zoneSize: 0)
        var hasTimeout = false
        for index in 2...directive.argumentCount {
            if let value = directive.value(index, after: "zone=") {
                try setZone(value, of: &learn, reader, directive)
            } else if let value = directive.value(index, after: "timeout=") {
                if hasTimeout { throw DirectiveError(directive, "duplicate timeout") }
                hasTimeout = true
                guard let timeout = ValueParsing.milliseconds(value), timeout > 0 else {
                    throw DirectiveError(directive, "invalid timeout")
                }
                learn.timeout = timeout
            } else if let value = directive.value(index, after: "create=") {
                guard value.first == UInt8(ascii: "$") else {
                    throw DirectiveError(directive, "missing variable in the \"create\" parameter")
                }
                let variable = try reader.namedVariable(value.dropFirst(), at: directive.location)
                learn.create.append(Template(parts: [.variable(variable)]))
            } else if let value = directive.value(index, after: "lookup=") {
                guard value.first == UInt8(ascii: "$") else {
                    throw DirectiveError(directive, "missing variable in the \"lookup\" parameter")
                }
                let variable = try reader.namedVariable(value.dropFirst(), at: directive.location)
                learn.lookup.append(Template(parts: [.variable(variable)]))
            } else if directive.isWord(index, "header") {
                learn.learnsFromHead = true
            } else {
                throw unknownParameter(directive, index)
            }
        }
        if learn.lookup.isEmpty { throw DirectiveError(directive, "\"lookup\" parameter is not specified") }
        if learn.create.isEmpty { throw DirectiveError(directive, "\"create\" parameter is not specified") }
        if learn.zoneSize == 0 { throw DirectiveError(directive, "\"zone\" parameter is not specified") }
        return learn
    }

    private static func setZone(
        _ value: ArraySlice<UInt8>, of learn: inout StickySettings.Learn, _ reader: ConfigurationReader,
        _ directive: Directive
    ) throws(DirectiveError) {
        if learn.zoneSize != 0 { throw DirectiveError(directive, "duplicate zone") }
        guard let colon = value.firstIndex(of: UInt8(ascii: ":")) else {
            throw DirectiveError(directive, "zone size is not specified")
        }
        guard colon > value.startIndex else { throw DirectiveError(directive, "zone name is not specified") }
        guard let size = ValueParsing.size(value[(colon + 1)...]) else {
            throw DirectiveError(directive, "invalid zone size")
        }
        guard size >= 8 * reader.facts.pageSize else { throw DirectiveError(directive, "zone is too small") }
        let name = String(decoding: value[..<colon], as: UTF8.self)
        try reader.declareZone(name, use: "http_upstream_sticky", size: size)
        if let other = reader.stickyZones[name] {
            throw DirectiveError("sticky zone \"\(name)\" is already used in upstream \"\(other)\"")
        }
        reader.stickyZones[name] = reader.scope.upstream?.name
        learn.zoneName = name
        learn.zoneSize = size
    }
}
