import Foundation
import Testing
import TestKit

/// One ambiguous or broken request; nothing of it, nor of what follows it, may reach the origin.
struct Vector: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: String
    /// nginx 1.22 is laxer here, so the reference run leaves it out.
    var strict = false
    var statuses: Set<Int> = [400]

    var testDescription: String { name }

    static let all = framing + chunks + heads
    static let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

    /// A POST with these framing fields and this body, and a second request behind it.
    static func post(_ name: String, _ fields: [String], _ body: String = "", strict: Bool = false, statuses: Set<Int> = [400]) -> Vector {
        Vector(name: name, bytes: "POST /x HTTP/1.1\r\nHost: a\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n" + body + smuggled,
               strict: strict, statuses: statuses)
    }

    static func head(_ name: String, _ text: String, strict: Bool = false, statuses: Set<Int> = [400]) -> Vector {
        Vector(name: name, bytes: text + smuggled, strict: strict, statuses: statuses)
    }

    static let framing: [Vector] = [
        .post("Content-Length and Transfer-Encoding", ["Content-Length: 5", "Transfer-Encoding: chunked"], "0\r\n\r\n"),
        .post("Transfer-Encoding and Content-Length", ["Transfer-Encoding: chunked", "Content-Length: 5"], "0\r\n\r\n"),
        .post("two different lengths", ["Content-Length: 0", "Content-Length: 5"]),
        .post("two equal lengths", ["Content-Length: 0", "Content-Length: 0"]),
        .post("a list of lengths", ["Content-Length: 0, 0"]),
        .post("a length with a plus", ["Content-Length: +0"]),
        .post("a negative length", ["Content-Length: -1"]),
        .post("a hexadecimal length", ["Content-Length: 0x0"]),
        .post("an empty length", ["Content-Length:"], strict: true),
        .post("a length with a space inside", ["Content-Length: 0 0"]),
        .post("an overflowing length", ["Content-Length: 18446744073709551616"], statuses: [400, 413]),
        .post("a length with a letter", ["Content-Length: 0a"]),
        .post("an unknown coding", ["Transfer-Encoding: xchunked"], "0\r\n\r\n", statuses: [400, 501]),
        .post("chunked that is not last", ["Transfer-Encoding: chunked, identity"], "0\r\n\r\n", statuses: [400, 501]),
        .post("gzip, chunked", ["Transfer-Encoding: gzip, chunked"], "0\r\n\r\n", statuses: [400, 501]),
        .post("chunked twice in one field", ["Transfer-Encoding: chunked, chunked"], "0\r\n\r\n", statuses: [400, 501]),
        .post("chunked in two fields", ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], "0\r\n\r\n", statuses: [400, 501]),
        .post("identity", ["Transfer-Encoding: identity"], statuses: [400, 501]),
        .post("an empty coding", ["Transfer-Encoding:"], strict: true, statuses: [400, 501]),
        .post("a quoted coding", ["Transfer-Encoding: \"chunked\""], "0\r\n\r\n", statuses: [400, 501]),
        .post("a vertical tab before the coding", ["Transfer-Encoding: \u{0B}chunked"], "0\r\n\r\n", strict: true, statuses: [400, 501]),
        .post("space before the colon", ["Transfer-Encoding : chunked"], "0\r\n\r\n"),
        .post("space before the colon of the length", ["Content-Length : 0"]),
        Vector(name: "chunked in HTTP/1.0", bytes: "POST /x HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled),
    ]

    static let chunks: [Vector] = [
        .post("a chunk size that is no number", ["Transfer-Encoding: chunked"], "g\r\n\r\n"),
        .post("an empty chunk size", ["Transfer-Encoding: chunked"], "\r\n\r\n"),
        .post("a negative chunk size", ["Transfer-Encoding: chunked"], "-1\r\n\r\n"),
        .post("a chunk size with 0x", ["Transfer-Encoding: chunked"], "0x0\r\n\r\n"),
        .post("an overflowing chunk size", ["Transfer-Encoding: chunked"], "10000000000000000\r\n", statuses: [400, 413]),
        .post("a chunk longer than its size", ["Transfer-Encoding: chunked"], "1\r\nxy\r\n0\r\n\r\n"),
        .post("a chunk without its end", ["Transfer-Encoding: chunked"], "1\r\nx0\r\n\r\n"),
        .post("a bare LF after the size", ["Transfer-Encoding: chunked"], "1\nx\r\n0\r\n\r\n", strict: true),
        .post("a bare LF after the chunk", ["Transfer-Encoding: chunked"], "1\r\nx\n0\r\n\r\n", strict: true),
        .post("a bare LF in an extension", ["Transfer-Encoding: chunked"], "1;a=b\nx\r\n0\r\n\r\n", strict: true),
        .post("a bare CR in an extension", ["Transfer-Encoding: chunked"], "1;a\rb\r\nx\r\n0\r\n\r\n", strict: true),
        .post("white space before the size", ["Transfer-Encoding: chunked"], " 1\r\nx\r\n0\r\n\r\n"),
    ]

    static let heads: [Vector] = [
        .head("no Host", "GET / HTTP/1.1\r\n\r\n"),
        .head("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        .head("two equal Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        .head("a Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", strict: true),
        .head("a Host with a slash", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        .head("a Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", strict: true),
        .head("a list of Hosts", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", strict: true),
        .head("a NUL in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
        .head("a NUL in a name", "GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n"),
        .head("a bare CR in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n\r\n", strict: true),
        .head("a control byte in a value", "GET / HTTP/1.1\r\nHost: a\r\nX: a\u{01}b\r\n\r\n", strict: true),
        .head("a folded field", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b: c\r\n\r\n"),
        .head("a space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        .head("an empty field name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", strict: true),
        .head("a line without a colon", "GET / HTTP/1.1\r\nHost: a\r\nnocolon\r\n\r\n", strict: true),
        .head("a control byte in the target", "GET /\u{01} HTTP/1.1\r\nHost: a\r\n\r\n"),
        .head("a NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        .head("a lower-case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .head("a method with a slash", "G/T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .head("HTTP/2 in a request line", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", statuses: [400, 505]),
        .head("HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", strict: true, statuses: [400, 505]),
        .head("a version with a letter", "GET / HTTP/1.x\r\nHost: a\r\n\r\n"),
        .head("no version number", "GET / HTTP/\r\nHost: a\r\n\r\n"),
        .head("climbing above the root", "GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n"),
        .head("climbing above the root, encoded", "GET /%2e%2e/etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n"),
        .head("a bad escape", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
        .head("a NUL by escape", "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"),
        .head("CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", statuses: [400, 405]),
        .head("TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", statuses: [405]),
    ]
}

@Suite("An ambiguous request", .blocking)
struct Smuggling {
    @Test("in its framing is refused, and the connection closed", arguments: Vector.framing.filter { !$0.strict })
    func framing(_ vector: Vector) throws { try refused(vector) }

    @Test("in its chunks is refused, and the connection closed", arguments: Vector.chunks.filter { !$0.strict })
    func chunks(_ vector: Vector) throws { try refused(vector) }

    @Test("in its head is refused, and the connection closed", arguments: Vector.heads.filter { !$0.strict })
    func heads(_ vector: Vector) throws { try refused(vector) }

    @Test("that nginx lets pass is refused, and the connection closed", .enabled(if: Target.isGoodgate, "nginx 1.22 is laxer here"),
          arguments: Vector.all.filter(\.strict))
    func strict(_ vector: Vector) throws { try refused(vector) }

    @Test("unbuffered, with broken chunks, is never completed towards the origin", arguments: Vector.chunks.filter { !$0.strict })
    func unbuffered(_ vector: Vector) throws { try neverCompleted(vector) }

    @Test("unbuffered, with chunks that nginx lets pass, is never completed towards the origin",
          .enabled(if: Target.isGoodgate, "nginx 1.22 is laxer here"), arguments: Vector.chunks.filter(\.strict))
    func strictUnbuffered(_ vector: Vector) throws { try neverCompleted(vector) }

    private func neverCompleted(_ vector: Vector) throws {
        let origin = try Origin { _ in .echo }
        let site = try Site(origin, location: "proxy_request_buffering off;")
        defer { site.stop() }
        let client = try site.client()
        try client.send(vector.bytes)
        let (bytes, how) = client.drain(seconds: 20)
        #expect(how != .timeout, "\(bytes.text)")
        #expect(origin.requests.isEmpty)
    }

    private func refused(_ vector: Vector) throws {
        let origin = try Origin { _ in .echo }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        try client.send(vector.bytes)
        let (bytes, how) = client.drain(seconds: 20)
        #expect(how == .end || how == .reset, "left open: \(bytes.text)")
        #expect(vector.statuses.contains(Int(bytes.text.dropFirst(9).prefix(3)) ?? 0), "\(bytes.text)")
        #expect(bytes.text.components(separatedBy: "HTTP/1.1 ").count == 2, "one answer: \(bytes.text)")
        #expect(origin.requests.isEmpty)
        #expect(origin.malformed.isEmpty)
    }
}

@Suite("Unusual but legal requests", .blocking)
struct LegalRequests {
    @Test("are served", arguments: [
        ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "an empty line before"),
        ("GET / HTTP/1.1\nHost: a\n\n", "sole LFs"),
        ("GET / HTTP/1.1\r\nhOsT:a\r\n\r\n", "no space after the colon"),
        ("GET / HTTP/1.1\r\nHost:   a  \r\n\r\n", "white space around the value"),
        ("GET / HTTP/1.1\r\nHost: a:8080\r\n\r\n", "a port"),
        ("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "an IPv6 Host"),
        ("GET /%41?%zz HTTP/1.1\r\nHost: a\r\n\r\n", "a query that is not decoded"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX-Empty:\r\n\r\n", "an empty value"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX-High: \u{e9}\r\n\r\n", "bytes above 127"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "a body of no bytes"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n00\r\n\r\n", "chunked in capitals"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a=\"b\"\r\nx\r\n0\r\nT: v\r\n\r\n", "extensions and trailers"),
    ])
    func served(_ bytes: String, _ name: String) throws { try check(bytes) }

    @Test("are served in the asterisk form, too", .enabled(if: Target.isGoodgate, "nginx answers 400"))
    func asterisk() throws { try check("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n") }

    private func check(_ bytes: String) throws {
        let origin = try Origin { _ in .answer() }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        for _ in 0..<2 {
            try client.send(bytes)
            #expect(try client.readReply().status == 200)
        }
        #expect(origin.malformed.isEmpty)
    }
}

@Suite("What leaves the gateway", .blocking, .enabled(if: Target.isGoodgate, "nginx lets a decoded %0d%0a split a message"))
struct Splitting {
    @Test("holds no line break from a decoded target", arguments: [
        "return 302 http://b.example$uri;", "add_header X-U $uri; return 200 x;", "rewrite ^ http://b.example$uri? permanent;",
        "charset $uri; default_type text/plain; return 200 x;",
    ])
    func responseSplitting(_ directive: String) throws {
        let site = try Site(server: "location / { \(directive) }")
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("GET", "/a%0d%0aX-Evil:%20yes"))
        let bytes = try client.readUntil("\r\n\r\n")
        #expect(!bytes.text.contains("\r\nX-Evil"))
    }

    @Test("holds no line break in what is made of an origin's answer", arguments: [
        "proxy_redirect / http://c.example$uri/;", "proxy_cookie_path / $uri;", "proxy_cookie_domain o.example $uri;",
    ])
    func rewrittenAnswer(_ directive: String) throws {
        let origin = try Origin { _ in
            .answer("302 Found", fields: ["Location: /x", "Refresh: 0; url=/x", "Set-Cookie: a=b; Path=/; Domain=o.example"])
        }
        let site = try Site(origin, location: directive)
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("GET", "/a%0d%0aX-Evil:%20yes"))
        let bytes = try client.readUntil("\r\n\r\n")
        #expect(bytes.text.hasPrefix("HTTP/1.1 302 "))
        #expect(!bytes.text.contains("\r\nX-Evil"))
    }

    @Test("holds no line break and no space in the target towards the origin either", arguments: [
        "proxy_set_header X-U $uri; rewrite ^ $uri break; proxy_pass http://@;", "proxy_pass http://@$uri;",
        "rewrite ^/(.*)$ /?$1 break; proxy_pass http://@;", "set $args u=$uri; proxy_pass http://@/;",
        "set $t $uri; proxy_pass http://@/$t;",
    ], ["/a%0d%0aX-Evil:%20yes", "/a%20HTTP/1.1%0d%0aX-Evil:yes%0d%0a%0d%0a"])
    func requestSplitting(_ directives: String, _ target: String) throws {
        let origin = try Origin { _ in .answer() }
        let location = directives.replacingOccurrences(of: "@", with: "127.0.0.1:\(origin.port)")
        let site = try Site(server: "location / { \(location) }")
        defer { site.stop() }
        #expect(try site.get(target).status == 200)
        #expect(origin.malformed.isEmpty)
        #expect(origin.requests.count == 1)
        #expect(origin.last["X-Evil"] == nil)
    }

    @Test("holds no method that is none")
    func methodSplitting() throws {
        let origin = try Origin { _ in .answer() }
        let site = try Site(origin, location: "proxy_method $arg_m$uri;")
        defer { site.stop(allowing: ["proxy_method"]) }
        #expect(try site.get("/%20HTTP/1.1%0d%0aX-Evil:yes").status == 500)
        #expect(origin.requests.isEmpty)
        #expect(site.gateway.waitForError("invalid \"proxy_method\" value \"/ HTTP/1.1\\x0D\\x0AX-Evil:yes\""))
    }
}
