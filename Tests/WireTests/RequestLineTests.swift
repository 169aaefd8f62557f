import Testing
import Wire

@Suite struct RequestLineTests {
    @Test(arguments: Method.allCases.filter { $0 != .other })
    func `each known method is recognised by its name`(method: Method) {
        #expect(Method.lookup(method.name) == method)
        #expect(Method.lookup(bytes(method.name.string.lowercased())) == .other)
        #expect(Method.lookup(bytes(method.name.string + "X")) == .other)
    }

    @Test func `POST, LOCK, PATCH and what nobody knows are not idempotent`() {
        #expect(Method.allCases.filter { !$0.isIdempotent } == [.post, .patch, .lock, .other])
    }

    @Test func `a plain request line is divided into its parts`() {
        let text = "GET /a/b.html?x=1&y=2 HTTP/1.1\r\nHost: Example.com:8080\r\n\r\n"
        let parsed = request(text)
        let head = parsed.head
        #expect(parsed.outcome == .complete(headLength: text.utf8.count))
        #expect(head.method == .get)
        #expect(head.methodRange.string(text) == "GET")
        #expect(head.targetForm == .origin)
        #expect(head.targetRange.string(text) == "/a/b.html?x=1&y=2")
        #expect(head.pathRange.string(text) == "/a/b.html")
        #expect(head.queryRange?.string(text) == "x=1&y=2")
        #expect(head.pathAndQueryRange.string(text) == "/a/b.html?x=1&y=2")
        #expect(head.protocolRange.string(text) == "HTTP/1.1")
        #expect(head.lineRange.string(text) == "GET /a/b.html?x=1&y=2 HTTP/1.1")
        #expect(head.versionMajor == 1 && head.versionMinor == 1)
        #expect(!head.hasComplexPath)
        #expect(head.hostRange?.string(text) == "Example.com:8080")
        #expect(head.serverNameRange.string(text) == "Example.com")
        #expect(head.serverPort == 8080)
        #expect(head.flags == [.serverNameNeedsLowercase])
        #expect(head.wantsKeepAlive && !head.hasBody)
    }

    @Test(
        arguments: [
            ("/", "/", nil), ("/a?", "/a", ""), ("/a?b?c", "/a", "b?c"), ("/a#f", "/a", nil), ("/a?b#f?g", "/a", "b"),
            ("/a#f?g", "/a", nil), ("/\u{e9}", "/\u{e9}", nil),
        ] as [(String, String, String?)])
    func `path, query and fragment`(target: String, path: String, query: String?) {
        let text = "GET \(target) HTTP/1.0\r\n\r\n"
        let head = request(text).head
        #expect(head.pathRange.string(text) == path)
        #expect(head.queryRange?.string(text) == query)
        #expect(head.pathAndQueryRange.string(text) == (query.map { path + "?" + $0 } ?? path))
    }

    @Test(arguments: [
        ("/plain.html", false, false, false), ("/a//b", true, false, false), ("/a/./b", true, false, false),
        ("/../b", true, false, false), ("/.hidden", true, false, false), ("/a%20b", false, true, false),
        ("/a+b", false, false, true), ("/a?b//c%20+", false, false, false), ("/a.b./c", false, false, false),
    ])
    func `flags say what a path needs`(path: String, complex: Bool, quoted: Bool, plus: Bool) {
        let flags = request("GET \(path) HTTP/1.0\r\n\r\n").head.flags
        #expect(flags.contains(.complexPath) == complex)
        #expect(flags.contains(.quotedPath) == quoted)
        #expect(flags.contains(.plusInPath) == plus)
    }

    @Test(
        arguments: [
            ("http://a.b/x?y", "a.b", nil, "/x", "y"), ("http://a.b", "a.b", nil, "/", nil),
            ("http://a.b:81", "a.b", 81, "/", nil), ("https://[::1]:443/", "[::1]", 443, "/", nil),
            ("http://a.b:81?args#f", "a.b", 81, "", "args"), ("coap+x-1.://h/", "h", nil, "/", nil),
            ("http://a.b./c", "a.b", nil, "/c", nil), ("http://a.b:/c", "a.b", nil, "/c", nil),
        ] as [(String, String, UInt16?, String, String?)])
    func `the absolute form names the host`(
        target: String, host: String, port: UInt16?, path: String, query: String?
    ) {
        let text = "GET \(target) HTTP/1.1\r\nHost: other\r\n\r\n"
        let parsed = request(text)
        let head = parsed.head
        #expect(reason(parsed.outcome) == nil)
        #expect(head.targetForm == .absolute)
        #expect(head.serverNameRange.string(text) == host)
        #expect(head.serverPort == port)
        #expect(head.pathRange.string(text) == path)
        #expect(head.flags.contains(.emptyPath) == path.isEmpty)
        #expect(head.queryRange?.string(text) == query)
        #expect(head.hostRange?.string(text) == "other")
    }

    @Test func `the asterisk form is for OPTIONS only`() {
        let text = "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"
        let head = request(text).head
        #expect(head.targetForm == .asterisk && head.pathRange.string(text) == "*")
        #expect(reason(request("GET * HTTP/1.1\r\nHost: a\r\n\r\n").outcome) == .invalidRequestLine)
        #expect(reason(request("OPTIONS *x HTTP/1.1\r\nHost: a\r\n\r\n").outcome) == .invalidRequestLine)
    }

    @Test func `CONNECT is refused unless allowed, and needs a port`() {
        let text = "CONNECT a.b:443 HTTP/1.1\r\nHost: a.b\r\n\r\n"
        #expect(reason(request(text).outcome) == .connectNotAllowed)
        var options = HeadOptions()
        options.allowsConnect = true
        let parsed = request(text, options: options)
        #expect(parsed.outcome == .complete(headLength: text.utf8.count))
        #expect(parsed.head.targetForm == .authority)
        #expect(parsed.head.authorityRange?.string(text) == "a.b:443")
        #expect(parsed.head.pathRange.string(text) == "/")
        #expect(reason(request("CONNECT a.b HTTP/1.1\r\n\r\n", options: options).outcome) == .invalidRequestLine)
        #expect(reason(request("CONNECT / HTTP/1.1\r\n\r\n", options: options).outcome) == .invalidHostInRequestLine)
        let body = "CONNECT a:1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"
        #expect(reason(request(body, options: options).outcome) == .connectWithBody)
    }

    @Test(
        arguments: [
            ("GET / HTTP/1.1", nil), ("GET  /  HTTP/1.1  ", nil), ("X-M_Y / HTTP/1.1", nil),
            ("get / HTTP/1.1", .invalidMethod), ("G\u{0}T / HTTP/1.1", .invalidMethod),
            (" GET / HTTP/1.1", .invalidMethod),
            ("GET\t/ HTTP/1.1", .invalidMethod), ("1ET / HTTP/1.1", .invalidMethod),
            ("GET x HTTP/1.1", .invalidRequestLine), ("GET /\u{1} HTTP/1.1", .invalidRequestLine),
            ("GET /\u{7f} HTTP/1.1", .invalidRequestLine), ("GET /a\tb HTTP/1.1", .invalidRequestLine),
            ("GET /?a\tb HTTP/1.1", .invalidRequestLine), ("GET /?a#\u{2} HTTP/1.1", .invalidRequestLine),
            ("GET / / HTTP/1.1", .invalidRequestLine), ("GET / http/1.1", .invalidRequestLine),
            ("GET / HTTP/1.1x", .invalidRequestLine), ("GET / HTTP/1.11", .invalidRequestLine),
            ("GET / HTTP/1.", .invalidRequestLine), ("GET / HTTP/x.1", .invalidRequestLine),
            ("GET / HTTP/0.9", .invalidRequestLine), ("GET / HTTP/01.1", .invalidRequestLine),
            ("GET / HTTP/1.1 x", .invalidRequestLine), ("GET / HTTP/2.0", .invalidVersion),
            ("GET / HTTP/2", .invalidVersion), ("GET / HTTP/11.1", .invalidVersion),
            ("GET / HTTP/9.9", .invalidVersion),
            ("GET /", .http09), ("GET / ", .http09), ("POST /a?b", .http09), ("GET http://a", .http09),
            ("GET http:/a HTTP/1.1", .invalidRequestLine), ("GET http:a HTTP/1.1", .invalidRequestLine),
            ("GET http:///x HTTP/1.1", .invalidHostInRequestLine), ("GET http://a b/ HTTP/1.1", .invalidRequestLine),
            ("GET http://u@h/ HTTP/1.1", .invalidHostInRequestLine),
            ("GET http://a:b/ HTTP/1.1", .invalidHostInRequestLine),
            ("GET http://a#f HTTP/1.1", .invalidHostInRequestLine),
            ("GET http://[::1/ HTTP/1.1", .invalidHostInRequestLine),
            ("GET ht_tp://a/ HTTP/1.1", .invalidRequestLine),
        ] as [(String, HeadError.Reason?)])
    func `request lines are judged strictly`(line: String, expected: HeadError.Reason?) {
        #expect(reason(request(line + "\r\nHost: a\r\n\r\n").outcome) == expected)
    }

    @Test func `a sole LF ends a line unless line ends are strict`() {
        let text = "\nGET / HTTP/1.1\nHost: a\n\n"
        #expect(request(text).outcome == .complete(headLength: text.utf8.count))
        var strict = HeadOptions()
        strict.strictLineEndings = true
        #expect(reason(request(text, options: strict).outcome) == .invalidMethod)
        #expect(reason(request("GET / HTTP/1.1\nHost: a\r\n\r\n", options: strict).outcome) == .invalidRequestLine)
        #expect(reason(request("GET / HTTP/1.1\r\nHost: a\n\r\n", options: strict).outcome) == .invalidHeaderLine)
        #expect(reason(request("GET / HTTP/1.1\r\nHost: a\r\n\n", options: strict).outcome) == .invalidHeaderLine)
        let good = "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(request(good, options: strict).outcome == .complete(headLength: good.utf8.count))
    }

    @Test func `empty lines before the request line are skipped up to a limit`() {
        let line = "GET / HTTP/1.0\r\n\r\n"
        #expect(reason(request(String(repeating: "\r\n", count: 16) + line).outcome) == nil)
        #expect(reason(request(String(repeating: "\r\n", count: 17) + line).outcome) == .tooManyEmptyLines)
        #expect(reason(request("\r" + line).outcome) == .invalidMethod)
    }

    @Test func `status codes of refusals`() {
        #expect(HeadError(.invalidVersion).status == 505)
        #expect(HeadError(.tooLongRequestLine).status == 414)
        #expect(HeadError(.tooManyFields).status == 494)
        #expect(HeadError(.unknownTransferEncoding).status == 501)
        #expect(HeadError(.traceNotAllowed).status == 405)
        #expect(HeadError(.http09).status == 400)
    }
}
