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

    @Test("that fails changes nothing for the client")
    func fails() throws {
        let site = try Site(server: "location / { post_action /post; return 200 shown; } location /post { proxy_pass http://127.0.0.1:1; }")
        defer { site.stop() }
        let client = try site.client()
        for _ in 0..<2 { #expect(try client.request().text == "shown") }
        #expect(site.gateway.waitForError("connect() failed (111: Connection refused)"))
    }
}
