import Testing
import TestKit

@Suite("error_page", .blocking)
struct ErrorPages {
    private func site(_ server: String, _ origin: Origin) throws -> Site {
        let folder = try TemporaryDirectory()
        try folder.write("html/oops.html", "oops page")
        return try Site(
            http: "upstream origin { server 127.0.0.1:\(origin.port) max_fails=0; }",
            server: "\(server)\nlocation / { proxy_pass http://origin; proxy_intercept_errors on; }", directory: folder)
    }

    @Test("shows a page of the site, with the right status", arguments: [
        ("error_page 503 /oops.html; location = /oops.html { root html; internal; }", 503, "oops page"),
        ("error_page 503 =200 /oops.html; location = /oops.html { root html; internal; }", 200, "oops page"),
        ("error_page 503 = @named; location @named { return 201 named; }", 201, "named"),
        ("error_page 500 502 503 /oops.html; location = /oops.html { return 299 inside; }", 503, "inside"),
        ("error_page 503 =404 /oops.html; location = /oops.html { root html; }", 404, "oops page"),
        ("error_page 503 = /oops.html; location = /oops.html { root html; }", 200, "oops page"),
    ])
    func forms(_ server: String, _ status: Int, _ text: String) throws {
        let origin = try Origin { _ in .answer("503 Busy", body: Bytes("origin's own")) }
        let site = try site(server, origin)
        defer { site.stop() }
        let reply = try site.get()
        #expect(reply.status == status || (status == 503 && reply.status == 299))
        #expect(reply.text == text)
    }

    @Test("redirects to another host with 302, or as asked", arguments: [
        ("error_page 503 http://b.example/sorry;", 302), ("error_page 503 =301 http://b.example/sorry;", 301),
    ])
    func redirect(_ server: String, _ status: Int) throws {
        let origin = try Origin { _ in .answer("503 Busy") }
        let site = try site(server, origin)
        defer { site.stop() }
        let reply = try site.get()
        #expect(reply.status == status)
        #expect(reply["Location"] == "http://b.example/sorry")
    }

    @Test("leaves the origin's own error alone without proxy_intercept_errors")
    func withoutIntercept() throws {
        let origin = try Origin { _ in .answer("503 Busy", body: Bytes("origin's own")) }
        let site = try Site(origin, server: "error_page 503 /oops.html; location = /oops.html { return 200 ours; }")
        defer { site.stop() }
        let reply = try site.get()
        #expect(reply.status == 503)
        #expect(reply.text == "origin's own")
    }

    @Test("to a second upstream serves the request from there")
    func fallbackUpstream() throws {
        let second = try Origin(answer: "second")
        let dead = Ports.free()
        let site = try Site(server: """
            location / { proxy_pass http://127.0.0.1:\(dead); error_page 502 504 = @second; }
            location @second { proxy_pass http://127.0.0.1:\(second.port); }
            """)
        defer { site.stop() }
        let reply = try site.get("/some/path?x=y")
        #expect(reply.status == 200)
        #expect(reply.text == "second")
        #expect(second.last.target == "/some/path?x=y")
    }

    @Test("that leads to itself ends in an error, not in a loop")
    func loop() throws {
        let site = try Site(server: """
            recursive_error_pages on; error_page 404 /missing; location / { root html; }
            """)
        defer { site.stop() }
        let reply = try site.get("/missing")
        #expect(reply.status == 404 || reply.status == 500)
    }

    @Test("is not needed: the built-in pages name the status", arguments: [400, 403, 404, 500, 502, 503, 504])
    func builtIn(_ status: Int) throws {
        let site = try Site(server: "location / { return \(status); }")
        defer { site.stop() }
        let reply = try site.get()
        #expect(reply.status == status)
        #expect(reply["Content-Type"] == "text/html")
        #expect(reply.text.contains("<title>\(status) "))
    }
}

@Suite("An internal location", .blocking)
struct InternalLocations {
    @Test("is 404 for clients, and reached by X-Accel-Redirect")
    func accelRedirect() throws {
        let origin = try Origin { _ in .answer(fields: ["X-Accel-Redirect: /private/f.txt", "X-Extra: gone"], body: Bytes("replaced")) }
        let folder = try TemporaryDirectory()
        try folder.write("html/private/f.txt", "the file")
        let site = try Site(origin, server: "location /private/ { root html; internal; }", directory: folder)
        defer { site.stop() }
        #expect(try site.get("/private/f.txt").status == 404)
        let reply = try site.get("/x")
        #expect(reply.status == 200)
        #expect(reply.text == "the file")
    }
}
