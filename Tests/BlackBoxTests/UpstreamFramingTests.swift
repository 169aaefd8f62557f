import Foundation
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
    @Test("that is not HTTP/1.1 as it should be is a 502", arguments: BadAnswer.all.filter { !$0.strict })
    func illegal(_ answer: BadAnswer) throws { try check(answer) }

    @Test("that is not, and that nginx passes on, is a 502", .enabled(if: Target.isGoodgate, "nginx 1.22 passes it on"),
          arguments: BadAnswer.all.filter(\.strict))
    func strict(_ answer: BadAnswer) throws { try check(answer) }

    private func check(_ answer: BadAnswer) throws {
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

    @Test("with broken chunks right behind its head is a 502, and another peer is asked first", .enabled(if: Target.isGoodgate))
    func brokenFirstChunk() throws {
        let bad = try Origin { _ in .bytes(Bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n")) }
        let good = try Origin(answer: "good")
        let site = try Site(
            http: "upstream both { server 127.0.0.1:\(bad.port); server 127.0.0.1:\(good.port) backup; }",
            server: """
                location / { proxy_pass http://127.0.0.1:\(bad.port); }
                location /both { proxy_next_upstream error invalid_header; proxy_pass http://both; }
                """)
        defer { site.stop() }
        #expect(try site.get("/").status == 502)
        #expect(try site.get("/both").body.text == "good")
        #expect(site.gateway.errorLog.contains("upstream sent invalid chunked response"))
    }

    @Test("that nobody can buffer is said once, and comes as fast as the client takes it")
    func noTemporaryFile() throws {
        let body = Bytes(String(repeating: "0123456789abcdef", count: 1_500_000))
        let origin = try Origin { _ in .answer(body: body) }
        let site = try Site(origin, location: "proxy_buffers 4 8k; proxy_temp_path gone;")
        defer { site.stop(allowing: ["[crit]"]) }
        try FileManager.default.removeItem(atPath: site.gateway.directory.path + "/gone")
        let client = try site.client()
        try client.send(Client.head("GET", "/"))
        #expect(site.gateway.waitForError("[crit]"))
        #expect(try client.readReply().body == body)
        let lines = site.gateway.errorLog.split(separator: "\n").filter { $0.contains("[crit]") }
        #expect(lines.count == 1, "\(lines)")
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

    @Test("that begins during the upload is relayed while the rest of the request is sent")
    func answerDuringUpload() throws {
        let answer = Bytes.patterned(400_000), upload = Bytes.patterned(3_000_000)
        let received = Box(0)
        let origin = try RawOrigin { client in
            _ = try client.readUntil("\r\n\r\n")
            received.value = try client.readExactly(10_000).count
            try client.send("HTTP/1.1 200 OK\r\nContent-Length: \(answer.count)\r\n\r\n")
            for piece in 0..<39 {
                try client.send(Bytes(answer[(piece * 10_000)..<((piece + 1) * 10_000)]))
                received.value += try client.readExactly(76_000).count
            }
            // A whole answer ends the exchange, so its last piece comes when the request is here.
            received.value += try client.readExactly(upload.count - 10_000 - 39 * 76_000).count
            try client.send(Bytes(answer[390_000...]))
        }
        let site = try Site(server: """
            client_max_body_size 0;
            location / { proxy_pass http://127.0.0.1:\(origin.port); proxy_request_buffering off; proxy_http_version 1.1; }
            """)
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("POST", "/", bodyCount: upload.count) + upload)
        let reply = try client.readReply()
        #expect(reply.status == 200)
        #expect(reply.body.fingerprint == answer.fingerprint)
        #expect(eventually { received.value == upload.count })
    }

    @Test("never comes from a fallback that would get a part of the body only")
    func fallbackAfterLostBody() throws {
        let second = try Origin { _ in .answer(body: Bytes("fallback")) }
        let first = try RawOrigin { client in
            _ = try client.readUntil("\r\n\r\n")
            _ = try client.readExactly(50)
            client.close()
        }
        let site = try Site(server: """
            client_max_body_size 0; proxy_request_buffering off; proxy_http_version 1.1;
            location / { proxy_pass http://127.0.0.1:\(first.port); error_page 502 = @fallback; }
            location @fallback { proxy_pass http://127.0.0.1:\(second.port); }
            """)
        defer { site.stop(allowing: ["while"]) }
        let client = try site.client()
        try client.send(Client.head("POST", "/", ["Content-Length: 100"]) + Bytes.patterned(50))
        #expect(try client.readReply().status == 502)
        #expect(site.gateway.waitForError("the request body was already sent to another upstream and was not buffered"))
        #expect(second.requests.isEmpty)
        // A request without a body has lost nothing.
        first.stop()
        #expect(try site.get("/").text == "fallback")
    }

    @Test("of a fallback is to a request with that location's own framing", arguments: [
        ("", "HTTP/1.1", "hello"), ("proxy_set_body instead;", "HTTP/1.1", "instead"), ("proxy_pass_request_body off;", "HTTP/1.1", ""),
        ("proxy_http_version 1.0;", "HTTP/1.0", "hello"),
    ])
    func fallbackFraming(_ location: String, _ version: String, _ body: String) throws {
        let origin = try Origin { _ in .answer(body: Bytes("x")) }
        let site = try Site(server: """
            proxy_request_buffering off; \(location.contains("version") ? "" : "proxy_http_version 1.1;")
            location / { proxy_http_version 1.1; proxy_pass http://127.0.0.1:\(Ports.free()); error_page 502 = @fallback; }
            location @fallback { proxy_pass http://127.0.0.1:\(origin.port); \(location) }
            """)
        defer { site.stop(allowing: ["while"]) }
        let client = try site.client()
        try client.send(Client.head("POST", "/", ["Transfer-Encoding: chunked"]) + Bytes("5\r\nhello\r\n0\r\n\r\n"))
        #expect(try client.readReply().text == "x")
        let request = try #require(origin.requests.first)
        #expect(request.version == version)
        #expect(request.body.text == body)
        #expect(request.isChunked == (location == ""))
        #expect(request["Transfer-Encoding"] == (location == "" ? "chunked" : nil))
    }

    @Test("may be slow to take an upload: that is not the client's fault")
    func slowTaker() throws {
        let upload = Bytes.patterned(12_000_000)
        let origin = try RawOrigin { client in
            _ = try client.readUntil("\r\n\r\n")
            usleep(3_500_000)
            _ = try client.readExactly(upload.count)
            try client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
        let site = try Site(server: """
            client_max_body_size 0; client_body_timeout 2s; proxy_send_timeout 20s;
            location / { proxy_pass http://127.0.0.1:\(origin.port); proxy_request_buffering off; proxy_http_version 1.1; }
            """)
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("POST", "/", bodyCount: upload.count) + upload)
        #expect(try client.readReply().text == "ok")
    }

    @Test("204 that announces a body is the last one on its connection", .enabled(if: Target.isGoodgate))
    func bodyAfter204() throws {
        let origin = try Origin { request in
            request.target == "/none" ? .bytes(Bytes("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n")) : .answer(body: Bytes("x"))
        }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        #expect(try client.request("GET", "/none").status == 204)
        #expect(try client.request("GET", "/").text == "x")
        #expect(origin.requests.map(\.connection) == [1, 2])
    }

    @Test("may have a head as large as proxy_buffer_size", arguments: [("", 502), ("proxy_buffer_size 32k; proxy_buffers 8 32k;", 200)])
    func headSize(_ location: String, _ status: Int) throws {
        let fields = (0..<5).map { "X-\($0): " + String(repeating: "v", count: 4_000) }
        let origin = try Origin { _ in .answer(fields: fields, body: Bytes("x")) }
        let site = try Site(origin, location: location)
        defer { site.stop(allowing: ["too big header"]) }
        let reply = try site.get()
        #expect(reply.status == status)
        if status == 200 { #expect(reply["X-4"]?.utf8.count == 4_000) }
    }

    @Test("may set any rate", arguments: ["999999999999999999", "1000000000000", "0", "x", "-1"])
    func accelRate(_ rate: String) throws {
        let origin = try Origin { _ in .chunks([Bytes("a"), Bytes("b"), Bytes("c")], pause: 0.6, fields: ["X-Accel-Limit-Rate: \(rate)"]) }
        let site = try Site(origin)
        defer { site.stop() }
        #expect(try site.get().text == "abc")
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
