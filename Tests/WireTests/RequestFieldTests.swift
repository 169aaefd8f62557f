import Testing
import Wire

@Suite struct RequestFieldTests {
    private func outcome(_ fields: String, version: String = "1.1", options: HeadOptions = HeadOptions()) -> HeadError
        .Reason?
    {
        reason(request("GET / HTTP/\(version)\r\n\(fields)\r\n\r\n", options: options).outcome)
    }

    @Test func `fields keep their order, with trimmed values`() {
        let text = "GET / HTTP/1.1\r\nHost: a\r\nX-One:  \t v 1\t \r\nx-one:\r\nAccept:*/*\r\n\r\n"
        let parsed = request(text)
        #expect(parsed.fields.map { $0.name.string(text) } == ["Host", "X-One", "x-one", "Accept"])
        #expect(parsed.fields.map { $0.value.string(text) } == ["a", "v 1", "", "*/*"])
        #expect(parsed.fields.map(\.token) == [.host, .unknown, .unknown, .accept])
        #expect(parsed.fields[1].hash == parsed.fields[2].hash)
        #expect(parsed.fields[1].hash == FieldHash.hash("X-ONE"))
    }

    @Test func `fields are found by token, by name and by variable`() {
        let base = bytes("GET / HTTP/1.1\r\nHost: a\r\nX-Foo-Bar: 1\r\nCookie: x\r\nx-foo-bar: 2\r\ncookie: y\r\n\r\n")
        var table = FieldTable()
        var parser = RequestHeadParser(options: HeadOptions())
        #expect(parser.parse(base, fields: &table) == .complete(headLength: base.count))
        #expect(table.firstIndex(of: .cookie) == 2)
        #expect(table.firstIndex(of: .cookie, from: 3) == 4)
        #expect(table.firstIndex(of: .cookie, from: 5) == nil)
        #expect(table.firstIndex(of: .referer) == nil)
        #expect(table.value(.cookie, base) == "x")
        let hash = FieldHash.hash("X-FOO-BAR")
        #expect(table.firstIndex(named: "X-FOO-BAR", hash: hash, base) == 1)
        #expect(table.firstIndex(named: "X-FOO-BAR", hash: hash, base, from: 2) == 3)
        #expect(table.firstIndex(variable: "x_foo_bar", base) == 1)
        #expect(table.firstIndex(variable: "x_foo", base) == nil)
    }

    @Test(
        arguments: [
            ("Host: a", nil), ("Host : a", .invalidHeaderLine), ("Host\t: a", .invalidHeaderLine),
            (" Host: a", .invalidHeaderLine), (": a", .invalidHeaderLine), ("Host", .invalidHeaderLine),
            ("Host: a\r\n folded", .invalidHeaderLine), ("Host: a\r\nX: \u{0}", .invalidHeaderLine),
            ("Host: a\r\nX: a\rb", .invalidHeaderLine), ("Host: a\r\nX: \u{1f}", .invalidHeaderLine),
            ("Host: a\r\nX: \u{7f}", .invalidHeaderLine), ("Host: a\r\nX\u{2}: b", .invalidHeaderLine),
            ("Host: a\r\nX: a\tb", nil), ("Host: a\r\nX: \u{e9}", nil), ("Host: a\r\r\nX: b", .invalidHeaderLine),
            ("X: 1", .missingHost), ("Host: a\r\nHost: a", .duplicateHost), ("Host:", .invalidHost),
            ("Host: a b", .invalidHost), ("Host: a,b", nil), ("Host: a/b", .invalidHost),
            ("Host: a:70000", .invalidHost),
            ("Host: a\r\nContent-Length: 5", nil), ("Host: a\r\nContent-Length: +5", .invalidContentLength),
            ("Host: a\r\nContent-Length: 0x5", .invalidContentLength),
            ("Host: a\r\nContent-Length:", .invalidContentLength),
            ("Host: a\r\nContent-Length: 5, 5", .invalidContentLength),
            ("Host: a\r\nContent-Length: -1", .invalidContentLength),
            ("Host: a\r\nContent-Length: 9223372036854775807", nil),
            ("Host: a\r\nContent-Length: 9223372036854775808", .invalidContentLength),
            ("Host: a\r\nContent-Length: 99999999999999999999999", .invalidContentLength),
            ("Host: a\r\nContent-Length: 5\r\nContent-Length: 5", .duplicateHeaderLine),
            ("Host: a\r\nTransfer-Encoding: chunked", nil), ("Host: a\r\nTransfer-Encoding: CHUNKED", nil),
            ("Host: a\r\nTransfer-Encoding: identity", .unknownTransferEncoding),
            ("Host: a\r\nTransfer-Encoding: gzip, chunked", .unknownTransferEncoding),
            ("Host: a\r\nTransfer-Encoding: chunked, chunked", .unknownTransferEncoding),
            ("Host: a\r\nTransfer-Encoding:", .unknownTransferEncoding),
            ("Host: a\r\nTransfer-Encoding: \u{b}chunked", .invalidHeaderLine),
            ("Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked", .duplicateHeaderLine),
            ("Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", .contentLengthWithTransferEncoding),
            ("Host: a\r\nAuthorization: a\r\nAuthorization: b", .duplicateHeaderLine),
            ("Host: a\r\nCookie: a\r\nCookie: b", nil), ("Host: a\r\nX-Forwarded-For: a\r\nX-Forwarded-For: b", nil),
        ] as [(String, HeadError.Reason?)])
    func `fields are judged strictly`(fields: String, expected: HeadError.Reason?) {
        #expect(outcome(fields) == expected)
    }

    @Test func `HTTP 1 dot 0 needs no host and must not be chunked`() {
        #expect(outcome("X: 1", version: "1.0") == nil)
        #expect(outcome("Transfer-Encoding: chunked", version: "1.0") == .transferEncodingInHTTP10)
    }

    @Test func `TRACE is refused`() {
        #expect(reason(request("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n").outcome) == .traceNotAllowed)
    }

    @Test(arguments: [
        ("", "1.1", true), ("Connection: close", "1.1", false), ("Connection: x, CLOSE", "1.1", false),
        ("", "1.0", false),
        ("Connection: Keep-Alive", "1.0", true), ("Connection: keep-alive, close", "1.1", false),
        ("Connection: closed", "1.1", true),
    ])
    func `keep-alive by version and Connection`(field: String, version: String, keeps: Bool) {
        let text = "GET / HTTP/\(version)\r\nHost: a\r\n\(field.isEmpty ? "" : field + "\r\n")\r\n"
        #expect(request(text).head.wantsKeepAlive == keeps)
    }

    @Test func `upgrade and expect count in HTTP 1 dot 1 only`() {
        let fields = "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nExpect: 100-Continue\r\n\r\n"
        let newer = request("GET / HTTP/1.1\r\n" + fields).head
        #expect(newer.flags == [.connectionUpgrade, .expectContinue])
        let older = request("GET / HTTP/1.0\r\n" + fields).head
        #expect(older.flags == [])
        #expect(request("GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n").head.flags == [.unknownExpectation])
    }

    @Test func `fields named by Connection are hop-by-hop, but for protected ones`() {
        let text =
            "GET / HTTP/1.1\r\nHost: a\r\nX-Secret: 1\r\nX-Forwarded-For: 2\r\n"
            + "Connection: x-secret, Host, x-forwarded-for\r\nTE: trailers\r\nKeep-Alive: 1\r\nX: 2\r\n\r\n"
        let names = request(text).fields.filter(\.isHopByHop).map { $0.name.string(text) }
        #expect(names == ["X-Secret", "Connection", "TE", "Keep-Alive"])
    }

    @Test func `invalid names are dropped, kept or refused as configured`() {
        let text = "GET / HTTP/1.0\r\nx_foo: 1\r\nx.foo: 2\r\n_f: 3\r\nx: 4\r\n\r\n"
        let dropping = request(text)
        #expect(dropping.fields.map { $0.value.string(text) } == ["4"])
        #expect(dropping.dropped == 3)
        var options = HeadOptions()
        options.underscoresInHeaders = true
        #expect(request(text, options: options).fields.map { $0.value.string(text) } == ["1", "3", "4"])
        options = HeadOptions()
        options.ignoreInvalidHeaders = false
        let keeping = request(text, options: options)
        #expect(keeping.fields.map { $0.value.string(text) } == ["1", "2", "3", "4"])
        #expect(keeping.fields.map(\.isValidName) == [false, false, false, true])
        #expect(outcome("Host: a\r\n<x>: 1") == nil)
        #expect(outcome("Host: a\r\n<x>: 1", options: options) == .invalidHeaderLine)
    }

    @Test func `limits of lines, head and number of fields`() {
        var options = HeadOptions()
        options.maxLineLength = 20
        options.maxHeadLength = 60
        options.maxFields = 2
        #expect(reason(request("GET /1234 HTTP/1.0\r\n\r\n", options: options).outcome) == nil)
        #expect(reason(request("GET /12345 HTTP/1.0\r\n\r\n", options: options).outcome) == .tooLongRequestLine)
        #expect(outcome("A: 456789012345678", version: "1.0", options: options) == nil)
        #expect(outcome("A: 4567890123456789", version: "1.0", options: options) == .tooLongHeaderLine)
        #expect(outcome("A: 1\r\nB: 2\r\nC: 3", version: "1.0", options: options) == .tooManyFields)
        let long = "A: 34567890123\r\nB: 34567890123\r\nC: 345678901234"
        #expect(outcome(long, version: "1.0", options: options) == .tooLargeHead)
    }

    @Test("names no more fields in Connection than we look at: the head is refused, none is overlooked")
    func connectionMembers() {
        let names = (1...64).map { "a\($0)" }.joined(separator: ", ")
        #expect(outcome("Connection: \(names)\r\nA64: x", version: "1.0") == nil)
        #expect(outcome("Connection: \(names), x-secret\r\nX-Secret: x", version: "1.0") == .tooManyFields)
        #expect(outcome("Connection: \(names)\r\nConnection: x-secret\r\nX-Secret: x", version: "1.0") == .tooManyFields)
    }

    @Test(arguments: [
        (HeadError(.invalidMethod), "client sent invalid method"),
        (HeadError(.missingHost), "client sent HTTP/1.1 request without \"Host\" header"),
        (
            HeadError(.invalidHeaderLine, range: ByteRange(offset: 0, length: 3), byte: 1),
            "client sent invalid header line: \"abc\\x01...\""
        ),
        (
            HeadError(.tooLongHeaderLine, range: ByteRange(offset: 1, length: 2)),
            "client sent too long header line: \"bc...\""
        ),
        (
            HeadError(.unknownTransferEncoding, range: ByteRange(offset: 3, length: 1)),
            "client sent unknown \"Transfer-Encoding\": \"\\x0A\""
        ),
        (
            HeadError(
                .duplicateHost, range: ByteRange(offset: 0, length: 1), previous: ByteRange(offset: 1, length: 1)),
            "client sent duplicate host header: \"a\", previous value: \"b\""
        ),
    ])
    func `messages are nginx's, escaped`(error: HeadError, message: String) {
        #expect(written { error.writeMessage("abc\n", into: &$0) } == message)
    }

    @Test func `known names are found in any case and nothing else is`() {
        for raw in 1..<HeaderToken.count {
            let token = HeaderToken(rawValue: UInt8(raw))
            let name = token.name.string
            #expect(!name.isEmpty)
            #expect(HeaderToken.lookup(bytes(name)) == token)
            #expect(HeaderToken.lookup(bytes(name.uppercased())) == token)
            #expect(HeaderToken.lookup(bytes(name.lowercased())) == token)
            #expect(HeaderToken.lookup(bytes(name + "x")) == .unknown)
            #expect(HeaderToken.lookup(bytes(String(name.dropLast()))) != token)
            // "\r" folds to "-" and "@" to "`": neither may be taken for the name.
            let odd = name.map { $0 == "-" ? "\r" : $0 }
            if name.contains("-") { #expect(HeaderToken.lookup(bytes(String(odd))) == .unknown) }
            let parsed = request("GET / HTTP/1.0\r\n\(name): 1\r\n\r\n")
            if let field = parsed.fields.first { #expect(field.token == token) }
        }
        #expect(HeaderToken.lookup("") == .unknown)
        #expect(HeaderToken.lookup("transfer-encodinx") == .unknown)
        #expect(HeaderToken.lookup("transfer-xncoding") == .unknown)
    }

    @Test func `long names that differ in the middle only are told apart`() {
        let text = "GET / HTTP/1.0\r\ntransferXencoding: x\r\n\r\n"
        #expect(request(text).fields.map(\.token) == [.unknown])
    }
}
