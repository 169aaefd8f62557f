import Foundation
import Testing
import TestKit

@Suite("The end of a connection", .blocking)
struct Lingering {
    /// A client that goes on sending a body that nobody wants, until the connection is gone.
    /// - Returns: what came back, and after how many seconds it was over.
    private func pour(_ client: Client, _ target: String, _ fields: [String]) throws -> (text: String, seconds: Double) {
        var text = ""
        try client.send(Client.head("POST", target, ["Content-Length: 1000000000"] + fields))
        let seconds = secondsTaken {
            let isOver = eventually {
                guard (try? client.socket.send([0x78], within: 5)) != nil else { return true }
                let (bytes, how) = client.drain(seconds: 0.05)
                text += bytes.text
                return how == .reset
            }
            #expect(isOver, "\(target)")
        }
        return (text, seconds)
    }

    @Test("behind a body that does not end: lingering_time is all that it is read for, and the answer is not lost")
    func time() throws {
        let site = try Site(server: """
            client_max_body_size 1k; lingering_timeout 20s;
            location /refuse { proxy_pass http://127.0.0.1:1; lingering_time 1s; }
            location /keep { client_max_body_size 0; lingering_time 1s; return 200 kept; }
            location /always { client_max_body_size 0; lingering_close always; lingering_time 1s; return 200 closed; }
            """)
        defer { site.stop() }
        for (target, fields, status, word) in [
            ("/refuse", [], "413", "Too Large"), ("/keep", [], "200", "kept"), ("/keep", ["Connection: close"], "200", "kept"),
            ("/always", ["Connection: close"], "200", "closed"),
        ] {
            let (text, seconds) = try pour(try site.client(), target, fields)
            #expect(text.hasPrefix("HTTP/1.1 \(status) ") && text.contains(word), "\(target): \(text)")
            // nginx counts in whole seconds.
            #expect(seconds > (Target.isGoodgate ? 0.9 : 0), "\(target)")
        }
    }

    @Test("behind a silent client: lingering_timeout; with lingering_close off it is not waited for")
    func timeout() throws {
        let site = try Site(server: """
            client_max_body_size 1k; lingering_time 300s;
            location /wait { lingering_timeout 200ms; return 200; } location /off { lingering_close off; return 200; }
            """)
        defer { site.stop() }
        for (target, pause) in [("/wait", 600_000)] + (Target.isGoodgate ? [("/off", 3_000)] : []) {
            let client = try site.client()
            try client.send(Client.head("POST", target, ["Content-Length: 1000000"]))
            #expect(try client.readReply().status == 413, "\(target)")
            // What the client sends after a silence shows that the socket is gone; before, it would keep it for another while.
            let isGone = eventually {
                usleep(UInt32(pause))
                return (try? client.socket.send([0x78])) == nil || client.drain(seconds: 0).how == .reset
            }
            #expect(isGone, "\(target)")
        }
    }

    @Test("behind a body that was read to its last byte: nothing is waited for", arguments: [
        ("/here", false), ("/there", false), ("/there", true),
    ])
    func wholeBody(target: String, isLate: Bool) throws {
        let origin = try Origin { _ in .answer(body: Bytes("there")) }
        let site = try Site(server: """
            lingering_time 600s; lingering_timeout 600s;
            location /here { return 200 here; } location /there { proxy_pass http://127.0.0.1:\(origin.port); }
            """)
        defer { site.stop() }
        let client = try site.client(), body = Bytes(String(repeating: "b", count: 20_000))
        try client.send(Client.head("POST", target, ["Content-Length: 20000", "Connection: close"]) + (isLate ? [] : body))
        if isLate {
            usleep(50_000)
            try client.send(body)
        }
        #expect(try client.readReply().status == 200)
        // A socket that is closed answers bytes with a reset.
        #expect(eventually {
            usleep(10_000)
            return (try? client.socket.send([0x78])) == nil || client.drain(seconds: 0).how == .reset
        })
    }

    @Test("with reset_timedout_connection is a reset: of a head and of a body that is thrown away in time, and of return 444")
    func reset() throws {
        let (on, off) = (Ports.free(), Ports.free())
        func server(_ port: Int, _ flag: String) -> String {
            Site.block("", port, """
                reset_timedout_connection \(flag); client_header_timeout 500ms; lingering_timeout 500ms; send_timeout 500ms; root .;
                location /close { return 444; } location /text { return 200 "text"; } location /large { }
                """)
        }
        let gateway = try GatewayProcess(http: server(on, "on") + server(off, "off"))
        defer { gateway.stop() }
        try gateway.directory.write("large", Bytes(repeating: 0, count: 30_000_000))
        let cases: [(sent: String, answer: String)] = [
            ("GET /close HTTP/1.1\r\nHost: a\r\n\r\n", ""), ("GET / HTTP/1.1\r\nHo", ""),
            ("POST /text HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nx", "text"),
        ]
        for (sent, answer) in cases {
            for port in [on, off] {
                let client = try Client(port)
                try client.send(sent)
                let (bytes, how) = client.drain(seconds: 30)
                #expect(bytes.text.hasSuffix(answer) && bytes.isEmpty == answer.isEmpty, "\(sent)")
                #expect(how == (port == on ? .reset : .end), "\(sent) \(port == on)")
            }
        }
        let reader = try Client(on, receiveBuffer: 4_096)
        try reader.send(Client.head("GET", "/large"))
        #expect(gateway.accessLines(cases.count * 2 + 1).contains { $0.contains("\"GET /large HTTP/1.1\" ") }, "it is over for the gateway")
        #expect(reader.drain(seconds: 30).how == .reset)
    }
}
