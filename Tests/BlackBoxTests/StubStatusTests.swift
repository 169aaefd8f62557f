import Foundation
import Testing
import TestKit

@Suite("stub_status", .blocking)
struct StubStatus {
    @Test("says how many connections and requests there are, in nginx's words")
    func numbers() throws {
        let site = try Site(server: "add_header X-Active $connections_active; location /stub { stub_status; }")
        defer { site.stop() }
        let client = try site.client()
        let first = try client.request("GET", "/stub")
        #expect(first["Content-Type"] == "text/plain")
        #expect(first["X-Active"] == "1")
        #expect(first.text.hasPrefix("Active connections: 1 \nserver accepts handled requests\n "))
        #expect(first.text.hasSuffix("Reading: 0 Writing: 1 Waiting: 0 \n"))
        let idle = try site.client()
        _ = try idle.request("GET", "/none")
        let second = try client.request("GET", "/stub")
        #expect(second.text.hasPrefix("Active connections: 2 \n"))
        #expect(second.text.hasSuffix("Reading: 0 Writing: 1 Waiting: 1 \n"))
        #expect(try client.request("POST", "/stub").status == 405)
    }

    @Test("counts the connections of all workers")
    func manyWorkers() throws {
        let site = try Site(server: "location /stub { stub_status; }", workers: 3)
        defer { site.stop() }
        let clients = try (0..<12).map { _ in try site.client() }
        for client in clients { _ = try client.request("GET", "/none") }
        // The other workers count a request as over a moment after its client has the answer.
        var text = ""
        let areCounted = try eventually {
            text = try clients[0].request("GET", "/stub").text
            return text.hasPrefix("Active connections: 12 \n") && text.hasSuffix("Reading: 0 Writing: 1 Waiting: 11 \n")
        }
        #expect(areCounted, "\(text)")
    }
}
