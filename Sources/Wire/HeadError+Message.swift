extension HeadError {
    /// Appends nginx's message for the error log, "client sent invalid method" or "upstream sent …", with the quoted
    /// bytes escaped.
    ///
    /// - Parameter base: the buffer that was parsed.
    /// - Returns: false if the writer is full; what fitted is there.
    @discardableResult
    public func writeMessage(_ base: ByteView, isUpstream: Bool = false, into writer: inout ByteWriter) -> Bool {
        writer.append(isUpstream ? "upstream" : "client")
        writer.append(text(isUpstream))
        switch reason {
        case .invalidHeaderLine:
            quote(range, base, &writer, close: false)
            writer.append("\\x")
            writer.append(hex: UInt64(byte), width: 2)
            writer.append("...\"")
        case .tooLongHeaderLine:
            quote(range, base, &writer, close: false)
            writer.append("...\"")
        case .duplicateHeaderLine, .duplicateHost, .duplicateContentLength, .duplicateTransferEncoding:
            quote(range, base, &writer, close: true)
            writer.append(", previous value:")
            quote(previous, base, &writer, close: true)
        case .unknownTransferEncoding:
            quote(range, base, &writer, close: true)
        case .invalidContentLength where isUpstream:
            quote(range, base, &writer, close: true)
        default: break
        }
        return !writer.isOverflown
    }

    /// Longest part of a line that is quoted, in bytes.
    private static var maxQuoted: Int { 1024 }

    private func quote(_ range: ByteRange, _ base: ByteView, _ writer: inout ByteWriter, close: Bool) {
        guard range.end <= base.count else { return }
        writer.append(" \"")
        LogEscape.default.write(range.view(base).prefix(Self.maxQuoted), into: &writer)
        if close { writer.append(byte: 0x22) }
    }

    private func text(_ isUpstream: Bool) -> ByteView {
        switch reason {
        case .invalidMethod: " sent invalid method"
        case .invalidRequestLine: " sent invalid request"
        case .invalidVersion: " sent invalid version"
        case .http09: " sent HTTP/0.9 request"
        case .tooManyEmptyLines: " sent too many empty lines"
        case .tooLongRequestLine: " sent too long URI"
        case .invalidHostInRequestLine: " sent invalid host in request line"
        case .invalidHeaderLine: isUpstream ? " sent invalid header:" : " sent invalid header line:"
        case .tooLongHeaderLine: isUpstream ? " sent too long header line:" : " sent too long header line:"
        case .tooLargeHead: isUpstream ? " sent too big header" : " sent too large request"
        case .tooManyFields: " sent too many header lines"
        case .duplicateHeaderLine, .duplicateContentLength, .duplicateTransferEncoding: " sent duplicate header line:"
        case .duplicateHost: " sent duplicate host header:"
        case .invalidHost: " sent invalid host header"
        case .missingHost: " sent HTTP/1.1 request without \"Host\" header"
        case .invalidContentLength:
            isUpstream ? " sent invalid \"Content-Length\" header:" : " sent invalid \"Content-Length\" header"
        case .contentLengthWithTransferEncoding:
            " sent \"Content-Length\" and \"Transfer-Encoding\" headers at the same time"
        case .unknownTransferEncoding: " sent unknown \"Transfer-Encoding\":"
        case .transferEncodingInHTTP10:
            isUpstream
                ? " sent HTTP/1.0 response with \"Transfer-Encoding\" header"
                : " sent HTTP/1.0 request with \"Transfer-Encoding\" header"
        case .connectNotAllowed: " sent CONNECT method"
        case .connectWithBody: " sent CONNECT request with body"
        case .traceNotAllowed: " sent TRACE method"
        case .invalidStatusLine: " sent no valid HTTP/1.0 header"
        case .unsupportedVersion: " sent unsupported HTTP version"
        }
    }
}
