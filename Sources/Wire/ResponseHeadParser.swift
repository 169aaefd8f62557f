/// Parses the head of an HTTP/1 response, as `RequestHeadParser` does for requests.
///
/// An answer without a status line (HTTP/0.9) is refused. 1xx heads are complete heads; the caller starts a new parser
/// after them. As in nginx, "_" is a valid byte of a name and invalid names are never a reason to refuse; but names with
/// bytes that are no token characters are dropped, because they cannot be sent on.
public struct ResponseHeadParser: Sendable {
    public private(set) var head = ResponseHead()
    public var droppedFieldCount: Int { lines.droppedCount }
    public var firstDroppedField: ByteRange { lines.firstDropped }
    public let options: HeadOptions

    private var hasStatusLine = false
    private var isFresh = true
    private var scan = 0
    private var lines = FieldLineParser(position: 0)
    private var namesOtherFields = false
    private let rules: FieldLineParser.Rules

    /// - Parameter options: `ignoreInvalidHeaders`, `underscoresInHeaders` and the request's options are not used.
    public init(options: HeadOptions) {
        self.options = options
        rules = FieldLineParser.Rules(
            invalidClasses: 8, dropsInvalid: true, strictLineEndings: options.strictLineEndings)
    }

    /// Goes on parsing; see `RequestHeadParser.parse`.
    public mutating func parse(_ bytes: ByteView, fields: inout FieldTable) -> HeadOutcome {
        if isFresh {
            isFresh = false
            fields.removeAll()
        }
        if !hasStatusLine {
            let limit = min(Int(options.maxLineLength), Int(options.maxHeadLength))
            let limited = bytes.prefix(limit)
            switch parseStatusLine(limited) {
            case .next: break
            case .wait:
                return limited.count < limit ? .needMore : .failed(HeadError(.tooLargeHead))
            case .bad(let reason): return .failed(HeadError(reason, range: ByteRange(from: 0, to: scan)))
            }
            hasStatusLine = true
            lines = FieldLineParser(position: scan)
        }
        return parseFields(bytes, &fields)
    }

    private mutating func parseFields(_ bytes: ByteView, _ fields: inout FieldTable) -> HeadOutcome {
        while true {
            switch lines.nextOfHead(bytes, rules, options) {
            case .field:
                if let error = accept(lines.field, bytes, &fields) { return .failed(error) }
            case .end:
                if namesOtherFields, let error = ConnectionOptions.mark(&fields, bytes) { return .failed(error) }
                return .complete(headLength: lines.position)
            case .needMore: return .needMore
            case .failed(let error): return .failed(error)
            }
        }
    }

    /// "HTTP/1.1 200 OK". Scans from the front each time it is called for an incomplete line up to the status code,
    /// then from where it stopped.
    private mutating func parseStatusLine(_ bytes: ByteView) -> RequestLineState.Progress {
        if head.statusLineRange.offset == 0 {
            let progress = parseStatusCode(bytes)
            guard case .next = progress else { return progress }
        }
        var end = ByteScan.firstControl(bytes, from: scan)
        while end < bytes.count, bytes[end] == 0x09 { end = ByteScan.firstControl(bytes, from: end &+ 1) }
        scan = end
        guard end < bytes.count else { return .wait }
        var after = end &+ 1
        if bytes[end] == 0x0d {
            guard after < bytes.count else { return .wait }
            guard bytes[after] == 0x0a else { return .bad(.invalidStatusLine) }
            after &+= 1
        } else if bytes[end] != 0x0a || options.strictLineEndings {
            return .bad(.invalidStatusLine)
        }
        head.statusLineRange = ByteRange(from: head.statusLineRange.start, to: end)
        scan = after
        return .next
    }

    /// Up to and with the byte after the status code; leaves the start of the code in `statusLineRange`.
    private mutating func parseStatusCode(_ bytes: ByteView) -> RequestLineState.Progress {
        let name: ByteView = "HTTP/1."
        var index = 0
        while index < 7 {
            guard index < bytes.count else { return .wait }
            guard bytes[index] == name[index] else {
                let isOtherVersion = index >= 5 && bytes[index] &- 0x30 < 10
                return .bad(isOtherVersion ? .unsupportedVersion : .invalidStatusLine)
            }
            index &+= 1
        }
        guard bytes.count > 8 else {
            if bytes.count == 8, bytes[7] &- 0x30 >= 10 { return .bad(.invalidStatusLine) }
            return .wait
        }
        guard bytes[7] &- 0x30 < 10, bytes[8] == 0x20 else { return .bad(.invalidStatusLine) }
        index = 9
        while index < bytes.count, bytes[index] == 0x20 { index &+= 1 }
        var code: UInt16 = 0
        var place = 0
        while place < 3 {
            guard index &+ place < bytes.count else { return .wait }
            let digit = bytes[index &+ place] &- 0x30
            guard digit < 10, place > 0 || digit > 0 else { return .bad(.invalidStatusLine) }
            code = code &* 10 &+ UInt16(digit)
            place &+= 1
        }
        guard index &+ 3 < bytes.count else { return .wait }
        switch bytes[index &+ 3] {
        // IIS sends "403.1".
        case 0x20, 0x2e, 0x0d, 0x0a: break
        default: return .bad(.invalidStatusLine)
        }
        head.versionMajor = 1
        head.versionMinor = bytes[7] &- 0x30
        head.status = code
        head.statusLineRange = ByteRange(from: index, to: index &+ 3)
        scan = index &+ 3
        return .next
    }
}

extension ResponseHeadParser {
    @inline(__always)
    private mutating func accept(_ field: ParsedField, _ bytes: ByteView, _ fields: inout FieldTable) -> HeadError? {
        if fields.count >= Int(options.maxFields) { return HeadError(.tooManyFields) }
        if field.token == .unknown {
            fields.append(field)
            return nil
        }
        var noted = field
        if let error = note(&noted, bytes, fields) { return error }
        fields.append(noted)
        return nil
    }

    private mutating func note(
        _ field: inout ParsedField, _ bytes: ByteView, _ fields: borrowing FieldTable
    ) -> HeadError? {
        let isRepeated = fields.present.contains(field.token)
        switch field.token {
        case .contentLength:
            if isRepeated { return duplicate(field, fields, .duplicateContentLength) }
            if isChunked { return HeadError(.contentLengthWithTransferEncoding) }
            guard let length = Decimal.parse(field.value.view(bytes)) else {
                return HeadError(.invalidContentLength, range: whole(field))
            }
            head.contentLength = length
        case .transferEncoding:
            if isRepeated { return duplicate(field, fields, .duplicateTransferEncoding) }
            if head.contentLength != nil { return HeadError(.contentLengthWithTransferEncoding) }
            guard field.value.view(bytes).equalsIgnoringCase("chunked") else {
                return HeadError(.unknownTransferEncoding, range: field.value)
            }
            // Framing of an HTTP/1.0 message with it is faulty (RFC 9112, 6.1).
            if head.versionMinor == 0 { return HeadError(.transferEncodingInHTTP10) }
            head.flags.insert(.chunked)
        case .connection: noteConnection(field.value.view(bytes))
        case .keepAlive: noteKeepAlive(field.value.view(bytes))
        default:
            if isRepeated, field.token.isUniqueInResponse { field.flags.insert(.ignoredDuplicate) }
        }
        return nil
    }

    private var isChunked: Bool { head.flags.contains(.chunked) }

    private func whole(_ field: ParsedField) -> ByteRange { ByteRange(from: field.name.start, to: field.value.end) }

    @inline(never)
    private func duplicate(
        _ field: ParsedField, _ fields: borrowing FieldTable, _ reason: HeadError.Reason
    ) -> HeadError {
        let previous = fields.firstIndex(of: field.token).map { whole(fields[$0]) } ?? ByteRange()
        return HeadError(reason, range: whole(field), previous: previous)
    }

    private mutating func noteConnection(_ value: ByteView) {
        var offset = 0
        while let member = HeaderList.next(value, &offset) {
            if member.equalsIgnoringCase("close") {
                head.flags.insert(.connectionClose)
            } else if member.equalsIgnoringCase("keep-alive") {
                head.flags.insert(.connectionKeepAlive)
            } else if member.equalsIgnoringCase("upgrade") {
                head.flags.insert(.connectionUpgrade)
            } else {
                namesOtherFields = true
            }
        }
    }

    /// "timeout=5, max=100"
    private mutating func noteKeepAlive(_ value: ByteView) {
        let name: ByteView = "timeout="
        var offset = 0
        while let member = HeaderList.next(value, &offset) {
            guard member.count > name.count, member.prefix(name.count).equalsIgnoringCase(name),
                let seconds = Decimal.parse(member.dropFirst(name.count))
            else { continue }
            head.keepAliveTimeoutSeconds = UInt32(clamping: seconds)
        }
    }
}
