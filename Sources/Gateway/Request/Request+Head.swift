import Config
import Loop
import Wire

extension Ref where Value == Request {
    /// The head is complete: take it over, find the server, start the phases (nginx: ngx_http_process_request).
    func begin() {
        let base = connection.value.input!.whole
        let reader = value.headReader!
        let head = reader.value.parser.head
        value.headBytes = base
        takeRequestLine(head, base)
        takeFields(reader, base)
        giveHeadReader()
        value.hostPort = head.serverPort
        value.hasConnectionUpgrade = head.flags.contains(.connectionUpgrade)
        if let authority = head.authorityRange { replaceHostField(authority.view(base)) }
        countRequest()
        let isServerKnown = takeHost(head, base)
        guard takeURI(head, base) else { return refuse(400, "client sent invalid request") }
        value.location = server.value.location
        guard value.body.begin(head: head) else { return refuse(400, "client sent invalid body framing") }
        guard isServerKnown else { return finish(.status(500)) }
        if head.flags.contains(.unknownExpectation) { return refuse(417, "client sent unknown expectation") }
        decideKeepalive(head)
        if worker.value.http.value.usesRealIP { applyRealIP() }
        connection.value.state = .processing
        value.phase = .serverRewrite
        runPhases()
    }

    private func takeRequestLine(_ head: RequestHead, _ base: ByteView) {
        value.method = head.method
        value.methodName = head.methodRange.view(base)
        value.versionMinor = Int(head.versionMinor)
        value.requestLine = head.lineRange.view(base)
        value.protocolName = head.protocolRange.view(base)
        value.schemeFromLine = head.schemeRange?.view(base)
    }

    private func takeFields(_ reader: Ref<HeadReader>, _ base: ByteView) {
        value.fields.removeAll()
        for index in 0..<reader.value.fields.count {
            let field = reader.value.fields[index]
            value.fields.append(HeaderField(name: field.name.view(base), value: field.value.view(base), token: field.token, isHopByHop: field.isHopByHop))
        }
        if reader.value.parser.droppedFieldCount > 0 {
            log(.info, "client sent invalid header line: \"\(escapedForLog(reader.value.parser.firstDroppedField.view(base)))\"",
                while: "reading client request headers")
        }
    }

    /// The target's authority takes the place of the Host field, whatever it says (RFC 9112, 3.2.2).
    private func replaceHostField(_ authority: ByteView) {
        for index in value.fields.indices where value.fields[index].token == .host { return value.fields[index].value = authority }
    }

    /// What the server that a head names takes for one, while the rest of it is still to be read. One that cannot be told is refused when
    /// the head is there.
    func headOptions(_ head: RequestHead, _ base: ByteView) -> HeadOptions {
        // The head may lie elsewhere before it is whole: name and captures are to outlive that.
        _ = takeHost(head, base, keepsName: true)
        value.location = server.value.location
        return server.value.headOptions
    }

    /// Finds the server, unless that was done before the head was complete.
    /// - Returns: false if a regular expression cannot tell which one it is.
    private func takeHost(_ head: RequestHead, _ base: ByteView, keepsName: Bool = false) -> Bool {
        if let isKnown = value.isServerKnown { return isKnown }
        let isKnown = findServer(head.serverNameRange.view(base), head, keepsName)
        value.isServerKnown = isKnown
        return isKnown
    }

    private func findServer(_ name: ByteView, _ head: RequestHead, _ keepsName: Bool) -> Bool {
        let listener = connection.value.listener!
        value.server = listener.value.defaultServer
        guard !name.isEmpty else {
            // No Host (HTTP/1.0): the server whose name is "", if there is one.
            if !listener.value.hosts.isEmpty, let server = listener.value.hosts.names.find(ByteView()) { value.server = server }
            return true
        }
        let host = head.flags.contains(.serverNameNeedsLowercase) ? lowercased(name) : keepsName ? keep(name) : name
        value.host = host
        guard !listener.value.hosts.isEmpty else { return true }
        if let server = listener.value.hosts.names.find(host) {
            value.server = server
        } else if listener.value.hosts.hasRegexes {
            value.captureCount = 0
            switch listener.value.hosts.findRegex(host, self) {
            case .server(let server): value.server = server
            case .none: break
            case .undecided: return false
            }
        }
        return true
    }

    func lowercased(_ bytes: ByteView) -> ByteView {
        let chunk = value.arena.room(for: bytes.count, pool)
        let start = chunk.value.end
        for index in 0..<bytes.count { chunk.append(asciiLowercase(bytes[index])) }
        return chunk.whole[start..<chunk.value.end]
    }

    private func takeURI(_ head: RequestHead, _ base: ByteView) -> Bool {
        value.unparsedURI = head.targetForm == .asterisk ? head.targetRange.view(base) : head.pathAndQueryRange.view(base)
        if value.unparsedURI.isEmpty { value.unparsedURI = "/" }
        if head.flags.contains(.emptyPath) {
            // `http://host?query`: the path was left out, and is sent on (RFC 9112, 3.2.1).
            let query = value.unparsedURI
            value.unparsedURI = compose {
                $0.append("/")
                $0.append(query)
            }
        }
        if head.targetForm == .asterisk {
            // `*` asks about the server as a whole: it is routed like `/` and goes on as it came (RFC 9112, 3.2.4).
            value.uri = "/"
            value.isURIValidUnparsed = true
            return true
        }
        value.arguments = head.queryRange?.view(base) ?? ByteView()
        guard head.hasComplexPath else {
            value.uri = head.pathRange.view(base)
            value.isURIValidUnparsed = true
            return true
        }
        value.isURIComplex = true
        let target = head.pathAndQueryRange.view(base)
        let chunk = value.arena.room(for: target.count + 2, pool)
        let start = chunk.value.end
        var result = URI.NormaliseResult.invalid
        chunk.write(reserving: target.count + 2) { writer in
            result = URI.normalise(target, mergeSlashes: server.value.mergesSlashes, into: &writer)
        }
        guard case .path(let length, let query, _, _) = result else { return false }
        value.uri = chunk.whole[start..<(start + length)]
        value.arguments = query?.view(target) ?? ByteView()
        value.isURIValidUnparsed = true
        return true
    }

    /// What the client asks for; the location's own limits come with the location.
    private func decideKeepalive(_ head: RequestHead) { value.isKeepalive = head.wantsKeepAlive && !worker.value.isDraining }

    /// Whether the connection may go on by the location's limits (nginx: ngx_http_update_location_config).
    func updateKeepalive() {
        guard value.isKeepalive else { return }
        let location = location
        if location.value.keepaliveTimeout == 0 || connection.value.requestCount >= location.value.keepaliveRequests
            || worker.now &- connection.value.acceptedAt > location.value.keepaliveTime || worker.value.isDraining
            || isKeepaliveDisabled {
            value.isKeepalive = false
        }
    }

    /// keepalive_disable: browsers that cannot reuse a connection, old Internet Explorers only after a POST.
    private var isKeepaliveDisabled: Bool {
        var browsers = location.value.keepaliveDisabledFor
        if value.method != .post { browsers.remove(.oldInternetExplorer) }
        return !browsers.isEmpty && !userAgent.isDisjoint(with: browsers)
    }

    private func countRequest() {
        worker.value.counters.requests += 1
        worker.value.counters.writing += 1
        value.isCounted = true
    }

    /// The head ends here, incomplete: what there is of it is for the logs, and for the server that its Host names.
    func takeUnfinishedHead(_ input: Ref<Buffer>) {
        guard let reader = value.headReader else { return }
        let base = input.whole
        if reader.value.parser.hasRequestLine {
            let head = reader.value.parser.head
            takeRequestLine(head, base)
            value.unparsedURI = head.pathAndQueryRange.view(base)
            takeFields(reader, base)
            if !head.serverNameRange.isEmpty { _ = takeHost(head, base) }
            value.location = server.value.location
        } else {
            value.versionMinor = 0
            value.requestLine = firstLine(of: base)
        }
        giveHeadReader()
    }

    /// Without its line end, and without empty lines before it.
    private func firstLine(of head: ByteView) -> ByteView {
        var start = 0
        while start < head.count, head[start] == 0x0d || head[start] == 0x0a { start += 1 }
        var end = start
        while end < head.count, head[end] != 0x0d, head[end] != 0x0a { end += 1 }
        return head[start..<end]
    }

    /// A head that was not even parsed: logged and answered with a built-in page, and the connection is closed.
    func refuseHead(_ error: HeadError, _ input: Ref<Buffer>) {
        takeUnfinishedHead(input)
        let isInLine = value.protocolName.isEmpty
        log(
            .info, error.message(input.whole, pool),
            while: isInLine ? "reading client request line" : "reading client request headers")
        countRequest()
        value.isBadHead = true
        value.isKeepalive = false
        value.body.discardsNothing = true
        if value.uri.isEmpty { value.uri = "/" }
        finish(.status(Int(error.status)))
    }

    /// A head that was parsed but is not acceptable.
    func refuse(_ status: Int, _ reason: String) {
        log(.info, reason, while: "reading client request headers")
        value.isKeepalive = false
        value.location = server.value.location
        finish(.status(status))
    }
}
