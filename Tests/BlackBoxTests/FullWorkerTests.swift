import Foundation
import Testing
import TestKit

@Suite("A worker whose connections are all in use", .blocking, .enabled(if: Target.isGoodgate))
struct FullWorker {
    private func gateway(_ port: Int, _ location: String) throws -> GatewayProcess {
        try GatewayProcess(
            http: Site.block("keepalive_timeout 600s; client_header_timeout 600s;", port, "location / { \(location) }"),
            events: "worker_connections 16;")
    }

    @Test("serves who comes, and closes what has idled longest")
    func idle() throws {
        let port = Ports.free()
        let gateway = try gateway(port, "return 200 here;")
        defer { gateway.stop(allowing: ["worker_connections are not enough"]) }
        let crowd = try (0..<15).map { _ in try Client(port) }
        for client in crowd { #expect(try client.request()["Connection"] == "keep-alive") }
        for _ in 0..<40 { #expect(try Client.get(port).text == "here") }
        #expect(try eventually {
            // Each of them is the sixteenth.
            _ = try Client.get(port)
            return crowd[0].isClosedByPeer(within: 0.01)
        }, "the first one has idled longest")
        #expect(gateway.errorLog.contains("16 worker_connections are not enough"))
    }

    @Test("closes who never asked anything as well, but gives everybody a second for it")
    func silent() throws {
        let port = Ports.free()
        let gateway = try gateway(port, "return 200 here;")
        defer { gateway.stop(allowing: ["worker_connections are not enough"]) }
        let crowd = try (0..<16).map { _ in try Client(port) }
        #expect(try Client.get(port).text == "here")
        #expect(eventually { crowd.contains { $0.isClosedByPeer(within: 0.01) } })
    }

    @Test("closes none with a request, keeps nobody else, and takes who waits when one has its answer")
    func busy() throws {
        let wanted = DispatchSemaphore(value: 0)
        let origin = try Origin { request in
            guard request.target == "/slow" else { return .answer(body: Bytes("here")) }
            return .takeOver { client in
                _ = wanted.wait(timeout: .now() + 60)
                try client.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow")
            }
        }
        let port = Ports.free()
        let gateway = try gateway(port, "proxy_pass http://127.0.0.1:\(origin.port);")
        defer { gateway.stop(allowing: ["worker_connections are not enough"]) }
        var crowd: [Client] = []
        for number in 1...15 {
            crowd.append(try Client(port))
            try crowd[number - 1].send(Client.head("GET", "/slow"))
            #expect(origin.waitForRequests(number))
        }
        #expect(try Client(port).request()["Connection"] == "close")
        crowd.append(try Client(port))
        try crowd[15].send(Client.head("GET", "/slow"))
        #expect(origin.waitForRequests(17))
        let late = try Client(port, timeout: 60)
        try late.send(Client.head("GET", "/"))
        #expect(gateway.waitForError("16 worker_connections are not enough"))
        for _ in 0..<16 { wanted.signal() }
        for client in crowd { #expect(try client.readReply().text == "slow") }
        #expect(try late.readReply().text == "here")
    }
}
