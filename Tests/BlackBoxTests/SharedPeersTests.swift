import Foundation
import Testing
import TestKit

@Suite("Several workers", .blocking)
struct SharedPeers {
    /// Every connection may meet another worker: each has a listening socket of its own.
    private func gateway(workers: Int = 2, port: Int, upstream: String, location: String = "") throws -> GatewayProcess {
        try GatewayProcess(
            http: """
                upstream group { \(upstream) }
                server {
                    listen 127.0.0.1:\(port) reuseport;
                    location / {
                        proxy_pass http://group;
                        add_header X-Pid $pid always;
                        add_header X-Tried $upstream_addr always;
                        \(location)
                    }
                    location = /status { stub_status; }
                }
                """,
            workers: workers)
    }

    @Test("spare each other a dead server: one failed attempt protects all", .enabled(if: Target.isGoodgate, "nginx wants a zone for it"))
    func failedAttempt() throws {
        let dead = Ports.free()
        let origin = try Origin(answer: "ok")
        let port = Ports.free()
        let gateway = try gateway(
            workers: 3, port: port,
            upstream: "server 127.0.0.1:\(dead) fail_timeout=60s weight=100; server 127.0.0.1:\(origin.port);")
        defer { gateway.stop() }
        let first = try Client.get(port)
        #expect(first["X-Tried"] == "127.0.0.1:\(dead), 127.0.0.1:\(origin.port)")
        var workers: Set<String> = []
        for _ in 0..<60 {
            let reply = try Client.get(port)
            #expect(reply["X-Tried"] == "127.0.0.1:\(origin.port)")
            workers.insert(reply["X-Pid"] ?? "")
        }
        #expect(workers.count > 1, "more than one worker served")
    }

    @Test("count the connections of all against max_conns in a zone")
    func connectionLimit() throws {
        let held = try Origin { $0.target == "/hold" ? .silence : .answer(body: Bytes("limited")) }
        let other = try Origin(answer: "other")
        let port = Ports.free()
        let gateway = try gateway(
            port: port,
            upstream: "zone group 64k; server 127.0.0.1:\(held.port) max_conns=1; server 127.0.0.1:\(other.port) backup;")
        defer { gateway.stop() }
        let holder = try Client(port)
        try holder.send(Client.head("GET", "/hold"))
        #expect(held.waitForRequests(1))
        var workers: Set<String> = []
        for _ in 0..<30 {
            let reply = try Client.get(port)
            #expect(reply.text == "other")
            workers.insert(reply["X-Pid"] ?? "")
        }
        #expect(workers.count > 1, "more than one worker served")
    }

    @Test("keep a server's failures over a reload", .enabled(if: Target.isGoodgate, "nginx forgets them without a zone"))
    func reload() throws {
        let dead = Ports.free()
        let origin = try Origin(answer: "ok")
        let port = Ports.free()
        let gateway = try gateway(
            workers: 1, port: port,
            upstream: "server 127.0.0.1:\(dead) fail_timeout=60s weight=100; server 127.0.0.1:\(origin.port);")
        defer { gateway.stop() }
        let first = try Client.get(port)
        #expect(first["X-Tried"] == "127.0.0.1:\(dead), 127.0.0.1:\(origin.port)")
        gateway.process.signal(SIGHUP)
        #expect(eventually { (try? Client.get(port)["X-Pid"]).map { $0 != first["X-Pid"] } ?? false })
        for _ in 0..<5 { #expect(try Client.get(port)["X-Tried"] == "127.0.0.1:\(origin.port)") }
    }

    @Test("add up their connections and requests in stub_status")
    func totals() throws {
        let origin = try Origin(answer: "ok")
        let port = Ports.free()
        let gateway = try gateway(workers: 3, port: port, upstream: "server 127.0.0.1:\(origin.port);")
        defer { gateway.stop() }
        let clients = try (0..<20).map { _ in try Client(port) }
        let workers = Set(try clients.map { try $0.request()["X-Pid"] ?? "" })
        #expect(workers.count > 1, "more than one worker served")
        // Each look is a connection and a request of its own; a worker publishes its counts at the end of its tick.
        var looks = 20
        func shows(active: Int, waiting: Int) throws -> Bool {
            try eventually {
                looks += 1
                let counts = "\(looks) \(looks) \(looks)"
                return try Client.get(port, "/status").text
                    == "Active connections: \(active) \nserver accepts handled requests\n \(counts) \n"
                    + "Reading: 0 Writing: 1 Waiting: \(waiting) \n"
            }
        }
        #expect(try shows(active: 21, waiting: 20))
        clients.forEach { $0.close() }
        #expect(try shows(active: 1, waiting: 0))
    }

    @Test("of which one is killed: its connections are counted no more, its requests still are")
    func killed() throws {
        let origin = try Origin(answer: "ok")
        let port = Ports.free()
        let gateway = try gateway(workers: 2, port: port, upstream: "server 127.0.0.1:\(origin.port);")
        defer { gateway.stop(allowing: ["exited on signal 9"]) }
        let clients = try (0..<20).map { _ in try Client(port) }
        let workers = try clients.map { pid_t(try $0.request()["X-Pid"] ?? "") ?? 0 }
        let victim = workers[0]
        let left = workers.filter { $0 != victim }.count
        #expect(victim > 1 && left > 0)
        kill(victim, SIGKILL)
        // The new worker has its socket when the old one's is gone: until then a connection may fail.
        #expect(eventually {
            guard let text = try? Client.get(port, "/status", timeout: 1).text else { return false }
            return text.hasPrefix("Active connections: \(left + 1) \n") && text.contains("Waiting: \(left) ")
        })
        let numbers = try Client.get(port, "/status").text.split(separator: "\n")[2].split(separator: " ").compactMap { Int($0) }
        #expect(numbers.count == 3 && numbers[2] > 20, "\(numbers)")
        withExtendedLifetime(clients) {}
    }
}
