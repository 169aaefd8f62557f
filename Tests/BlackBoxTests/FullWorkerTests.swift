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

    private func crowd(_ port: Int, of count: Int = 16) throws -> [Client] { try (0..<count).map { _ in try Client(port) } }

    @Test("serves who comes, and closes what has idled longest")
    func idle() throws {
        let port = Ports.free()
        let gateway = try gateway(port, "return 200 here;")
        defer { gateway.stop(allowing: ["worker_connections are not enough"]) }
        let crowd = try crowd(port, of: 15)
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
        let crowd = try crowd(port)
        #expect(try Client.get(port).text == "here")
        #expect(eventually { crowd.contains { $0.isClosedByPeer(within: 0.01) } })
    }

    @Test("closes who only sends what is thrown away")
    func lingering() throws {
        let port = Ports.free()
        let gateway = try gateway(
            port, "lingering_time 600s; lingering_timeout 600s; client_max_body_size 1; proxy_pass http://127.0.0.1:1;")
        defer { gateway.stop(allowing: ["worker_connections are not enough", "client intended to send too large body"]) }
        let crowd = try crowd(port)
        for client in crowd {
            try client.send(Client.head("POST", "/", ["Content-Length: 100000"]) + Bytes("some"))
            #expect(try client.readReply().status == 413)
        }
        #expect(try Client(port, timeout: 60).request("POST", "/", body: Bytes("more")).status == 413)
    }

    @Test("closes who does not say what PROXY is for")
    func silentProxy() throws {
        let port = Ports.free()
        let gateway = try GatewayProcess(
            http: "server { listen 127.0.0.1:\(port) proxy_protocol; client_header_timeout 600s; return 200 here; }",
            events: "worker_connections 16;")
        defer { gateway.stop(allowing: ["worker_connections are not enough"]) }
        let crowd = try crowd(port)
        let late = try Client(port, timeout: 60)
        try late.send(Bytes("PROXY TCP4 127.0.0.2 127.0.0.1 1 2\r\n") + Client.head("GET", "/"))
        #expect(try late.readReply().text == "here")
        #expect(crowd.contains { $0.isClosedByPeer(within: 0.01) })
    }

    @Test("makes room as fast as it is wanted")
    func crowds() throws {
        let port = Ports.free()
        let gateway = try GatewayProcess(
            http: Site.block("keepalive_timeout 600s;", port, "location / { return 200 here; }"), events: "worker_connections 128;")
        defer { gateway.stop(allowing: ["worker_connections are not enough"]) }
        let crowd = try crowd(port, of: 128)
        for client in crowd { _ = try client.request() }
        Thread.sleep(forTimeInterval: 1.1)  // the gateway's patience with each of them
        let seconds = try secondsTaken {
            let burst = try (0..<124).map { _ in try Client(port, timeout: 60) }
            for client in burst { try client.send(Client.head("GET", "/")) }
            for client in burst { #expect(try client.readReply().text == "here") }
        }
        // It takes more than thirty looks for who idles longest. With a pause of a second after each it took that long.
        #expect(seconds < 15)
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
