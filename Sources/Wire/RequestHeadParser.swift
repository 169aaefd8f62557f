/// Parses the head of an HTTP/1 request, strictly (RFC 9112; docs/nginx-compatibility.md, "Known differences"), in place.
///
/// Resumable: when it needs more, it is called again with a buffer that holds the same bytes and more after them. The
/// buffer may have moved. Bytes that were looked at are not looked at again. HTTP/0.9 (`GET /x` without a version) is
/// refused with 400. No allocation, but for growth of the field table.
/// ```
/// leading empty lines → method → target → version → field lines → checks of the whole
/// ```
public struct RequestHeadParser: Sendable {
    /// The result; complete when `parse` said so. `method`, target and version are valid as soon as `hasRequestLine`.
    public internal(set) var head = RequestHead()
    /// Fields dropped because of their names (`HeadOptions.ignoreInvalidHeaders`).
    ///
    /// `mutating`, so that each request asks in place: what is only borrowed is passed as a copy of the whole parser.
    public var droppedFieldCount: Int { mutating get { lines.droppedCount } }
    /// The first dropped field line.
    public var firstDroppedField: ByteRange { lines.firstDropped }
    public private(set) var options: HeadOptions
    /// It stopped since it knows the server's name: `proceed` says by whose options it goes on.
    public private(set) var isPaused = false

    var line = RequestLineState()
    private var lines = FieldLineParser(position: 0)
    private var namesOtherFields = false
    private var pausesAtName: Bool
    private var rules: FieldLineParser.Rules

    /// - Parameter pausesAtName: `parse` returns `needMore` once, with `isPaused`, as soon as it knows the server's name.
    public init(options: HeadOptions, pausesAtName: Bool = false) {
        self.options = options
        self.pausesAtName = pausesAtName
        rules = FieldLineParser.Rules(options)
    }

    /// After a pause: the options of the server that was meant, for all that follows (nginx: the server of the fields after `Host`).
    public mutating func proceed(_ options: HeadOptions) {
        self.options = options
        rules = FieldLineParser.Rules(options)
        isPaused = false
    }

    /// Whether the request line is complete.
    public var hasRequestLine: Bool { line.phase == .done }

    /// Goes on parsing.
    ///
    /// - Parameters:
    ///   - bytes: all bytes of the head so far, from the first.
    ///   - fields: emptied by the first call; the caller keeps it between calls.
    public mutating func parse(_ bytes: ByteView, fields: inout FieldTable) -> HeadOutcome {
        if line.phase != .done {
            if line.phase == .lead { fields.removeAll() }
            switch parseRequestLine(bytes) {
            case .done:
                lines = FieldLineParser(position: line.scan)
                if pausesAtName, head.authorityRange != nil { return pause() }
            case .needMore: return .needMore
            case .failed(let error): return .failed(error)
            }
        }
        return parseFields(bytes, &fields)
    }

    private mutating func parseFields(_ bytes: ByteView, _ fields: inout FieldTable) -> HeadOutcome {
        while true {
            switch lines.nextOfHead(bytes, rules, options) {
            case .field:
                if let error = accept(lines.field, bytes, &fields) { return .failed(error) }
                if pausesAtName, head.hostRange != nil { return pause() }
            case .end:
                if let error = finish(bytes, &fields) { return .failed(error) }
                return .complete(headLength: lines.position)
            case .needMore: return .needMore
            case .failed(let error): return .failed(error)
            }
        }
    }

    @inline(never)
    private mutating func pause() -> HeadOutcome {
        pausesAtName = false
        isPaused = true
        return .needMore
    }

    /// Takes a field: counts it, and looks at the names that decide framing and routing. One that is wrong is kept too,
    /// for logs.
    @inline(__always)
    private mutating func accept(_ field: ParsedField, _ bytes: ByteView, _ fields: inout FieldTable) -> HeadError? {
        if fields.count >= Int(options.maxFields) { return HeadError(.tooManyFields) }
        if field.token != .unknown, let error = note(field, bytes, fields) {
            fields.append(field)
            return error
        }
        fields.append(field)
        return nil
    }

    private mutating func note(_ field: ParsedField, _ bytes: ByteView, _ fields: borrowing FieldTable) -> HeadError? {
        if fields.present.contains(field.token), field.token.isUniqueInRequest { return duplicate(field, fields) }
        switch field.token {
        case .host: return noteHost(field, bytes)
        case .connection: noteConnection(field.value.view(bytes))
        case .contentLength:
            guard let length = Decimal.parse(field.value.view(bytes)) else {
                return HeadError(.invalidContentLength, range: field.value)
            }
            head.contentLength = length
        case .expect:
            if field.value.view(bytes).equalsIgnoringCase("100-continue") {
                if head.isHTTP11 { head.flags.insert(.expectContinue) }
            } else {
                head.flags.insert(.unknownExpectation)
            }
        default: break
        }
        return nil
    }

    @inline(never)
    private func duplicate(_ field: ParsedField, _ fields: borrowing FieldTable) -> HeadError {
        let whole = ByteRange(from: field.name.start, to: field.value.end)
        var previous = ByteRange()
        if let index = fields.firstIndex(of: field.token) {
            previous = ByteRange(from: fields[index].name.start, to: fields[index].value.end)
        }
        return HeadError(
            field.token == .host ? .duplicateHost : .duplicateHeaderLine, range: whole, previous: previous)
    }

    private mutating func noteHost(_ field: ParsedField, _ bytes: ByteView) -> HeadError? {
        guard let host = HostValidator.validate(field.value.view(bytes)) else {
            return HeadError(.invalidHost, range: field.value)
        }
        head.hostRange = field.value
        if head.authorityRange == nil { setServerName(host, at: field.value) }
        return nil
    }

    mutating func setServerName(_ host: ValidHost, at range: ByteRange) {
        head.serverNameRange = ByteRange(
            from: range.start &+ host.host.lowerBound, to: range.start &+ host.host.upperBound)
        head.serverPort = host.port
        if host.needsLowercase { head.flags.insert(.serverNameNeedsLowercase) }
    }

    private mutating func noteConnection(_ value: ByteView) {
        if value.equalsIgnoringCase("keep-alive") {
            head.flags.insert(.connectionKeepAlive)
            return
        }
        var offset = 0
        while let member = HeaderList.next(value, &offset) {
            if member.equalsIgnoringCase("close") {
                head.flags.insert(.connectionClose)
            } else if member.equalsIgnoringCase("keep-alive") {
                head.flags.insert(.connectionKeepAlive)
            } else if member.equalsIgnoringCase("upgrade") {
                if head.isHTTP11 { head.flags.insert(.connectionUpgrade) }
            } else {
                namesOtherFields = true
            }
        }
    }

    /// Checks what only the whole head can tell.
    private mutating func finish(_ bytes: ByteView, _ fields: inout FieldTable) -> HeadError? {
        if head.hostRange == nil, head.isHTTP11 { return HeadError(.missingHost) }
        if let index = fields.firstIndex(of: .transferEncoding) {
            let value = fields[index].value
            if !head.isHTTP11 { return HeadError(.transferEncodingInHTTP10) }
            guard value.view(bytes).equalsIgnoringCase("chunked") else {
                return HeadError(.unknownTransferEncoding, range: value)
            }
            if head.contentLength != nil { return HeadError(.contentLengthWithTransferEncoding) }
            head.flags.insert(.chunked)
        }
        if namesOtherFields, let error = ConnectionOptions.mark(&fields, bytes) { return error }
        switch head.method {
        case .connect:
            if !options.allowsConnect || !head.isHTTP11 { return HeadError(.connectNotAllowed) }
            if head.hasBody { return HeadError(.connectWithBody) }
        case .trace: return HeadError(.traceNotAllowed)
        default: break
        }
        return nil
    }
}

extension FieldLineParser.Rules {
    /// Those of a request.
    init(_ options: HeadOptions) {
        self.init(
            invalidClasses: options.underscoresInHeaders ? 4 | 8 : 2 | 4 | 8, dropsInvalid: options.ignoreInvalidHeaders,
            strictLineEndings: options.strictLineEndings)
    }
}
