import Testing

@testable import Config

@Suite("Upstreams and proxy_pass")
struct UpstreamTests {
    private func http(_ text: String, source: MemorySource? = nil) throws -> (Configuration, HTTPSettings) {
        let outcome = parse("events { }\nhttp {\n\(text)\n}", source: source)
        #expect(outcome.errors == [])
        let configuration = try #require(outcome.configuration)
        return (configuration, try #require(configuration.http))
    }

    private func upstream(_ text: String) throws -> (Configuration, UpstreamSettings) {
        let (configuration, http) = try http("upstream u { \(text) }")
        return (configuration, http.upstreams[0])
    }

    private func pass(_ url: String, location: String = "/a/", more: String = "") throws -> (HTTPSettings, ProxyPass) {
        let (configuration, http) = try http(
            "upstream u { server 127.0.0.1:1; }\nserver { location \(location) { proxy_pass \(url); \(more) } }")
        let name = location.split(separator: " ").last.map(String.init) ?? ""
        return (http, try #require(configuration.location(name).proxy.pass))
    }

    @Test("parameters of a server")
    func serverParameters() throws {
        let (_, upstream) = try upstream(
            "server 127.0.0.1:81 weight=5 max_fails=3 fail_timeout=30s max_conns=7 backup route=r1 slow_start=30s id=4; "
                + "server unix:/run/a down; server [::1] drain;")
        let first = upstream.servers[0]
        #expect(first.address == .literal(.ipv4(0x7F00_0001, port: 81)))
        #expect(first.resolved == [.ipv4(0x7F00_0001, port: 81)])
        #expect((first.weight, first.maxFails, first.failTimeout, first.maxConnections) == (5, 3, 30_000, 7))
        #expect(first.isBackup)
        #expect(first.route == bytes("r1"))
        #expect(first.slowStart == 30_000)
        #expect(first.identifier == 4)
        #expect(string(first.text) == "127.0.0.1:81")
        #expect(upstream.servers[1].address == .literal(.unix(bytes("/run/a"))))
        #expect(upstream.servers[1].isDown)
        #expect(upstream.servers[2].resolved == [.ipv6(high: 0, low: 1, port: 80)])
        #expect(upstream.servers[2].isDraining)
    }

    @Test("names are resolved while parsing where somebody does that, else left to the caller")
    func resolution() throws {
        var source = MemorySource()
        source.names["box"] = .addresses([.ipv4(1, port: 0), .ipv4(2, port: 0)])
        let (_, http) = try http("upstream u { server box:81; server other; }", source: source)
        #expect(http.upstreams[0].servers[0].resolved == [.ipv4(1, port: 81), .ipv4(2, port: 81)])
        #expect(http.upstreams[0].servers[1].resolved == [])
        #expect(http.upstreams[0].servers[1].address == .name(host: "other", port: 80))
        source.names["box"] = .notFound
        #expect(
            parse(
                "events { }\nhttp {\nupstream u { server box:81; }\nserver { location / { proxy_pass http://box; } }\n}",
                source: source
            ).errors
                == ["3 host not found in upstream \"box:81\"", "4 host not found in upstream \"box\""])
    }

    @Test("run-time resolution takes resolver and timeout of the upstream, else of http")
    func runtimeResolution() throws {
        let (_, http) = try http(
            "resolver 127.0.0.1:53 valid=5s ipv6=off; resolver_timeout 3s;\n"
                + "upstream a { zone a 1m; server x resolve; }\n"
                + "upstream b { zone b 1m; resolver [::1]; resolver_timeout 4s; server x resolve; }")
        #expect(http.upstreams[0].resolver?.servers == [.literal(.ipv4(0x7F00_0001, port: 53))])
        #expect(http.upstreams[0].resolver?.valid == 5)
        #expect(http.upstreams[0].resolver?.usesIPv6 == false)
        #expect(http.upstreams[0].resolverTimeout == 3_000)
        #expect(http.upstreams[0].servers[0].isResolved)
        #expect(http.upstreams[1].resolver?.servers == [.literal(.ipv6(high: 0, low: 1, port: 53))])
        #expect(http.upstreams[1].resolverTimeout == 4_000)
    }

    @Test(
        "balancing methods",
        arguments: [
            ("", BalancingPolicy.roundRobin), ("least_conn;", .leastConnections), ("ip_hash;", .ipHash),
            ("hash a;", .hash(key: Template(literal: bytes("a")), isConsistent: false)),
            ("hash a consistent;", .hash(key: Template(literal: bytes("a")), isConsistent: true)),
            ("random;", .random(.one)), ("random two;", .random(.two(nil))), ("random two least_conn;", .random(.two(nil))),
            ("random two least_time=header;", .random(.two(.header(inflight: false)))),
            ("least_time header;", .leastTime(.header(inflight: false))),
            ("least_time last_byte inflight;", .leastTime(.lastByte(inflight: true))),
        ])
    func policies(text: String, policy: BalancingPolicy) throws {
        #expect(try upstream("server 127.0.0.1; \(text)").1.policy == policy)
    }

    @Test("a second method is a warning")
    func twoPolicies() {
        #expect(
            parse(Wrapping.upstream.around("ip_hash;\nleast_conn;\nserver 127.0.0.1;")).warnings
                == ["5 load balancing method redefined"])
    }

    @Test("keep-alive is on, 32 and local by default, and off with 0")
    func keepalive() throws {
        let standard = try #require(try upstream("server 127.0.0.1;").1.keepalive)
        #expect((standard.connections, standard.isLocal, standard.requests) == (32, true, 1_000))
        #expect((standard.time, standard.timeout) == (3_600_000, 60_000))
        let set = try #require(
            try upstream("server 127.0.0.1; keepalive 8; keepalive_requests 9; keepalive_time 1m; keepalive_timeout 5s;").1
                .keepalive)
        #expect((set.connections, set.isLocal, set.requests) == (8, false, 9))
        #expect((set.time, set.timeout) == (60_000, 5_000))
        #expect(try upstream("server 127.0.0.1; keepalive 8 local;").1.keepalive?.isLocal == true)
        #expect(try upstream("server 127.0.0.1; keepalive 0;").1.keepalive == nil)
        let later = try upstream("server 127.0.0.1; keepalive_timeout 5s;").1.keepalive
        #expect(later?.connections == 32)
        #expect(later?.timeout == 5_000)
    }

    @Test("sticky in its three forms")
    func sticky() throws {
        let (configuration, cookie) = try upstream(
            "server 127.0.0.1; sticky cookie srv expires=1h domain=.$host path=/ httponly secure samesite=lax;")
        guard case .cookie(let settings)? = cookie.sticky else { throw NotSticky() }
        #expect(string(settings.name) == "srv")
        #expect(configuration[settings.variable].kind == .cookie(bytes("srv")))
        #expect(settings.expires == 3_600)
        #expect(configuration.text(settings.domain) == ".$host")
        #expect(configuration.text(settings.path) == "/")
        #expect(settings.isHTTPOnly && settings.isSecure)
        #expect(configuration.text(settings.sameSite) == "lax")
        let (routeConfiguration, route) = try upstream("server 127.0.0.1; sticky route $cookie_a $arg_b;")
        guard case .route(let texts)? = route.sticky else { throw NotSticky() }
        #expect(texts.map { routeConfiguration.text($0) } == ["$cookie_a", "$arg_b"])
        let (_, learn) = try upstream(
            "server 127.0.0.1; sticky learn create=$upstream_cookie_a lookup=$cookie_a zone=z:1m timeout=1h header;")
        guard case .learn(let learned)? = learn.sticky else { throw NotSticky() }
        #expect((learned.zoneName, learned.zoneSize, learned.timeout) == ("z", 1_048_576, 3_600_000))
        #expect(learned.learnsFromHead)
    }

    private struct NotSticky: Error {}

    @Test("one sticky zone belongs to one upstream")
    func stickyZones() {
        let sticky = "sticky learn create=$uri lookup=$uri zone=z:1m;"
        #expect(
            parse("events { }\nhttp {\nupstream a { server 127.0.0.1; \(sticky) }\nupstream b { server 127.0.0.1; \(sticky) }\n}").errors
                == ["4 sticky zone \"z\" is already used in upstream \"a\""])
    }

    @Test("zone, queue, state and panic")
    func groupSettings() throws {
        let (_, upstream) = try upstream("server 127.0.0.1; zone z 64k; queue 10 timeout=5s; panic on; state s;")
        #expect(upstream.zone == .init(name: "z", size: 65_536))
        #expect(upstream.queue == QueueSettings(length: 10, timeout: 5_000))
        #expect(upstream.isPanicEnabled)
        #expect(upstream.statePath == "/srv/s")
    }

    @Test("the servers of a state file are those of the upstream; there need not be one")
    func stateFile() throws {
        let text = "events { }\nhttp {\nupstream u { zone u 64k; state u.state; }\n}"
        let outcome = parse(text, files: ["/srv/u.state": "server 127.0.0.1:1 weight=2;\nserver 127.0.0.1:2 down;\n"])
        let servers = try #require(outcome.configuration?.http).upstreams[0].servers
        #expect(servers.map(\.weight) == [2, 1] && servers.map(\.isDown) == [false, true])
        let empty = parse(text)
        #expect(empty.errors == [])
        #expect(empty.configuration?.http?.upstreams[0].servers.isEmpty == true)
    }

    @Test(
        "what proxy_pass says of the upstream",
        arguments: [
            ("http://u", "u", "80", nil), ("http://u/", "u", "80", "/"), ("http://127.0.0.1:81/b", "127.0.0.1:81", "81", "/b"),
            ("http://127.0.0.1:80", "127.0.0.1", "80", nil), ("HTTP://a.example", "a.example", "80", nil),
            ("http://[::1]:81/x", "[::1]:81", "81", "/x"), ("http://unix:/run/s", "localhost", "", nil),
            ("http://unix:/run/s:/x", "localhost", "", "/x"), ("http://a?b=c", "a", "80", "?b=c"),
        ] as [(String, String, String, String?)])
    func proxyPass(url: String, authority: String, port: String, uri: String?) throws {
        let (_, pass) = try pass(url)
        #expect(string(pass.authority) == authority)
        #expect(string(pass.portText) == port)
        #expect(pass.uri.map(string) == uri)
        #expect(string(pass.replacedPrefix) == "/a/")
    }

    @Test("the same host and port is one implied upstream, without keep-alive")
    func implicitUpstreams() throws {
        let (_, http) = try http(
            "server { location /a { proxy_pass http://A:81; } location /b { proxy_pass http://a:81/x; } "
                + "location /c { proxy_pass http://a:82; } location /d { proxy_pass http://u; } }\n"
                + "upstream u { server 127.0.0.1; }")
        #expect(http.upstreams.map(\.name) == ["u", "A", "a"])
        #expect(http.upstreams.map(\.isImplicit) == [false, true, true])
        #expect(http.upstreams[1].keepalive == nil)
        #expect(http.upstreams[1].servers.map { string($0.text) } == ["A:81"])
        #expect(http.upstreams[1].servers[0].address == .name(host: "A", port: 81))
    }

    @Test("a URL with variables is evaluated for each request")
    func dynamicPass() throws {
        let (_, pass) = try pass("http://$host/$uri")
        guard case .dynamic(let template) = pass.target else {
            Issue.record("not dynamic")
            return
        }
        #expect(template.parts.count == 4)
        #expect(pass.standardRedirect == nil)
    }

    @Test("a prefix with a slash at its end that passes on redirects the path without it")
    func redirectsToSlash() throws {
        let (configuration, _) = try http(
            "server { location /a/ { proxy_pass http://127.0.0.1; } location /b { proxy_pass http://127.0.0.1; } location /c/ { } }")
        #expect(configuration.server.locations.map(\.redirectsToSlash) == [true, false, false])
    }

    @Test(
        "proxy_redirect by default turns the upstream's URL into the location",
        arguments: [
            ("http://u/b/", "/a/", "http://u/b/", "/a/"), ("http://u", "/a/", "http://u/", "/"),
            ("http://u", "~ ^/x", "http://u/", "/"), ("http://127.0.0.1:81/", "= /e", "http://127.0.0.1:81/", "/e"),
        ])
    func standardRedirects(url: String, location: String, from: String, to: String) throws {
        let (http, _) = try pass(url, location: location)
        let settings = try #require(http.locations.last)
        #expect(
            settings.proxy.redirectRules
                == [TextRewrite(match: .text(Template(literal: bytes(from))), replacement: Template(literal: bytes(to)))])
        let (explicit, _) = try pass(url, location: location, more: "proxy_redirect default;")
        #expect(explicit.locations.last?.proxy.redirectRules == settings.proxy.redirectRules)
    }

    @Test("proxy_redirect off switches it off, own rules replace it")
    func redirectRules() throws {
        #expect(try pass("http://u", more: "proxy_redirect off;").0.locations.last?.proxy.redirectRules == [])
        let rules = try pass("http://u", more: "proxy_redirect http://x/ /; proxy_redirect ~*^/a(.) /b$1; proxy_redirect default;")
            .0.locations.last?.proxy.redirectRules
        #expect(rules?.count == 3)
        #expect(rules?[1].match == .pattern(PatternID(0)))
    }

    @Test("health checks belong to the upstream of their location")
    func healthChecks() throws {
        let (_, http) = try http(
            """
            match good { status 200 301-303; header Content-Type = text/html; header ! X-Bad; header X ~ ^a;
                body !~ error; }
            upstream u { zone u 1m; server 127.0.0.1:1; }
            server { location / { proxy_pass http://u; health_check interval=2s jitter=1s fails=3 passes=2 uri=/h
                port=81 match=good mandatory persistent keepalive_time=60s; } }
            """)
        let check = try #require(http.upstreams[0].healthChecks.first)
        #expect((check.interval, check.jitter, check.fails, check.passes) == (2_000, 1_000, 3, 2))
        #expect(string(check.uri) == "/h")
        #expect(check.port == 81)
        #expect(check.match == 0)
        #expect(check.isMandatory && check.isPersistent)
        #expect(check.keepaliveTime == 60_000)
        #expect(http.matches[0].conditions.count == 5)
        #expect(http.matches[0].conditions[0] == .status(ranges: [200...200, 301...303], isNegated: false))
        #expect(http.matches[0].conditions[2] == .header(name: bytes("x-bad"), test: .missing))
    }

    @Test("slow_start goes with methods that weigh servers", arguments: ["ip_hash;", "hash $uri;", "random;"])
    func slowStart(method: String) {
        func errors(_ upstream: String) -> [String] {
            parse("events { }\napp a { command x; }\nhttp {\nupstream u { \(upstream) }\n}\n").errors
        }
        let message = "4 balancing method does not support parameter \"slow_start=3s\""
        #expect(errors("\(method) server 127.0.0.1 slow_start=3s;") == [message])
        #expect(errors("\(method) app a slow_start=3s;") == [message])
        #expect(errors("least_conn; app a slow_start=3s; server 127.0.0.1 slow_start=3s;") == [])
        #expect(errors("app a slow=3s;") == ["4 invalid parameter \"slow=3s\""])
    }

    @Test("upstream_health names a group that may follow")
    func upstreamHealth() throws {
        let (_, http) = try http(
            "server { location / { upstream_health u; } location /a { upstream_health; } } upstream u { server 127.0.0.1; }")
        #expect(http.locations.contains { $0.handler == .upstreamHealth(0) })
        #expect(http.locations.contains { $0.handler == .upstreamHealth(nil) })
        let unknown = parse("events { }\nhttp {\nupstream back { server 127.0.0.1; }\nserver { location / { upstream_health bakc; } }\n}\n")
        #expect(unknown.errors == ["4 unknown upstream \"bakc\""])
        #expect(unknown.diagnostics.compactMap(\.suggestion) == ["back"])
    }

    @Test("require of a match block is known, and an error")
    func require() {
        #expect(
            parse("events { }\nhttp {\nmatch a { require $uri; }\n}\n").errors
                == ["3 \"require\" in a \"match\" block is not supported yet: use \"status\" and \"header\""])
    }

    @Test(
        "mistakes in health checks",
        arguments: [
            ("health_check match=none;", "unknown match \"none\""), ("health_check uri=h;", "invalid parameter \"uri=h\""),
            ("health_check port=99999;", "invalid parameter \"port=99999\""),
            ("health_check intervall=1s;", "invalid parameter \"intervall=1s\""),
        ])
    func healthCheckMistakes(snippet: String, message: String) {
        #expect(parse(Wrapping.location.around("proxy_pass http://127.0.0.1; \(snippet)")).errors == ["5 \(message)"])
    }

    @Test("a health check needs an upstream")
    func healthCheckWithoutUpstream() {
        #expect(
            parse(Wrapping.location.around("health_check;")).errors
                == ["5 \"health_check\" directive requires \"proxy_pass\" without variables in the same location"])
    }

    @Test("other settings of the proxy module")
    func proxySettings() throws {
        let (configuration, http) = try http(
            """
            server { location / { proxy_pass http://127.0.0.1; proxy_bind 127.0.0.2:5 transparent; proxy_store /x$uri;
            proxy_store_access user:rw group:r all:r; proxy_next_upstream off error; proxy_limit_rate 1k; limit_rate $arg_r;
            proxy_cookie_domain .a .b; proxy_cookie_domain ~x$ y; proxy_cookie_path ~*^/a /b;
            proxy_cookie_flags ~s secure nosamesite $arg_f;
            proxy_temp_path tmp 1 2; proxy_method POST; proxy_set_body "a"; proxy_ignore_headers Vary x-accel-EXPIRES; } }
            """)
        let proxy = try #require(http.locations.last).proxy
        #expect(proxy.bind == ProxyBind(address: .constant(.ipv4(0x7F00_0002, port: 5)), isTransparent: true))
        #expect(proxy.storeAccess == 0o644)
        #expect(proxy.nextUpstream == .off)
        #expect(proxy.limitRate == .constant(1_024))
        #expect(proxy.cookieDomains.count == 2)
        #expect(proxy.cookieDomains[0].match == .text(Template(literal: bytes("a"))))
        #expect(configuration[PatternID(1)].caseless)
        #expect(proxy.cookieFlags[0].flags.count == 3)
        #expect(proxy.cookieFlags[0].flags.prefix(2) == [.constant(.secure), .constant(.noSameSite)])
        #expect(proxy.tempPath == TempPath(path: "/srv/tmp", levels: [1, 2]))
        #expect(proxy.ignoredHeaders == [.vary, .accelExpires])
    }
}
