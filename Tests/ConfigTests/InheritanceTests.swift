import Testing

@testable import Config

@Suite("Settings are inherited as in nginx")
struct InheritanceTests {
    /// http, server, location and nested location with what stands in each.
    private func nested(http: String = "", server: String = "", outer: String = "", inner: String = "") -> Configuration? {
        let outcome = parse(
            """
            events { }
            http { \(http)
              server { \(server)
                location /a { \(outer)
                  location /a/b { \(inner) }
                }
              }
            }
            """)
        #expect(outcome.errors == [])
        return outcome.configuration
    }

    @Test("a value goes down until a block sets its own, wherever in the block it stands")
    func scalars() throws {
        let configuration = try #require(
            nested(http: "send_timeout 1s;", server: "keepalive_requests 5;", outer: "send_timeout 2s;", inner: "keepalive_requests 6;"))
        #expect(configuration.serverSettings.core.sendTimeout == 1_000)
        #expect(configuration.location("/a").core.sendTimeout == 2_000)
        #expect(configuration.location("/a/b").core.sendTimeout == 2_000)
        #expect(configuration.location("/a").core.keepaliveRequests == 5)
        #expect(configuration.location("/a/b").core.keepaliveRequests == 6)
        let late = parse("events { }\nhttp { server { location / { } etag off; } default_type a/b; }")
        #expect(late.configuration?.location("/").core.hasETag == false)
        #expect(late.configuration?.location("/").core.defaultType == bytes("a/b"))
    }

    /// A list directive twice, and how its list reads.
    struct List: CustomTestStringConvertible, Sendable {
        var name: String
        var one: String
        var two: String
        var read: @Sendable (LocationSettings) -> Int
        var testDescription: String { name }
    }

    static let lists: [List] = [
        List(name: "add_header", one: "add_header A 1;", two: "add_header B 2;") { $0.headers.headers.count },
        List(name: "add_trailer", one: "add_trailer A 1;", two: "add_trailer B 2;") { $0.headers.trailers.count },
        List(name: "proxy_set_header", one: "proxy_set_header A 1;", two: "proxy_set_header B 2;") {
            $0.proxy.setHeaders.count
        },
        List(name: "proxy_hide_header", one: "proxy_hide_header A;", two: "proxy_hide_header B;") {
            $0.proxy.hiddenHeaders.count
        },
        List(name: "proxy_pass_header", one: "proxy_pass_header A;", two: "proxy_pass_header B;") {
            $0.proxy.passedHeaders.count
        },
        List(name: "proxy_ignore_headers", one: "proxy_ignore_headers Vary;", two: "proxy_ignore_headers Expires;") {
            $0.proxy.ignoredHeaders.count
        },
        List(name: "proxy_cookie_path", one: "proxy_cookie_path /a /b;", two: "proxy_cookie_path /c /d;") {
            $0.proxy.cookiePaths.count
        },
        List(name: "proxy_cookie_domain", one: "proxy_cookie_domain a b;", two: "proxy_cookie_domain c d;") {
            $0.proxy.cookieDomains.count
        },
        List(name: "proxy_cookie_flags", one: "proxy_cookie_flags a secure;", two: "proxy_cookie_flags b secure;") {
            $0.proxy.cookieFlags.count
        },
        List(name: "error_page", one: "error_page 500 /a;", two: "error_page 501 /b;") { $0.core.errorPages.count },
        List(name: "index", one: "index a;", two: "index b;") { $0.core.index.count },
        List(name: "access_log", one: "access_log a;", two: "access_log b;") { $0.log.targets.count },
        List(name: "error_log", one: "error_log a;", two: "error_log b;") { $0.core.errorLogs.count },
        List(name: "allow, deny", one: "allow 10.0.0.0/8;", two: "deny all;") { $0.access.rules.count },
        List(name: "set_real_ip_from", one: "set_real_ip_from 10.0.0.0/8;", two: "set_real_ip_from ::/0;") {
            $0.realIP.trusted.count
        },
        List(name: "sub_filter", one: "sub_filter a b;", two: "sub_filter c d;") { $0.sub.rules.count },
        List(name: "gzip_disable", one: "gzip_disable a;", two: "gzip_disable b;") { $0.gzip.disabledFor.count },
        List(name: "early_hints", one: "early_hints $uri;", two: "early_hints $args;") { $0.core.earlyHints.count },
        List(name: "verdict_to", one: "verdict_to 10.0.0.0/8;", two: "verdict_to unix:;") { $0.core.verdictTo.count },
    ]

    @Test("a list of a block replaces the parent's, and adds up within the block", arguments: lists)
    func replacement(list: List) throws {
        let inherited = try #require(nested(server: list.one + list.two))
        #expect(list.read(inherited.location("/a/b")) == 2)
        let replaced = try #require(nested(server: list.one + list.two, outer: list.two))
        #expect(list.read(replaced.serverSettings) == 2)
        #expect(list.read(replaced.location("/a")) == 1)
        #expect(list.read(replaced.location("/a/b")) == 1)
    }

    @Test("limit_req and limit_conn replace as lists do")
    func limits() throws {
        let zones = "limit_req_zone $uri zone=a:1m rate=30r/m; limit_req_zone $uri zone=b:1m rate=5r/s; "
            + "limit_conn_zone $uri zone=c:1m; limit_conn_zone $uri zone=d:1m; "
        let configuration = try #require(
            nested(
                http: "limit_req zone=a burst=5 nodelay; limit_req zone=b delay=2; limit_conn c 1; limit_conn d 2;" + zones,
                outer: "limit_req zone=b; limit_conn d 9;"))
        #expect(configuration.http?.limitRequestZones.map(\.rate) == [500, 5_000])
        #expect(
            configuration.serverSettings.limitRequests.rules == [
                .init(zone: 0, burst: 5_000, delay: .max), .init(zone: 1, burst: 0, delay: 2_000),
            ])
        #expect(configuration.location("/a/b").limitRequests.rules == [.init(zone: 1, burst: 0, delay: 0)])
        #expect(configuration.location("/a/b").limitConnections.rules == [.init(zone: 1, connections: 9)])
    }

    @Test("add_header_inherit merges, or switches off")
    func headerInheritance() throws {
        let merged = try #require(
            nested(http: "add_header_inherit merge; add_header A 1;", server: "add_header B 2;", inner: "add_header C 3;"))
        #expect(merged.location("/a/b").headers.headers.map { string($0.name) } == ["C", "B", "A"])
        let off = try #require(nested(http: "add_header A 1;", outer: "add_header_inherit off;", inner: "add_header C 3;"))
        #expect(off.location("/a").headers.headers.isEmpty)
        #expect(off.location("/a/b").headers.headers.map { string($0.name) } == ["C"])
    }

    @Test("handlers, try_files and limit_except stay in their location, but for if and limit_except")
    func handlers() throws {
        let configuration = try #require(
            nested(
                outer: "proxy_pass http://127.0.0.1:1; try_files $uri /x; limit_except GET { deny all; } "
                    + "if ($uri) { set $a 1; }"))
        let outer = configuration.location("/a")
        #expect(outer.handler == .proxy)
        #expect(outer.proxy.pass != nil)
        #expect(outer.core.tryFiles != nil)
        let inner = configuration.location("/a/b")
        #expect(inner.handler == .files)
        #expect(inner.proxy.pass == nil)
        #expect(inner.core.tryFiles == nil)
        #expect(inner.core.limitExcept == nil)
        let except = try #require(outer.core.limitExcept)
        #expect(except.methods == [bytes("GET"), bytes("HEAD")])
        let limited = try #require(configuration.http)[except.settings]
        #expect(limited.handler == .proxy)
        #expect(limited.proxy.pass == outer.proxy.pass)
        #expect(limited.access.rules == [.init(range: .all, isDenied: true)])
        #expect(outer.access.rules.isEmpty)
        let program = try #require(configuration.server.locations.first).rewrite.instructions
        guard case .ifBlock(_, settings: let id?, body: let body) = try #require(program.first) else {
            Issue.record("no if block")
            return
        }
        #expect(try #require(configuration.http)[id].handler == .proxy)
        #expect(body.count == 1)
    }

    @Test("root and alias replace each other on the way down")
    func roots() throws {
        let configuration = try #require(nested(server: "root /www/;", outer: "alias /files/;", inner: "root html;"))
        #expect(configuration.serverSettings.core.root.constant == bytes("/www"))
        #expect(configuration.location("/a").core.root.constant == bytes("/files/"))
        #expect(configuration.location("/a").core.isAlias)
        #expect(configuration.location("/a").core.aliasedPrefixLength == 2)
        #expect(configuration.location("/a/b").core.root.constant == bytes("/srv/html"))
        #expect(!configuration.location("/a/b").core.isAlias)
    }

    @Test("types replace those of the parent; without any there are three")
    func types() throws {
        #expect(try #require(nested()).location("/a").core.types.count == 3)
        let configuration = try #require(
            nested(http: "types { a/b x Y; c/d z; }", outer: "types { }", inner: "types { e/f Q; } types { g/h r; }"))
        #expect(
            configuration.serverSettings.core.types
                == [bytes("x"): bytes("a/b"), bytes("y"): bytes("a/b"), bytes("z"): bytes("c/d")])
        #expect(configuration.location("/a").core.types.isEmpty)
        #expect(configuration.location("/a/b").core.types == [bytes("q"): bytes("e/f"), bytes("r"): bytes("g/h")])
    }

    @Test("media types of filters always hold text/html, and * takes all")
    func mediaTypes() throws {
        let configuration = try #require(nested(http: "gzip_types a/b TEXT/css;", outer: "gzip_types *;"))
        #expect(
            configuration.serverSettings.gzip.types == .only([bytes("text/html"), bytes("a/b"), bytes("text/css")]))
        #expect(configuration.location("/a/b").gzip.types == .all)
        let repeated = parse(Wrapping.server.around("gzip_types text/html;"))
        #expect(repeated.warnings == ["4 duplicate MIME type \"text/html\""])
    }

    @Test("access_log off clears, and new logs start anew below")
    func accessLogOff() throws {
        let configuration = try #require(nested(server: "access_log a; access_log off;", inner: "access_log b;"))
        #expect(configuration.serverSettings.log.targets.isEmpty)
        #expect(configuration.location("/a").log.targets.isEmpty)
        #expect(configuration.location("/a/b").log.targets.map(\.destination) == [.file("/srv/b")])
        #expect(try #require(nested()).serverSettings.log.targets.map(\.destination) == [.file("/srv/logs/access.log")])
    }

    @Test("settings of the request head go from http to server")
    func head() throws {
        let configuration = try #require(
            nested(http: "client_header_timeout 5s; merge_slashes off;", server: "large_client_header_buffers 2 16k;"))
        let head = configuration.server.head
        #expect(head.timeout == 5_000)
        #expect(!head.mergesSlashes)
        #expect(head.largeBufferCount == 2)
        #expect(head.largeBufferSize == 16_384)
    }

    @Test("defaults are nginx 1.31's")
    func defaults() throws {
        let settings = try #require(nested()).location("/a")
        #expect(settings.core.clientBodySizeMax == 1_048_576)
        #expect(settings.core.keepaliveTimeout == 75_000)
        #expect(settings.core.clientBodyBufferSize == 8_192)
        #expect(settings.core.root.constant == bytes("/srv/html"))
        #expect(settings.proxy.httpVersion == .http11)
        #expect(settings.proxy.nextUpstream == [.error, .timeout])
        #expect(settings.proxy.effectiveBusyBuffersSize == 8_192)
        #expect(settings.gzip.bufferCount * settings.gzip.bufferSize == 131_072)
        #expect(settings.ssi.valueLengthMax == 255)
    }
}
