import Foundation
import Synchronization
import Testing
import TestKit

/// `health_check` and `match`, with NGINX Plus's parameters.
@Suite("A health check", .blocking, .enabled(if: Target.isGoodgate))
struct HealthChecks {
    /// An origin whose `/health` answers as told, and everything else with its name.
    private final class Checked: Sendable {
        private final class Answer: Sendable {
            let reaction: Mutex<Origin.Reaction>
            init(_ reaction: Origin.Reaction) { self.reaction = Mutex(reaction) }
        }

        let origin: Origin
        private let answer: Answer

        init(_ name: String, _ reaction: Origin.Reaction = .answer()) throws {
            let answer = Answer(reaction)
            self.answer = answer
            origin = try Origin { request in
                request.target.hasPrefix("/health") ? answer.reaction.withLock { $0 } : .answer(body: Bytes(name))
            }
        }

        func set(_ reaction: Origin.Reaction) { answer.reaction.withLock { $0 = reaction } }
        var checks: Int { origin.requests.count { $0.target.hasPrefix("/health") } }
        var traffic: Int { origin.requests.count { !$0.target.hasPrefix("/health") } }
    }

    private func site(
        _ origins: [Checked], check: String = "interval=50ms uri=/health", server: String = "", timeout: String = "10s",
        upstream: String = "", workers: Int = 1
    ) throws -> Site {
        let servers = origins.map { "server 127.0.0.1:\($0.origin.port) \(server);" }.joined(separator: " ")
        return try Site(
            http: "upstream back { zone back 64k; \(servers) \(upstream) }",
            server: """
                location / { proxy_pass http://back; }
                location @check { proxy_pass http://back; health_check \(check); proxy_read_timeout \(timeout); }
                """,
            workers: workers)
    }

    private func names(_ site: Site, _ count: Int = 8) throws -> Set<String> {
        Set(try (0..<count).map { _ in try site.get().text })
    }

    @Test("takes a failing peer out in all workers, and back after its passes", arguments: [1, 3])
    func outAndBack(workers: Int) throws {
        let (a, b) = (try Checked("a"), try Checked("b"))
        let site = try site([a, b], check: "interval=50ms fails=2 passes=2 uri=/health?x", workers: workers)
        defer { site.stop() }
        #expect(eventually { (try? names(site)) == ["a", "b"] })
        b.set(.answer("500 No"))
        #expect(site.gateway.waitForError("""
            peer 127.0.0.1:\(b.origin.port) of upstream "back" is unhealthy: 2 checks in a row failed, it answered with status 500
            """))
        #expect(eventually { (try? names(site, 12)) == ["a"] }, "the workers hear of it as soon as the log")
        let before = b.traffic
        #expect(try names(site, 12) == ["a"])
        #expect(b.traffic == before)
        let checks = b.checks
        b.set(.answer())
        #expect(site.gateway.waitForError("127.0.0.1:\(b.origin.port) of upstream \"back\" is healthy"))
        #expect(eventually { (try? names(site)) == ["a", "b"] })
        #expect(b.checks >= checks + 2)
        #expect(a.origin.requests.contains { $0.target == "/health?x" && $0["Host"] == "back" && $0["Connection"] == "close" })
    }

    @Test("finds peers that hang, refuse, close, and answer with nothing but interim answers") func faults() throws {
        let interim = Bytes(String(repeating: "HTTP/1.1 102 Processing\r\n\r\n", count: 20))
        let origins = [
            try Checked("a"), try Checked("b", .silence), try Checked("c", .close), try Checked("d"),
            try Checked("e", .bytes(interim)),
        ]
        origins[3].origin.stop()
        let site = try site(origins, timeout: "1s")
        defer { site.stop() }
        for text in ["it did not answer in time", "it closed the connection", "connect() failed (111", "too many interim responses"] {
            #expect(site.gateway.waitForError(text), "\(text)")
        }
        #expect(try names(site) == ["a"])
        #expect(origins.dropFirst().allSatisfy { $0.traffic == 0 })
    }

    @Test("gives a new peer no traffic before its first pass, while another lives") func unproven() throws {
        let (a, b) = (try Checked("a"), try Checked("b", .delay(1, .answer())))
        let site = try site([a, b], timeout: "5s")
        defer { site.stop() }
        #expect(site.gateway.waitForError("127.0.0.1:\(a.origin.port) of upstream \"back\" is healthy"))
        #expect(try names(site) == ["a"])
        #expect(b.traffic == 0)
        #expect(site.gateway.waitForError("127.0.0.1:\(b.origin.port) of upstream \"back\" is healthy"))
        #expect(try names(site) == ["a", "b"])
    }

    @Test("leaves the pool never empty, unless the first pass is mandatory", arguments: [false, true])
    func neverEmpty(isMandatory: Bool) throws {
        let (a, b) = (try Checked("a", .delay(0.6, .answer())), try Checked("b", .delay(0.6, .answer())))
        let mandatory = isMandatory ? "mandatory" : ""
        let site = try site([a, b], check: "interval=50ms uri=/health \(mandatory)", timeout: "5s")
        defer { site.stop() }
        #expect(try site.get().status == (isMandatory ? 502 : 200))
        #expect(eventually { (try? names(site)) == ["a", "b"] })
        for one in [a, b] { one.set(.answer("503 No")) }
        #expect(eventually { site.gateway.errorLog.split(separator: "\n").count { $0.contains("is unhealthy") } == 2 })
        #expect(try site.get().status == 200, "the least bad one is better than none")
    }

    @Test("gives a server nothing that must pass and never did, whatever became of its checks, also over a reload and a kill")
    func mandatoryFails() throws {
        for first in [Origin.Reaction.answer("500 No"), .silence] {
            let a = try Checked("a", first)
            let site = try site([a], check: "interval=50ms uri=/health mandatory persistent", timeout: "200ms", workers: 2)
            defer { site.stop(allowing: ["exited on signal 9", "is unhealthy", "no live upstreams"]) }
            #expect(site.gateway.waitForError("is unhealthy"))
            for round in 0..<3 {
                let old = Set(site.gateway.workers)
                if round == 1 { site.gateway.signal(SIGHUP) }
                if round == 2 { old.forEach { kill($0, SIGKILL) } }
                #expect(eventually { round == 0 || old.isDisjoint(with: site.gateway.workers) && site.gateway.workers.count == 2 })
                let checks = a.checks
                #expect(eventually { a.checks >= checks + 3 }, "the checks go on")
                for _ in 0..<4 { #expect(try site.get().status == 502) }
                #expect(a.traffic == 0)
            }
            a.set(.answer())
            #expect(eventually { (try? site.get().status) == 200 })
            a.set(.answer("500 No"))
            #expect(eventually { site.gateway.errorLog.split(separator: "\n").count { $0.contains("is unhealthy") } >= 2 })
            #expect(try site.get().status == 200, "it passed once: better than nothing")
        }
    }

    @Test("keeps its results over a reload and the end of the worker that found them") func results() throws {
        let (a, b) = (try Checked("a"), try Checked("b", .answer("500 No")))
        let site = try site([a, b], check: "interval=50ms uri=/health mandatory persistent", workers: 2)
        defer { site.stop(allowing: ["exited on signal 9"]) }
        #expect(eventually { site.gateway.errorLog.contains("is unhealthy") && site.gateway.errorLog.contains("is healthy") })
        for round in 0..<2 {
            let old = Set(site.gateway.workers)
            if round == 0 { site.gateway.signal(SIGHUP) } else { old.forEach { kill($0, SIGKILL) } }
            var served: Set = ["a"]
            #expect(try eventually {
                if round == 0 { served.formUnion(try names(site, 2)) }
                return old.isDisjoint(with: site.gateway.workers) && site.gateway.workers.count == 2
            })
            #expect(served == ["a"])
            let checks = b.checks
            #expect(eventually { b.checks >= checks + 3 }, "the checks go on")
            #expect(try names(site) == ["a"])
        }
        #expect(b.traffic == 0)
        let first = b.checks
        let seconds = secondsTaken { usleep(1_000_000) }
        #expect(Double(b.checks - first) <= seconds * 20 * 1.4 + 2, "one worker checks, not each")
        b.set(.answer())
        #expect(eventually { (try? names(site)) == ["a", "b"] })
    }

    @Test("keeps its connection for keepalive_time, and asks another port") func connections() throws {
        let (a, other) = (try Checked("a"), try Checked("other"))
        let site = try site([a], check: "interval=20ms uri=/health keepalive_time=10s port=\(other.origin.port)")
        defer { site.stop() }
        #expect(eventually { other.checks >= 5 })
        #expect(other.origin.connections == 1)
        #expect(a.checks == 0)
        other.origin.dropConnections()
        let checks = other.checks
        #expect(eventually { other.checks >= checks + 3 })
        #expect(other.origin.connections == 2)
        #expect(!site.gateway.errorLog.contains("is unhealthy"), "a kept connection may end")
        #expect(try site.get().text == "a")
    }

    @Test("lets a server that is well again start slowly") func slowStart() throws {
        let (a, b) = (try Checked("a"), try Checked("b"))
        let site = try site([a, b], server: "slow_start=60s", workers: 2)
        defer { site.stop() }
        #expect(eventually { (try? names(site)) == ["a", "b"] })
        b.set(.answer("500 No"))
        #expect(site.gateway.waitForError("is unhealthy"))
        usleep(600_000)
        b.set(.answer())
        #expect(eventually { site.gateway.errorLog.split(separator: "\n").count { $0.contains("is healthy") } == 3 })
        let before = b.traffic
        for _ in 0..<40 { _ = try site.get() }
        // Both began at the start, and b anew: it has a part of what a has.
        #expect(b.traffic - before <= 15, "\(b.traffic - before)")
    }

    @Test("of a name that is followed is known to all workers") func followedName() throws {
        let (a, b) = (try Checked("a"), try Checked("b", .answer("500 No")))
        let names = try NameServer { _ in .addresses(["127.0.0.1"]) }
        let servers = [a, b].map { "server \($0.origin.port == a.origin.port ? "a" : "b").example:\($0.origin.port) resolve;" }
        let site = try Site(
            http: """
                resolver 127.0.0.1:\(names.port) ipv6=off;
                upstream back { zone back 64k; \(servers.joined(separator: " ")) }
                """,
            server: "location / { proxy_pass http://back; health_check interval=50ms uri=/health; add_header X-Pid $pid; }", workers: 3)
        defer { site.stop() }
        #expect(site.gateway.waitForError("127.0.0.1:\(b.origin.port) of upstream \"back\" is unhealthy"))
        #expect(site.gateway.waitForError("127.0.0.1:\(a.origin.port) of upstream \"back\" is healthy"))
        #expect(eventually { (try? self.names(site)) == ["a"] })
        var workers = Set<String>()
        var rounds = 0
        // Several connections at once, so that sooner or later more than one worker gets some. A worker that has found the names a moment
        // ago asks for their places on the board first, and knows nothing of them until it has them.
        let areTold = try eventually {
            rounds += 1
            let clients = try (0..<12).map { _ in try site.client() }
            for client in clients { try client.send(Client.head("GET", "/")) }
            let replies = try clients.map { try $0.readReply() }
            workers.formUnion(replies.map { $0["X-Pid"] ?? "" })
            if replies.contains(where: { $0.text != "a" }) { (rounds, workers) = (0, []) }
            return rounds >= 5 && workers.count > 1
        }
        #expect(areTold, "\(workers) in \(rounds) rounds")
    }

    private static let page = Bytes("<p>Welcome to the shop</p>")
    private static let matches: [(block: String, answer: Origin.Reaction, passes: Bool)] = [
        ("status 200;", .answer(), true),
        ("status 200 301-303 404;", .answer("302 Found"), true),
        ("status 200 301-303 404;", .answer("304 Not Modified"), false),
        ("status ! 500-599;", .answer("404 No"), true),
        ("status ! 500-599;", .answer("503 No"), false),
        ("header X-State;", .answer(fields: ["x-state: 1"]), true),
        ("header X-State;", .answer(), false),
        ("header ! X-State;", .answer(), true),
        ("header ! X-State;", .answer(fields: ["X-State:"]), false),
        ("header X-State = ok;", .answer(fields: ["X-State: no", "X-State: ok"]), true),
        ("header X-State = ok;", .answer(fields: ["X-State: OK"]), false),
        ("header X-State != bad;", .answer(), true),
        ("header X-State != bad;", .answer(fields: ["X-State: ok", "X-State: bad"]), false),
        ("header Content-Type ~ ^text/;", .answer(fields: ["Content-Type: text/html"]), true),
        ("header Content-Type ~* ^TEXT/;", .answer(fields: ["Content-Type: text/html"]), true),
        ("header Content-Type !~ ^text/;", .answer(fields: ["Content-Type: text/html"]), false),
        ("body ~ \"Welcome to\";", .answer(body: page), true),
        ("body ~ \"Goodbye\";", .answer(body: page), false),
        ("body !~ \"maintenance\";", .answer(body: Bytes("in maintenance")), false),
        ("body !~ \"maintenance\";", .answer(), true),
        ("body ~ \"Welcome to the shop\";", .chunks([Bytes("<p>Welc"), Bytes("ome to"), Bytes(" the shop")], pause: 0.01), true),
        ("body ~ \"Welcome\";", .sequence([.bytes(Bytes("HTTP/1.0 200 OK\r\n\r\n") + page), .close]), true),
        ("body ~ end$;", .answer(body: Bytes(String(repeating: "x", count: 300 << 10) + "end")), false),
        ("status 200; header A = 1; body ~ p;", .answer(fields: ["A: 1"], body: page), true),
        ("status 200; header A = 1; body ~ p;", .answer(fields: ["A: 2"], body: page), false),
        ("status 200; body ~ p;", .bytes(Bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n")), false),
        ("status 200;", .bytes(Bytes("nonsense\r\n\r\n")), false),
        ("status 200;", .bytes(Bytes("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")), true),
    ]

    @Test("matches status, fields and body") func match() throws {
        let origin = try Origin { request in
            Int(request.target.dropFirst(6)).map { HealthChecks.matches[$0].answer } ?? .answer("400 No")
        }
        var http = ""
        var server = ""
        for (number, one) in Self.matches.enumerated() {
            http += "match m\(number) { \(one.block) }\nupstream u\(number) { server 127.0.0.1:\(origin.port); }\n"
            server += "location /\(number) { proxy_pass http://u\(number); health_check uri=/case/\(number) match=m\(number); }\n"
        }
        let site = try Site(http: http, server: server)
        defer { site.stop() }
        for (number, one) in Self.matches.enumerated() {
            let line = "of upstream \"u\(number)\" is \(one.passes ? "healthy" : "unhealthy")"
            #expect(site.gateway.waitForError(line), "\(number): \(one.block)")
        }
    }

    @Test("of a plain upstream does not exist: nothing is asked") func none() throws {
        let a = try Checked("a")
        let site = try Site(http: "upstream back { server 127.0.0.1:\(a.origin.port); }", server: "location / { proxy_pass http://back; }")
        defer { site.stop() }
        #expect(try site.get().text == "a")
        #expect(a.checks == 0)
    }
}
