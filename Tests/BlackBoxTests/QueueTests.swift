import Foundation
import Testing
import TestKit

/// `queue`: requests that wait for a place at a plain upstream, as in NGINX Plus, or for an instance of an app.
@Suite("The queue of an upstream", .blocking, .enabled(if: Target.isGoodgate, "a directive of NGINX Plus, and of ours"))
struct Queues {
    /// Whom requests wait for.
    enum Kind: CaseIterable, Sendable {
        case place, instance

        /// What a request gets that does not wait.
        var status: Int { self == .place ? 502 : 503 }
    }

    /// A gateway whose requests wait until they are let in.
    private struct Gate {
        let site: Site
        private let origin: Origin?
        private let places: DispatchSemaphore
        /// The request that has the only place.
        private let first: Client?

        init(_ kind: Kind, queue: String, server: String = "") throws {
            let directory = try TemporaryDirectory()
            let places = DispatchSemaphore(value: 0)
            self.places = places
            var upstream = "app one;", main = ""
            if kind == .place {
                let origin = try Origin { _ in
                    places.wait()
                    return .answer(body: Bytes("x"))
                }
                self.origin = origin
                upstream = "server 127.0.0.1:\(origin.port) max_conns=1;"
            } else {
                origin = nil
                try directory.write("app.py", AppProgram.source)
                // The app may run as another user.
                chmod(try directory.write("posts", ""), 0o666)
                try directory.write("start", "while [ ! -e go ]; do sleep 0.05; done; exec /usr/bin/python3 app.py")
                main = "app one { command /bin/sh start; directory \(directory.path); start_timeout 600s; stop_timeout 2s; }"
            }
            site = try Site(
                http: "upstream back { \(upstream) \(queue) } log_format queue '$uri $status $upstream_queue_time';",
                server: """
                    location / { proxy_pass http://back; access_log queue.log queue; }
                    location = /stub { stub_status; access_log off; }
                    \(server)
                    """,
                main: main, directory: directory)
            first = kind == .place ? try site.client() : nil
            try first?.send(Client.head("GET", "/first"))
            if let origin { #expect(origin.waitForRequests(1)) }
        }

        /// The targets that reached the origin, in order.
        var served: [String] { origin?.requests.map(\.target) ?? [] }

        /// A request that is answered later.
        func send(_ target: String, method: String = "GET", body: Bytes = []) throws -> Client {
            let client = try site.client()
            try client.send(Client.head(method, target, bodyCount: body.count) + body)
            return client
        }

        /// Whether so many wait (besides the one that has the place), soon.
        func holds(_ count: Int) -> Bool {
            let all = count + (first == nil ? 0 : 1) + 1
            return eventually { (try? site.get("/stub").text)?.contains("Writing: \(all) ") == true }
        }

        /// Status and seconds of waiting that the log has of a target, once it has them.
        func logged(_ target: String) -> (status: Int, seconds: Double?)? {
            var words: [Substring] = []
            _ = eventually {
                let lines = site.gateway.directory.read("queue.log").split(separator: "\n").map { $0.split(separator: " ") }
                words = lines.first { $0.first == target[...] } ?? []
                return words.count == 3
            }
            return words.count == 3 ? Int(words[1]).map { ($0, Double(words[2])) } : nil
        }

        /// Lets one request in that waits for a place, or all that wait for the instance.
        func open() throws {
            places.signal()
            if origin == nil { try site.gateway.directory.write("go", "") }
        }

        /// Ends everything; nothing may be left of those that waited.
        func finish() throws {
            if origin != nil { #expect(try first?.readReply().status == 200) }
            #expect(eventually { (try? site.get("/stub").text)?.contains("Writing: 1 ") == true })
            site.gateway.stop(SIGQUIT)
        }
    }

    @Test("serves in the order of arrival, one after the other with max_conns=1, however long they wait")
    func order() throws {
        let gate = try Gate(.place, queue: "queue 10 timeout=600s;")
        var clients: [Client] = []
        for number in 1...6 {
            clients.append(try gate.send("/\(number)"))
            #expect(gate.holds(number))
        }
        // Each looks several times whether a place is free, which other workers would not tell.
        usleep(350_000)
        for number in 1...6 {
            #expect(gate.served.count == number, "one at a time")
            try gate.open()
            #expect(eventually { gate.served.count == number + 1 })
        }
        try gate.open()
        for client in clients { #expect(try client.readReply().status == 200) }
        #expect(gate.served == ["/first", "/1", "/2", "/3", "/4", "/5", "/6"])
        #expect(gate.logged("/first")?.seconds == nil)
        for number in 1...6 { #expect((gate.logged("/\(number)")?.seconds ?? 0) >= 0.3) }
        try gate.finish()
    }

    @Test("takes so many and no more, and gives the place of a client that leaves to the next", arguments: Kind.allCases)
    func bounds(kind: Kind) throws {
        let gate = try Gate(kind, queue: "queue 2 timeout=600s;")
        let stays = try gate.send("/stays")
        let leaves = try gate.send("/leaves")
        #expect(gate.holds(2))
        let refused = try gate.site.get("/refused")
        #expect(refused.status == kind.status)
        #expect((refused["Retry-After"] != nil) == (kind == .instance))
        #expect(gate.site.gateway.waitForError("no live upstreams, and the queue is full"))
        leaves.close()
        #expect(gate.holds(1), "nobody waits for a client that is gone")
        let follows = try gate.send("/follows")
        #expect(gate.holds(2))
        for _ in 0..<3 { try gate.open() }
        for client in [stays, follows] { #expect(try client.readReply().status == 200) }
        #expect(!gate.served.contains("/leaves"))
        try gate.finish()
        #expect(gate.logged("/leaves")?.status == 499 && gate.logged("/refused")?.status == kind.status)
    }

    @Test("lets nobody wait longer than its timeout", arguments: Kind.allCases)
    func timeout(kind: Kind) throws {
        let gate = try Gate(kind, queue: "queue 2 timeout=300ms;")
        let reply = try gate.site.get("/late")
        #expect(reply.status == kind.status)
        #expect((reply["Retry-After"] != nil) == (kind == .instance))
        #expect(gate.site.gateway.waitForError("no live upstreams within the queue's timeout while waiting for upstream"))
        let logged = gate.logged("/late")
        #expect(logged?.status == kind.status && (logged?.seconds ?? 0) >= 0.3, "\(String(describing: logged))")
        try gate.open()
        try gate.finish()
    }

    @Test("of one upstream is one over all workers, and knows nothing of another's")
    func workers() throws {
        let places = DispatchSemaphore(value: 0)
        let origin = try Origin { _ in
            places.wait()
            return .answer(body: Bytes("x"))
        }
        let port = Ports.free()
        let site = try Site(
            http: """
                upstream one { zone one 64k; server 127.0.0.1:\(origin.port) max_conns=1; queue 4 timeout=600s; }
                upstream two { zone two 64k; server 127.0.0.1:\(origin.port) max_conns=1; queue 4 timeout=600s; }
                server {
                    listen 127.0.0.1:\(port) reuseport;
                    location /one { proxy_pass http://one; }
                    location /two { proxy_pass http://two; }
                    location = /stub { stub_status; }
                }
                """, server: "location / { return 204; }", workers: 3)
        var waiting: [Client] = []
        var answered = 0
        // The kernel spreads the connections over the workers.
        for target in ["/one", "/two"] {
            for number in 0..<16 {
                let client = try Client(port)
                try client.send(Client.head("GET", target))
                if number < 5 {
                    // The first one has the place.
                    waiting.append(client)
                    let all = waiting.count + 1
                    #expect(eventually { (try? Client.get(port, "/stub").text)?.contains("Writing: \(all) ") == true })
                } else {
                    #expect(try client.readReply().status == 502)
                    answered += 1
                }
            }
        }
        #expect(answered == 22)
        for _ in waiting { places.signal() }
        for client in waiting { #expect(try client.readReply().status == 200) }
        site.gateway.stop(SIGQUIT)
    }

    @Test("holds 64 MB in memory; bodies that are in files do not count", arguments: Kind.allCases)
    func memory(kind: Kind) throws {
        let gate = try Gate(
            kind, queue: "queue 10 timeout=600s;",
            server: """
                client_max_body_size 100m;
                location /memory { proxy_pass http://back; client_body_buffer_size 40m; access_log queue.log queue; }
                """)
        let body = Bytes(repeating: 120, count: 33 << 20)
        let held = try gate.send("/memory", method: "POST", body: body)
        #expect(gate.holds(1))
        let refused = try gate.send("/memory", method: "POST", body: body)
        #expect(try refused.readReply().status == kind.status)
        #expect(gate.site.gateway.waitForError("no live upstreams, and the queue holds too many bytes"))
        let others = try [gate.send("/file", method: "POST", body: body), gate.send("/file", method: "POST", body: body), gate.send("/")]
        #expect(gate.holds(4))
        for _ in 0..<5 { try gate.open() }
        for client in [held] + others { #expect(try client.readReply().status == 200) }
        try gate.finish()
    }

    @Test("waits for servers that have failed, until they are tried again")
    func failedServers() throws {
        let origins = try (0..<2).map { _ in try Origin(listening: false) { _ in .answer(body: Bytes("well")) } }
        let servers = origins.map { "server 127.0.0.1:\($0.port) fail_timeout=2s;" }.joined(separator: " ")
        let site = try Site(
            http: "upstream back { \(servers) queue 10 timeout=600s; }", server: "location / { proxy_pass http://back; }")
        #expect(try site.get().status == 502, "both have failed it")
        for origin in origins { try origin.start() }
        #expect(try site.get().text == "well", "\(site.gateway.errorLog)")
        site.gateway.stop(SIGQUIT)
    }
}
