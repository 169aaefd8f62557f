import Testing
import TestKit

@Suite("A location", .blocking)
struct Locations {
    @Test("is chosen as nginx does", arguments: [
        ("/", "root"), ("/a", "prefix-a"), ("/a/b", "prefix-ab"), ("/a/b/c", "prefix-ab"), ("/exact", "exact"), ("/exact/", "root"),
        ("/pic.gif", "regex-gif"), ("/PIC.GIF", "regex-gif"), ("/images/pic.gif", "no-regex"), ("/x.php", "regex-php"),
        ("/x.PHP", "root"), ("/a/x.php", "regex-php"), ("/%61/b", "prefix-ab"), ("/a/./b/../b", "prefix-ab"), ("/a//b", "prefix-ab"),
        ("/nest/in.txt", "nested"), ("/nest/other", "nest"),
    ])
    func choice(_ target: String, _ expected: String) throws {
        let site = try Site(server: """
            location / { return 200 root; } location /a { return 200 prefix-a; } location /a/b { return 200 prefix-ab; }
            location = /exact { return 200 exact; } location ~* \\.gif$ { return 200 regex-gif; }
            location ^~ /images/ { return 200 no-regex; } location ~ \\.php$ { return 200 regex-php; }
            location /nest/ { location ~ \\.txt$ { return 200 nested; } return 200 nest; }
            """)
        defer { site.stop() }
        #expect(try site.get(target).text == expected)
    }

    @Test("sees slashes as they come with merge_slashes off, and one for several without")
    func slashes() throws {
        let origin = try Origin(answer: "x")
        let (merged, kept) = (Ports.free(), Ports.free())
        let locations = """
            location / { return 200 "root $uri"; } location /a/b { return 200 "ab $uri"; } location //c { return 200 "c $uri"; }
            location /p/ { proxy_pass http://127.0.0.1:\(origin.port)/q/; }
            """
        let gateway = try GatewayProcess(
            http: Site.block("", merged, locations) + Site.block("", kept, "merge_slashes off; \(locations)"))
        defer { gateway.stop() }
        let cases: [(target: String, merged: String, kept: String)] = [
            ("//", "root /", "root //"), ("/a//b", "ab /a/b", "root /a//b"), ("//a/b", "ab /a/b", "root //a/b"),
            ("//c", "root /c", "c //c"),
            ("/%2f/c", "root /c", "root ///c"), ("/a/.//b", "ab /a/b", "root /a//b"), ("/a/..//c", "root /c", "c //c"),
            ("/a/b?x=//", "ab /a/b", "ab /a/b"),
        ]
        for each in cases {
            #expect(try Client.get(merged, each.target).text == each.merged, "\(each.target)")
            #expect(try Client.get(kept, each.target).text == each.kept, "\(each.target)")
        }
        for (port, target) in [(merged, "/q/x/y"), (kept, "/q//x///y")] {
            _ = try Client.get(port, "/p//x///y")
            #expect(origin.last.target == target)
        }
    }

    @Test("without its slash is redirected where it proxies")
    func slashRedirect() throws {
        let origin = try Origin(answer: "x")
        let site = try Site(origin, server: "location /dir/ { proxy_pass http://origin; }")
        defer { site.stop() }
        let reply = try site.get("/dir?q=1", ["Host: a.example"])
        #expect(reply.status == 301)
        #expect(reply["Location"]?.hasSuffix("/dir/?q=1") == true)
    }
}

@Suite("A server", .blocking)
struct Servers {
    @Test("is chosen by Host as nginx does", arguments: [
        ("exact.example", "exact"), ("EXACT.example", "exact"), ("exact.example:99", "exact"), ("exact.example.", "exact"),
        ("x.wild.example", "wild"), ("x.y.wild.example", "wild"), ("wild.example", "default"), ("dot.example", "dot"),
        ("x.dot.example", "dot"), ("tail.example", "tail"), ("tail.org", "tail"), ("u42.re.example", "re-42"), ("other", "default"),
    ])
    func choice(_ host: String, _ expected: String) throws {
        let port = Ports.free()
        func server(_ name: String, _ text: String) -> String {
            "server { listen 127.0.0.1:\(port); server_name \(name); return 200 \(text); }\n"
        }
        let gateway = try GatewayProcess(http: """
            server { listen 127.0.0.1:\(port) default_server; return 200 default; }
            """ + server("exact.example", "exact") + server("*.wild.example", "wild") + server(".dot.example", "dot")
            + server("tail.*", "tail") + server("\"~^u(?<n>\\d+)\\.re\\.example$\"", "re-$n"))
        defer { gateway.stop() }
        #expect(try Client.get(port, "/", ["Host: \(host)"]).text == expected)
    }
}

@Suite("Rewriting", .blocking)
struct Rewriting {
    @Test("follows rewrite, if, set, map, geo and return", arguments: [
        ("rewrite ^/old/(.*)$ /new/$1; location /new/ { return 200 $uri?$args; }", "/old/x?y", "200 /new/x?y"),
        ("rewrite ^/old /new permanent;", "/old?q", "301 /new?q"),
        ("rewrite ^/old /new? redirect;", "/old?q", "302 /new"),
        ("rewrite ^/(\\w+)$ /b?p=$1 break; return 200 never;", "/a", "404 "),
        ("set $x a; if ($request_method = POST) { set $x b; } return 200 $x;", "/", "200 a"),
        ("if ($arg_q ~ ^(\\d+)$) { return 200 n$1; } return 200 none;", "/?q=42", "200 n42"),
        ("if ($arg_q ~* ^AB$) { return 200 yes; } return 200 no;", "/?q=ab", "200 yes"),
        ("if ($arg_q = \"\") { return 200 empty; } return 200 full;", "/?q=", "200 empty"),
        ("return 200 $m;", "/?k=two", "200 2"),
        ("return 200 $m;", "/?k=abc9", "200 r9"),
        ("return 200 $m;", "/?k=other", "200 d"),
        ("return 200 $g;", "/", "200 local"),
        ("return 301 https://$host$request_uri;", "/p?q", "301 https://a.example/p?q"),
        ("return 204;", "/", "204 "),
        ("return 403 no;", "/", "403 no"),
        ("return 200 \"${host}x$arg_none$is_args\";", "/", "200 a.examplex"),
        ("location / { return 200 $request_uri-$uri-$query_string-$document_uri; }", "/%41?b", "200 /%41?b-/A-b-/A"),
        ("return 200 $http_x_test-$cookie_c-$content_length-$request_body;", "/", "200 v-k--"),
    ])
    func rules(_ server: String, _ target: String, _ expected: String) throws {
        let site = try Site(
            http: """
                map $arg_k $m { default d; one 1; two 2; "~^abc(\\d)$" r$1; }
                geo $g { default far; 127.0.0.0/8 local; }
                """,
            server: "server_name a.example; root /nonexistent; absolute_redirect off; \(server)")
        defer { site.stop() }
        let reply = try site.get(target, ["X-Test: v", "Cookie: a=b; c=k"])
        let shown = reply["Location"] ?? (reply.status == 404 ? "" : reply.text)
        #expect("\(reply.status) \(shown)" == expected)
    }

    @Test("by split_clients gives each key its part, always the same, and as nginx does")
    func split() throws {
        let site = try Site(
            http: "split_clients $arg_k $part { 10% a; 0.5% b; 39.5% c; * d; } split_clients \"$arg_k$arg_j\" $half { 50% x; }",
            server: "return 200 $part-$half;")
        defer { site.stop() }
        // What nginx gives.
        let known = [
            ("", "a-x"), ("a", "d-"), ("1", "c-"), ("22", "d-x"), ("alice", "c-"), ("bob", "c-"), ("client-7", "d-"), ("%D0%B8", "d-"),
            ("203.0.113.9", "d-"),
        ]
        for (key, parts) in known { #expect(try site.get("/?k=\(key)&j=q").text == parts, "\(key)") }
        let client = try site.client()
        var counts: [String: Int] = [:]
        for index in 0..<1_000 { counts[String(try client.request("GET", "/?k=\(index)").text.prefix(1)), default: 0] += 1 }
        #expect(counts == ["a": 94, "b": 4, "c": 440, "d": 462])
    }

    @Test("stops after ten rounds with 500")
    func cycle() throws {
        let site = try Site(server: "location / { rewrite ^ /again; }")
        defer { site.stop() }
        #expect(try site.get().status == 500)
        #expect(site.gateway.waitForError("rewrite or internal redirection cycle"))
    }
}

@Suite("Access", .blocking)
struct Access {
    @Test("is given and refused by address, method and rate", arguments: [
        ("deny all;", 403), ("allow 127.0.0.1; deny all;", 200), ("deny 127.0.0.0/8;", 403), ("allow 10.0.0.0/8; deny all;", 403),
        ("limit_except POST { deny all; }", 403), ("limit_except GET { deny all; }", 200),
        ("satisfy any; allow all;", 200),
    ])
    func rules(_ rules: String, _ status: Int) throws {
        let origin = try Origin(answer: "x")
        let site = try Site(origin, location: rules)
        defer { site.stop() }
        #expect(try site.get().status == status)
        #expect(origin.requests.count == (status == 200 ? 1 : 0))
    }

    @Test("over the rate of limit_req is 503, and said once")
    func limitRequests() throws {
        let origin = try Origin(answer: "x")
        let site = try Site(
            origin, location: "limit_req zone=slow burst=1 nodelay;",
            http: "limit_req_zone $binary_remote_addr zone=slow:1m rate=1r/m;")
        defer { site.stop() }
        #expect(try (0..<4).map { _ in try site.get().status } == [200, 200, 503, 503])
        #expect(site.gateway.waitForError("limiting requests, excess: 2."))
        #expect(site.gateway.errorLog.contains("by zone \"slow\", client: 127.0.0.1"))
    }

    @Test("over limit_conn is 503 while the others run")
    func limitConnections() throws {
        let origin = try Origin { $0.target == "/slow" ? .delay(0.6, .answer()) : .answer() }
        let site = try Site(
            origin, location: "limit_conn addr 1;", http: "limit_conn_zone $binary_remote_addr zone=addr:1m;")
        defer { site.stop() }
        let slow = try site.client()
        try slow.send(Client.head("GET", "/slow"))
        #expect(origin.waitForRequests(1))
        #expect(try site.get().status == 503)
        #expect(try slow.readReply().status == 200)
        #expect(try eventually { try site.get().status == 200 })
    }

    @Test("goes by the real address behind a trusted proxy")
    func realAddress() throws {
        let origin = try Origin(answer: "x")
        let site = try Site(
            origin, location: "proxy_set_header X-Real-IP $remote_addr; \(Site.keepAlive)",
            server: "set_real_ip_from 127.0.0.0/8; real_ip_header X-Forwarded-For; real_ip_recursive on; deny 10.9.9.9;")
        defer { site.stop() }
        #expect(try site.get("/", ["X-Forwarded-For: 10.1.2.3"]).status == 200)
        #expect(origin.last["X-Real-IP"] == "10.1.2.3")
        #expect(try site.get("/", ["X-Forwarded-For: 1.1.1.1, 10.9.9.9"]).status == 403)
    }

    @Test("by PROXY protocol takes the address of its line")
    func proxyProtocol() throws {
        let port = Ports.free()
        let gateway = try GatewayProcess(http: """
            server { listen 127.0.0.1:\(port) proxy_protocol; return 200 "$proxy_protocol_addr:$proxy_protocol_port"; }
            """)
        defer { gateway.stop() }
        let client = try Client(port)
        try client.send(Bytes("PROXY TCP4 192.0.2.7 192.0.2.8 4242 80\r\n") + Client.head("GET", "/"))
        #expect(try client.readReply().text == "192.0.2.7:4242")
        let bad = try Client(port)
        try bad.send(Client.head("GET", "/"))
        #expect(bad.drain(seconds: 20).how != .timeout)
    }
}
