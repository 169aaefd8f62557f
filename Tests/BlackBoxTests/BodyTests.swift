import Foundation
import Testing
import TestKit

@Suite("A request body", .blocking)
struct RequestBodies {
    @Test("of any size arrives whole", arguments: [1, 8_191, 16_385, 300_000, 3_000_000], ["", "proxy_request_buffering off;"])
    func whole(_ count: Int, _ location: String) throws {
        let origin = try Origin { _ in .answer() }
        let site = try Site(origin, location: location, server: "client_max_body_size 10m; client_body_buffer_size 16k;")
        defer { site.stop() }
        let body = Bytes.patterned(count)
        #expect(try site.get("/up", method: "POST", body: body).status == 200)
        #expect(origin.last.body.fingerprint == body.fingerprint)
        #expect(origin.last["Content-Length"] == "\(count)")
    }

    @Test("in chunks arrives whole: buffered with a length, unbuffered in chunks", arguments: [false, true])
    func chunked(_ unbuffered: Bool) throws {
        let origin = try Origin { _ in .answer() }
        let site = try Site(origin, location: unbuffered ? "proxy_request_buffering off;" : "")
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("POST", "/", ["Transfer-Encoding: chunked"]))
        var whole = Bytes()
        for size in [1, 10, 4_096, 20_000] {
            let chunk = Bytes.patterned(size, seed: UInt64(size))
            whole += chunk
            try client.send(Bytes(String(size, radix: 16)) + [13, 10] + chunk + [13, 10])
        }
        try client.send("0\r\n\r\n")
        let reply = try client.readReply()
        #expect(reply.status == 200)
        #expect(origin.last.body.fingerprint == whole.fingerprint)
        #expect(origin.last.isChunked == unbuffered)
        #expect(try client.request().status == 200)
    }

    @Test("behind a head that exactly fills its buffer leaves the head alone", arguments: [16_384, 32_768], [
        "", "proxy_request_buffering off;", "return 200;",
    ])
    func fullHead(_ length: Int, _ location: String) throws {
        let origin = try Origin { _ in .answer() }
        let site = try Site(origin, location: location)
        defer { site.stop() }
        let client = try site.client()
        // Fields of up to 4,000 bytes; the last one makes up the rest.
        func head(_ fields: [String]) -> Bytes { Client.head("POST", "/full", ["Transfer-Encoding: chunked"] + fields) }
        var fields: [String] = []
        while length - head(fields).count > 5_000 { fields.append("X-\(fields.count): " + String(repeating: "f", count: 4_000)) }
        fields.append("X-Last: ")
        fields[fields.count - 1] += String(repeating: "l", count: length - head(fields).count)
        try #require(head(fields).count == length)
        try client.send(head(fields))
        let chunk = Bytes.patterned(30_000)
        for _ in 0..<3 {
            usleep(30_000) // so that each is received by itself
            try client.send(Bytes("7530\r\n") + chunk + Bytes("\r\n"))
        }
        try client.send("0\r\n\r\n")
        #expect(try client.readReply().status == 200)
        if !location.hasPrefix("return") {
            #expect(origin.last.body.fingerprint == (chunk + chunk + chunk).fingerprint)
            for field in fields {
                let parts = field.components(separatedBy: ": ")
                #expect(origin.last[parts[0]] == parts[1])
            }
        }
        #expect(try client.request().status == 200)
    }

    @Test("unbuffered reaches the origin before it is complete")
    func streamed() throws {
        let arrived = Box(Bytes())
        let origin = try RawOrigin { client in
            _ = try client.readUntil("\r\n\r\n")
            arrived.value = try client.readExactly(5)
            _ = try client.readExactly(5)
            try client.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
        let site = try Site(server: """
            location / { proxy_pass http://127.0.0.1:\(origin.port); proxy_request_buffering off; proxy_http_version 1.1; }
            """)
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("POST", "/", ["Content-Length: 10"]) + Bytes("first"))
        #expect(eventually { arrived.value == Bytes("first") })
        try client.send("later")
        #expect(try client.readReply().status == 200)
    }

    @Test("larger than client_max_body_size is refused with 413 before the origin hears of it", arguments: [
        "Content-Length: 2000", "Transfer-Encoding: chunked",
    ])
    func tooLarge(_ field: String) throws {
        let origin = try Origin { _ in .answer() }
        let site = try Site(origin, server: "client_max_body_size 1k;")
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("POST", "/", [field]))
        if field.hasPrefix("Transfer") { try client.send("7d0\r\n" + String(repeating: "x", count: 2_000) + "\r\n0\r\n\r\n") }
        #expect(try client.readReply().status == 413)
        #expect(origin.requests.isEmpty)
        let kind = field.hasPrefix("Transfer") ? "chunked body" : "body: 2000 bytes"
        #expect(site.gateway.waitForError("client intended to send too large \(kind)"))
    }

    @Test("is refused as soon as a chunk is announced that makes it too large", arguments: ["", "proxy_request_buffering off;"])
    func announcedTooLarge(_ location: String) throws {
        let origin = try Origin { _ in .answer() }
        let site = try Site(origin, location: location, server: "client_max_body_size 1k;")
        defer { site.stop() }
        let head = Client.head("POST", "/", ["Transfer-Encoding: chunked"])
        let whole = "400\r\n" + String(repeating: "x", count: 1_024) + "\r\n"
        for (body, sum) in [("401\r\nx", "0+1025"), ("7d0\r\nabc", "0+2000"), (whole + "1\r\nx", "1024+1")] {
            let client = try site.client(timeout: 5)
            try client.send(head + Bytes(body))
            #expect(try client.readReply().status == 413, "\(sum)")
            let line = "client intended to send too large chunked body: \(sum) bytes"
            #expect(site.gateway.waitForError(line), "\(site.gateway.errorLog)")
        }
        let client = try site.client()
        try client.send(head + Bytes(whole + "0\r\n\r\n"))
        #expect(try client.readReply().status == 200)
    }

    @Test("announced by Expect is asked for with 100 Continue")
    func expect() throws {
        let origin = try Origin { _ in .echo }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("POST", "/", ["Expect: 100-continue", "Content-Length: 4"]))
        #expect(try client.readReply().status == 100)
        try client.send("body")
        let reply = try client.readReply()
        #expect(reply.status == 200)
        #expect(reply.text.hasSuffix("\r\n\r\nbody"))
        #expect(origin.last["Expect"] == nil)
    }

    @Test("that stops coming is given up after client_body_timeout with 408")
    func slowBody() throws {
        let origin = try Origin { _ in .answer() }
        let site = try Site(origin, server: "client_body_timeout 300ms;")
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("POST", "/", ["Content-Length: 100"]))
        try client.send("some")
        let (bytes, how) = client.drain(seconds: 3)
        #expect(how != .timeout)
        #expect(bytes.isEmpty || bytes.text.hasPrefix("HTTP/1.1 408 "))
        #expect(site.gateway.accessLines(1)[0].contains("\" 408 "))
        #expect(origin.requests.isEmpty)
    }
}

@Suite("A response body", .blocking)
struct ResponseBodies {
    @Test("of any size arrives whole, buffered or not", arguments: [0, 1, 4_096, 65_537, 2_000_000], ["", "proxy_buffering off;"])
    func whole(_ count: Int, _ location: String) throws {
        let body = Bytes.patterned(count)
        let origin = try Origin { _ in .answer(body: body) }
        let site = try Site(origin, location: location)
        defer { site.stop() }
        let client = try site.client()
        for _ in 0..<2 {
            let reply = try client.request()
            #expect(reply["Content-Length"] == "\(count)")
            #expect(reply.body.fingerprint == body.fingerprint)
        }
    }

    /// Two small writes in a row wait for each other's acknowledgement, 40 ms, unless TCP_NODELAY is set: a hundred pieces would take four
    /// seconds.
    @Test("that comes in small pieces leaves in small pieces at once")
    func smallPieces() throws {
        let pieces = (0..<100).map { Bytes("piece \($0)\n") }
        let origin = try Origin { _ in .chunks(pieces, pause: 0.002) }
        let site = try Site(origin, location: "proxy_buffering off;")
        defer { site.stop() }
        let start = ContinuousClock.now
        #expect(try site.get().body.fingerprint == pieces.flatMap { $0 }.fingerprint)
        #expect(ContinuousClock.now - start < .seconds(3.5))
    }

    @Test("in chunks arrives whole and stays in chunks")
    func chunked() throws {
        let chunks = [1, 100, 5_000, 40_000].map { Bytes.patterned($0, seed: UInt64($0)) }
        let origin = try Origin { _ in .chunks(chunks) }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        for _ in 0..<2 {
            let reply = try client.request()
            #expect(reply["Transfer-Encoding"] == "chunked")
            #expect(reply.body.fingerprint == chunks.reduce([], +).fingerprint)
        }
        #expect(origin.connections == 1)
    }

    @Test("in chunks comes without chunks to an HTTP/1.0 client")
    func chunkedTo10() throws {
        let origin = try Origin { _ in .chunks([Bytes("ab"), Bytes("cd")]) }
        let site = try Site(origin)
        defer { site.stop() }
        let reply = try Client.exchange(site.port, "GET / HTTP/1.0\r\n\r\n")
        #expect(!reply.contains("Transfer-Encoding"))
        #expect(reply.hasSuffix("\r\n\r\nabcd"))
    }

    @Test("ended by the close of the connection comes in chunks")
    func untilClose() throws {
        let body = Bytes.patterned(100_000)
        let origin = try Origin { _ in .sequence([.bytes(Bytes("HTTP/1.0 200 OK\r\n\r\n") + body), .close]) }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        let reply = try client.request()
        #expect(reply["Transfer-Encoding"] == "chunked")
        #expect(reply.body.fingerprint == body.fingerprint)
        #expect(try client.request().body.fingerprint == body.fingerprint)
    }

    @Test("unbuffered reaches the client piece by piece")
    func streamed() throws {
        let wanted = DispatchSemaphore(value: 0)
        let origin = try Origin { _ in
            .takeOver { client in
                try client.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
                _ = wanted.wait(timeout: .now() + 60)
                try client.send("6\r\nsecond\r\n0\r\n\r\n")
            }
        }
        let site = try Site(origin, location: "proxy_buffering off;")
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("GET", "/"))
        // The second piece is sent when the first has come.
        _ = try client.readUntil("first\r\n")
        wanted.signal()
        _ = try client.readUntil("second")
    }

    @Test("larger than the buffers waits in a temporary file for a slow client")
    func slowClient() throws {
        let body = Bytes.patterned(8_000_000)
        let sent = Box(false)
        let origin = try Origin { _ in
            .takeOver { client in
                try client.socket.send(Bytes("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n") + body)
                sent.value = true
            }
        }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try Client(site.port, receiveBuffer: 4_096)
        try client.send(Client.head("GET", "/"))
        #expect(eventually { sent.value }, "the origin is free before the client has read anything")
        #expect(try client.readReply().body.fingerprint == body.fingerprint)
        #expect(site.gateway.waitForError("an upstream response is buffered to a temporary file"))
    }

    @Test("cut short is never completed towards the client", arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\npart",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
    ])
    func truncated(_ bytes: String) throws {
        let origin = try Origin { _ in .sequence([.bytes(Bytes(bytes)), .close]) }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("GET", "/"))
        let (received, how) = client.drain(seconds: 3)
        #expect(how == .end || how == .reset)
        #expect(received.text.contains("part"))
        #expect(!received.text.hasSuffix("0\r\n\r\n"))
        #expect(site.gateway.waitForError("upstream prematurely closed connection while reading upstream"))
    }

    @Test("is served in ranges only with proxy_force_ranges")
    func forceRanges() throws {
        let origin = try Origin(answer: "0123456789")
        let site = try Site(origin, location: "proxy_force_ranges on;")
        defer { site.stop() }
        let reply = try site.get("/", ["Range: bytes=2-4"])
        #expect(reply.status == 206)
        #expect(reply.text == "234")
        #expect(reply["Content-Range"] == "bytes 2-4/10")
    }

    @Test("of a partial answer of the origin is passed as it is")
    func partial() throws {
        let origin = try Origin { _ in
            .answer("206 Partial Content", fields: ["Content-Range: bytes 2-4/10"], body: Bytes("234"))
        }
        let site = try Site(origin)
        defer { site.stop() }
        let reply = try site.get("/", ["Range: bytes=2-4"])
        #expect(reply.status == 206)
        #expect(reply.text == "234")
        #expect(origin.last["Range"] == "bytes=2-4")
    }

    @Test("is compressed by gzip for clients that ask, and only then")
    func gzip() throws {
        let text = String(repeating: "compress me ", count: 500)
        let origin = try Origin { _ in .answer(fields: ["Content-Type: text/plain", "ETag: \"s\""], body: Bytes(text)) }
        let site = try Site(origin, server: "gzip on; gzip_types text/plain; gzip_proxied any; gzip_vary on;")
        defer { site.stop() }
        let packed = try site.get("/", ["Accept-Encoding: gzip"])
        #expect(packed["Content-Encoding"] == "gzip")
        #expect(packed["Vary"] == "Accept-Encoding")
        #expect(packed["ETag"] == "W/\"s\"")
        #expect(packed.body.count < 400)
        #expect(packed.body.prefix(2) == [0x1f, 0x8b])
        let plain = try site.get()
        #expect(plain["Content-Encoding"] == nil)
        #expect(plain.text == text)
    }
}
