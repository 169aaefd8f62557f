import Testing
import TestKit

@Suite("A proxied request", .blocking)
struct ProxyBasics {
    @Test("reaches the origin and its answer reaches the client")
    func roundTrip() throws {
        let origin = try Origin(answer: "hello")
        let site = try Site(origin)
        defer { site.stop() }
        let reply = try site.get("/a?b=c")
        #expect(reply.status == 200)
        #expect(reply.text == "hello")
        #expect(reply["Content-Length"] == "5")
        #expect(reply["Connection"] == "keep-alive")
        #expect(reply["Date"]?.hasSuffix(" GMT") == true)
        #expect(origin.last.method == "GET")
        #expect(origin.last.target == "/a?b=c")
        #expect(origin.last.version == "HTTP/1.1")
    }

    @Test("carries any method and its body", arguments: ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "M-X"])
    func methods(_ method: String) throws {
        let origin = try Origin { _ in .echo }
        let site = try Site(origin)
        defer { site.stop() }
        let reply = try site.get("/m", method: method, body: method == "GET" ? [] : Bytes("payload"))
        #expect(reply.status == 200)
        #expect(origin.last.method == method)
        #expect(origin.last.body.text == (method == "GET" ? "" : "payload"))
    }

    @Test("maps the URI by proxy_pass's own path", arguments: [
        ("location /a/ { proxy_pass http://origin/b/; }", "/a/x?q=1", "/b/x?q=1"),
        ("location /a/ { proxy_pass http://origin; }", "/a/x?q=1", "/a/x?q=1"),
        ("location /a { proxy_pass http://origin/; }", "/a/x", "//x"),
        ("location /a/ { proxy_pass http://origin/; }", "/a/", "/"),
        ("location /a/ { proxy_pass http://origin/b?z=; }", "/a/x", "/b?z=x"),
        ("location / { proxy_pass http://origin; }", "/a%20b/../c//d", "/a%20b/../c//d"),
        ("location /p/ { proxy_pass http://origin/q/; }", "/p/a%20b/./c//d", "/q/a%20b/c/d"),
        ("location /r/ { rewrite ^/r/(.*)$ /s/$1 break; proxy_pass http://origin; }", "/r/x?y", "/s/x?y"),
        ("location /a/ { set $args new=1; proxy_pass http://origin; }", "/a/x?old=1", "/a/x?new=1"),
        ("location /i/ { if ($arg_x) { set $args \"$args&add=1\"; } proxy_pass http://origin; }", "/i/?x=1", "/i/?x=1&add=1"),
        ("location = /v { proxy_pass http://origin$request_uri; }", "/v?w=%41", "/v?w=%41"),
    ])
    func uriMapping(_ location: String, _ sent: String, _ received: String) throws {
        let origin = try Origin(answer: "ok")
        let site = try Site(http: "upstream origin { server 127.0.0.1:\(origin.port); }", server: location)
        defer { site.stop() }
        #expect(try site.get(sent).status == 200)
        #expect(origin.last.target == received)
    }

    @Test("of HTTP/1.0 is answered and the connection closed")
    func version10() throws {
        let origin = try Origin(answer: "old")
        let site = try Site(origin)
        defer { site.stop() }
        let reply = try Client.exchange(site.port, "GET / HTTP/1.0\r\n\r\n")
        #expect(reply.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(reply.contains("\r\nConnection: close\r\n"))
        #expect(reply.hasSuffix("\r\n\r\nold"))
    }

    @Test("of HTTP/1.0 that asks for keep-alive keeps the connection")
    func version10KeepAlive() throws {
        let origin = try Origin(answer: "old")
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        for _ in 0..<2 {
            try client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            let reply = try client.readReply()
            #expect(reply["Connection"] == "keep-alive")
            #expect(reply.text == "old")
        }
    }

    @Test("with HEAD gives the fields of GET and no body")
    func head() throws {
        let origin = try Origin { _ in .answer(fields: ["X-A: b"], body: Bytes("twelve bytes")) }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        let reply = try client.request("HEAD", "/")
        #expect(reply["Content-Length"] == "12")
        #expect(reply["X-A"] == "b")
        #expect(try client.request("GET", "/").text == "twelve bytes", "the connection is in step afterwards")
        #expect(origin.requests.map(\.method) == ["HEAD", "GET"])
    }

    @Test("answered without a body passes 204 and 304 as they are", arguments: ["204 No Content", "304 Not Modified"])
    func bodiless(_ status: String) throws {
        let origin = try Origin { _ in .bytes(Bytes("HTTP/1.1 \(status)\r\nETag: \"x\"\r\n\r\n")) }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        for _ in 0..<2 {
            let reply = try client.request("GET", "/", ["If-None-Match: \"x\""])
            #expect(reply.status == Int(status.prefix(3)))
            #expect(reply["ETag"] == "\"x\"")
            #expect(reply["Transfer-Encoding"] == nil)
        }
    }

    @Test("in absolute form goes by the target's authority")
    func absoluteForm() throws {
        let origin = try Origin(answer: "ok")
        let site = try Site(origin, location: "proxy_set_header Host $host; proxy_http_version 1.1;")
        defer { site.stop() }
        let client = try site.client()
        try client.send("GET http://b.example/p?q HTTP/1.1\r\nHost: a.example\r\n\r\n")
        #expect(try client.readReply().status == 200)
        #expect(origin.last["Host"] == "b.example")
        #expect(origin.last.target == "/p?q")
    }
}

@Suite("A client connection", .blocking)
struct ClientConnections {
    @Test("serves many requests one after the other, over one upstream connection")
    func keepAlive() throws {
        let origin = try Origin { .answer(body: Bytes("#\($0.index)")) }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        for index in 1...20 { #expect(try client.request("GET", "/\(index)").text == "#\(index)") }
        #expect(origin.connections == 1)
    }

    @Test("serves pipelined requests in order")
    func pipelining() throws {
        let origin = try Origin { $0.target == "/1" ? .delay(0.1, .answer(body: Bytes("one"))) : .answer(body: Bytes($0.target)) }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        let heads = (1...10).map { Client.head("GET", "/\($0)") }
        try client.send(heads.reduce([], +))
        let replies = try (1...10).map { _ in try client.readReply().text }
        #expect(replies == ["one"] + (2...10).map { "/\($0)" })
    }

    @Test("serves any number of pipelined requests that are answered at once, one after the other and not one inside the other")
    func deepPipelining() throws {
        let site = try Site(server: "keepalive_requests 1000000; location / { return 200 $connection_requests; }")
        defer { site.stop() }
        let client = try site.client(timeout: 30)
        let size = 6_000
        let batch = Bytes(String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: size))
        for round in 0..<4 {
            try client.send(batch)
            for index in 1...size {
                let reply = try client.readReply()
                try #require(reply.text == "\(round * size + index)")
            }
        }
    }

    @Test("serves a pipelined request behind a request body")
    func pipelinedBody() throws {
        let origin = try Origin { _ in .echo }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        try client.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /g HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.readReply().text.hasSuffix("abc"))
        #expect(try client.readReply().text.hasPrefix("GET /g "))
    }

    @Test("closes after the answer when the client says so")
    func closeAsked() throws {
        let origin = try Origin(answer: "bye")
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        #expect(try client.request("GET", "/", ["Connection: close"])["Connection"] == "close")
        #expect(client.isClosedByPeer())
    }

    @Test("closes after keepalive_requests and when keepalive_timeout passes")
    func keepAliveLimits() throws {
        let origin = try Origin(answer: "x")
        let site = try Site(
            origin, server: "keepalive_requests 2; location /idle { proxy_pass http://origin; keepalive_timeout 300ms; }")
        defer { site.stop() }
        let client = try site.client()
        #expect(try client.request()["Connection"] == "keep-alive")
        #expect(try client.request()["Connection"] == "close")
        #expect(client.isClosedByPeer())
        let idle = try site.client()
        let start = Deadline.now()
        #expect(try idle.request("GET", "/idle").status == 200)
        #expect(idle.isClosedByPeer())
        let waited = Double(Deadline.now() - start) / 1e9
        #expect(waited > 0.25 && waited < 20)
    }

    @Test("is closed by keepalive_timeout 0 after each answer")
    func keepAliveOff() throws {
        let origin = try Origin(answer: "x")
        let site = try Site(origin, server: "keepalive_timeout 0;")
        defer { site.stop() }
        let client = try site.client()
        #expect(try client.request()["Connection"] == "close")
        #expect(client.isClosedByPeer())
    }

    @Test("that is half closed still gets its answer")
    func halfClose() throws {
        let origin = try Origin { _ in .delay(0.1, .answer(body: Bytes("late"))) }
        let site = try Site(origin, location: "proxy_ignore_client_abort on;")
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("GET", "/"))
        client.halfClose()
        #expect(try client.readReply().text == "late")
    }

    @Test("may send its head byte by byte")
    func byteByByte() throws {
        let origin = try Origin { _ in .echo }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        for byte in Bytes("POST /slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: v\r\n\r\n") {
            try client.send([byte])
        }
        let reply = try client.readReply()
        #expect(reply.status == 200)
        #expect(reply.text.hasSuffix("\r\n\r\nhello"))
    }

    @Test("is served again after an answer made by the gateway")
    func localAnswerKeepsConnection() throws {
        let origin = try Origin(answer: "x")
        let site = try Site(origin, server: "location = /no { return 404; } location = /text { return 200 \"t\"; }")
        defer { site.stop() }
        let client = try site.client()
        #expect(try client.request("GET", "/no").status == 404)
        #expect(try client.request("GET", "/text").text == "t")
        #expect(try client.request("GET", "/").text == "x")
    }
}
