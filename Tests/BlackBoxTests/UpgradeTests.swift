import Testing
import TestKit

@Suite("An upgraded connection", .blocking)
struct Upgrades {
    private static let location = """
        proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
        proxy_read_timeout 10s;
        """
    private static let head = Client.head("GET", "/ws", ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"])

    @Test("carries bytes both ways, unchanged, and ends when either side does", arguments: [true, false])
    func tunnel(_ clientEnds: Bool) throws {
        let size = 300_000
        let seen = Box("")
        let origin = try RawOrigin { client in
            seen.value = try client.readUntil("\r\n\r\n").text
            try client.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello")
            let bytes = try client.readExactly(size)
            try client.send(Bytes(bytes.reversed()))
            if clientEnds { _ = client.drain(seconds: 20) }
        }
        let site = try Site(server: "location / { proxy_pass http://127.0.0.1:\(origin.port); \(Upgrades.location) }")
        defer { site.stop() }
        let client = try site.client()
        try client.send(Upgrades.head)
        let reply = try client.readReply()
        #expect(reply.status == 101)
        #expect(reply["Upgrade"] == "websocket")
        #expect(reply["Connection"]?.lowercased() == "upgrade")
        #expect(seen.value.contains("\r\nUpgrade: websocket\r\n"))
        #expect(try client.readExactly(5).text == "hello")
        let bytes = Bytes.patterned(size)
        try client.send(bytes)
        #expect(try client.readExactly(size).fingerprint == Bytes(bytes.reversed()).fingerprint)
        if clientEnds { client.close() } else { #expect(client.isClosedByPeer()) }
        #expect(site.gateway.accessLines(1)[0].contains("\" 101 "))
    }

    @Test("is not made by a 101 for another protocol (RFC 9110, 7.8)", .enabled(if: Target.isGoodgate, "nginx passes it on"))
    func otherProtocol() throws {
        let origin = try RawOrigin { client in
            _ = try client.readUntil("\r\n\r\n")
            try client.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nhello")
        }
        let site = try Site(server: "location / { proxy_pass http://127.0.0.1:\(origin.port); \(Upgrades.location) }")
        defer { site.stop(allowing: ["unexpected 101"]) }
        let client = try site.client()
        try client.send(Upgrades.head)
        #expect(try client.readReply().status == 502)
    }

    @Test("is not made by a 101 that nobody asked the origin for", .enabled(if: Target.isGoodgate, "nginx passes it on"))
    func unasked() throws {
        let origin = try RawOrigin { client in
            _ = try client.readUntil("\r\n\r\n")
            try client.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello")
        }
        let site = try Site(server: "location / { proxy_pass http://127.0.0.1:\(origin.port); \(Site.keepAlive) }")
        defer { site.stop(allowing: ["unexpected 101"]) }
        let client = try site.client()
        try client.send(Upgrades.head)
        #expect(try client.readReply().status == 502)
    }

    @Test("passes bytes that the client sent early only after the origin's 101")
    func earlyBytes() throws {
        let early = Box(Bytes()), after = Box(Bytes())
        let origin = try RawOrigin { client in
            _ = try client.readUntil("\r\n\r\n")
            early.value = client.drain(seconds: 0.3).bytes
            try client.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            after.value = try client.readExactly(5)
            try client.send("done")
        }
        let site = try Site(server: "location / { proxy_pass http://127.0.0.1:\(origin.port); \(Upgrades.location) }")
        defer { site.stop() }
        let client = try site.client()
        try client.send(Upgrades.head + Bytes("early"))
        #expect(try client.readReply().status == 101)
        #expect(try client.readExactly(4).text == "done")
        #expect(early.value.isEmpty)
        #expect(after.value.text == "early")
    }

    @Test("is not one when the origin refuses: the answer is passed and the connection goes on")
    func refused() throws {
        let origin = try Origin { _ in .answer("426 Upgrade Required", body: Bytes("no")) }
        let site = try Site(origin, location: Upgrades.location)
        defer { site.stop() }
        let client = try site.client()
        try client.send(Upgrades.head)
        #expect(try client.readReply().status == 426)
        #expect(try client.request().status == 426)
    }

    @Test("is closed after proxy_read_timeout of silence")
    func idle() throws {
        let origin = try RawOrigin { client in
            _ = try client.readUntil("\r\n\r\n")
            try client.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            _ = client.drain(seconds: 20)
        }
        let site = try Site(server: """
            location / { proxy_pass http://127.0.0.1:\(origin.port); \(Upgrades.location.replacing("10s", with: "1500ms")) }
            """)
        defer { site.stop() }
        let client = try site.client()
        try client.send(Upgrades.head)
        #expect(try client.readReply().status == 101)
        #expect(client.isClosedByPeer(within: 9))
    }
}
