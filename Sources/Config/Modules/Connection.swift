extension DirectiveTableBuilder {
    /// Client connections and responses of the http core module.
    mutating func addConnection() {
        module = "http_core"
        add("send_timeout", .inherited, .exactly(1), Setter.milliseconds(\.core.sendTimeout))
        add("keepalive_timeout", .inherited, .between(1, 2)) { (reader, directive) throws(DirectiveError) in
            let timeout = try directive.milliseconds()
            let header = directive.argumentCount == 2 ? try directive.seconds(2) : 0
            reader.scope.settings.core.keepaliveTimeout = timeout
            reader.scope.settings.core.keepaliveHeader = header
        }
        add("keepalive_requests", .inherited, .exactly(1), Setter.number(\.core.keepaliveRequests))
        add("keepalive_time", .inherited, .exactly(1), Setter.milliseconds(\.core.keepaliveTime))
        add("keepalive_min_timeout", .inherited, .exactly(1), Setter.milliseconds(\.core.keepaliveMinTimeout))
        add("keepalive_disable", .inherited, .between(1, 2), isRepeatable: true) {
            (reader, directive) throws(DirectiveError) in
            if reader.scope.isFirst("keepalive_disable") { reader.scope.settings.core.keepaliveDisabledFor = [] }
            for index in 1...directive.argumentCount {
                let browser: KeepaliveBrowser = try directive.choice(index)
                if !reader.scope.settings.core.keepaliveDisabledFor.insert(browser).inserted {
                    reader.warn("duplicate value \"\(directive.text(index))\"", directive)
                }
            }
        }
        add("lingering_close", .inherited, .exactly(1), Setter.choice(\.core.lingeringClose))
        add("lingering_time", .inherited, .exactly(1), Setter.milliseconds(\.core.lingeringTime))
        add("lingering_timeout", .inherited, .exactly(1), Setter.milliseconds(\.core.lingeringTimeout))
        add("reset_timedout_connection", .inherited, .flag, Setter.flag(\.core.resetsTimedOutConnections))
        add("tcp_nopush", .inherited, .flag, Setter.flag(\.core.isTCPNopush))
        add("tcp_nodelay", .inherited, .flag, Setter.flag(\.core.isTCPNodelay))
    }

    /// Responses of the http core and headers modules.
    mutating func addResponses() {
        module = "http_core"
        add("limit_rate", .inheritedAndIf, .exactly(1), Setter.sizeTemplate(\.core.limitRate))
        add("limit_rate_after", .inheritedAndIf, .exactly(1), Setter.sizeTemplate(\.core.limitRateAfter))
        add("absolute_redirect", .inherited, .flag, Setter.flag(\.core.isAbsoluteRedirect))
        add("server_name_in_redirect", .inherited, .flag, Setter.flag(\.core.usesServerNameInRedirect))
        add("port_in_redirect", .inherited, .flag, Setter.flag(\.core.usesPortInRedirect))
        add("msie_padding", .inherited, .flag, Setter.flag(\.core.msiePadding))
        add("msie_refresh", .inherited, .flag, Setter.flag(\.core.msieRefresh))
        add("log_subrequest", .inherited, .flag, Setter.flag(\.core.logsSubrequests))
        add("recursive_error_pages", .inherited, .flag, Setter.flag(\.core.isRecursiveErrorPages))
        add("server_tokens", .inherited, .exactly(1), Setter.choice(\.core.serverTokens))
        add("chunked_transfer_encoding", .inherited, .flag, Setter.flag(\.core.isChunkedTransferEncoding))
        add("early_hints", .inherited, .atLeast(1), isRepeatable: true, Setter.predicates(\.core.earlyHints))
        add("error_page", .inheritedAndIf, .atLeast(2), isRepeatable: true, ResponseHandlers.errorPage)
        add("post_action", .inheritedAndIf, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            // nginx takes the text as it is: a URI or @name, without variables.
            let isOff = directive.isWord(1, "off")
            reader.scope.settings.core.postAction = isOff ? nil : Template(literal: directive[1])
        }
        module = "http_headers"
        add("add_header", .inheritedAndIf, .between(2, 3), isRepeatable: true) {
            (reader, directive) throws(DirectiveError) in
            let field = try ResponseHandlers.added(reader, directive)
            if reader.scope.isFirst("add_header") {
                reader.scope.inheritedHeaders = reader.scope.settings.headers.headers
                reader.scope.settings.headers.headers = []
            }
            reader.scope.settings.headers.headers.append(field)
        }
        add("add_trailer", .inheritedAndIf, .between(2, 3), isRepeatable: true) {
            (reader, directive) throws(DirectiveError) in
            let field = try ResponseHandlers.added(reader, directive)
            if reader.scope.isFirst("add_trailer") {
                reader.scope.inheritedTrailers = reader.scope.settings.headers.trailers
                reader.scope.settings.headers.trailers = []
            }
            reader.scope.settings.headers.trailers.append(field)
        }
        add("add_header_inherit", .inheritedAndIf, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.headers.headersInheritance = try directive.choice()
        }
        add("add_trailer_inherit", .inheritedAndIf, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.headers.trailersInheritance = try directive.choice()
        }
        add("expires", .inheritedAndIf, .between(1, 2), ResponseHandlers.expires)
    }
}

/// Handlers for what a response says.
enum ResponseHandlers {
    static let errorPage: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        if reader.scope.isFirst("error_page") { reader.scope.settings.core.errorPages = [] }
        let last = directive.argumentCount
        var change: ErrorPage.StatusChange = .keep
        var statusCount = last - 1
        if directive[last - 1].first == UInt8(ascii: "=") {
            let digits = directive[last - 1].dropFirst()
            if last - 1 == 1 { throw DirectiveError("invalid value", quoting: directive[last - 1]) }
            if digits.isEmpty {
                change = .fromResponse
            } else if let code = ValueParsing.integer(digits) {
                change = .to(code)
            } else {
                throw DirectiveError("invalid value", quoting: directive[last - 1])
            }
            statusCount -= 1
        }
        var target = try reader.template(directive[last], at: directive.location)
        var arguments: Bytes?
        if let path = target.constant, path.first == UInt8(ascii: "/"),
            let mark = path.firstIndex(of: UInt8(ascii: "?"))
        {
            target = Template(literal: Bytes(path[..<mark]))
            arguments = Bytes(path[(mark + 1)...])
        }
        for index in 1...max(statusCount, 1) {
            guard let status = ValueParsing.integer(directive[index]), status != 499 else {
                throw DirectiveError("invalid value", quoting: directive[index])
            }
            guard status >= 300, status <= 599 else {
                throw DirectiveError("value \"\(directive.text(index))\" must be between 300 and 599")
            }
            var effective = change
            // 494 header too large, 495…497 of TLS: the client sees 400.
            if change == .keep, (494...497).contains(status) { effective = .to(400) }
            reader.scope.settings.core.errorPages.append(
                ErrorPage(status: status, change: effective, target: target, arguments: arguments))
        }
    }

    static func added(
        _ reader: ConfigurationReader, _ directive: Directive
    ) throws(DirectiveError) -> HeaderSettings.Added {
        let value = try reader.template(directive[2], at: directive.location)
        if directive.argumentCount == 3, !directive.isWord(3, "always") {
            throw directive.invalidParameter(3, known: ["always"])
        }
        return HeaderSettings.Added(name: directive[1], value: value, isAlways: directive.argumentCount == 3)
    }

    static let expires: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        let isModified = directive.argumentCount == 2
        if isModified, !directive.isWord(1, "modified") { throw DirectiveError(directive, "invalid value") }
        let template = try reader.template(directive[isModified ? 2 : 1], at: directive.location)
        guard let text = template.constant else {
            reader.scope.settings.headers.expires = .dynamic(template, isModified: isModified)
            return
        }
        guard let value = Expires(text, isModified: isModified) else {
            guard text.first == UInt8(ascii: "@"), ValueParsing.seconds(text.dropFirst()) != nil || isModified else {
                throw DirectiveError(directive, "invalid value")
            }
            let reason = isModified
                ? "daily time cannot be used with \"modified\" parameter" : "daily time value must be less than 24 hours"
            throw DirectiveError(directive, reason)
        }
        reader.scope.settings.headers.expires = value
    }
}

extension Expires {
    /// `off`, `epoch`, `max`, a time with an optional sign, or `@` and a time of day. nil: none of these.
    ///
    /// Also for the text that `.dynamic` gives at run time, where nil means `off`.
    package init?(_ text: Bytes, isModified: Bool) {
        if !isModified {
            switch String(decoding: text, as: UTF8.self) {
            case "off":
                self = .off
                return
            case "epoch":
                self = .epoch
                return
            case "max":
                self = .max
                return
            default: break
            }
        }
        guard let first = text.first else { return nil }
        if first == UInt8(ascii: "@") {
            guard !isModified, let time = ValueParsing.seconds(text.dropFirst()), time <= 86_400 else { return nil }
            self = .daily(time)
            return
        }
        let isNegative = first == UInt8(ascii: "-")
        let digits = isNegative || first == UInt8(ascii: "+") ? text.dropFirst() : text[...]
        guard let time = ValueParsing.seconds(digits) else { return nil }
        let value = isNegative ? -time : time
        self = isModified ? .afterModified(value) : .after(value)
    }
}
