import Foundation
import Testing
import TestKit

/// A group of two origins with a `sticky` directive.
private struct StickySite {
    let origins: [Origin]
    let site: Site

    init(_ sticky: String, parameters: [String] = ["", ""], location: String = "", server: String = "", workers: Int = 1,
         _ script: @escaping @Sendable (Int, Origin.Request) -> Origin.Reaction = { index, _ in .answer(body: Bytes("\(index)")) }) throws {
        let origins = try (0..<2).map { index in try Origin { script(index, $0) } }
        self.origins = origins
        let servers = origins.enumerated().map { "server 127.0.0.1:\($1.port) \(parameters[$0]);" }.joined(separator: " ")
        site = try Site(
            http: "upstream group { \(servers) sticky \(sticky); }",
            server: "location / { proxy_pass http://group; add_header X-Pid $pid; \(location) } \(server)", workers: workers)
    }

    func cookie(_ target: String = "/", _ fields: [String] = []) throws -> String {
        try site.get(target, fields).headers.filter { $0.name == "Set-Cookie" }.map(\.value).joined(separator: " | ")
    }
}

@Suite("A sticky group", .blocking, .enabled(if: Target.isGoodgate, "since nginx 1.29.6"))
struct Sticky {
    @Test("by cookie names the server in the cookie, and a client that sends it stays there")
    func cookie() throws {
        let group = try StickySite("cookie route")
        defer { group.site.stop() }
        let cookies = try (0..<2).map { _ in try group.cookie() }
        #expect(cookies[0] != cookies[1])
        for cookie in cookies { #expect(cookie.wholeMatch(of: #/route=[0-9a-f]{32}/#) != nil, "\(cookie)") }
        for index in [1, 0, 1] {
            let reply = try group.site.get("/", ["Cookie: a=b; \(cookies[index])"])
            #expect(reply.text == "\(index)")
            #expect(reply["Set-Cookie"] == cookies[index])
        }
        #expect(try Set((0..<4).map { _ in try group.site.get("/", ["Cookie: route=unknown"]).text }) == ["0", "1"])
    }

    @Test("by cookie writes the attributes that are asked for", arguments: [
        ("path=/a", "; path=/a"),
        ("httponly secure", "; httponly; secure"),
        ("domain=.example.com", "; domain=.example.com"),
        ("domain=$arg_d path=/", "; domain=x.example; path=/"),
        ("samesite=lax", "; samesite=lax"),
        ("samesite=$arg_wrong", "; samesite=strict"),
        ("expires=max", "; expires=Thu, 31-Dec-37 23:55:55 GMT; max-age=315360000"),
        ("secure domain=a.b httponly samesite=none path=/x", "; domain=a.b; httponly; secure; samesite=none; path=/x"),
    ])
    func attributes(_ parameters: String, _ expected: String) throws {
        let group = try StickySite("cookie c \(parameters)", parameters: ["route=first", "down"])
        defer { group.site.stop() }
        #expect(try group.cookie("/?d=x.example&wrong=sideways") == "c=first" + expected)
    }

    @Test("by cookie gives an end in time")
    func expires() throws {
        let group = try StickySite("cookie c expires=1h")
        defer { group.site.stop() }
        let form = #/c=[0-9a-f]{32}; expires=(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT; max-age=3600/#
        let cookie = try group.cookie()
        #expect(cookie.wholeMatch(of: form) != nil, "\(cookie)")
    }

    @Test("by cookie names the server that answered, not the one that failed")
    func cookieAfterRetry() throws {
        let group = try StickySite("cookie c", parameters: ["route=bad max_fails=0", "route=good backup"]) { index, _ in
            index == 0 ? .close : .answer(body: Bytes("ok"))
        }
        defer { group.site.stop() }
        #expect(try group.cookie() == "c=good")
        #expect(try group.cookie("/", ["Cookie: c=bad"]) == "c=good")
    }

    @Test("by cookie tells the server on our error page too, as nginx does")
    func cookieOnErrorPage() throws {
        let group = try StickySite("cookie c", parameters: ["route=bad", "down"]) { _, _ in .close }
        defer { group.site.stop() }
        let reply = try group.site.get()
        #expect(reply.status == 502)
        #expect(reply["Set-Cookie"] == "c=bad")
    }

    @Test("by cookie tells the server on a page of error_page too, as nginx does")
    func cookieOnConfiguredPage() throws {
        let page = "error_page 502 /sorry; location = /sorry { return 503 sorry; }"
        let group = try StickySite("cookie c", parameters: ["route=bad", "down"], server: page) { _, _ in .close }
        defer { group.site.stop() }
        let reply = try group.site.get()
        #expect(reply.status == 502 && reply.text == "sorry")
        #expect(reply["Set-Cookie"] == "c=bad")
    }

    @Test("by route goes where the first variable that is set says")
    func route() throws {
        let group = try StickySite("route $cookie_r $arg_r", parameters: ["route=a", "route=b"])
        defer { group.site.stop() }
        let cases: [(String, [String], String)] = [("/?r=b", [], "1"), ("/?r=a", [], "0"), ("/?r=a", ["Cookie: r=b"], "1")]
        for (target, fields, server) in cases {
            for _ in 0..<3 { #expect(try group.site.get(target, fields).text == server) }
        }
        #expect(try group.site.get("/?r=a")["Set-Cookie"] == nil)
    }

    @Test("sends a draining server only the requests that are bound to it")
    func drain() throws {
        let group = try StickySite("route $arg_r", parameters: ["route=a drain", "route=b"])
        defer { group.site.stop() }
        #expect(try Set((0..<4).map { _ in try group.site.get().text }) == ["1"])
        #expect(try Set((0..<4).map { _ in try group.site.get("/?r=a").text }) == ["0"])
    }

    @Test("by learn keeps a session on the server that began it, in all workers and over a reload")
    func learn() throws {
        let group = try StickySite("learn create=$upstream_cookie_s lookup=$cookie_s zone=sessions:1m", workers: 3) { index, request in
            let fields = request.target == "/login" ? ["Set-Cookie: s=session\(index); path=/"] : []
            return .answer(fields: fields, body: Bytes("\(index)"))
        }
        defer { group.site.stop() }
        var servers: Set<String> = []
        for _ in 0..<20 where servers.count < 2 { servers.insert(try group.site.get("/login").text) }
        #expect(servers == ["0", "1"])
        func check() throws -> (workers: Set<String>, strays: Int) {
            var workers: Set<String> = []
            var strays = 0
            for _ in 0..<20 {
                // Several connections at once, so that more than one worker gets some.
                let clients = try (0..<6).map { _ in try group.site.client() }
                for (number, client) in clients.enumerated() {
                    try client.send(Client.head("GET", "/", ["Cookie: s=session\(number % 2)"]))
                }
                for (number, client) in clients.enumerated() {
                    let reply = try client.readReply()
                    if reply.text != "\(number % 2)" { strays += 1 }
                    workers.insert(reply["X-Pid"] ?? "")
                    client.close()
                }
            }
            return (workers, strays)
        }
        // Sessions take a moment from the worker that learned them to the others.
        var before: Set<String> = []
        let areKnown = try eventually {
            let (workers, strays) = try check()
            before = workers
            return strays == 0 && workers.count > 1
        }
        #expect(areKnown)
        #expect(before.count > 1, "more than one worker served")
        group.site.gateway.process.signal(SIGHUP)
        #expect(eventually { (try? group.site.get()["X-Pid"]).map { !before.contains($0) } ?? false })
        // The old workers may still accept for a moment after the first answer of a new one.
        #expect(eventually { before.isDisjoint(with: group.site.gateway.workers.map { "\($0)" }) })
        let after = try check()
        #expect(after.strays == 0 && before.isDisjoint(with: after.workers))
    }

    @Test("by learn binds a session by the answer that began it, not by one that was asked for before")
    func learnMeanwhile() throws {
        let wanted = DispatchSemaphore(value: 0)
        let group = try StickySite("learn create=$upstream_cookie_s lookup=$cookie_s zone=sessions:1m") { index, request in
            switch request.target {
            case "/login": .answer(fields: ["Set-Cookie: s=session; path=/"], body: Bytes("\(index)"))
            case "/slow":
                .takeOver { client in
                    _ = wanted.wait(timeout: .now() + 60)
                    try client.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(index)")
                }
            default: .answer(body: Bytes("\(index)"))
            }
        }
        defer { group.site.stop() }
        let early = try group.site.client()
        try early.send(Client.head("GET", "/slow", ["Cookie: s=session"]))
        #expect(eventually { group.origins.contains { !$0.requests.isEmpty } })
        let began = try group.site.get("/login").text
        wanted.signal()
        #expect(try early.readReply().text != began, "the session was unknown, so the other server had its turn")
        #expect(try Set((0..<4).map { _ in try group.site.get("/", ["Cookie: s=session"]).text }) == [began])
    }
}
