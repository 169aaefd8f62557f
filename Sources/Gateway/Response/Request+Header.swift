import Config
import Glibc
import Loop
import Wire

extension Ref where Value == Request {
    /// Sends the head: filters first, then the bytes into the output (nginx: header filters, ngx_http_header_filter).
    ///
    /// - Returns: false if a filter answers in the handler's stead (412, 416): the request may be gone, the handler returns at once.
    @discardableResult
    func sendHeader() -> Bool {
        guard !value.isHeaderSent else { return true }
        guard isMain else {
            value.isHeaderSent = true
            installBodyFilters()
            return true
        }
        guard !value.isPostAction else {
            value.isHeaderSent = true
            value.isHeaderOnly = true
            return true
        }
        if value.errorStatus != 0 {
            value.response.status = value.errorStatus
            value.response.statusLine = nil
        }
        if value.body.state == .unread { discardUnwantedBody() }
        if worker.value.isDraining || worker.value.isFull { value.isKeepalive = false }
        let location = location
        value.isHeaderOnly = value.method == .head
        guard passesConditions() else { return refuseAnswer(412) }
        if let settings = location.value.headers { addConfiguredHeaders(settings) }
        if location.value.filters != nil { installBodyFilters() }
        if value.response.allowsRanges, !filterRanges() { return refuseAnswer(416) }
        value.isHeaderSent = true
        if location.value.isNoDelay != connection.value.isNoDelay { connection.setNoDelay(location.value.isNoDelay) }
        switch value.response.status {
        case 204, 304, 100..<200:
            value.isHeaderOnly = true
            value.response.contentLength = -1
            // Of an upstream's 204 its fields are passed on (nginx: ngx_http_header_filter).
            let isOwnEmpty = value.response.status == 204 && value.response.statusLine == nil
            if isOwnEmpty { (value.response.lastModified, value.response.lastModifiedText) = (-1, nil) }
            if isOwnEmpty || value.response.status == 304 { value.response.contentType = nil }
        default: decideFraming(location)
        }
        writeHead()
        return true
    }

    /// No length known, or trailers follow: chunked for HTTP/1.1, else until close.
    private func decideFraming(_ location: Ref<Location>) {
        guard value.method != .head else { return }
        let hasTrailers = location.value.headers.map { expectsTrailers($0) } ?? false
        guard value.response.contentLength < 0 || hasTrailers else { return }
        if value.versionMinor >= 1, location.value.chunkedAllowed {
            if hasTrailers { value.response.contentLength = -1 }
            value.isChunked = true
        } else if value.response.contentLength < 0 {
            value.isKeepalive = false
        }
    }

    /// A filter throws the handler's answer away (nginx: ngx_http_filter_finalize_request).
    private func refuseAnswer(_ status: Int) -> Bool {
        if status == 412 { value.response.reset() }
        if let exchange = value.exchange {
            keepFields()
            exchange.detach()
        }
        if !value.filters.isEmpty { value.filters.removeAll() }
        value.hasAnswerFilter = false
        finish(.status(status))
        return false
    }

    /// Copies the fields, which lie in the head of an upstream that is given up.
    private func keepFields() {
        value.response.date = nil
        value.response.server = nil
        value.response.location = nil
        value.response.lastModifiedText = nil
        for index in value.response.fields.indices {
            value.response.fields[index].name = keep(value.response.fields[index].name)
            value.response.fields[index].value = keep(value.response.fields[index].value)
        }
    }

    private func writeHead() {
        let buffer = outputBuffer()
        let start = buffer.count
        let worker = worker
        buffer.append("HTTP/1.1 ")
        appendStatus(buffer)
        buffer.append("\r\n")
        if let server = value.response.server {
            if !server.isEmpty { append("Server", server, to: buffer) }
        } else {
            switch location.value.sendsServerToken {
            case .off: append("Server", worker.value.identity.serverName, to: buffer)
            default: append("Server", worker.value.identity.serverToken, to: buffer)
            }
        }
        if let date = value.response.date {
            append("Date", date, to: buffer)
        } else {
            buffer.append("Date: ")
            buffer.append(worker.httpDate)
            buffer.append("\r\n")
        }
        if let type = value.response.contentType, !type.isEmpty {
            buffer.append("Content-Type: ")
            buffer.append(type)
            if let charset = value.response.charset, value.response.contentTypeBare == type {
                buffer.append("; charset=")
                buffer.append(charset)
            }
            buffer.append("\r\n")
        }
        if value.response.contentLength >= 0 {
            buffer.append("Content-Length: ")
            buffer.append(decimal: UInt64(value.response.contentLength))
            buffer.append("\r\n")
        }
        if let text = value.response.lastModifiedText {
            append("Last-Modified", text, to: buffer)
        } else if value.response.lastModified >= 0, value.response.showsLastModified {
            buffer.append("Last-Modified: ")
            appendHTTPDate(value.response.lastModified, to: buffer)
            buffer.append("\r\n")
        }
        if let target = value.response.location.map({ targetSafe($0) }), !target.isEmpty {
            buffer.append("Location: ")
            appendAbsolute(target, to: buffer)
            buffer.append("\r\n")
        }
        if value.isChunked {
            buffer.append("Transfer-Encoding: chunked\r\n")
        }
        appendConnection(buffer)
        if value.response.addsVary { buffer.append("Vary: Accept-Encoding\r\n") }
        for index in value.response.fields.indices {
            let field = value.response.fields[index]
            if field.isRemoved { continue }
            append(field.name, field.value, to: buffer)
        }
        if value.failure.count > 0 { appendProxyStatus(buffer) }
        buffer.append("\r\n")
        value.headerSize += Int64(buffer.count - start)
    }

    private func append(_ name: ByteView, _ text: ByteView, to buffer: Ref<Buffer>) {
        buffer.append(name)
        buffer.append(": ")
        buffer.append(text)
        buffer.append("\r\n")
    }

    private func appendStatus(_ buffer: Ref<Buffer>) {
        if let line = value.response.statusLine { return buffer.append(line) }
        if let line = StatusText.line(value.response.status) { return buffer.append(line) }
        buffer.append(decimal: UInt64(max(0, value.response.status)))
        buffer.append(0x20)
    }

    private func appendConnection(_ buffer: Ref<Buffer>) {
        if value.response.status == 101 {
            buffer.append("Connection: upgrade\r\n")
        } else if value.isKeepalive {
            buffer.append("Connection: keep-alive\r\n")
            if location.value.keepaliveHeader > 0 {
                buffer.append("Keep-Alive: timeout=")
                buffer.append(decimal: UInt64(location.value.keepaliveHeader))
                buffer.append("\r\n")
            }
        } else {
            buffer.append("Connection: close\r\n")
        }
    }

    func appendHTTPDate(_ seconds: Int64, to buffer: Ref<Buffer>) {
        buffer.write(reserving: 32) { writer in
            HTTPDate.write(seconds, into: &writer)
        }
    }

    /// A path becomes an absolute URL with absolute_redirect (RFC 9110 allows both forms).
    private func appendAbsolute(_ target: ByteView, to buffer: Ref<Buffer>) {
        guard target.first == 0x2f, location.value.settings.value.core.isAbsoluteRedirect, value.response.status != 201 else { return buffer.append(target) }
        let core = location.value.settings
        buffer.append("http://")
        if core.value.core.usesServerNameInRedirect, !server.value.name.isEmpty {
            buffer.append(server.value.name)
        } else if let host = value.host {
            buffer.append(host)
        } else {
            connection.localAddress.append(to: buffer, withPort: false)
        }
        let port = connection.localAddress.port
        if core.value.core.usesPortInRedirect, port != 80, port != 0 {
            buffer.append(0x3a)
            buffer.append(decimal: UInt64(port))
        }
        buffer.append(target)
    }
}

extension Request {
    /// 1xx, 204 and 304 have neither body nor framing.
    var isHeaderOnlyStatus: Bool { response.status < 200 || response.status == 204 || response.status == 304 }
}
