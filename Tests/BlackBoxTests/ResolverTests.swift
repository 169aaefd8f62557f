import Foundation
import Testing
import TestKit

@Suite(
    "Names that are resolved while the worker runs", .blocking,
    .enabled(if: Target.isGoodgate, "Debian's nginx has no \"resolve\""))
struct Resolving {
    private func site(_ resolver: String, _ origin: Origin, http: String = "", locations: String = "") throws -> Site {
        try Site(
            http: http,
            server: """
                resolver \(resolver);
                resolver_timeout 5s;
                add_header X-Tried $upstream_addr always;
                location / { proxy_pass http://$arg_to:\(origin.port); }
                \(locations)
                """)
    }

    @Test("a host in proxy_pass is asked for once, and its answer serves until its time is over")
    func host() throws {
        let origin = try Origin(answer: "ok")
        let names = try NameServer { _ in .addresses(["127.0.0.1"]) }
        let site = try site("127.0.0.1:\(names.port)", origin)
        defer { site.stop() }
        for name in ["a.example", "A.EXAMPLE", "a.example."] {
            let reply = try site.get("/?to=\(name)")
            #expect(reply.status == 200 && reply["X-Tried"] == "127.0.0.1:\(origin.port)")
        }
        // One for each kind of address, or one more where the first answer took a second.
        #expect((2...4).contains(names.count("a.example")))
        #expect(Set(names.questions.map(\.type)) == [1, 28])
    }

    @Test(
        "ipv4=off and ipv6=off ask for the other kind only",
        arguments: [("ipv6=off", [1]), ("ipv4=off", [28])] as [(String, [UInt16])])
    func families(option: String, types: [UInt16]) throws {
        let origin = try Origin(answer: "ok")
        let names = try NameServer { _ in .notFound() }
        let site = try site("127.0.0.1:\(names.port) \(option)", origin)
        defer { site.stop() }
        #expect(try site.get("/?to=a.example").status == 502)
        #expect(Set(names.questions.map(\.type)) == Set(types))
    }

    @Test(
        "a host that cannot be resolved is a 502, and the error log says why",
        arguments: [
            (.notFound(), "a.example could not be resolved (3: Host not found), client: 127.0.0.1"),
            (.code(2), "a.example could not be resolved (2: Server failure)"),
            (.code(5), "a.example could not be resolved (5: Operation refused)"),
            (.addresses([]), "a.example could not be resolved (3: Host not found)"),
            (.bytes([0x81, 0x80, 0, 1, 0, 1]), "a.example could not be resolved (110: Operation timed out)"),
            (.silence, "a.example could not be resolved (110: Operation timed out)"),
        ] as [(NameServer.Answer, String)])
    func failures(answer: NameServer.Answer, line: String) throws {
        let origin = try Origin(answer: "ok")
        let names = try NameServer { _ in answer }
        let timeout = line.contains("(110") ? "300ms" : "20s"
        let site = try Site(
            server: """
                resolver 127.0.0.1:\(names.port) ipv6=off; resolver_timeout \(timeout);
                location / { proxy_pass http://$arg_to:\(origin.port); }
                """)
        defer { site.stop() }
        #expect(try site.get("/?to=a.example").status == 502)
        #expect(site.gateway.waitForError(line))
        #expect(origin.requests.isEmpty)
    }

    @Test("no name at all is not asked for")
    func noName() throws {
        let origin = try Origin(answer: "ok")
        let names = try NameServer { _ in .addresses(["127.0.0.1"]) }
        let site = try site("127.0.0.1:\(names.port)", origin)
        defer { site.stop() }
        #expect(try site.get("/?to=a..example").status == 502)
        #expect(site.gateway.waitForError("a..example could not be resolved (3: Host not found)"))
        #expect(names.questions.isEmpty)
    }

    @Test("many requests for one name wait for one answer")
    func coalescing() throws {
        let origin = try Origin(answer: "ok")
        let names = try NameServer { _ in
            Thread.sleep(forTimeInterval: 0.2)
            return .addresses(["127.0.0.1"])
        }
        let site = try site("127.0.0.1:\(names.port) ipv6=off", origin)
        defer { site.stop() }
        let clients = try (0..<20).map { _ in try site.client() }
        for client in clients { try client.send("GET /?to=a.example HTTP/1.1\r\nHost: a\r\n\r\n") }
        clients[0].socket.close()
        for client in clients.dropFirst() { #expect(try client.readReply().status == 200) }
        // A question is repeated when its answer takes a second.
        #expect((1...4).contains(names.questions.count))
    }

    @Test("all addresses are peers of the request: one that refuses is followed by the next")
    func failover() throws {
        let origin = try Origin(answer: "ok")
        let names = try NameServer { _ in .addresses(["127.0.0.1", "127.0.0.77"]) }
        let site = try site("127.0.0.1:\(names.port) ipv6=off", origin)
        defer { site.stop() }
        let port = origin.port
        var first: Set<String> = []
        for _ in 0..<60 {
            let reply = try site.get("/?to=a.example")
            #expect(reply.status == 200)
            first.insert(reply["X-Tried"] ?? "")
        }
        // The list begins at another place each time.
        #expect(first == ["127.0.0.1:\(port)", "127.0.0.77:\(port), 127.0.0.1:\(port)"])
    }

    @Test(
        "a server that is not there, or fails, is no reason to fail: the next one is asked", arguments: [false, true])
    func nextServer(isThere: Bool) throws {
        let origin = try Origin(answer: "ok")
        let dead = Ports.free()
        let failing = try NameServer { _ in .code(2) }
        let names = try NameServer { _ in .addresses(["127.0.0.1"], ttl: 0) }
        let site = try site("127.0.0.1:\(isThere ? failing.port : dead) 127.0.0.1:\(names.port)", origin)
        defer { site.stop() }
        for _ in 0..<4 { #expect(try site.get("/?to=a.example").status == 200) }
    }

    @Test("a cut answer is asked for again over TCP")
    func truncated() throws {
        let origin = try Origin(answer: "ok")
        let names = try NameServer { question in question.isStream ? .addresses(["127.0.0.1"]) : .truncated }
        let site = try site("127.0.0.1:\(names.port)", origin)
        defer { site.stop() }
        #expect(try site.get("/?to=a.example").status == 200)
        #expect(names.questions.map(\.isStream).contains(true))
    }

    @Test("an alias is followed, in one answer or with another question")
    func aliases() throws {
        let origin = try Origin(answer: "ok")
        let names = try NameServer { question in
            switch question.name {
            case "one.example": .addresses(["127.0.0.1"], alias: "target.example")
            case "two.example": .alias("target.example")
            default: .addresses(["127.0.0.1"])
            }
        }
        let site = try site("127.0.0.1:\(names.port)", origin)
        defer { site.stop() }
        #expect(try site.get("/?to=one.example").status == 200)
        #expect(names.count("target.example") == 0)
        #expect(try site.get("/?to=two.example").status == 200)
        #expect(names.count("target.example") == 2)
    }

    @Test("each question has an id and a source port that nobody can foresee, and a forged answer is not believed")
    func forgery() throws {
        let origin = try Origin(answer: "ok")
        let names = try NameServer { question in
            question.count == 1 && question.name == "forged.example"
                ? .withID(question.id ^ 1, .addresses(["127.0.0.77"])) : .addresses(["127.0.0.1"])
        }
        let site = try site("127.0.0.1:\(names.port) ipv6=off", origin)
        defer { site.stop() }
        for number in 0..<40 { #expect(try site.get("/?to=n\(number).example").status == 200) }
        let questions = names.questions
        #expect(Set(questions.map(\.id)).count > 35)
        #expect(Set(questions.map(\.sourcePort)).count > 20)
        let steps = zip(questions, questions.dropFirst()).map { $1.id &- $0.id }
        #expect(Set(steps).count > 30)
        #expect(try site.get("/?to=forged.example")["X-Tried"] == "127.0.0.1:\(origin.port)")
    }

    private func group(_ names: NameServer, _ origin: Origin, more: String = "") -> String {
        """
        upstream group {
            zone group 64k; \(more)
            server app.example:\(origin.port) resolve max_fails=0;
            resolver 127.0.0.1:\(names.port) ipv6=off; resolver_timeout 1s;
        }
        """
    }

    @Test(
        "a group's server follows its name: other addresses, none at all, and back; a failing name server changes nothing"
    )
    func follow() throws {
        let origin = try Origin(answer: "ok")
        let answer = Box(NameServer.Answer.addresses(["127.0.0.1"], ttl: 1))
        let names = try NameServer { _ in answer.value }
        let site = try Site(
            http: group(names, origin),
            server: """
                location / { proxy_pass http://group; add_header X-Tried $upstream_addr always; proxy_connect_timeout 200ms; }
                """)
        defer { site.stop() }
        let port = origin.port
        // The first request may come before the first answer: it waits.
        #expect(try site.get()["X-Tried"] == "127.0.0.1:\(port)")
        answer.value = .addresses(["127.0.0.77"], ttl: 1)
        #expect(eventually { (try? site.get()["X-Tried"]) == "127.0.0.77:\(port)" })
        answer.value = .addresses(["127.0.0.77", "127.0.0.1"], ttl: 1)
        #expect(eventually { (try? site.get()["X-Tried"]) == "127.0.0.77:\(port), 127.0.0.1:\(port)" })
        answer.value = .code(2)
        let asked = names.questions.count
        #expect(eventually { names.questions.count > asked })
        #expect(try site.get().status == 200)
        answer.value = .notFound()
        #expect(eventually { (try? site.get()["X-Tried"]) == "group" })
        #expect(site.gateway.waitForError("app.example could not be resolved (3: Host not found)"))
        #expect(site.gateway.waitForError("no live upstreams while connecting to upstream"))
        answer.value = .addresses(["127.0.0.1"], ttl: 1)
        #expect(eventually { (try? site.get().status) == 200 })
    }

    @Test("requests during a reload wait for the new worker's first answer")
    func reload() throws {
        let origin = try Origin(answer: "ok")
        let names = try NameServer { _ in
            Thread.sleep(forTimeInterval: 0.1)
            return .addresses(["127.0.0.1"], ttl: 1)
        }
        let site = try Site(http: group(names, origin), server: "location / { proxy_pass http://group; }")
        defer { site.stop() }
        let load = Load(port: site.port, clients: 4)
        for _ in 0..<3 {
            let old = Set(site.gateway.workers)
            site.gateway.signal(SIGHUP)
            #expect(eventually { !site.gateway.workers.isEmpty && old.isDisjoint(with: site.gateway.workers) })
        }
        let result = load.finish()
        #expect(result.failures.isEmpty && result.count > 0, "\(result.failures)")
    }
}
