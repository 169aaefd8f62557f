import Foundation
import Testing
import TestKit

@Suite("A group of servers", .blocking)
struct Balancing {
    /// Which of `count` origins served each of `requests`, by the given balancing directive and parameters.
    private func served(_ requests: Int, count: Int = 3, method: String = "", parameters: [String] = [],
                        target: (Int) -> String = { "/\($0)" }, prepare: ([Origin]) -> Void = { _ in }) throws -> [Int] {
        let origins = try (0..<count).map { try Origin(answer: "\($0)") }
        prepare(origins)
        let servers = origins.enumerated().map { index, origin in
            "server 127.0.0.1:\(origin.port) \(index < parameters.count ? parameters[index] : "");"
        }
        let site = try Site(
            http: "upstream group { \(method) \(servers.joined(separator: " ")) }", server: "location / { proxy_pass http://group; }")
        defer { site.stop() }
        return try (0..<requests).map { Int(try site.get(target($0)).text) ?? -1 }
    }

    @Test("takes turns")
    func roundRobin() throws {
        #expect(try served(7) == [0, 1, 2, 0, 1, 2, 0])
    }

    @Test("spreads by weight, smoothly")
    func weights() throws {
        #expect(try served(14, parameters: ["weight=5", "weight=1", "weight=1"]) == [0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0])
    }

    @Test("leaves out servers that are down, and uses backups only when no other lives")
    func downAndBackup() throws {
        #expect(Set(try served(6, parameters: ["down", "", "backup"])) == [1])
        #expect(Set(try served(3, parameters: ["down", "", "backup"], prepare: { $0[1].stop() })) == [2])
    }

    @Test("by hash keeps a key on its server, in both forms", arguments: [
        "hash $uri;", "hash $uri consistent;",
    ])
    func hash(_ method: String) throws {
        let first = try served(30, method: method, target: { "/key\($0 % 10)" })
        #expect(Array(first[0..<10]) == Array(first[10..<20]))
        #expect(Array(first[0..<10]) == Array(first[20..<30]))
        #expect(Set(first).count > 1)
    }

    @Test("by ip_hash keeps a client on its server")
    func addressHash() throws {
        #expect(Set(try served(6, method: "ip_hash;")).count == 1)
    }

    @Test("by least_conn prefers the server with the fewest requests")
    func leastConnections() throws {
        let slow = try Origin { $0.target == "/hold" ? .silence : .answer(body: Bytes("slow")) }
        let fast = try Origin { $0.target == "/hold" ? .silence : .answer(body: Bytes("fast")) }
        let site = try Site(
            http: "upstream group { least_conn; server 127.0.0.1:\(slow.port); server 127.0.0.1:\(fast.port); }",
            server: "location / { proxy_pass http://group; }")
        defer { site.stop() }
        let held = try site.client()
        try held.send(Client.head("GET", "/hold"))
        #expect(eventually { slow.requests.count + fast.requests.count == 1 })
        let other = slow.requests.isEmpty ? "slow" : "fast"
        for _ in 0..<4 { #expect(try site.get().text == other) }
    }

    @Test("by least_time prefers the server that answers sooner", .enabled(if: Target.isGoodgate, "of NGINX Plus"), arguments: [
        "header", "last_byte",
    ])
    func leastTime(_ metric: String) throws {
        // One is late with its head, the other one with the end of its body.
        let late = try Origin { _ in
            if metric == "header" { return .delay(0.5, .answer(body: Bytes("late"))) }
            return .sequence([.bytes(Bytes("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nla")), .delay(0.5, .bytes(Bytes("te")))])
        }
        let soon = try Origin(answer: "soon")
        let site = try Site(
            http: "upstream group { zone g 64k; least_time \(metric); server 127.0.0.1:\(late.port); server 127.0.0.1:\(soon.port); }",
            server: "location / { proxy_pass http://group; }")
        defer { site.stop() }
        // A stall makes the quick one look slow for a while: what counts is that it is found out.
        var inARow = 0
        #expect(try eventually {
            inARow = try site.get().text == "soon" ? inARow + 1 : 0
            return inARow == 20
        })
        #expect(!late.requests.isEmpty, "both were tried")
    }

    @Test("respects max_conns")
    func maxConnections() throws {
        let limited = try Origin { $0.target == "/hold" ? .silence : .answer(body: Bytes("limited")) }
        let other = try Origin(answer: "other")
        let site = try Site(
            http: """
                upstream group { zone g 64k; server 127.0.0.1:\(limited.port) max_conns=1; server 127.0.0.1:\(other.port) backup; }
                """,
            server: "location / { proxy_pass http://group; }")
        defer { site.stop() }
        #expect(try site.get().text == "limited")
        let held = try site.client()
        try held.send(Client.head("GET", "/hold"))
        #expect(limited.waitForRequests(2))
        #expect(try site.get().text == "other")
    }

    @Test("of which every server is at its max_conns has no live one")
    func busy() throws {
        let origin = try Origin { $0.target == "/hold" ? .silence : .answer(body: Bytes("free")) }
        let site = try Site(
            http: "upstream group { server 127.0.0.1:\(origin.port) max_conns=1; }",
            server: "location / { proxy_pass http://group; add_header X-Tried $upstream_addr always; }")
        defer { site.stop() }
        let held = try site.client()
        try held.send(Client.head("GET", "/hold"))
        #expect(origin.waitForRequests(1))
        let reply = try site.get()
        #expect(reply.status == 502)
        #expect(reply["X-Tried"] == "group")
        #expect(site.gateway.waitForError("no live upstreams while connecting to upstream"))
        held.close()
        #expect(try eventually { try site.get().text == "free" })
    }

    @Test("by random reaches every server")
    func random() throws {
        #expect(Set(try served(60, method: "random;")).count == 3)
        #expect(Set(try served(60, method: "random two least_conn;")).count == 3)
    }

    @Test("of one name uses all of its addresses, and names them in $upstream_addr")
    func severalAddresses() throws {
        let hosts = (try? String(contentsOfFile: "/etc/hosts", encoding: .utf8)) ?? ""
        let hasIPv6 = hosts.split(separator: "\n").contains { $0.hasPrefix("::1") && $0.contains("localhost") }
        let port = Ports.free()
        let site = try Site(
            http: "upstream group { server localhost:\(port); }",
            server: "location / { proxy_pass http://group; add_header X-Tried $upstream_addr always; }")
        defer { site.stop() }
        let tried = try site.get()["X-Tried"]?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } ?? []
        #expect(Set(tried) == (hasIPv6 ? ["127.0.0.1:\(port)", "[::1]:\(port)"] : ["127.0.0.1:\(port)"]))
    }

    @Test("of unix sockets works too")
    func unixSocket() throws {
        let folder = try TemporaryDirectory()
        let origin = try Origin(unixPath: folder.path + "/o.sock") { _ in .answer(body: Bytes("unix")) }
        let site = try Site(
            http: "upstream group { server unix:\(folder.path)/o.sock; keepalive 2; }",
            server: """
                location / { proxy_pass http://group; \(Site.keepAlive) }
                location /direct { proxy_pass http://unix:\(folder.path)/o.sock:/d; }
                """)
        defer { site.stop() }
        #expect(try site.get().text == "unix")
        #expect(try site.get("/direct").text == "unix")
        #expect(origin.requests.map(\.target) == ["/", "/d"])
    }
}

@Suite("A limit", .blocking)
struct Limits {
    @Test("on the size of a head answers 400 or 414, and the connection ends", arguments: [
        ("GET /" + String(repeating: "a", count: 9_000) + " HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 9_000) + "\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: " + String(repeating: "a", count: 999) + "\r\n", count: 40), 400),
    ])
    func headSize(_ bytes: String, _ status: Int) throws {
        let origin = try Origin(answer: "x")
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        try client.send(bytes)
        let (answer, how) = client.drain(seconds: 3)
        #expect(answer.text.hasPrefix("HTTP/1.1 \(status) "), "\(answer.text.prefix(100))")
        #expect(how != .timeout)
        #expect(origin.requests.isEmpty)
    }

    @Test("on heads holds for what client_header_buffer_size has no room for: a line may fill one of the large buffers, a head all of them")
    func headBuffers() throws {
        let (small, large) = (Ports.free(), Ports.free())
        let gateway = try GatewayProcess(http: Site.block(
            "", small, "client_header_buffer_size 128; large_client_header_buffers 4 1k; return 200;")
            + Site.block("", large, "client_header_buffer_size 8k; large_client_header_buffers 4 1k; return 200;"))
        defer { gateway.stop() }
        func field(_ length: Int) -> String { "X: " + String(repeating: "x", count: length - 3) }
        // A target's length, lengths of fields, and the status with either size of the first buffer.
        let cases: [(target: Int, fields: [Int], small: Int, large: Int)] = [
            (1, [50], 200, 200), (1, [200], 200, 200), (1, [900], 200, 200), (1, [900, 900, 800], 200, 200),
            (1, [1_100], 400, 200), (200, [], 200, 200), (900, [], 200, 200), (900, [900, 900], 200, 200), (1_100, [], 414, 200),
            (1, [900, 900, 900, 900, 900], 400, 200), (1, [9_000], 400, 400), (9_000, [], 414, 414),
        ]
        for each in cases {
            let (target, fields) = ("/" + String(repeating: "a", count: each.target - 1), each.fields.map(field))
            #expect(try Client.get(small, target, fields).status == each.small, "\(each)")
            #expect(try Client.get(large, target, fields).status == each.large, "\(each)")
        }
    }

    @Test("on heads leaves room for what browsers send")
    func largeHead() throws {
        let origin = try Origin { _ in .echo }
        let site = try Site(origin)
        defer { site.stop() }
        let cookie = "Cookie: " + String(repeating: "c=0123456789; ", count: 500)
        let reply = try site.get("/" + String(repeating: "p", count: 7_000), [cookie])
        #expect(reply.status == 200)
        #expect(origin.last["Cookie"] == String(cookie.dropFirst(8).dropLast()))
    }

    @Test("on an origin's head is a 502")
    func upstreamHead() throws {
        let origin = try Origin { _ in .answer(fields: ["X: " + String(repeating: "a", count: 70_000)]) }
        let site = try Site(origin)
        defer { site.stop() }
        #expect(try site.get().status == 502)
        #expect(site.gateway.waitForError("upstream sent too big header while reading response header from upstream"))
    }

    @Test("on worker connections refuses more, goes on, and never spins")
    func workerConnections() throws {
        let origin = try Origin(answer: "x")
        let port = Ports.free()
        let gateway = try GatewayProcess(
            http: Site.block("", port, "location / { proxy_pass http://127.0.0.1:\(origin.port); }"), events: "worker_connections 32;")
        defer { gateway.stop(allowing: ["worker_connections are not enough"]) }
        #expect(eventually { gateway.workers.count == 1 })
        let worker = try #require(gateway.workers.first)
        let crowd = (0..<60).compactMap { _ in try? Client(port) }
        #expect(crowd.count > 20)
        // Goodgate leaves them in the accept queue, nginx closes the new or the idle ones: in neither are all served.
        for client in crowd { try? client.send(Client.head("GET", "/")) }
        #expect(gateway.waitForError("worker_connections are not enough"))
        let before = LiveProcess(worker).cpuTicks
        usleep(1_000_000)
        #expect(LiveProcess(worker).cpuTicks - before <= 30, "at most 0.3 s of CPU in a second")
        crowd.forEach { $0.close() }
        #expect(eventually { (try? Client.get(port, timeout: 1).text) == "x" })
    }

    @Test("of rate slows a download down")
    func rate() throws {
        let origin = try Origin { _ in .answer(body: .patterned(120_000)) }
        let site = try Site(origin, location: "limit_rate 40k;")
        defer { site.stop() }
        let seconds = try secondsTaken { _ = try site.get() }
        #expect(seconds > 0.8 && seconds < 20, "3 s at this rate; nginx counts whole seconds, so up to one less, and a burst at once")
    }

    @Test("of rate begins after limit_rate_after, whoever says the rate", arguments: ["X-Accel-Limit-Rate: 1", "X-None: 1"])
    func rateAfter(_ field: String) throws {
        let origin = try Origin { _ in .answer(fields: [field], body: .patterned(20_000)) }
        let site = try Site(
            origin, location: "limit_rate_after 1m;\(field.hasPrefix("X-None") ? " set $limit_rate 1;" : "")")
        defer { site.stop() }
        #expect(try site.get().body.count == 20_000)
    }

    @Test("of rate lets a client wait longer than send_timeout")
    func rateBeyondSendTimeout() throws {
        let directory = try TemporaryDirectory()
        try directory.write("file", Bytes.patterned(12_000_000))
        let server = "root \(directory.path); limit_rate 10k; limit_rate_after 11940000; send_timeout 2s;"
        let site = try Site(server: server, directory: directory)
        defer { site.stop() }
        let client = try Client(site.port, timeout: 60, receiveBuffer: 65_536)
        try client.send(Client.head("GET", "/file"))
        // The burst does not fit into the sockets: it waits for the client once, and never again.
        usleep(300_000)
        #expect(try client.readReply().body.count == 12_000_000)
    }

    @Test("of rate to the client and from the origin go together", arguments: [(80, 160), (160, 80), (100, 100)])
    func bothRates(_ client: Int, _ origin: Int) throws {
        let peer = try Origin { _ in .answer(body: .patterned(200_000)) }
        let site = try Site(peer, location: "limit_rate \(client)k; proxy_limit_rate \(origin)k; proxy_read_timeout 3s;")
        defer { site.stop() }
        var reply: Reply?
        let seconds = try secondsTaken { reply = try site.client(timeout: 20).request() }
        #expect(reply?.body == .patterned(200_000))
        #expect(seconds > 0.8 && seconds < 20)
    }
}
