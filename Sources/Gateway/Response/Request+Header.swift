import Config
import Glibc
import Loop
import Wire

extension Ref where Value == Request {
    /// Sends the head: filters first, then the bytes into the output (nginx: header filters, ngx_http_header_filter).
    func sendHeader() {
        guard !value.isHeaderSent else { return }
        value.isHeaderSent = true
        guard isMain else { return installBodyFilters() }
        if value.errorStatus != 0 {
            value.response.status = value.errorStatus
            value.response.statusLine = nil
        }
        let location = location
        value.isHeaderOnly = value.method == .head
        filterNotModified()
        if location.value.hasHeaderSettings { addConfiguredHeaders() }
        if location.value.hasBodyFilters { installBodyFilters() }
        if value.response.allowsRanges { filterRanges() }
        switch value.response.status {
        case 204, 304, 100..<200:
            value.isHeaderOnly = true
            value.response.contentLength = -1
            if value.response.status == 304 { value.response.contentType = nil }
        default:
            if value.response.contentLength < 0 { decideFraming() }
        }
        writeHead()
    }

    /// No length known: chunked for HTTP/1.1, else until close.
    private func decideFraming() {
        if value.versionMinor >= 1, location.value.chunkedAllowed {
            if value.method != .head { value.isChunked = true }
        } else {
            value.isKeepalive = false
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
        if value.response.lastModified >= 0 {
            buffer.append("Last-Modified: ")
            appendHTTPDate(value.response.lastModified, to: buffer)
            buffer.append("\r\n")
        }
        if let target = value.response.location, !target.isEmpty {
            buffer.append("Location: ")
            appendAbsolute(target, to: buffer)
            buffer.append("\r\n")
        }
        if value.isChunked || (value.method == .head && value.response.contentLength < 0 && value.versionMinor >= 1
            && location.value.chunkedAllowed && !value.isHeaderOnlyStatus) {
            buffer.append("Transfer-Encoding: chunked\r\n")
        }
        appendConnection(buffer)
        if value.response.addsVary { buffer.append("Vary: Accept-Encoding\r\n") }
        for index in value.response.fields.indices {
            let field = value.response.fields[index]
            if field.isRemoved { continue }
            append(field.name, field.value, to: buffer)
        }
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
