import Testing
import TestKit

@Suite("What an origin's fields say", .blocking)
struct AnswerFields {
    @Test("of cookies: proxy_cookie_flags sets and removes them, the first rule that names the cookie holds")
    func cookieFlags() throws {
        let cookies = [
            "a=1; Path=/", "B=2; Secure; HttpOnly; SameSite=Lax", "sess9=3; secure; httponly; samesite=none", "plain",
            "d=4; Domain=o.example; Secure", "s=5; SameSite",
        ]
        let origin = try Origin { _ in .answer(fields: cookies.map { "Set-Cookie: \($0)" }) }
        // A location's directives, and what becomes of the cookies; nil: nothing.
        let cases: [(rules: String, cookies: [String?])] = [
            ("proxy_cookie_flags off;", [nil, nil, nil, nil, nil, nil]),
            ("proxy_cookie_flags ~ secure httponly samesite=strict;", [
                "a=1; Path=/; Secure; HttpOnly; SameSite=Strict", "B=2; Secure; HttpOnly; SameSite=Strict",
                "sess9=3; secure; httponly; SameSite=Strict", nil, "d=4; Domain=o.example; Secure; HttpOnly; SameSite=Strict",
                "s=5; SameSite=Strict; Secure; HttpOnly",
            ]),
            ("""
                proxy_cookie_flags b nosecure nohttponly nosamesite; proxy_cookie_flags ~sess\\d nosamesite;
                proxy_cookie_flags ~s samesite=lax;
                """, [nil, "B=2", "sess9=3; secure; httponly", nil, nil, "s=5; SameSite=Lax"]),
            ("proxy_cookie_flags $arg_name $arg_flag;", ["a=1; Path=/; HttpOnly", nil, nil, nil, nil, nil]),
            ("proxy_cookie_flags d httponly; proxy_cookie_domain o.example f.example; proxy_cookie_path / /p/;", [
                "a=1; Path=/p/", nil, nil, nil, "d=4; Domain=f.example; Secure; HttpOnly", nil,
            ]),
        ]
        let locations = cases.enumerated().map { "location /\($0)/ { \($1.rules) proxy_pass http://127.0.0.1:\(origin.port); }" }
        let site = try Site(server: locations.joined(separator: "\n"))
        defer { site.stop() }
        for (index, each) in cases.enumerated() {
            let sent = try site.get("/\(index)/?name=A&flag=httponly").all("Set-Cookie")
            #expect(sent == zip(each.cookies, cookies).map { $0 ?? $1 }, "\(each.rules)")
        }
    }

    @Test("to us: X-Accel-… is obeyed and not passed on; proxy_ignore_headers and proxy_pass_header change either")
    func accel() throws {
        let origin = try Origin { _ in
            .answer(
                fields: [
                    "Content-Type: text/html", "X-Accel-Redirect: /inner", "X-Accel-Charset: koi8-r", "X-Accel-Expires: 10", "Expires: 0",
                    "Set-Cookie: c=1",
                ], body: Bytes("orig"))
        }
        let pass = "charset utf-8; proxy_pass http://127.0.0.1:\(origin.port);"
        let site = try Site(http: "charset_map koi8-r utf-8 { D1 D18F; }", server: """
            location = /inner { internal; return 200 "inner"; }
            location /obey { \(pass) } location /ignore { proxy_ignore_headers X-Accel-Redirect; \(pass) }
            location /both { proxy_ignore_headers X-Accel-Redirect X-Accel-Charset; \(pass) }
            location /show {
                proxy_ignore_headers X-Accel-Redirect; proxy_pass_header X-Accel-Redirect; proxy_pass_header X-Accel-Expires; \(pass)
            }
            """)
        defer { site.stop() }
        let obeyed = try site.get("/obey")
        #expect(obeyed.text == "inner")
        #expect(obeyed["Set-Cookie"] == "c=1" && obeyed["Expires"] == "0", "they pass on to the other page")
        for (path, charset, isShown) in [("/ignore", "koi8-r", false), ("/both", "utf-8", false), ("/show", "koi8-r", true)] {
            let reply = try site.get(path)
            #expect(reply.text == "orig", "\(path)")
            #expect(reply["Content-Type"] == "text/html; charset=\(charset)", "\(path)")
            #expect(reply["X-Accel-Charset"] == nil, "\(path)")
            #expect((reply["X-Accel-Redirect"] == "/inner") == isShown, "\(path)")
            #expect((reply["X-Accel-Expires"] == "10") == isShown, "\(path)")
        }
    }

    @Test("of a charset: X-Accel-Charset stands above charset and the answer's own, and has to be known")
    func charset() throws {
        let origin = try Origin { request in
            let (type, charset) = request.target.hasSuffix("own") ? ("text/html; charset=utf-8", "koi8-r")
                : request.target.hasSuffix("image") ? ("image/png", "koi8-r") : ("text/html", String(request.target.dropFirst(3)))
            return .answer(fields: ["Content-Type: \(type)", "X-Accel-Charset: \(charset)"], body: Bytes("x"))
        }
        let pass = "proxy_pass http://127.0.0.1:\(origin.port);"
        let site = try Site(http: "charset_map koi8-r windows-1251 { D1 FF; }", server: """
            location /u/ { charset utf-8; \(pass) } location /o/ { charset off; \(pass) }
            location /i/ { charset utf-8; proxy_ignore_headers X-Accel-Charset; \(pass) }
            """)
        defer { site.stop() }
        let cases = [
            ("/u/koi8-r", "text/html; charset=koi8-r"), ("/u/image", "image/png; charset=koi8-r"),
            ("/o/koi8-r", "text/html; charset=koi8-r"), ("/o/none-such", "text/html"), ("/u/off", "text/html"),
            ("/i/koi8-r", "text/html; charset=utf-8"), ("/i/own", "text/html; charset=utf-8"), ("/i/image", "image/png"),
        ]
        for (target, type) in cases { #expect(try site.get(target)["Content-Type"] == type, "\(target)") }
        let line = "unknown charset \"none-such\" to override while reading response header from upstream, client: 127.0.0.1, server: "
        #expect(site.gateway.waitForError(line), "\(site.gateway.errorLog)")
    }

    /// A limit of 1 byte a second would take minutes.
    @Test("of a rate: X-Accel-Limit-Rate and limit_rate hold for buffered answers only; off is no number")
    func limitRate() throws {
        let origin = try Origin { request in
            var fields: [String] = []
            if request.target.contains("header") { fields.append("X-Accel-Limit-Rate: 1") }
            if request.target.contains("off") { fields.append("X-Accel-Limit-Rate: off") }
            if request.target.contains("no") { fields.append("X-Accel-Buffering: no") }
            return .answer(fields: fields, body: .patterned(200))
        }
        let pass = "proxy_pass http://127.0.0.1:\(origin.port);"
        let site = try Site(server: """
            location / { \(pass) } location /limit/ { limit_rate 1; \(pass) }
            location /direct/ { limit_rate 1; proxy_buffering off; \(pass) }
            location /ignore/ { proxy_ignore_headers X-Accel-Limit-Rate; \(pass) }
            location /variable/ { set $limit_rate 1; proxy_buffering off; add_header X-Rate $limit_rate; \(pass) }
            """)
        defer { site.stop() }
        for target in ["/off", "/direct/", "/direct/header", "/header/no", "/limit/no", "/ignore/header", "/variable/"] {
            #expect(try site.get(target).body == .patterned(200), "\(target)")
        }
        for target in ["/header", "/limit/"] {
            let client = try site.client()
            try client.send(Client.head("GET", target))
            #expect(try client.readExactly(1) == Bytes("H"), "\(target)")
            let more = client.drain(seconds: 0.3)
            #expect(more.bytes.count < 100 && more.how == .timeout, "\(target)")
        }
    }

    @Test("of a length: without one an answer has chunks, or ends with its connection if chunked_transfer_encoding is off")
    func framing() throws {
        let origin = try Origin { request in
            switch request.target.split(separator: "/").last {
            case "chunks": .chunks([Bytes("hel"), Bytes("lo")], fields: ["Content-Type: text/html"])
            case "end": .sequence([.bytes(Bytes("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nhello")), .close])
            default: .answer(fields: ["Content-Type: text/html"], body: Bytes("hello"))
            }
        }
        let pass = "proxy_pass http://127.0.0.1:\(origin.port);"
        let site = try Site(server: """
            \(Site.keepAlive)
            location /on/ { \(pass) } location /off/ { chunked_transfer_encoding off; \(pass) }
            location /gzip/ { chunked_transfer_encoding off; gzip on; gzip_min_length 1; \(pass) }
            location /trailer/ { add_trailer X-After it; \(pass) }
            location /none/ { chunked_transfer_encoding off; add_trailer X-After it; \(pass) }
            """)
        defer { site.stop() }
        // Target, then whether there is a length, chunks, and a connection that is kept.
        let cases: [(target: String, length: Bool, chunks: Bool, kept: Bool)] = [
            ("/on/length", true, false, true), ("/on/chunks", false, true, true), ("/on/end", false, true, true),
            ("/off/length", true, false, true), ("/off/chunks", false, false, false), ("/off/end", false, false, false),
            ("/gzip/length", false, false, false), ("/trailer/length", false, true, true), ("/none/chunks", false, false, false),
        ]
        for each in cases {
            let client = try site.client()
            let reply = try client.request("GET", each.target, ["Accept-Encoding: gzip"])
            #expect((reply["Content-Length"] != nil) == each.length, "\(each)")
            #expect((reply["Transfer-Encoding"] == "chunked") == each.chunks, "\(each)")
            #expect(reply["Connection"] == (each.kept ? "keep-alive" : "close"), "\(each)")
            #expect(reply.trailers.map(\.value) == (each.target.hasPrefix("/trailer") ? ["it"] : []), "\(each)")
            if !each.target.hasPrefix("/gzip") { #expect(reply.text == "hello", "\(each)") }
            if each.kept { #expect(try client.request("GET", "/on/length").text == "hello") } else { #expect(client.isClosedByPeer()) }
            let head = try site.client().request("HEAD", each.target)
            #expect(head["Transfer-Encoding"] == nil && head["Connection"] == "keep-alive", "\(each)")
        }
    }
}
