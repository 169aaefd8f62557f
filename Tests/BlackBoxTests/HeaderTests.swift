import Foundation
import Testing
import TestKit

@Suite("Request fields", .blocking)
struct RequestFields {
    @Test("get nginx's defaults: Host is the group's name, Connection is gone")
    func defaults() throws {
        let origin = try Origin(answer: "ok")
        let site = try Site(origin)
        defer { site.stop() }
        #expect(try site.get("/", ["X-Custom: a", "X-Custom: b", "User-Agent: t"]).status == 200)
        #expect(origin.last["Host"] == "origin")
        #expect(origin.last["Connection"] == nil)
        #expect(origin.last.headers.filter { $0.name == "X-Custom" }.map(\.value) == ["a", "b"])
        #expect(origin.last["User-Agent"] == "t")
    }

    @Test("are set, replaced and removed by proxy_set_header")
    func setHeader() throws {
        let origin = try Origin(answer: "ok")
        let site = try Site(origin, location: """
            proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header Accept-Encoding "";
            proxy_set_header X-Mixed "a $request_method b"; \(Site.keepAlive)
            """)
        defer { site.stop() }
        let sent = ["Host: b.example:8080", "X-Forwarded-For: 10.1.1.1", "Accept-Encoding: gzip", "X-Real-IP: 6.6.6.6"]
        #expect(try site.get("/", sent).status == 200)
        #expect(origin.last["Host"] == "b.example")
        #expect(origin.last["X-Real-IP"] == "127.0.0.1")
        #expect(origin.last["X-Forwarded-Proto"] == "http")
        #expect(origin.last["X-Forwarded-For"] == "10.1.1.1, 127.0.0.1")
        #expect(origin.last["Accept-Encoding"] == nil)
        #expect(origin.last["X-Mixed"] == "a GET b")
    }

    @Test("give way to the target: its authority is the Host", .enabled(if: Target.isGoodgate, "nginx passes the field"))
    func authority() throws {
        let origin = try Origin(answer: "ok")
        let site = try Site(origin, location: "proxy_set_header Host $http_host; \(Site.keepAlive)")
        defer { site.stop() }
        #expect(try site.get("http://public.example:8080/a", ["Host: internal.example"]).status == 200)
        #expect(origin.last["Host"] == "public.example:8080")
        #expect(origin.last.target == "/a")
    }

    @Test("of one hop are not sent on", arguments: ["Keep-Alive: 5", "TE: trailers", "Proxy-Connection: x", "Connection: keep-alive"])
    func hopByHop(_ field: String) throws {
        let origin = try Origin(answer: "ok")
        let site = try Site(origin)
        defer { site.stop() }
        #expect(try site.get("/", [field]).status == 200)
        let name = String(field.prefix { $0 != ":" })
        if Target.isGoodgate || name == "Connection" || name == "Keep-Alive" { #expect(origin.last[name] == nil) }
    }

    @Test("named by Connection are not sent on", .enabled(if: Target.isGoodgate, "RFC 9110 7.6.1; nginx passes them"))
    func namedByConnection() throws {
        let origin = try Origin(answer: "ok")
        let site = try Site(origin, location: "proxy_set_header X-Real-IP $remote_addr; \(Site.keepAlive)")
        defer { site.stop() }
        #expect(try site.get("/", ["Connection: x-secret, X-Real-IP", "X-Secret: 1", "X-Open: 2"]).status == 200)
        #expect(origin.last["X-Secret"] == nil)
        #expect(origin.last["X-Open"] == "2")
        #expect(origin.last["X-Real-IP"] == "127.0.0.1", "what the configuration sets stays")
    }

    @Test("with an underscore are dropped unless underscores_in_headers is on")
    func underscores() throws {
        let origin = try Origin(answer: "ok")
        let strict = try Site(origin)
        defer { strict.stop() }
        #expect(try strict.get("/", ["X_Under: 1"]).status == 200)
        #expect(origin.last["X_Under"] == nil)
        let loose = try Site(origin, server: "underscores_in_headers on;")
        defer { loose.stop() }
        #expect(try loose.get("/", ["X_Under: 1"]).status == 200)
        #expect(origin.last["X_Under"] == "1")
    }

    @Test("behind Host go by the rules of the server that it names, however they come", arguments: [1, 7, 1_000_000])
    func ofNamedServer(step: Int) throws {
        let port = Ports.free()
        let gateway = try GatewayProcess(http: """
            server { listen 127.0.0.1:\(port); server_name a; return 200 "a $http_x_u $http_x_long"; }
            server {
                listen 127.0.0.1:\(port); server_name b; underscores_in_headers on; large_client_header_buffers 4 32k;
                return 200 "b $http_x_u $http_x_long";
            }
            server { listen 127.0.0.1:\(port); server_name ~^c(?<n>.); ignore_invalid_headers off; return 200 "c$n $http_x_u"; }
            """)
        defer { gateway.stop(allowing: ["client sent too long header line"]) }
        let long = String(repeating: "l", count: 12_000)
        func ask(_ host: String, _ fields: [String], before: [String] = [], target: String = "/") throws -> Reply {
            let head = Bytes((["GET \(target) HTTP/1.1"] + before + ["Host: \(host)"] + fields + ["", ""]).joined(separator: "\r\n"))
            let client = try Client(port)
            for start in stride(from: 0, to: head.count, by: step) {
                try client.send(Array(head[start..<min(start + step, head.count)]))
                if step < 100, start > 200 {
                    try client.send(Array(head[(start + step)...]))
                    break
                }
            }
            return try client.readReply()
        }
        #expect(try ask("a", ["X_U: 1"]).text == "a  ")
        #expect(try ask("b", ["X_U: 1"]).text == "b 1 ")
        #expect(try ask("B:\(port)", ["X_U: 1"]).text == "b 1 ")
        #expect(try ask("cd", ["X_U: 1"]).text == "cd 1")
        #expect(try ask("b", [], before: ["X_U: 1"]).text == "b  ", "what came before is judged already, as in nginx")
        #expect(try ask("b", ["X-Long: \(long)"]).text == "b  \(long)")
        #expect(try ask("a", ["X-Long: \(long)"]).status == 400)
        #expect(try ask("a", ["X_U: 1"], target: "http://b/").text == "b 1 ")
    }

    @Test("that a reload cuts short are logged with what they named, wherever the head was moved to")
    func ofNamedServerCut() throws {
        let port = Ports.free()
        let http = """
            log_format named '<$request> $host $sub';
            server { listen 127.0.0.1:\(port); server_name a; }
            server {
                listen 127.0.0.1:\(port); server_name ~^(?<sub>[a-z]+)\\.example$; underscores_in_headers on;
                access_log access.log named; return 200 $sub;
            }
            """
        let gateway = try GatewayProcess(http: http, main: "worker_shutdown_timeout 1s;")
        defer { gateway.stop(allowing: []) }
        let names = ["victim", "secret", "secrex", "secrey"]
        let clients = try names.map { name in
            let client = try Client(port)
            try client.send("GET /\(name) HTTP/1.1\r\nHost: \(name).example\r\n")
            return client
        }
        usleep(100_000)
        for client in clients { try client.send("X-More: \(String(repeating: "m", count: 3_000))\r\n") }
        usleep(100_000)
        gateway.signal(SIGHUP)
        for client in clients { _ = client.drain(seconds: 30) }
        for name in names {
            let line = "<GET /\(name) HTTP/1.1> \(name).example \(name)"
            #expect(eventually { gateway.accessLog.contains(line) }, "\(line): \(gateway.accessLog)")
        }
    }

    @Test("of an answer of its own without a body: no Content-Type, and an upstream's 204 keeps it")
    func empty() throws {
        let fields = ["Content-Type: text/x", "Last-Modified: Mon, 23 Nov 2026 00:00:00 GMT"]
        let origin = try Origin { _ in .answer("204 No Content", fields: fields) }
        let site = try Site(server: """
            default_type text/plain; location /own { add_header X-A 1; return 204; }
            location /with { add_header Content-Type text/y; return 204; } location / { proxy_pass http://127.0.0.1:\(origin.port); }
            """)
        defer { site.stop() }
        let own = try site.get("/own")
        #expect(own.status == 204 && own["Content-Type"] == nil && own["X-A"] == "1")
        #expect(try site.get("/with")["Content-Type"] == "text/y")
        let passed = try site.get("/")
        #expect(passed["Content-Type"] == "text/x" && passed["Last-Modified"]?.hasPrefix("Mon") == true)
    }

    @Test("with other names than letters, digits and - go by ignore_invalid_headers and underscores_in_headers")
    func invalidNames() throws {
        let origin = try Origin(answer: "ok")
        let modes = [
            "", "underscores_in_headers on;", "ignore_invalid_headers off;", "ignore_invalid_headers off; underscores_in_headers on;",
        ]
        let ports = modes.map { _ in Ports.free() }
        let pass = "\(Site.keepAlive) location / { proxy_pass http://127.0.0.1:\(origin.port); }"
        let gateway = try GatewayProcess(
            http: zip(modes, ports).map { Site.block("", $1, "\($0) \(pass)") }.joined(separator: "\n"))
        defer { gateway.stop() }
        // For each mode: whether the field is sent on.
        let fields: [(field: String, isSent: [Bool])] = [
            ("X-Plain: 1", [true, true, true, true]), ("X_Under: 1", [false, true, true, true]), ("_X: 1", [false, true, true, true]),
            ("Content_Length: 5", [false, true, true, true]), ("X.Dot: 1", [false, false, true, true]),
            ("X~!*: 1", [false, false, true, true]),
        ]
        for (field, isSent) in fields {
            let name = String(field.prefix { $0 != ":" })
            for (index, port) in ports.enumerated() {
                #expect(try Client.get(port, "/", [field, "X-Next: 1"]).status == 200)
                #expect((origin.last[name] != nil) == isSent[index], "\(field) with \(modes[index])")
                #expect(origin.last["X-Next"] == "1", "what follows is untouched")
            }
        }
        let line = "client sent invalid header line: \"X.Dot: 1\" while reading client request headers, client: 127.0.0.1, server: "
        #expect(gateway.waitForError(line), "\(gateway.errorLog)")
        // These are no names in any mode; what nginx passes on beyond that is refused here.
        for field in ["X Y: 1", "X : 1", ": 1"] + (Target.isGoodgate ? ["X(: 1", "X@Y: 1", "\"X\": 1", "X\u{e9}: 1"] : []) {
            for port in ports.dropFirst(Target.isGoodgate ? 2 : 0) {
                #expect(try Client.get(port, "/", [field]).status == 400, "\(field)")
            }
        }
    }

    @Test("can be withheld, and the body too")
    func passRequest() throws {
        let origin = try Origin(answer: "ok")
        let site = try Site(origin, location: """
            proxy_pass_request_headers off; proxy_pass_request_body off; proxy_set_header Content-Length ""; \(Site.keepAlive)
            """)
        defer { site.stop() }
        #expect(try site.get("/", ["X-A: b"], method: "POST", body: Bytes("secret")).status == 200)
        #expect(origin.last["X-A"] == nil)
        #expect(origin.last.body.isEmpty)
    }

    @Test("and method and body can be replaced")
    func setBody() throws {
        let origin = try Origin(answer: "ok")
        let site = try Site(origin, location: "proxy_method PUT; proxy_set_body \"was $request_method\";")
        defer { site.stop() }
        #expect(try site.get("/", method: "POST", body: Bytes("secret")).status == 200)
        #expect(origin.last.method == "PUT")
        #expect(origin.last.body.text == "was POST")
    }

    @Test("and an answer is framed by the method that was sent", .enabled(if: Target.isGoodgate, "nginx announces a body"))
    func replacedMethod() throws {
        let origin = try Origin { request in
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
            return .bytes(Bytes(request.method == "HEAD" ? head : head + "hello"))
        }
        let site = try Site(server: """
            location /head { proxy_method HEAD; proxy_pass http://127.0.0.1:\(origin.port); proxy_read_timeout 2s; }
            location /get { proxy_method GET; proxy_pass http://127.0.0.1:\(origin.port); proxy_read_timeout 2s; }
            """)
        defer { site.stop() }
        let client = try site.client()
        for _ in 0..<3 {
            let bare = try client.request("GET", "/head")
            #expect(bare.status == 200 && bare.body.isEmpty)
            #expect(try client.request("HEAD", "/get")["Content-Length"] == "5")
            // A connection with a body on it would give the next one somebody else's bytes.
            #expect(try client.request("GET", "/get").text == "hello")
        }
    }
}

@Suite("Response fields", .blocking)
struct ResponseFields {
    @Test("of the origin are passed, without those of one hop and those that are ours")
    func passed() throws {
        let origin = try Origin { _ in
            .bytes(Bytes("""
                HTTP/1.1 200 Fine\r\nServer: secret/1\r\nDate: x\r\nX-Pad: 1\r\nX-Accel-Buffering: no\r\nKeep-Alive: timeout=5\r\n\
                Connection: keep-alive\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Two: 1\r\nX-Two: 2\r\nContent-Length: 2\r\n\r\nok
                """))
        }
        let site = try Site(origin)
        defer { site.stop() }
        let reply = try site.get()
        #expect(reply.status == 200)
        #expect(reply["Server"]?.contains("secret") == false)
        #expect(reply.all("Date").count == 1)
        #expect(reply["X-Pad"] == nil)
        #expect(reply["X-Accel-Buffering"] == nil)
        #expect(reply["Keep-Alive"] == nil)
        #expect(reply.all("Set-Cookie") == ["a=1", "b=2"])
        #expect(reply.all("X-Two") == ["1", "2"])
    }

    @Test("can be hidden, passed and ignored")
    func hideAndPass() throws {
        let origin = try Origin { _ in .answer(fields: ["X-Hide: 1", "Server: theirs", "X-Keep: 2"]) }
        let site = try Site(origin, location: "proxy_hide_header X-Hide; proxy_pass_header Server;")
        defer { site.stop() }
        let reply = try site.get()
        #expect(reply["X-Hide"] == nil)
        #expect(reply["Server"] == "theirs")
        #expect(reply["X-Keep"] == "2")
    }

    @Test("are added by add_header, on errors only with always")
    func addHeader() throws {
        let origin = try Origin { $0.target == "/bad" ? .answer("500 E") : .answer() }
        let site = try Site(origin, server: "add_header X-Ok \"$request_method\"; add_header X-Always 1 always;")
        defer { site.stop() }
        let fine = try site.get()
        #expect(fine["X-Ok"] == "GET")
        #expect(fine["X-Always"] == "1")
        let bad = try site.get("/bad")
        #expect(bad["X-Ok"] == nil)
        #expect(bad["X-Always"] == "1")
    }

    @Test("Location and Refresh are rewritten by proxy_redirect", arguments: [
        ("proxy_redirect default;", "Location: http://origin/b/x", "http://a.example:PORT/a/x"),
        ("proxy_redirect off;", "Location: http://origin/b/x", "http://origin/b/x"),
        ("proxy_redirect http://origin/b/ /c/;", "Location: http://origin/b/x", "http://a.example:PORT/c/x"),
        ("proxy_redirect ~^http://[^/]+/b/(.*)$ $scheme://front/$1;", "Location: http://any/b/x", "http://front/x"),
        ("proxy_redirect default;", "Location: /relative", "http://a.example:PORT/relative"),
    ])
    func redirect(_ directive: String, _ field: String, _ expected: String) throws {
        let origin = try Origin { _ in .answer("302 Found", fields: [field]) }
        let site = try Site(
            http: "upstream origin { server 127.0.0.1:\(origin.port); }",
            server: "location /a/ { proxy_pass http://origin/b/; \(directive) }")
        defer { site.stop() }
        let reply = try site.get("/a/", ["Host: a.example"])
        let wanted = expected.replacing("PORT", with: "\(site.port)")
        // A path alone may stay relative: for a client on this host it is the same redirect.
        let relative = expected.replacing("http://a.example:PORT", with: "")
        #expect([wanted, relative].contains(reply["Location"] ?? ""))
    }

    @Test("Set-Cookie's domain and path are rewritten")
    func cookies() throws {
        let origin = try Origin { _ in .answer(fields: ["Set-Cookie: a=b; domain=origin.example; path=/b/; Secure"]) }
        let site = try Site(origin, location: "proxy_cookie_domain origin.example front.example; proxy_cookie_path /b/ /a/;")
        defer { site.stop() }
        #expect(try site.get()["Set-Cookie"] == "a=b; domain=front.example; path=/a/; Secure")
    }

    @Test("Server names the program, and only that with server_tokens off")
    func server() throws {
        let origin = try Origin(answer: "x")
        let on = try Site(origin)
        defer { on.stop() }
        let off = try Site(origin, server: "server_tokens off;")
        defer { off.stop() }
        let name = Target.isGoodgate ? "goodgate" : "nginx"
        #expect(try on.get()["Server"]?.lowercased().hasPrefix("\(name)/") == true)
        #expect(try off.get()["Server"]?.lowercased() == name)
    }

    @Test("that are interim (103) do not disturb the final answer", .enabled(if: Target.isGoodgate, "nginx 1.22 takes them for the answer"))
    func earlyHints() throws {
        let origin = try Origin { _ in
            .bytes(Bytes("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
        }
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        var reply = try client.request()
        while reply.status < 200 { reply = try client.readReply() }
        #expect(reply.text == "ok")
        #expect(try client.request().status < 300)
    }
}
