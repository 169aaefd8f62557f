import Config
import Loop
import Wire

/// `$sent_http_…` of the fields that are not in the list of fields: they are written when the head is.
extension Ref where Value == Request {
    /// nil: not sent, or not one of these.
    func sentBuiltin(_ name: BuiltinVariable) -> ByteView? {
        switch name {
        case .sentContentType: return sentContentType
        case .sentContentLength: return value.response.contentLength >= 0 ? decimal(value.response.contentLength) : nil
        case .sentLocation: return value.response.location ?? value.response.field(.location)
        case .sentLastModified:
            if let text = value.response.lastModifiedText { return text }
            return value.response.lastModified >= 0 ? compose { appendHTTPDate(value.response.lastModified, to: $0) } : nil
        case .sentConnection: return value.response.status == 101 ? "upgrade" : value.isKeepalive ? "keep-alive" : "close"
        case .sentKeepAlive:
            guard value.isKeepalive, location.value.keepaliveHeader > 0 else { return nil }
            return compose { out in
                out.append("timeout=")
                out.append(decimal: UInt64(location.value.keepaliveHeader))
            }
        case .sentTransferEncoding: return value.isHeaderSent && isBodyFramedInChunks ? "chunked" : nil
        default: return nil
        }
    }

    private var sentContentType: ByteView? {
        guard let type = value.response.contentType, !type.isEmpty else { return nil }
        guard let charset = value.response.charset, value.response.contentTypeBare == type else { return type }
        return compose { out in
            out.append(type)
            out.append("; charset=")
            out.append(charset)
        }
    }

    /// As it was decided when the head was written, also after the last chunk.
    private var isBodyFramedInChunks: Bool {
        if value.isChunked { return true }
        return value.response.contentLength < 0 && !value.isHeaderOnly && value.response.status != 101 && value.versionMinor >= 1
            && location.value.chunkedAllowed
    }
}
