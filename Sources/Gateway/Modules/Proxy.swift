import Config
import Glibc
import Loop
import Machine
import Wire

/// proxy_pass (nginx: ngx_http_proxy_module): what is sent upstream, and what of the answer goes to the client.
extension Ref where Value == Request {
    /// Content handler: body first where it is to be buffered, then the exchange.
    func startProxy() {
        let proxy = location.value.proxy!
        if value.method == .options, value.exchange == nil, endsForwarding() { return }
        let exchange: ExchangeRef
        if let existing = value.exchange {
            exchange = existing
        } else {
            guard let taken = worker.value.exchanges.take() else {
                log(.alert, "out of exchange slots")
                return finish(.status(500))
            }
            exchange = taken
        }
        exchange.value.worker = worker
        exchange.value.request = self
        exchange.value.state = .idle
        exchange.value.proxy = proxy
        value.exchange = exchange
        if isMain { sendContinueIfExpected() }
        exchange.leaveUpstream()
        exchange.value.shownPeer = -2
        value.modules.dynamicURI = nil
        guard let upstream = proxy.value.upstream ?? resolveTarget(proxy, for: exchange) else { return }
        goOnWithProxy(upstream, exchange)
    }

    /// OPTIONS with Max-Forwards goes as many hops on, and is answered here at the last (RFC 9110, 7.6.2).
    /// - Returns: whether it was answered.
    private func endsForwarding() -> Bool {
        for index in main.value.fields.indices where main.value.fields[index].token == .maxForwards {
            guard let hops = SizeText.number(main.value.fields[index].value) else { continue }
            guard hops > 0 else {
                value.response.status = 200
                guard !isMain || ignoreBody() else { return true }
                respond(Segment(ByteView()))
                return true
            }
            main.value.fields[index].value = main.decimal(hops - 1)
        }
        return false
    }

    /// The upstream is known: the request's body, then the exchange.
    func goOnWithProxy(_ upstream: Ref<Upstream>, _ exchange: ExchangeRef) {
        let proxy = exchange.proxy
        exchange.value.upstream = upstream
        exchange.value.ignoresClientAbort = proxy.value.ignoresClientAbort || value.isPostAction
        exchange.value.isRequestSent = false
        exchange.value.isBodyLost = false
        exchange.value.bodyText = nil
        exchange.value.isPaused = false
        exchange.value.hasHead = false
        if let queue = exchange.value.bodyQueue {
            pool.value.give(queue)
            exchange.value.bodyQueue = nil
        }
        value.startsAttemptGroup = !value.attempts.isEmpty
        value.exchange = exchange
        if value.body.isConsumed, proxy.value.passesBody, proxy.value.body == nil {
            log(.error, "the request body was already sent to another upstream and was not buffered")
            return finish(.status(502))
        }
        // Another location has decided to pass it on as it comes, and nothing of it was taken: this one decides anew.
        if value.body.state == .streaming, !value.body.isConsumed { value.body.state = .unread }
        guard isMain, value.body.state == .unread, proxy.value.passesBody || keepsBody else { return proxyBodyReady() }
        // A chunked body cannot be framed for HTTP/1.0 before its length is known, and one that proxy_set_body replaces is not sent.
        let isFramable = value.body.framing != .chunked || proxy.value.usesHTTP11
        if proxy.value.isRequestBuffering || !isFramable || proxy.value.body != nil || !proxy.value.passesBody {
            collectBody()
        } else {
            sendContinueIfExpected()
            value.body.state = .streaming
            proxyBodyReady()
        }
    }

    /// Whether somebody else than the upstream has a use for the body: a file that stays, or a variable.
    private var keepsBody: Bool {
        location.value.settings.value.core.clientBodyInFile != .off || worker.value.http.value.usesRequestBodyFile
            || worker.value.http.value.usesRequestBody
    }

    /// The body is there (or will be streamed): compose the head, start the first attempt.
    func proxyBodyReady() {
        guard let exchange = value.exchange, let proxy = exchange.value.proxy else { return }
        let upstream = exchange.upstream
        exchange.value.bodyText = proxy.value.body.map { evaluate($0) }
        var method = value.methodName
        exchange.value.method = value.method
        if let text = proxy.value.method {
            method = evaluate(text)
            exchange.value.method = Method.lookup(method)
            guard Method.isValidName(method) else {
                log(.error, "invalid \"proxy_method\" value \"\(escapedForLog(method))\"")
                return finish(.status(500))
            }
        }
        let head = exchange.value.head ?? pool.value.take(value.headLength + proxy.value.headMargin)
        head.clear()
        exchange.value.head = head
        writeProxyHead(method, proxy, exchange, to: head)
        proxy.value.headMargin = max(proxy.value.headMargin, min(head.count - value.headLength, 4096))
        exchange.value.hashKey = upstream.value.usesAddressHash ? addressKey : upstream.value.hashKey.map { evaluate($0) } ?? ByteView()
        exchange.begin()
    }

    /// ip_hash: the client's address in binary.
    private var addressKey: ByteView {
        connection.value.peer.withAddressBytes { keep($0) }
    }

    // MARK: - The request

    private func writeProxyHead(_ method: ByteView, _ proxy: Ref<ProxyRuntime>, _ exchange: ExchangeRef, to head: Ref<Buffer>) {
        head.append(method)
        head.append(0x20)
        appendProxyURI(proxy, to: head)
        head.append(proxy.value.usesHTTP11 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n")
        let streamsChunked = value.body.state == .streaming && value.body.framing == .chunked && isMain && proxy.value.passesBody
            && exchange.value.bodyText == nil && proxy.value.usesHTTP11
        exchange.value.isBodyChunked = streamsChunked
        exchange.value.announcedLength = nil
        let fields = proxy.value.fields
        for index in fields.indices {
            let field = fields[index]
            if field.isContentLength {
                appendContentLength(field, proxy, exchange, streamsChunked, to: head)
            } else if field.isTransferEncoding {
                if streamsChunked { head.append("Transfer-Encoding: chunked\r\n") }
            } else {
                guard let text = field.text else { continue }
                let start = head.value.end
                head.append(field.prefix)
                let before = head.value.end
                append(text, to: head)
                if head.value.end == before {
                    head.value.end = start
                } else {
                    if text.constant == nil { head.replaceLineBreaks(from: before) }
                    head.append("\r\n")
                }
            }
        }
        exchange.value.hasIdempotencyKey = false
        // Of a head that was refused nothing goes on to the server of an error page.
        if proxy.value.passesHeaders, !main.value.isBadHead { appendClientFields(proxy, exchange, to: head) }
        head.append("\r\n")
    }

    /// The length of what is sent, whatever `proxy_set_header` says: a body that nobody announced would be taken for the next request.
    private func appendContentLength(
        _ field: ProxyField, _ proxy: Ref<ProxyRuntime>, _ exchange: ExchangeRef, _ chunked: Bool, to head: Ref<Buffer>
    ) {
        guard !chunked else { return exchange.value.announcedLength = nil }
        let length = upstreamBodyLength(proxy, exchange)
        exchange.value.announcedLength = length ?? 0
        // Of nothing, 0 may be said, or not.
        let isSaid = length ?? 0 > 0 || (field.text.map { evaluate($0) == "0" } ?? (length != nil))
        guard isSaid else { return }
        head.append(field.prefix)
        head.append(decimal: UInt64(max(0, length ?? 0)))
        head.append("\r\n")
    }

    /// Bytes of body that go to the upstream, nil if the request has none at all.
    private func upstreamBodyLength(_ proxy: Ref<ProxyRuntime>, _ exchange: ExchangeRef) -> Int64? {
        if let text = exchange.value.bodyText { return Int64(text.count) }
        guard proxy.value.passesBody, isMain else { return nil }
        if value.body.state == .streaming { return value.body.declaredLength }
        guard value.body.framing != .none || field(.contentLength) != nil else { return nil }
        return value.body.state == .complete ? value.body.collectedLength : 0
    }

    private func appendClientFields(_ proxy: Ref<ProxyRuntime>, _ exchange: ExchangeRef, to head: Ref<Buffer>) {
        let fields = main
        for index in fields.value.fields.indices {
            let field = fields.value.fields[index]
            if field.isHopByHop || field.isRemoved || proxy.value.dropped.contains(field.token) && field.token != .unknown { continue }
            if field.token == .unknown, proxy.value.droppedNames.containsName(field.name) { continue }
            // The server knows a repetition by it (draft-ietf-httpapi-idempotency-key-header).
            if field.token == .idempotencyKey, !field.value.isEmpty { exchange.value.hasIdempotencyKey = true }
            head.append(field.name)
            head.append(": ")
            head.append(field.value)
            head.append("\r\n")
        }
    }

    /// The URI of the upstream request (nginx: ngx_http_proxy_create_request). Decoded bytes that come by way of variables never end the
    /// request line or split it: what is neither the client's own target nor escaped as a path goes through `appendTarget`.
    private func appendProxyURI(_ proxy: Ref<ProxyRuntime>, to head: Ref<Buffer>) {
        if let target = value.modules.dynamicURI { return appendTarget(target, to: head) }
        guard let replacement = proxy.value.uri else {
            if value.isURIValidUnparsed, isMain { return head.append(value.unparsedURI) }
            return appendEscapedURI(value.uri, to: head)
        }
        if value.isLocationValid { head.append(replacement) }
        appendEscapedURI(value.uri.dropFirst(value.isLocationValid ? proxy.value.replacedPrefixLength : 0), to: head)
    }

    private func appendEscapedURI(_ path: ByteView, to head: Ref<Buffer>) {
        head.write(reserving: path.count * 3) { writer in
            URI.escape(path, .uri, into: &writer)
        }
        if !value.arguments.isEmpty {
            head.append(0x3f)
            appendTarget(value.arguments, to: head)
        }
    }

    /// Bytes for a request line, with what would end it escaped (RFC 9112, 3.2).
    private func appendTarget(_ bytes: ByteView, to head: Ref<Buffer>) {
        head.write(reserving: bytes.count * 3) { writer in
            URI.escape(bytes, .requestLine, into: &writer)
        }
    }

    /// proxy_bind: the local address of upstream connections, and whether it may be foreign (transparent).
    func proxyBindAddress() -> (address: SocketAddress, isTransparent: Bool)? {
        guard let bind = location.value.settings.value.proxy.bind else { return nil }
        switch bind.address {
        case .constant(let address): return SocketAddress(address).map { ($0, bind.isTransparent) }
        case .dynamic(let template):
            let text = evaluate(template)
            if text.isEmpty { return nil }
            guard let parsed = NetworkAddress(parsing: text), let address = SocketAddress(parsed) else {
                log(.error, "invalid local address \"\(text.string)\"")
                return nil
            }
            return (address, bind.isTransparent)
        }
    }

    // MARK: - The answer

    /// Takes over the fields of the upstream's head, but for those that are the connection's or the gateway's own.
    func takeHeaders(_ exchange: ExchangeRef) {
        let proxy = exchange.proxy
        guard let input = exchange.value.input else { return }
        let base = input.whole
        let head = exchange.value.answer
        value.response.status = Int(head.status)
        let line = head.statusLineRange.view(base)
        if !line.isEmpty { value.response.statusLine = line }
        if let length = head.contentLength, exchange.value.framing != .chunked { value.response.contentLength = Int64(length) }
        if exchange.value.framing == .chunked || head.status == 101 { value.response.contentLength = -1 }
        // The origin has seen the client's conditions and decided.
        value.response.skipsConditions = true
        if location.value.settings.value.proxy.forcesRanges {
            value.response.allowsRanges = true
            value.response.allowsOneRangeOnly = true
        }
        for index in 0..<exchange.value.fields.count {
            let field = exchange.value.fields[index]
            if field.flags.contains(.ignoredDuplicate) {
                log(.warning, "upstream sent duplicate header line: \"\(escapedForLog(field.name.view(base)))\", ignored",
                    while: "reading response header from upstream")
                continue
            }
            takeField(HeaderField(name: field.name.view(base), value: field.value.view(base), token: field.token, isHopByHop: field.isHopByHop), proxy)
        }
        if head.status == 101, let upgrade = exchange.value.fields.value(.upgrade, base) {
            value.response.append("Upgrade", upgrade, token: .upgrade)
        }
    }

    private func takeField(_ field: HeaderField, _ proxy: Ref<ProxyRuntime>) {
        if field.isHopByHop { return }
        switch field.token {
        case .unknown:
            if !proxy.value.hiddenNames.isEmpty, proxy.value.hiddenNames.containsName(field.name) { return }
            return value.response.fields.append(field)
        case .contentLength, .connection, .keepAlive, .transferEncoding, .upgrade: return
        case .acceptRanges where value.response.allowsOneRangeOnly: return
        case .status where proxy.value.hiddenTokens.contains(.status): return
        case .date:
            if !proxy.value.hiddenTokens.contains(.date) { value.response.date = field.value }
            return
        case .server:
            if !proxy.value.hiddenTokens.contains(.server) { value.response.server = field.value }
            return
        case .xAccelLimitRate where !proxy.value.ignored.contains(.accelLimitRate):
            if let rate = SizeText.number(field.value) { value.limitRate = rate }
        case .xAccelBuffering where !proxy.value.ignored.contains(.accelBuffering):
            if field.value.equalsIgnoringCase("no") { value.modules.bufferingOverride = false }
            if field.value.equalsIgnoringCase("yes") { value.modules.bufferingOverride = true }
        case .xAccelCharset where !proxy.value.ignored.contains(.accelCharset): value.modules.overrideCharset = field.value
        default: break
        }
        if proxy.value.hiddenTokens.contains(field.token) { return }
        switch field.token {
        case .contentType: value.response.setContentType(field.value)
        case .lastModified:
            value.response.lastModified = HTTPDate.parse(field.value) ?? -1
            value.response.lastModifiedText = field.value
        case .location:
            // A rewritten target is ours and becomes absolute like ours; one left as it is stays as it is.
            if proxy.value.redirects, let target = redirected(field.value) {
                value.response.location = target
            } else if field.value.first != 0x2f {
                value.response.location = field.value
            } else {
                value.response.fields.append(field)
            }
        case .refresh where proxy.value.redirects: value.response.append(field.name, lineSafe(redirectedRefresh(field.value)), token: .refresh)
        case .setCookie where proxy.value.rewritesCookies:
            value.response.append(field.name, lineSafe(rewrittenCookie(field.value, proxy)), token: .setCookie)
        default: value.response.fields.append(field)
        }
    }

    /// Whether proxy_buffering holds for this answer, after X-Accel-Buffering.
    var buffersAnswer: Bool { value.modules.bufferingOverride ?? true }

    var wantsUpgrade: Bool { main.value.hasConnectionUpgrade && field(.upgrade) != nil }

    /// The few fields that pass from an answer with X-Accel-Redirect to the page served instead.
    func takeAccelHeaders(_ exchange: ExchangeRef) {
        guard let input = exchange.value.input else { return }
        let base = input.whole
        for index in 0..<exchange.value.fields.count {
            let field = exchange.value.fields[index]
            switch field.token {
            case .setCookie, .contentDisposition, .cacheControl, .expires, .acceptRanges:
                value.response.append(keep(field.name.view(base)), keep(field.value.view(base)), token: field.token)
            case .contentType: value.response.setContentType(keep(field.value.view(base)))
            case .xAccelLimitRate where !exchange.proxy.value.ignored.contains(.accelLimitRate):
                if let rate = SizeText.number(field.value.view(base)) { value.limitRate = rate }
            default: break
            }
        }
    }

    func accelRedirect(to target: ByteView) {
        if target.first == 0x40 { return redirectToNamed(target) }
        guard let found = unsafeURI(target) else { return finish(.status(404)) }
        if value.method != .head {
            value.method = .get
            value.methodName = "GET"
        }
        internalRedirect(to: found.path, arguments: found.query)
    }
}

extension FixedList where Element == ByteView {
    /// Whether a field name is in the list, ignoring case.
    func containsName(_ name: ByteView) -> Bool {
        for index in indices where self[index].equalsIgnoringCase(name) { return true }
        return false
    }
}
