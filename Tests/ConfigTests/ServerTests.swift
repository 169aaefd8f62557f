import Testing

@testable import Config

@Suite("Servers, names and listeners")
struct ServerTests {
    private func http(_ text: String, source: MemorySource? = nil) throws -> HTTPSettings {
        let outcome = parse("events { }\nhttp {\n\(text)\n}", source: source)
        #expect(outcome.errors == [])
        let configuration = try #require(outcome.configuration)
        return try #require(configuration.http)
    }

    @Test("an accept filter is of another system: said, and ignored")
    func acceptFilter() {
        let outcome = parse(Wrapping.server.around("listen 81 accept_filter=httpready;"))
        #expect(outcome.errors == [])
        #expect(outcome.warnings == ["4 accept filters \"accept_filter=httpready\" are not supported on this platform, ignored"])
    }

    @Test(
        "addresses of listen",
        arguments: [
            ("80", ["0.0.0.0:80"]), ("127.0.0.1:8080", ["127.0.0.1:8080"]), ("127.0.0.1", ["127.0.0.1:80"]),
            ("*:81", ["0.0.0.0:81"]), ("*", ["0.0.0.0:80"]), ("[::]:80", ["[::]:80"]), ("[::1]", ["[::1]:80"]),
            ("unix:/run/a.sock", ["unix:/run/a.sock"]), ("8182-8184", ["0.0.0.0:8182", "0.0.0.0:8183", "0.0.0.0:8184"]),
            ("[::1]:8182-8183", ["[::1]:8182", "[::1]:8183"]), ("127.0.0.1:1-2", ["127.0.0.1:1", "127.0.0.1:2"]),
        ] as [(String, [String])])
    func addresses(text: String, expected: [String]) throws {
        let http = try http("server { listen \(text); }")
        #expect(http.servers[0].listens.map(\.address.text) == expected)
        #expect(http.listeners.map(\.address.text) == expected)
    }

    @Test("a name listens on each of its addresses once")
    func names() throws {
        var source = MemorySource()
        source.names["box"] = .addresses([.ipv4(1, port: 0), .ipv6(high: 0, low: 1, port: 0), .ipv4(1, port: 0)])
        let http = try http("server { listen box:81; }", source: source)
        #expect(http.listeners.map(\.address.text) == ["0.0.0.1:81", "[::1]:81"])
        source.names["box"] = .notFound
        #expect(
            parse("events { }\nhttp { server { listen box:81; } }", source: source).errors
                == ["2 host not found in \"box:81\" of the \"listen\" directive"])
    }

    @Test("a server without listen is on port 80, or 8000 without privileges")
    func defaultPort() throws {
        #expect(try http("server { }").listeners.map(\.address.text) == ["0.0.0.0:80"])
        var source = MemorySource()
        source.facts.isRoot = false
        #expect(try http("server { }", source: source).listeners.map(\.address.text) == ["0.0.0.0:8000"])
    }

    @Test("parameters of the socket")
    func socketOptions() throws {
        let http = try http(
            "server { listen 80 backlog=9 rcvbuf=8k sndbuf=1m fastopen=3 deferred reuseport ipv6only=off "
                + "so_keepalive=30m::10 proxy_protocol default_server bind; }")
        let listener = http.listeners[0]
        #expect(listener.socket.backlog == 9)
        #expect(listener.socket.receiveBuffer == 8_192)
        #expect(listener.socket.sendBuffer == 1_048_576)
        #expect(listener.socket.fastOpenQueue == 3)
        #expect(listener.socket.isDeferred)
        #expect(listener.socket.isReusePort)
        #expect(!listener.socket.isIPv6Only)
        #expect(listener.socket.keepalive == .on(idle: 1_800, interval: nil, count: 10))
        #expect(listener.acceptsProxyProtocol)
        #expect(listener.hasDefaultServer)
    }

    @Test("the first server of an address is the default unless another says so")
    func defaultServer() throws {
        #expect(try http("server { listen 80; } server { listen 80; }").listeners[0].defaultServer == 0)
        #expect(try http("server { listen 80; } server { listen 80 default_server; }").listeners[0].defaultServer == 1)
    }

    @Test("options and proxy_protocol of any server hold for the address")
    func sharedOptions() throws {
        let http = try http("server { listen 80; } server { listen 80 backlog=9 proxy_protocol; }")
        #expect(http.listeners.count == 1)
        #expect(http.listeners[0].socket.backlog == 9)
        #expect(http.listeners[0].acceptsProxyProtocol)
    }

    @Test("a wildcard address takes the connections of the port's other addresses, but for bind")
    func wildcards() throws {
        let http = try http(
            "server { listen 127.0.0.1:80; listen *:80; listen 127.0.0.2:80 bind; listen 127.0.0.1:81; listen [::1]:80; }")
        #expect(http.listeners.map(\.arrivesAt) == [1, nil, nil, nil, nil])
    }

    @Test("protocol options that differ between servers are told as nginx tells them")
    func protocolOptions() {
        func warnings(_ first: String, _ second: String) -> [String] {
            parse("events { }\nhttp {\nserver { server_name a; listen 80 \(first); }\nserver { listen 80 \(second); }\n}")
                .warnings
        }
        let warning = ["4 protocol options redefined for 0.0.0.0:80"]
        #expect(warnings("proxy_protocol", "") == [])
        #expect(warnings("proxy_protocol", "backlog=9") == warning)
        #expect(warnings("backlog=9", "proxy_protocol") == warning)
    }

    @Test(
        "a host name finds its server: exact, leading, trailing wildcard, then expressions",
        arguments: [
            ("a.example", 0), ("www.a.example", 1), ("x.y.a.example", 1), ("b.example", 2), ("x.b.example", 2),
            ("www.b.c", 3), ("www.d", 3), ("d", nil), ("xwww.d", nil), ("q.z.a.example", 4),
        ] as [(String, Int?)])
    func lookup(host: String, server: Int?) throws {
        let http = try http(
            """
            server { server_name a.example; }
            server { server_name *.a.example; }
            server { server_name .b.example; }
            server { server_name www.*; }
            server { server_name *.z.a.example; }
            """)
        #expect(http.listeners[0].hosts.names.find(bytes(host)) == server)
    }

    @Test("expressions keep their order, and capital letters make them ignore case")
    func expressions() throws {
        let outcome = parse("events { }\nhttp { server { server_name ~^b ~^A; } server { server_name ~^c; } }")
        let configuration = try #require(outcome.configuration)
        let patterns = try #require(configuration.http).listeners[0].hosts.patterns
        #expect(patterns.map { string(configuration[$0.pattern].bytes) } == ["^b", "^A", "^c"])
        #expect(patterns.map(\.server) == [0, 0, 1])
        #expect(patterns.map { configuration[$0.pattern].caseless } == [false, true, false])
    }

    @Test("names are in lower case, $hostname is the machine's, and none means the empty name")
    func serverNames() throws {
        let http = try http("server { server_name WWW.Example $hostname \"\"; } server { }")
        #expect(http.servers[0].names == [.exact(bytes("www.example")), .exact(bytes("box.example")), .exact([])])
        #expect(string(http.servers[0].canonicalName) == "www.example")
        #expect(http.servers[1].names == [.exact([])])
        #expect(http.servers[1].canonicalName == [])
    }

    @Test(
        "the name for redirects drops a leading dot and keeps an expression",
        arguments: [(".a.b", "a.b"), ("~^a", "~^a"), ("*.a", "*.a")])
    func canonicalName(name: String, expected: String) throws {
        #expect(string(try http("server { server_name \(name); }").servers[0].canonicalName) == expected)
    }

    @Test("the same name on one address is a warning, and the first server keeps it")
    func conflicts() throws {
        let outcome = parse("events { }\nhttp {\nserver { server_name a; }\nserver { server_name b a; }\n}")
        #expect(outcome.warnings == ["4 conflicting server name \"a\" on 0.0.0.0:80, ignored"])
        #expect(outcome.configuration?.http?.listeners[0].hosts.names.find(bytes("a")) == 0)
        #expect(parse("events { }\nhttp { server { server_name a a; } }").warnings == [])
        #expect(parse("events { }\nhttp { server { server_name x/y; } }").warnings.count == 1)
    }

    @Test(
        "kinds of locations",
        arguments: [
            ("/a", LocationMatch.prefix(bytes("/a"))), ("= /a", .exact(bytes("/a"))), ("=/a", .exact(bytes("/a"))),
            ("^~ /a", .prefixNoRegex(bytes("/a"))), ("^~/a", .prefixNoRegex(bytes("/a"))), ("@a", .named(bytes("@a"))),
            ("~ a", .regex(PatternID(0))), ("~a", .regex(PatternID(0))), ("~* a", .regex(PatternID(0))),
            ("~*a", .regex(PatternID(0))), ("\"/a b\"", .prefix(bytes("/a b"))),
        ])
    func locations(text: String, match: LocationMatch) throws {
        let http = try http("server { location \(text) { } }")
        #expect(http.servers[0].locations.map(\.match) == [match])
    }

    @Test("a path may be exact and a prefix, and an expression may nest anywhere")
    func sameLevel() throws {
        let http = try http("server { location /a { location ~ x { location ~ y { } } } location = /a { } location ^~ /b { } }")
        #expect(http.servers[0].locations.count == 3)
        #expect(http.servers[0].locations[0].children[0].children.count == 1)
    }
}
