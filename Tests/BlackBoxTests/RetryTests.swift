import Foundation
import Synchronization
import Testing
import TestKit

/// Two servers: the first fails in some way, the second answers.
private struct Pair {
    let bad: Origin
    let good: Origin
    let site: Site

    init(_ location: String = "", _ failure: @escaping Origin.Script) throws {
        bad = try Origin(failure)
        good = try Origin(answer: "good")
        site = try Site(
            http: """
                upstream pair { server 127.0.0.1:\(bad.port) max_fails=0; server 127.0.0.1:\(good.port) max_fails=0 backup; keepalive 4; }
                """,
            server: "location / { proxy_pass http://pair; \(Site.keepAlive) \(location) }")
    }
}

@Suite("A failed attempt", .blocking)
struct Retries {
    @Test("is repeated on the next server for a safe method", arguments: ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
    func idempotent(_ method: String) throws {
        let pair = try Pair { _ in .close }
        defer { pair.site.stop() }
        #expect(try pair.site.get(method: method, body: method == "PUT" ? Bytes("body") : []).status == 200)
        #expect(pair.bad.requests.count == 1)
        #expect(pair.good.requests.count == 1)
        #expect(pair.good.last.body.text == (method == "PUT" ? "body" : ""))
    }

    @Test("is never repeated for POST and PATCH once the request was sent", arguments: ["POST", "PATCH", "LOCK"])
    func nonIdempotent(_ method: String) throws {
        let pair = try Pair { _ in .close }
        defer { pair.site.stop() }
        #expect(try pair.site.get(method: method, body: Bytes("x")).status == 502)
        #expect(pair.bad.requests.count == 1)
        #expect(pair.good.requests.isEmpty)
        #expect(pair.site.gateway.waitForError(
            "upstream prematurely closed connection while reading response header from upstream, client: 127.0.0.1"))
    }

    @Test("is never repeated for a method that nobody knows", .enabled(if: Target.isGoodgate, "nginx repeats it"))
    func unknownMethod() throws {
        let pair = try Pair { _ in .close }
        defer { pair.site.stop() }
        #expect(try pair.site.get(method: "SUBMIT").status == 502)
        #expect(pair.bad.requests.count == 1)
        #expect(pair.good.requests.isEmpty)
    }

    @Test("is repeated for POST with an Idempotency-Key where the configuration says so", .enabled(if: Target.isGoodgate, "our directive"),
          arguments: [
              ("on", "Idempotency-Key: 7", true), ("on", "Idempotency-Key:", false), ("on", "X-Key: 7", false),
              ("off", "Idempotency-Key: 7", false),
          ])
    func keyedPost(_ setting: String, _ field: String, _ isRepeated: Bool) throws {
        let pair = try Pair("proxy_replay_idempotency_key \(setting);") { _ in .close }
        defer { pair.site.stop() }
        let reply = try pair.site.client().request("POST", "/", [field], body: Bytes("x"))
        #expect(reply.status == (isRepeated ? 200 : 502))
        #expect(pair.good.requests.count == (isRepeated ? 1 : 0))
    }

    @Test("is not repeated for POST with a key that is not passed on", .enabled(if: Target.isGoodgate, "our directive"), arguments: [
        ("proxy_set_header Idempotency-Key \"\";", []), ("proxy_pass_request_headers off;", []), ("", ["Connection: Idempotency-Key"]),
    ])
    func droppedKey(_ setting: String, _ more: [String]) throws {
        let pair = try Pair("proxy_replay_idempotency_key on; \(setting)") { _ in .close }
        defer { pair.site.stop() }
        #expect(try pair.site.client().request("POST", "/", ["Idempotency-Key: 7"] + more, body: Bytes("x")).status == 502)
        #expect(pair.good.requests.isEmpty)
    }

    @Test("is decided by the method that the origin got", .enabled(if: Target.isGoodgate, "nginx goes by the client's"), arguments: [
        ("POST", "GET", false), ("GET", "POST", true),
    ])
    func replacedMethod(_ sent: String, _ asked: String, _ isRepeated: Bool) throws {
        let pair = try Pair("proxy_method \(sent);") { _ in .close }
        defer { pair.site.stop() }
        #expect(try pair.site.get(method: asked).status == (isRepeated ? 200 : 502))
        #expect(pair.good.requests.count == (isRepeated ? 1 : 0))
    }

    @Test("is repeated for POST when the connection was refused")
    func refusedPost() throws {
        let pair = try Pair { _ in .close }
        defer { pair.site.stop() }
        pair.bad.stop()
        #expect(try pair.site.get(method: "POST", body: Bytes("x")).text == "good")
        #expect(pair.good.requests.count == 1)
    }

    @Test("is repeated for POST when not even its head got out whole", .enabled(if: Target.isGoodgate, "nginx gives up"))
    func unsentPost() throws {
        // An origin that reads nothing, so a large head does not fit into the kernel's buffers.
        let bad = try RawOrigin { client in
            usleep(300_000)
            client.reset()
        }
        let good = try Origin(answer: "good")
        let site = try Site(
            http: "upstream pair { server 127.0.0.1:\(bad.port) max_fails=0; server 127.0.0.1:\(good.port) backup; }",
            server: "large_client_header_buffers 100 64k; location / { proxy_pass http://pair; }")
        defer { site.stop() }
        let fields = (0..<99).map { "X-\($0): " + String(repeating: "x", count: 60_000) }
        #expect(try site.get("/", fields, method: "POST", body: Bytes("x")).text == "good")
        #expect(bad.connections == 1)
        #expect(good.last.body.text == "x")
        #expect(good.last["X-98"]?.utf8.count == 60_000)
    }

    @Test("is repeated for POST where the configuration says non_idempotent")
    func nonIdempotentAllowed() throws {
        let pair = try Pair("proxy_next_upstream error timeout non_idempotent;") { _ in .close }
        defer { pair.site.stop() }
        #expect(try pair.site.get(method: "POST", body: Bytes("x")).text == "good")
        #expect(pair.good.last.body.text == "x")
    }

    @Test("by reset before an answer is repeated too")
    func reset() throws {
        let pair = try Pair { _ in .reset }
        defer { pair.site.stop() }
        #expect(try pair.site.get().text == "good")
        #expect(pair.site.gateway.waitForError("(104: Connection reset by peer) while reading response header from upstream"))
    }

    @Test("by status is repeated only where proxy_next_upstream lists it", arguments: [
        ("http_500", "500 E", true), ("http_502", "502 E", true), ("http_503", "503 E", true), ("http_504", "504 E", true),
        ("http_404", "404 E", true), ("http_403", "403 E", true), ("http_429", "429 E", true), ("error", "503 E", false),
    ])
    func status(_ condition: String, _ status: String, _ retried: Bool) throws {
        let pair = try Pair("proxy_next_upstream \(condition);") { _ in .answer(status, body: Bytes("bad")) }
        defer { pair.site.stop() }
        let reply = try pair.site.get()
        #expect(reply.text == (retried ? "good" : "bad"))
        #expect(reply.status == (retried ? 200 : Int(status.prefix(3))))
    }

    @Test("by status of the last server is passed on as it is")
    func lastStatus() throws {
        let origin = try Origin { _ in .answer("503 E", fields: ["Retry-After: 7"], body: Bytes("busy")) }
        let site = try Site(origin, location: "proxy_next_upstream error http_503;")
        defer { site.stop() }
        let reply = try site.get()
        #expect(reply.status == 503)
        #expect(reply.text == "busy")
        #expect(reply["Retry-After"] == "7")
    }

    @Test("by garbage is repeated under invalid_header")
    func invalidHeader() throws {
        let pair = try Pair("proxy_next_upstream invalid_header;") { _ in
            .sequence([.bytes(Bytes("HTTP/1.1 200 OK\r\nX-Bad: \0\r\n\r\n")), .close])
        }
        defer { pair.site.stop() }
        #expect(try pair.site.get().text == "good")
    }

    @Test("by time-out is repeated under timeout")
    func timeout() throws {
        let pair = try Pair("proxy_read_timeout 200ms;") { _ in .silence }
        defer { pair.site.stop() }
        // The good one has no more time than that.
        #expect(eventually { (try? pair.site.get().text) == "good" })
        #expect(pair.site.gateway.waitForError(
            "upstream timed out (110: Connection timed out) while reading response header from upstream"))
    }

    @Test("is not repeated once proxy_next_upstream_timeout has passed, and before as always", arguments: [
        ("proxy_read_timeout 300ms; proxy_next_upstream_timeout 100ms;", 504),
        ("proxy_read_timeout 100ms; proxy_next_upstream_timeout 60s;", 200),
    ])
    func timeLimit(_ directives: String, _ status: Int) throws {
        let pair = try Pair(directives) { _ in .silence }
        defer { pair.site.stop() }
        if status == 504 {
            #expect(try pair.site.get().status == 504)
            #expect(pair.good.requests.isEmpty)
        } else {
            // The good one has no more time than that.
            #expect(eventually { (try? pair.site.get().status) == 200 })
        }
    }

    @Test("is not repeated with proxy_next_upstream off or with one try", arguments: [
        "proxy_next_upstream off;", "proxy_next_upstream_tries 1;",
    ])
    func off(_ directive: String) throws {
        let pair = try Pair(directive) { _ in .close }
        defer { pair.site.stop() }
        #expect(try pair.site.get().status == 502)
        #expect(pair.good.requests.isEmpty)
    }

    @Test("after the first byte of an answer that reached the client is never repeated")
    func afterFirstByte() throws {
        let pair = try Pair("proxy_buffering off;") { _ in
            .sequence([.bytes(Bytes("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")), .close])
        }
        defer { pair.site.stop() }
        let client = try pair.site.client()
        try client.send(Client.head("GET", "/"))
        let (bytes, how) = client.drain()
        #expect(how == .end || how == .reset)
        #expect(bytes.text.hasSuffix("\r\n\r\nhalf"), "truncated, and seen to be truncated")
        #expect(pair.good.requests.isEmpty)
    }

    @Test("stops after proxy_next_upstream_tries servers")
    func tries() throws {
        let bad = try (0..<4).map { _ in try Origin { _ in .close } }
        let site = try Site(
            http: "upstream four { \(bad.map { "server 127.0.0.1:\($0.port) max_fails=0;" }.joined(separator: " ")) }",
            server: "location / { proxy_pass http://four; proxy_next_upstream_tries 3; }")
        defer { site.stop() }
        #expect(try site.get().status == 502)
        #expect(bad.map(\.requests.count).reduce(0, +) == 3)
    }
}

@Suite("A guarded group", .blocking, .enabled(if: Target.isGoodgate, "panic is Goodgate's own"))
struct GuardedGroup {
    /// A first server that is dead and never out, and a backup that answers.
    private func answered(_ requests: Int, panic: String) throws -> Int {
        let good = try Origin(answer: "good")
        let site = try Site(
            http: """
                upstream group {
                    panic \(panic);
                    server 127.0.0.1:\(Ports.free()) max_fails=0;
                    server 127.0.0.1:\(good.port) max_fails=0 backup;
                }
                """,
            server: "location / { proxy_pass http://group; }")
        defer { site.stop() }
        let client = try site.client()
        return try (0..<requests).filter { _ in try client.request().status == 200 }.count
    }

    @Test("retries no more than a hundred requests and a fifth of all; others as often as nginx")
    func budget() throws {
        #expect(try answered(150, panic: "on") == 130)
        #expect(try answered(150, panic: "off") == 150)
    }

    @Test("is never empty: a server that failed is asked when there is no better one", arguments: ["on", "off"])
    func neverEmpty(_ panic: String) throws {
        let origins = try (0..<2).map { _ in try Origin(listening: false) { _ in .answer(body: Bytes("back")) } }
        let servers = origins.map { "server 127.0.0.1:\($0.port) fail_timeout=60s;" }.joined(separator: " ")
        let site = try Site(http: "upstream group { panic \(panic); \(servers) }", server: "location / { proxy_pass http://group; }")
        defer { site.stop() }
        #expect(try site.get().status == 502)
        try origins[1].start()
        #expect(try site.get().status == (panic == "on" ? 200 : 502))
    }

    @Test("puts a server out that answers with errors, unless it is the last good one", arguments: [("on", true), ("off", false)])
    func serverErrors(_ panic: String, _ isOut: Bool) throws {
        let (bad, good) = (try Origin { _ in .answer("500 No", body: Bytes("bad")) }, try Origin(answer: "good"))
        let servers = [bad, good].map { "server 127.0.0.1:\($0.port) fail_timeout=60s;" }.joined(separator: " ")
        let site = try Site(http: "upstream group { panic \(panic); \(servers) }", server: "location / { proxy_pass http://group; }")
        defer { site.stop() }
        let client = try site.client()
        // Twenty answers say enough.
        for _ in 0..<44 { _ = try client.request() }
        let statuses = try (0..<10).map { _ in try client.request().status }
        #expect(statuses.allSatisfy { $0 == 200 } == isOut)
        good.stop()
        #expect(try site.get().status == 500, "a server that answers with errors is better than none")
    }

    @Test("counts answers that break off against the server", arguments: [("on", 2), ("off", 4)])
    func brokenAnswers(_ panic: String, _ asked: Int) throws {
        let bad = try Origin { _ in .sequence([.bytes(Bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")), .close]) }
        let good = try Origin(answer: "good")
        let site = try Site(
            http: """
                upstream group {
                    panic \(panic);
                    server 127.0.0.1:\(bad.port) max_fails=2 fail_timeout=60s;
                    server 127.0.0.1:\(good.port);
                }
                """,
            server: "location / { proxy_pass http://group; proxy_buffering off; }")
        defer { site.stop() }
        for _ in 0..<8 {
            let client = try site.client()
            try client.send(Client.head("GET", "/"))
            // Half of an answer and its end, or a whole one.
            _ = try? client.readReply()
            client.close()
        }
        #expect(bad.requests.count == asked)
    }
}

@Suite("A cached upstream connection", .blocking)
struct CachedConnections {
    /// Whether somebody on this host still holds a connection to a port, alive or ended by the other side.
    private func hasConnection(to port: Int) throws -> Bool {
        let hexadecimal = String(port, radix: 16, uppercase: true)
        let end = ":" + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
        // Each line: number, local address, remote address, state (01 established, 08 close wait).
        return try String(contentsOfFile: "/proc/net/tcp", encoding: .utf8).split(separator: "\n").contains { line in
            let fields = line.split(separator: " ")
            return fields.count > 3 && fields[2].hasSuffix(end) && ["01", "08"].contains(fields[3])
        }
    }

    @Test("that died while idle costs no request, not even a POST")
    func diedIdle() throws {
        let origin = try Origin { .answer(body: Bytes("#\($0.connection)")) }
        let site = try Site(origin)
        defer { site.stop() }
        #expect(try site.get().text == "#1")
        origin.dropConnections()
        #expect(try eventually { !(try hasConnection(to: origin.port)) }, "the worker saw the end")
        #expect(try site.get(method: "POST", body: Bytes("x")).text == "#2")
        #expect(origin.requests.count == 2)
    }

    @Test("that died together with all others of its pool costs no request")
    func allDied() throws {
        let origin = try Origin { request in
            request.target == "/hold" ? .delay(0.3, .answer(body: Bytes("held"))) : .answer(body: Bytes("#\(request.connection)"))
        }
        let site = try Site(
            http: "upstream many { server 127.0.0.1:\(origin.port); keepalive 600; }",
            server: "location / { proxy_pass http://many; \(Site.keepAlive) }")
        defer { site.stop() }
        let clients = try (0..<200).map { _ in try site.client() }
        for client in clients { try client.send(Client.head("GET", "/hold")) }
        for client in clients { #expect(try client.readReply().text == "held") }
        origin.dropConnections()
        for client in clients { try client.send(Client.head("GET", "/")) }
        for client in clients { #expect(try client.readReply().status == 200) }
    }

    @Test("that ends right when it is used gets one free try on a fresh one")
    func freeTry() throws {
        let origin = try Origin { $0.index == 2 ? .close : .answer(body: Bytes("#\($0.connection).\($0.index)")) }
        let site = try Site(origin)
        defer { site.stop() }
        #expect(try site.get().text == "#1.1")
        #expect(try site.get().text == "#2.1", "repeated although the group has a single server")
        #expect(origin.requests.count == 3)
    }

    @Test("that ends when a POST is used does not execute it twice")
    func postIsNotReplayed() throws {
        let origin = try Origin { $0.index == 2 ? .close : .answer(body: Bytes("ok")) }
        let site = try Site(origin)
        defer { site.stop() }
        #expect(try site.get().status == 200)
        #expect(try site.get(method: "POST", body: Bytes("x")).status == 502)
        #expect(origin.requests.filter { $0.method == "POST" }.count == 1)
    }

    @Test("is not used again when the origin says close")
    func originCloses() throws {
        let origin = try Origin { .answer(fields: ["Connection: close"], body: Bytes("#\($0.connection)")) }
        let site = try Site(origin)
        defer { site.stop() }
        #expect(try site.get().text == "#1")
        #expect(try site.get().text == "#2")
    }

    @Test("is not used again when the origin sent more than its answer")
    func extraBytes() throws {
        let origin = try Origin { .bytes(Bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n#\($0.connection)extra")) }
        let site = try Site(origin)
        defer { site.stop() }
        #expect(try site.get().text == "#1")
        #expect(try site.get().text == "#2")
    }

    @Test("is not used again after an answer that was cut short")
    func truncated() throws {
        let short = Bytes("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        let origin = try Origin { $0.connection == 1 ? .sequence([.bytes(short), .close]) : .answer(body: Bytes("whole")) }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("GET", "/"))
        #expect(throws: KitError.self) { try client.readReply() }
        #expect(try site.get().text == "whole")
    }

    @Test("retires after keepalive_requests")
    func keepAliveRequests() throws {
        let origin = try Origin { .answer(body: Bytes("#\($0.connection)")) }
        let site = try Site(
            http: "upstream few { server 127.0.0.1:\(origin.port); keepalive 4; keepalive_requests 2; }",
            server: "location / { proxy_pass http://few; \(Site.keepAlive) }")
        defer { site.stop() }
        #expect(try (0..<5).map { _ in try site.get().text } == ["#1", "#1", "#2", "#2", "#3"])
    }

    @Test("retires after keepalive_time, once it has answered")
    func keepAliveTime() throws {
        let origin = try Origin { .answer(body: Bytes("#\($0.connection)")) }
        let site = try Site(
            http: "upstream old { server 127.0.0.1:\(origin.port); keepalive 4; keepalive_time 1s; }",
            server: "location / { proxy_pass http://old; \(Site.keepAlive) }")
        defer { site.stop() }
        #expect(try site.get().text == "#1")
        usleep(1_100_000)
        #expect(try site.get().text == "#1")
        #expect(try site.get().text == "#2")
    }

    @Test("retires after keepalive_timeout")
    func keepAliveTimeout() throws {
        let origin = try Origin { .answer(body: Bytes("#\($0.connection)")) }
        let site = try Site(
            http: "upstream brief { server 127.0.0.1:\(origin.port); keepalive 4; keepalive_timeout 200ms; }",
            server: "location / { proxy_pass http://brief; \(Site.keepAlive) }")
        defer { site.stop() }
        #expect(try site.get().text == "#1")
        #expect(eventually { origin.openConnections == 0 })
        #expect(try site.get().text == "#2")
    }

    @Test("retires before the idle timeout that the origin announced", .enabled(if: Target.isGoodgate, "nginx waits to be closed on"))
    func announcedTimeout() throws {
        let origin = try Origin { .answer(fields: ["Keep-Alive: timeout=3"], body: Bytes("#\($0.connection)")) }
        let site = try Site(origin)
        defer { site.stop() }
        var times: [Double] = []
        // A machine that stalls is late now and then.
        repeat {
            let connection = "#\(times.count + 1)"
            #expect(try site.get().text == connection)
            #expect(try site.get().text == connection, "still good")
            times.append(secondsTaken { #expect(eventually { origin.openConnections == 0 }) })
        } while times[times.count - 1] >= 3 && times.count < 4
        #expect(times[times.count - 1] < 3, "closed by the gateway, before the origin would: \(times)")
        #expect(try site.get().text == "#\(times.count + 1)")
    }

    @Test("is given up before the origin does, once it has shown its time limit", .enabled(if: Target.isGoodgate))
    func learnedTimeout() throws {
        // An app that closes idle connections after 800 ms, and does not say so.
        let endings = Mutex<[Bool]>([])
        let origin = try Origin { request in
            .sequence([
                .answer(body: Bytes("#\(request.connection)")),
                .takeOver { client in
                    let isEarly = client.isClosedByPeer(within: 0.8)
                    endings.withLock { $0.append(isEarly) }
                },
            ])
        }
        let site = try Site(origin)
        defer { site.stop() }
        // What it does is believed after two closes. A machine that stalls needs more of them now and then.
        for round in 1...8 where endings.withLock({ $0.last }) != true {
            #expect(try site.get().text == "#\(round)")
            #expect(eventually { endings.withLock { $0.count } == round })
            usleep(20_000)
        }
        let seen = endings.withLock { $0 }
        #expect(seen.prefix(2) == [false, false] && seen.last == true, "\(seen)")
    }

    @Test("is shared between locations unless the group says local", arguments: [
        ("", "#2"), ("keepalive 4;", "#1"), ("keepalive 4 local;", "#2"),
    ])
    func sharing(_ directive: String, _ second: String) throws {
        let origin = try Origin { .answer(body: Bytes("#\($0.connection)")) }
        let site = try Site(
            http: "upstream group { server 127.0.0.1:\(origin.port); \(directive) }",
            server: "\(Site.keepAlive) location /a { proxy_pass http://group; } location /b { proxy_pass http://group; }")
        defer { site.stop() }
        #expect(try site.get("/a").text == "#1")
        #expect(try site.get("/b").text == second)
        #expect(try site.get("/a").text == "#1")
    }

    @Test("is there by default: HTTP/1.1 and keep-alive to upstreams", .enabled(if: Target.isGoodgate, "since nginx 1.29.7"))
    func onByDefault() throws {
        let origin = try Origin { .answer(body: Bytes("#\($0.connection)")) }
        let site = try Site(
            http: "upstream plain { server 127.0.0.1:\(origin.port); }", server: "location / { proxy_pass http://plain; }")
        defer { site.stop() }
        #expect(try (0..<3).map { _ in try site.get().text } == ["#1", "#1", "#1"])
        #expect(origin.last.version == "HTTP/1.1")
        #expect(origin.last["Connection"] == nil)
    }
}
