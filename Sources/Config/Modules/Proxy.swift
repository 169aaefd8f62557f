extension DirectiveTableBuilder {
    /// The proxy module, without TLS and cache.
    mutating func addProxy() {
        module = "http_proxy"
        add("proxy_pass", [.location, .locationIf, .limitExcept], .exactly(1)) {
            (reader, directive) throws(DirectiveError) in
            try reader.proxyPass(directive)
        }
        add("proxy_redirect", .inherited, .between(1, 2), isRepeatable: true, ProxyHandlers.redirect)
        add("proxy_cookie_domain", .inherited, .between(1, 2), isRepeatable: true) {
            (reader, directive) throws(DirectiveError) in
            try ProxyHandlers.cookieRewrite(reader, directive, \.proxy.cookieDomains, isDomain: true)
        }
        add("proxy_cookie_path", .inherited, .between(1, 2), isRepeatable: true) {
            (reader, directive) throws(DirectiveError) in
            try ProxyHandlers.cookieRewrite(reader, directive, \.proxy.cookiePaths, isDomain: false)
        }
        add("proxy_cookie_flags", .inherited, .between(1, 4), isRepeatable: true, ProxyHandlers.cookieFlags)
        addProxyRequest()
        addProxyResponse()
        addProxyConnection()
        let hash: DirectiveHandler = { (_, directive) throws(DirectiveError) in _ = try directive.number() }
        accept("proxy_headers_hash_max_size", .inherited, .exactly(1), "tables grow as needed", check: hash)
        accept("proxy_headers_hash_bucket_size", .inherited, .exactly(1), "tables grow as needed", check: hash)
        accept("proxy_send_lowat", .inherited, .exactly(1), "Linux has no send low-water mark") {
            (_, directive) throws(DirectiveError) in
            _ = try directive.size()
        }
    }

    private mutating func addProxyRequest() {
        add("proxy_set_header", .inherited, .exactly(2), isRepeatable: true) {
            (reader, directive) throws(DirectiveError) in
            if reader.scope.isFirst("proxy_set_header") { reader.scope.settings.proxy.setHeaders = [] }
            let value = try reader.template(directive[2], at: directive.location)
            reader.scope.settings.proxy.setHeaders.append(HeaderField(name: directive[1], value: value))
        }
        add("proxy_set_body", .inherited, .exactly(1), Setter.template(\.proxy.body))
        add("proxy_method", .inherited, .exactly(1), Setter.template(\.proxy.method))
        add("proxy_pass_request_headers", .inherited, .flag, Setter.flag(\.proxy.passesRequestHeaders))
        add("proxy_pass_request_body", .inherited, .flag, Setter.flag(\.proxy.passesRequestBody))
        add("proxy_pass_trailers", .inherited, .flag, Setter.flag(\.proxy.passesTrailers))
        add("proxy_request_buffering", .inherited, .flag, Setter.flag(\.proxy.isRequestBuffering))
        add("proxy_http_version", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            let version: HTTPVersion = try directive.choice()
            if version == .http2 { throw Unsupported.value(directive, Unsupported.http2) }
            reader.scope.settings.proxy.httpVersion = version
        }
    }

    private mutating func addProxyResponse() {
        add("proxy_hide_header", .inherited, .exactly(1), isRepeatable: true) {
            (reader, directive) throws(DirectiveError) in
            if reader.scope.isFirst("proxy_hide_header") { reader.scope.settings.proxy.hiddenHeaders = [] }
            reader.scope.settings.proxy.hiddenHeaders.append(lowercased(directive[1]))
        }
        add("proxy_pass_header", .inherited, .exactly(1), isRepeatable: true) {
            (reader, directive) throws(DirectiveError) in
            if reader.scope.isFirst("proxy_pass_header") { reader.scope.settings.proxy.passedHeaders = [] }
            reader.scope.settings.proxy.passedHeaders.append(lowercased(directive[1]))
        }
        add("proxy_ignore_headers", .inherited, .atLeast(1), isRepeatable: true) {
            (reader, directive) throws(DirectiveError) in
            if reader.scope.isFirst("proxy_ignore_headers") { reader.scope.settings.proxy.ignoredHeaders = [] }
            for index in 1...directive.argumentCount {
                let field: IgnoredHeader = try directive.choice(index)
                if !reader.scope.settings.proxy.ignoredHeaders.insert(field).inserted {
                    reader.warn("duplicate value \"\(directive.text(index))\"", directive)
                }
            }
        }
        add("proxy_buffering", .inherited, .flag, Setter.flag(\.proxy.isBuffering))
        add("proxy_buffer_size", .inherited, .exactly(1), Setter.size(\.proxy.bufferSize))
        add("proxy_buffers", .inherited, .exactly(2), Setter.buffers(\.proxy.bufferCount, \.proxy.buffersSize))
        add("proxy_busy_buffers_size", .inherited, .exactly(1), Setter.size(\.proxy.busyBuffersSize))
        add("proxy_max_temp_file_size", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.proxy.tempFileSizeMax = try directive.size(allowsGiga: true)
        }
        add("proxy_temp_file_write_size", .inherited, .exactly(1), Setter.size(\.proxy.tempFileWriteSize))
        add("proxy_temp_path", .inherited, .between(1, 4)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.proxy.tempPath = try reader.tempPath(directive)
        }
        add("proxy_limit_rate", .inherited, .exactly(1), Setter.sizeTemplate(\.proxy.limitRate))
        add("proxy_force_ranges", .inherited, .flag, Setter.flag(\.proxy.forcesRanges))
        add("proxy_intercept_errors", .inherited, .flag, Setter.flag(\.proxy.interceptsErrors))
        add("proxy_store", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            if directive.isWord(1, "off") {
                reader.scope.settings.proxy.store = .off
            } else if directive.isWord(1, "on") {
                reader.scope.settings.proxy.store = .on
            } else if directive[1].isEmpty {
                throw DirectiveError("empty path")
            } else {
                reader.scope.settings.proxy.store = .path(try reader.template(directive[1], at: directive.location))
            }
        }
        add("proxy_store_access", .inherited, .between(1, 3)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.proxy.storeAccess = try reader.accessMode(directive)
        }
    }

    private mutating func addProxyConnection() {
        add("proxy_connect_timeout", .inherited, .exactly(1), Setter.milliseconds(\.proxy.connectTimeout))
        add("proxy_send_timeout", .inherited, .exactly(1), Setter.milliseconds(\.proxy.sendTimeout))
        add("proxy_read_timeout", .inherited, .exactly(1), Setter.milliseconds(\.proxy.readTimeout))
        add("proxy_next_upstream", .inherited, .atLeast(1), isRepeatable: true, ProxyHandlers.nextUpstream)
        add("proxy_next_upstream_tries", .inherited, .exactly(1), Setter.number(\.proxy.nextUpstreamTries))
        add(
            "proxy_next_upstream_timeout", .inherited, .exactly(1), Setter.milliseconds(\.proxy.nextUpstreamTimeout))
        add("proxy_ignore_client_abort", .inherited, .flag, Setter.flag(\.proxy.ignoresClientAbort))
        add("proxy_socket_keepalive", .inherited, .flag, Setter.flag(\.proxy.isSocketKeepalive))
        add("proxy_socket_rcvbuf", .inherited, .exactly(1), Setter.size(\.proxy.socketReceiveBuffer))
        add("proxy_socket_sndbuf", .inherited, .exactly(1), Setter.size(\.proxy.socketSendBuffer))
        add("proxy_bind", .inherited, .between(1, 2), ProxyHandlers.bind)
    }
}

/// Handlers of the proxy module.
enum ProxyHandlers {
    typealias Rules = any WritableKeyPath<LocationSettings, [TextRewrite]> & Sendable

    private static let nextUpstreamNames: [(String, NextUpstream)] = [
        ("error", .error), ("timeout", .timeout), ("invalid_header", .invalidHeader),
        ("non_idempotent", .nonIdempotent), ("http_500", .http500), ("http_502", .http502), ("http_503", .http503),
        ("http_504", .http504), ("http_403", .http403), ("http_404", .http404), ("http_429", .http429),
        ("updating", .updating), ("off", .off),
    ]

    static let nextUpstream: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        if reader.scope.isFirst("proxy_next_upstream") { reader.scope.settings.proxy.nextUpstream = [] }
        for index in 1...directive.argumentCount {
            let word = String(decoding: lowercased(directive[index]), as: UTF8.self)
            guard let flag = nextUpstreamNames.first(where: { $0.0 == word })?.1 else {
                throw DirectiveError(
                    "invalid value \"\(directive.text(index))\"",
                    suggestion: EditDistance.nearest(to: word, in: nextUpstreamNames.map(\.0)))
            }
            if !reader.scope.settings.proxy.nextUpstream.insert(flag).inserted {
                reader.warn("duplicate value \"\(directive.text(index))\"", directive)
            }
        }
        if reader.scope.settings.proxy.nextUpstream.contains(.off) { reader.scope.settings.proxy.nextUpstream = .off }
    }

    static let bind: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        if directive.argumentCount == 1, directive.isWord(1, "off") {
            reader.scope.settings.proxy.bind = nil
            return
        }
        let template = try reader.template(directive[1], at: directive.location)
        var bind = ProxyBind(address: .dynamic(template))
        if let text = template.constant {
            guard let address = NetworkAddress(withOptionalPort: text), address.port != nil else {
                throw DirectiveError("invalid address", quoting: text)
            }
            bind.address = .constant(address)
        }
        if directive.argumentCount == 2 {
            guard directive.isWord(2, "transparent") else {
                throw directive.invalidParameter(2, known: ["transparent"])
            }
            bind.isTransparent = true
        }
        reader.scope.settings.proxy.bind = bind
    }

    static let redirect: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        let isFirst = reader.scope.isFirst("proxy_redirect")
        if !isFirst, case .off = reader.scope.settings.proxy.redirects { throw DirectiveError(directive, "is duplicate") }
        if directive.argumentCount == 1, directive.isWord(1, "off") {
            guard isFirst else { throw DirectiveError(directive, "is duplicate") }
            reader.scope.settings.proxy.redirects = .off
            return
        }
        var rules: [TextRewrite] = []
        if !isFirst, case .rules(let earlier) = reader.scope.settings.proxy.redirects { rules = earlier }
        if directive.argumentCount == 1 {
            guard directive.isWord(1, "default") else {
                throw directive.invalidParameter(1, known: ["default", "off"])
            }
            rules.append(try standardRule(reader))
        } else {
            rules.append(
                TextRewrite(
                    match: try textMatch(reader, directive[1], of: directive),
                    replacement: try reader.template(directive[2], at: directive.location)))
        }
        reader.scope.settings.proxy.redirects = .rules(rules)
    }

    private static func standardRule(_ reader: ConfigurationReader) throws(DirectiveError) -> TextRewrite {
        // A location's `proxy_pass` is that of an outer block only in `if` and `limit_except`, where this cannot stand.
        guard let pass = reader.scope.settings.proxy.pass else {
            throw DirectiveError("\"proxy_redirect default\" should be placed after the \"proxy_pass\" directive")
        }
        guard let rule = pass.standardRedirect else {
            throw DirectiveError(
                "\"proxy_redirect default\" cannot be used with \"proxy_pass\" directive with variables")
        }
        return rule
    }

    /// A word that a rule compares with: `~PATTERN`, `~*PATTERN` ignoring case, or text.
    ///
    /// - Parameters:
    ///   - isCaseless: patterns always ignore case; `~*` has no meaning of its own then.
    private static func textMatch(
        _ reader: ConfigurationReader, _ word: some BidirectionalCollection<UInt8>, of directive: Directive, isCaseless: Bool = false
    ) throws(DirectiveError) -> TextMatch {
        guard word.first == UInt8(ascii: "~") else {
            return .text(try reader.template(Bytes(word), at: directive.location))
        }
        let pattern = word.dropFirst()
        let hasStar = !isCaseless && pattern.first == UInt8(ascii: "*")
        return .pattern(
            try reader.pattern(
                hasStar ? pattern.dropFirst() : pattern, caseless: isCaseless || hasStar, at: directive.location))
    }

    /// `proxy_cookie_domain` and `proxy_cookie_path`.
    static func cookieRewrite(
        _ reader: ConfigurationReader, _ directive: Directive, _ path: Rules, isDomain: Bool
    ) throws(DirectiveError) {
        guard try startRules(reader, directive, clear: { $0.scope.settings[keyPath: path] = [] }) else { return }
        var word = directive[1][...]
        var replacement = directive[2][...]
        if isDomain, word.first != UInt8(ascii: "~") {
            if word.first == UInt8(ascii: ".") { word = word.dropFirst() }
            if replacement.first == UInt8(ascii: ".") { replacement = replacement.dropFirst() }
        }
        let match = try textMatch(reader, word, of: directive, isCaseless: isDomain)
        let value = try reader.template(replacement, at: directive.location)
        reader.scope.settings[keyPath: path].append(TextRewrite(match: match, replacement: value))
    }

    /// Handles `off` and the first of several rules in a block.
    /// - Returns: whether a rule follows.
    private static func startRules(
        _ reader: ConfigurationReader, _ directive: Directive, clear: (ConfigurationReader) -> Void
    ) throws(DirectiveError) -> Bool {
        let offKey = directive.name + " off"
        if !reader.scope.isFirst(offKey) { throw DirectiveError(directive, "is duplicate") }
        let isFirst = reader.scope.isFirst(directive.name)
        guard directive.argumentCount == 1 else {
            if isFirst { clear(reader) }
            return true
        }
        guard directive.isWord(1, "off") else { throw directive.invalidParameter(1, known: ["off"]) }
        guard isFirst else { throw DirectiveError(directive, "is duplicate") }
        clear(reader)
        reader.scope.seen[offKey] = directive.location
        return false
    }

    static let cookieFlags: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        let clear: (ConfigurationReader) -> Void = { $0.scope.settings.proxy.cookieFlags = [] }
        guard try startRules(reader, directive, clear: clear) else { return }
        let match = try textMatch(reader, directive[1], of: directive, isCaseless: true)
        var flags: [CookieFlagsRule.FlagSource] = []
        for index in 2...max(2, directive.argumentCount) {
            let template = try reader.template(directive[index], at: directive.location)
            guard let text = template.constant else {
                flags.append(.dynamic(template))
                continue
            }
            // nginx meets an unknown flag at run time only, logs it and leaves the cookie alone.
            guard let flag = CookieFlagsRule.Flag(text: text) else {
                reader.warn("invalid proxy_cookie_flags flag \"\(directive.text(index))\"", directive)
                continue
            }
            flags.append(.constant(flag))
        }
        reader.scope.settings.proxy.cookieFlags.append(CookieFlagsRule(match: match, flags: flags))
    }
}

extension CookieFlagsRule.Flag {
    /// By nginx's word, ignoring case; also for the texts of `.dynamic`. nil: unknown.
    package init?(text: Bytes) {
        switch String(decoding: lowercased(text), as: UTF8.self) {
        case "secure": self = .secure
        case "nosecure": self = .noSecure
        case "httponly": self = .httpOnly
        case "nohttponly": self = .noHTTPOnly
        case "samesite=strict": self = .sameSiteStrict
        case "samesite=lax": self = .sameSiteLax
        case "samesite=none": self = .sameSiteNone
        case "nosamesite": self = .noSameSite
        default: return nil
        }
    }
}

extension NetworkAddress {
    /// `ADDRESS[:PORT]`, `[IPv6]:PORT` or `IPv6`; also for the texts of `proxy_bind` with variables. Port 0 if none is given.
    package init?(withOptionalPort text: Bytes) {
        if let address = NetworkAddress.parseIPv4(text) {
            self = .ipv4(address, port: 0)
        } else if let (high, low) = NetworkAddress.parseIPv6(text) {
            self = .ipv6(high: high, low: low, port: 0)
        } else {
            guard let host = try? HostPort(text, HostPort.Rules(defaultPort: 0)),
                case .literal(let address) = host.address
            else { return nil }
            self = address
        }
    }
}
