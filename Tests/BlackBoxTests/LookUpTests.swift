import TestKit
import Testing

@Suite("What a request is looked up by: map, geo, real_ip, limit_except", .blocking)
struct LookUps {
    @Test("a map ignores case, and knows names, expressions in order, and texts with variables", arguments: [
        ("abc", "exact"), ("ABC", "exact"), ("a.b", "exact dot"), ("x.a.b", ""),
        ("re-12-x", "12 of re-12-x"), ("RE-1-x", ""), ("ci-Z", "z"), ("", "empty"), ("host", "127.0.0.1"), ("*.c", "star"), ("y.c", ""),
    ])
    func map(_ key: String, _ expected: String) throws {
        let site = try Site(
            http: """
                map $arg_k $m {
                    default ""; abc exact; a.b "exact dot"; *.c star; "" empty; host $host;
                    "~^re-(?<n>\\d+)" "$n of $arg_k"; ~^re- never; ~*^CI- z;
                }
                """,
            server: "return 200 \"$m\";")
        defer { site.stop() }
        // Twice: the result is stored for the request.
        #expect(try site.get("/?k=\(key)", ["Host: 127.0.0.1"]).text == expected)
    }

    @Test("with hostnames it takes the most exact name, whatever its case, and ignores the dot at the end", arguments: [
        ("a.b", "exact"), ("A.B.", "exact"), ("x.a.b", "leading"), ("y.x.a.b", "leading"), ("x.y.a.b", "longer"), ("dot.c", "dot"),
        ("z.dot.c", "dot"), ("tail.org", "tail"), ("tail.co.uk", "tail"), ("b", "none"), ("", "none"),
    ])
    func hostNames(_ key: String, _ expected: String) throws {
        let site = try Site(
            http: "map $arg_k $m { hostnames; default none; a.b exact; *.a.b leading; *.y.a.b longer; .dot.c dot; tail.* tail; }",
            server: "return 200 $m;")
        defer { site.stop() }
        #expect(try site.get("/?k=\(key)").text == expected)
    }

    @Test("what a map captured is there for the rest of the request")
    func capture() throws {
        let origin = try Origin { _ in .answer(fields: ["X-Kind: text/odd"]) }
        let site = try Site(
            origin, location: "add_header X-Map $m; add_header X-Again $m$1;",
            http: "map $upstream_http_x_kind $m { default -; \"~^text/(.*)$\" \"<$1>\"; }")
        defer { site.stop() }
        let reply = try site.get()
        #expect(reply["X-Map"] == "<odd>" && reply["X-Again"] == "<odd>odd")
    }

    @Test("real_ip takes the last address that no trusted proxy could have forged", arguments: [
        ("X-Forwarded-For: 192.0.2.7", true, "192.0.2.7"), ("X-Forwarded-For: 192.0.2.7, 10.1.2.3", true, "192.0.2.7"),
        ("X-Forwarded-For: 192.0.2.7, 10.1.2.3", false, "10.1.2.3"), ("X-Forwarded-For: 192.0.2.7:8080", true, "192.0.2.7"),
        ("X-Forwarded-For: 2001:DB8:0:0:0:0:0:1", true, "2001:db8::1"), ("X-Forwarded-For: [2001:db8::2]:80", true, "2001:db8::2"),
        ("X-Forwarded-For: 010.0.0.9, 10.0.0.1", true, "10.0.0.9"), ("X-Forwarded-For: unknown, 10.0.0.1", true, "10.0.0.1"),
        ("X-Forwarded-For: ::ffff:192.0.2.9", true, "::ffff:192.0.2.9"), ("X-Other: 192.0.2.7", true, "127.0.0.1"),
        ("X-Forwarded-For: 300.1.1.1", true, "127.0.0.1"),
    ])
    func realIP(_ field: String, _ isRecursive: Bool, _ expected: String) throws {
        let site = try Site(
            http: """
                set_real_ip_from 127.0.0.0/8; set_real_ip_from 10.0.0.0/8; real_ip_header X-Forwarded-For;
                real_ip_recursive \(isRecursive ? "on" : "off");
                """,
            server: "return 200 \"$remote_addr\";")
        defer { site.stop() }
        #expect(try site.get("/", [field]).text == expected)
    }

    @Test("real_ip_header may be any field, and the address before stays known")
    func realIPField() throws {
        let site = try Site(
            http: "set_real_ip_from 127.0.0.1; real_ip_header X-Client-Address;",
            server: "return 200 \"$remote_addr $realip_remote_addr\";")
        defer { site.stop() }
        #expect(try site.get("/", ["x-client-address: 192.0.2.1"]).text == "192.0.2.1 127.0.0.1")
        #expect(try site.get("/").text == "127.0.0.1 127.0.0.1")
    }

    @Test("geo answers by the client's network, or by the address that a proxy names", arguments: [
        ("192.0.2.7", "doc"), ("192.0.2.200", "high"), ("10.9.9.9", "ten"), ("8.8.8.8", "other"), ("2001:db8::5", "six"),
        ("nonsense", "last"),
    ])
    func geo(_ address: String, _ expected: String) throws {
        let networks = "default other; 192.0.2.0/24 doc; 192.0.2.128/25 high; 10.0.0.0/8 ten; 2001:db8::/32 six; 255.255.255.255 last;"
        let site = try Site(
            http: "geo $arg_a $named { \(networks) } geo $forwarded { proxy 127.0.0.1; \(networks) }",
            server: "return 200 \"$named $forwarded\";")
        defer { site.stop() }
        let reply = try site.get("/?a=\(address)", ["X-Forwarded-For: \(address)"])
        // What is no address leaves the client's own.
        #expect(reply.text == "\(expected) \(expected == "last" ? "other" : expected)")
    }

    @Test("limit_except leaves its methods alone", arguments: [
        ("GET", 200), ("HEAD", 200), ("POST", 200), ("PUT", 403), ("DELETE", 403), ("PATCH", 403), ("NONSENSE", 403),
    ])
    func limitExcept(_ method: String, _ status: Int) throws {
        let origin = try Origin(answer: "x")
        let site = try Site(origin, location: "limit_except GET POST { deny all; }")
        defer { site.stop() }
        #expect(try site.get("/", method: method).status == status)
    }
}
