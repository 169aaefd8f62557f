import Foundation
import Testing
import TestKit

@Suite("limit_req and limit_conn over several workers", .blocking)
struct SharedLimits {
    /// An origin that answers only when told.
    private final class Gate: Sendable {
        let isOpen = Box(false)
        func wait() { while !isOpen.value { usleep(2_000) } }
    }

    private func statuses(_ clients: [Client]) throws -> [Int] { try clients.map { try $0.readReply().status } }

    @Test("limit_req counts the requests of all workers, and goes on counting after a reload")
    func requests() throws {
        let origin = try Origin(answer: "ok")
        let site = try Site(
            http: "limit_req_zone $binary_remote_addr zone=z:32k rate=1r/m;",
            server: "limit_req zone=z burst=9 nodelay; location / { proxy_pass http://127.0.0.1:\(origin.port); }",
            workers: 4)
        defer { site.stop() }
        var passed = 0
        for _ in 0..<40 { passed += try site.get().status == 200 ? 1 : 0 }
        #expect(passed == 10)
        let old = Set(site.gateway.workers)
        site.gateway.signal(SIGHUP)
        #expect(eventually { site.gateway.workers.count == 4 && old.isDisjoint(with: site.gateway.workers) })
        for _ in 0..<8 { #expect(try site.get().status == 503) }
        #expect(origin.requests.count == 10)
    }

    @Test("limit_conn counts the requests of all workers, and what a killed worker held is free again")
    func connections() throws {
        let gate = Gate()
        let origin = try Origin { _ in
            gate.wait()
            return .answer(body: Bytes("ok"))
        }
        let site = try Site(
            http: "limit_conn_zone $binary_remote_addr zone=z:32k;",
            server: "limit_conn z 5; location / { proxy_pass http://127.0.0.1:\(origin.port); }", workers: 3)
        defer {
            gate.isOpen.value = true
            site.stop(allowing: ["exited on signal 9"])
        }
        // Five get through, whichever workers they come to; the others are refused.
        let clients = try (0..<15).map { _ in try site.client() }
        for client in clients { try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
        #expect(eventually { origin.requests.count == 5 })
        // Those that wait in an accept queue would go with their worker.
        #expect(eventually { site.gateway.errorLog.components(separatedBy: "limiting connections by zone").count == 11 })
        #expect(try site.get().status == 503)
        // A worker is killed with what it had.
        let workers = site.gateway.workers
        #expect(workers.count == 3)
        for worker in workers { kill(worker, SIGKILL) }
        #expect(eventually { site.gateway.workers.count == 3 && Set(workers).isDisjoint(with: site.gateway.workers) })
        let later = try (0..<15).map { _ in try site.client() }
        for client in later { try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
        #expect(eventually { origin.requests.count == 10 })
        // Ten of the first fifteen, one, and ten of these: who is looked at when the gate is open finds a free place.
        #expect(eventually { site.gateway.errorLog.components(separatedBy: "limiting connections by zone").count == 22 })
        gate.isOpen.value = true
        #expect(try statuses(later).sorted() == Array(repeating: 200, count: 5) + Array(repeating: 503, count: 10))
        #expect(try site.get().status == 200)
    }
}
