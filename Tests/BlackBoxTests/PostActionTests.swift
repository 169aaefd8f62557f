import Foundation
import Testing
import TestKit

@Suite("post_action", .blocking)
struct PostActions {
    @Test("asks another location after the answer, and keeps its answer to itself", arguments: ["/post", "@post"])
    func asks(_ target: String) throws {
        let counted = try Origin(answer: "hidden")
        let site = try Site(server: """
            location / { post_action \(target); return 200 shown; }
            location /post { proxy_pass http://127.0.0.1:\(counted.port); }
            location @post { proxy_pass http://127.0.0.1:\(counted.port); }
            """)
        defer { site.stop() }
        let client = try site.client()
        #expect(try client.request().text == "shown")
        #expect(try client.request("POST", "/again", body: Bytes("x")).text == "shown", "the connection is kept")
        #expect(counted.waitForRequests(2))
        #expect(counted.requests.map(\.target) == (target == "/post" ? ["/post", "/post"] : ["/", "/again"]))
        #expect(client.isQuiet(for: 0.1))
        #expect(site.gateway.accessLines(2).allSatisfy { $0.contains(" 200 5 ") })
    }

    @Test("asks also behind an answer that wants no body, whether the connection is kept or not", arguments: ["close", "keep-alive"])
    func unwantedBody(_ connection: String) throws {
        let counted = try Origin(answer: "hidden")
        let site = try Site(server: """
            post_action /post; location / { root /nonexistent; } location /no { return 403; } location /yes { return 200 shown; }
            location /post { proxy_pass http://127.0.0.1:\(counted.port); }
            """)
        defer { site.stop() }
        for (number, target) in ["/missing", "/no", "/yes"].enumerated() {
            _ = try site.client().request("POST", target, ["Connection: \(connection)"], body: Bytes("body"))
            #expect(counted.waitForRequests(number + 1), "\(target)")
        }
    }

    @Test("is for requests: a client that is cut off in its head asks nothing",
          .enabled(if: Target.isGoodgate, "nginx asks again and again, without a method"))
    func halfHead() throws {
        let origin = try Origin(answer: "x"), status = Ports.free()
        let site = try Site(http: "server { listen 127.0.0.1:\(status); stub_status; }", server: """
            post_action /post;
            location / { return 200 x; }
            location /post { proxy_pass http://127.0.0.1:\(origin.port); }
            """)
        defer { site.stop() }
        func isReadingHead() throws -> Bool { try Client.get(status).text.contains("Reading: 1 ") }
        for _ in 0..<3 {
            let client = try site.client()
            try client.send("GET /half HT")
            #expect(try eventually(isReadingHead))
            client.socket.reset()
            #expect(try eventually { try !isReadingHead() })
        }
        #expect(try site.get().text == "x")
        #expect(origin.waitForRequests(1))
        #expect(origin.requests.map(\.method) == ["GET"])
    }

    @Test("sends no 100 behind an answer", .enabled(if: Target.isGoodgate))
    func expectation() throws {
        let origin = try Origin(answer: "hidden")
        let site = try Site(server: """
            location / { post_action /post; return 200 shown; }
            location /post { proxy_pass http://127.0.0.1:\(origin.port); }
            """)
        defer { site.stop() }
        let client = try site.client()
        for _ in 0..<2 {
            let first = try client.request("GET", "/", ["Expect: 100-continue"])
            #expect(try (first.status == 100 ? client.readReply() : first).text == "shown")
        }
        #expect(origin.waitForRequests(2))
        #expect(client.isQuiet(for: 0.1))
    }

    @Test("that fails changes nothing for the client")
    func fails() throws {
        let site = try Site(server: "location / { post_action /post; return 200 shown; } location /post { proxy_pass http://127.0.0.1:1; }")
        defer { site.stop() }
        let client = try site.client()
        for _ in 0..<2 { #expect(try client.request().text == "shown") }
        #expect(site.gateway.waitForError("connect() failed (111: Connection refused)"))
    }
}
