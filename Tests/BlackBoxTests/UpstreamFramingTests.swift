import Testing
import TestKit

/// An answer that no careful proxy may pass on.
struct BadAnswer: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: String
    /// nginx 1.22 passes it on.
    let strict: Bool

    init(_ name: String, _ bytes: String, strict: Bool = false) {
        self.name = name
        self.bytes = bytes
        self.strict = strict
    }

    var testDescription: String { name }

    private static let chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"

    static let all: [BadAnswer] = [
        BadAnswer("garbage", "this is not HTTP\r\n\r\n", strict: true),
        BadAnswer("nothing", ""),
        BadAnswer("a status line cut short", "HTTP/1.1 20"),
        BadAnswer("a head cut short", "HTTP/1.1 200 OK\r\nContent-Le"),
        BadAnswer("a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", strict: true),
        BadAnswer("a status below 100", "HTTP/1.1 099 No\r\nContent-Length: 0\r\n\r\n", strict: true),
        BadAnswer("two different lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", strict: true),
        BadAnswer("length and chunked", chunkedHead + "Content-Length: 5\r\n\r\n0\r\n\r\n", strict: true),
        BadAnswer("a length with a plus", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab", strict: true),
        BadAnswer("a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nab", strict: true),
        BadAnswer("an unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: zip\r\n\r\nab", strict: true),
        BadAnswer("a NUL in a value", "HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n"),
        BadAnswer("a folded field", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n", strict: true),
        BadAnswer("a space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", strict: true),
        BadAnswer("a field without a colon", "HTTP/1.1 200 OK\r\nnocolon\r\nContent-Length: 0\r\n\r\n", strict: true),
        BadAnswer("an unasked 101", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", strict: true),
        BadAnswer("a head without end", "HTTP/1.1 200 OK\r\n" + String(repeating: "X-Long: 01234567890123456789\r\n", count: 8_000)),
    ]
}

@Suite("An origin's answer", .blocking)
struct UpstreamFraming {
    @Test("that is not HTTP/1.1 as it should be is a 502", arguments: BadAnswer.all)
    func illegal(_ answer: BadAnswer) throws {
        if answer.strict && !Target.isGoodgate { return }
        let origin = try Origin { _ in .sequence([.bytes(Bytes(answer.bytes)), .close]) }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        #expect(try client.request().status == 502)
        #expect(site.gateway.accessLines(1)[0].contains("\" 502 "))
        #expect(site.gateway.errorLog.contains("[error]"), "said why")
    }

    @Test("with broken chunks is cut off, never completed",
          .enabled(if: Target.isGoodgate, "nginx 1.22 ends some of them properly"), arguments: [
        "5\r\nhello\r\nzz\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "5\r\nhello\r\n-1\r\n", "5\r\nhello\r\n10000000000000000\r\n",
    ])
    func brokenChunks(_ chunks: String) throws {
        let origin = try Origin { _ in
            let head = Bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            return .sequence([.bytes(head), .delay(0.05, .bytes(Bytes(chunks))), .silence])
        }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("GET", "/"))
        let (bytes, how) = client.drain(seconds: 3)
        #expect(how == .end || how == .reset)
        #expect(!bytes.text.hasSuffix("0\r\n\r\n"))
    }

    @Test("to HEAD, 204 and 304 with a body does not spill into the next answer", arguments: [
        ("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not Modified"),
    ])
    func unexpectedBody(_ method: String, _ status: String) throws {
        let origin = try Origin { request in
            request.target == "/next" ? .answer(body: Bytes("next"))
                : .bytes(Bytes("HTTP/1.1 \(status)\r\nContent-Length: 4\r\n\r\nevil"))
        }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        #expect(try client.request(method).status == Int(status.prefix(3)))
        #expect(try client.request("GET", "/next").text == "next")
    }

    @Test("before the request was complete is passed, and the rest of the body thrown away")
    func earlyAnswer() throws {
        let origin = try RawOrigin { client in
            _ = try client.readUntil("\r\n\r\n")
            try client.send("HTTP/1.1 403 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        }
        let site = try Site(server: """
            client_max_body_size 0;
            location / { proxy_pass http://127.0.0.1:\(origin.port); proxy_request_buffering off; proxy_http_version 1.1; }
            """)
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("POST", "/", ["Content-Length: 100"]) + Bytes("start"))
        let reply = try client.readReply()
        #expect(reply.status == 403)
        #expect(reply.text == "no")
    }

    @Test("on HTTP/1.0 terms is served until its end")
    func version10() throws {
        let origin = try Origin { _ in .sequence([.bytes(Bytes("HTTP/1.0 200 OK\r\nX: y\r\n\r\nbody")), .close]) }
        let site = try Site(origin)
        defer { site.stop() }
        #expect(try site.get().text == "body")
    }

    @Test("may carry any number of 100 Continue before it", .enabled(if: Target.isGoodgate, "nginx 1.22 takes the first for the answer"))
    func interim() throws {
        let origin = try Origin { _ in
            .bytes(Bytes("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
        }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        var reply = try client.request("POST", "/", body: Bytes("x"))
        while reply.status < 200 { reply = try client.readReply() }
        #expect(reply.text == "ok")
    }
}
