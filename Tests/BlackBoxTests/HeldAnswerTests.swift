import Foundation
import Testing
import TestKit

/// An answer whose head comes before its body.
@Suite("A small answer that is cut between head and body", .blocking, .enabled(if: Target.isGoodgate, "nginx passes the head on"))
struct HeldAnswers {
    private static let head = Bytes("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")

    private func site(_ bad: Origin, _ good: Origin, _ location: String = "") throws -> Site {
        try Site(
            http: "upstream pair { server 127.0.0.1:\(bad.port) max_fails=0; server 127.0.0.1:\(good.port) backup; }",
            server: "location / { proxy_pass http://pair; \(location) }")
    }

    private func cutting(_ head: Bytes = HeldAnswers.head, after part: Bytes = []) throws -> Origin {
        try Origin { _ in .sequence([.bytes(head), .delay(0.02, .bytes(part)), .close]) }
    }

    @Test("is asked for again", arguments: ["", "who"])
    func isRepeated(_ part: String) throws {
        let (bad, good) = (try cutting(after: Bytes(part)), try Origin(answer: "whole"))
        let site = try site(bad, good)
        defer { site.stop() }
        // A head whose rest comes later than a tenth of a second is passed on: then nobody else is asked.
        var attempts = 0
        #expect(eventually {
            attempts += 1
            return (try? site.get().text) == "whole"
        })
        #expect(bad.requests.count == attempts && good.requests.count == 1)
        #expect(site.gateway.waitForError("upstream prematurely closed connection while reading upstream, client: 127.0.0.1"))
    }

    @Test("is passed on where it could not be repeated, or is not to be buffered", arguments: [
        ("POST", "", ""), ("GET", "proxy_buffering off;", ""), ("GET", "", "X-Accel-Buffering: no\r\n"),
        ("GET", "proxy_next_upstream off;", ""), ("GET", "proxy_limit_rate 1m;", ""),
    ])
    func isPassedOn(_ method: String, _ location: String, _ field: String) throws {
        let head = Bytes("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\(field)\r\n")
        let (bad, good) = (try cutting(head, after: Bytes("who")), try Origin(answer: "whole"))
        let site = try site(bad, good, location)
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head(method, "/", method == "POST" ? ["Content-Length: 0"] : []))
        let (bytes, _) = client.drain(seconds: 20)
        #expect(bytes.text.hasPrefix("HTTP/1.1 200 OK") && bytes.text.hasSuffix("\r\n\r\nwho"))
        #expect(good.requests.isEmpty)
    }

    @Test("that is large goes to a client that takes it, not to a file")
    func large() throws {
        let origin = try Origin { _ in .answer(body: .patterned(200_000)) }
        let site = try Site(origin)
        defer { site.stop() }
        #expect(try site.get().body == .patterned(200_000))
        #expect(!site.gateway.errorLog.contains("buffered to a temporary file"), "\(site.gateway.errorLog)")
    }

    @Test("waits a tenth of a second for its body, no longer")
    func slowBody() throws {
        let wanted = DispatchSemaphore(value: 0)
        let slow = try Origin { _ in
            .takeOver { client in
                try client.send(Self.head)
                _ = wanted.wait(timeout: .now() + 10)
                try client.send(Bytes("a body"))
            }
        }
        let site = try site(slow, try Origin(answer: "other"))
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("GET", "/"))
        // The body is sent when the head has come: it is passed on without it.
        #expect(try client.readUntil("\r\n\r\n").text.hasPrefix("HTTP/1.1 200 OK"))
        wanted.signal()
        #expect(client.drain(seconds: 1).0.text == "a body")
    }
}
