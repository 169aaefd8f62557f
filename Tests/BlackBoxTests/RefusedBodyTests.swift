import Foundation
import Testing
import TestKit

/// Bodies that were refused or broke off, and answers that turn out not to be a file: nobody gets a part of a body, and nobody loses one.
@Suite("A body on a detour", .blocking)
struct RefusedBodies {
    private static let pages = "error_page 400 408 413 /err; location = /err { internal; proxy_pass http://origin; }"

    /// A head and the start of a body, and the status that it gets.
    struct Broken: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var fields: [String]
        var body: String
        var status: Int
        var server = ""
        var location = ""
    }

    static let broken = [
        Broken(testDescription: "a chunk is wrong", fields: ["Transfer-Encoding: chunked"],
               body: "31\r\n" + String(repeating: "A", count: 49) + "\r\nZZ\r\n", status: 400),
        Broken(testDescription: "a chunk is wrong, unbuffered", fields: ["Transfer-Encoding: chunked"],
               body: "31\r\n" + String(repeating: "A", count: 49) + "\r\nZZ\r\n", status: 400, location: "proxy_request_buffering off;"),
        Broken(testDescription: "chunks are too large", fields: ["Transfer-Encoding: chunked"],
               body: "a\r\n0123456789\r\n400\r\n", status: 413, server: "client_max_body_size 1000;"),
        Broken(testDescription: "the length is too large", fields: ["Content-Length: 5000"], body: String(repeating: "B", count: 900),
               status: 413, server: "client_max_body_size 1000;"),
        Broken(testDescription: "it does not come", fields: ["Content-Length: 900"], body: String(repeating: "C", count: 450),
               status: 408, server: "client_body_timeout 1s;"),
    ]

    @Test("is not sent with the error page's request, nor is its length", arguments: broken)
    func errorPage(_ broken: Broken) throws {
        let origin = try Origin { request in .answer(body: Bytes(request.target) + request.body) }
        let site = try Site(origin, location: broken.location, server: broken.server + Self.pages)
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("POST", "/x", broken.fields) + Bytes(broken.body))
        let reply = try client.readReply()
        #expect(reply.status == broken.status)
        #expect(reply.text == "/err")
        let page = try #require(origin.requests.last { $0.target == "/err" })
        #expect(page.body.isEmpty && !page.isChunked)
        #expect(page["Content-Length"] ?? "0" == "0")
        // What uses its connection next is what it is.
        let next = try site.get("/next", method: "POST", body: Bytes("GET /admin HTTP/1.1\r\nHost: a\r\n\r\n"))
        #expect(next.text == "/nextGET /admin HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(!origin.requests.contains { $0.target == "/admin" })
    }

    static let detours = [
        ("/", "index index.php; location / { try_files $uri $uri/ /index.php; } location ~ [.]php$ { proxy_pass http://origin; }"),
        ("/", "index index.php; location ~ [.]php$ { proxy_pass http://origin; }"),
        ("/missing", "location / { error_page 404 = @app; } location @app { proxy_pass http://origin; }"),
        ("/file", "location / { error_page 405 = @app; } location @app { proxy_pass http://origin; }"),
        ("/closed/", "location / { error_page 403 = @app; } location @app { proxy_pass http://origin; }"),
    ]

    @Test("arrives where an index or an error page leads", arguments: detours, [false, true])
    func detour(_ detour: (target: String, server: String), isChunked: Bool) throws {
        let directory = try TemporaryDirectory()
        try directory.write("root/index.php", "")
        try directory.write("root/file", "x")
        try directory.write("root/closed/x", "x")
        let origin = try Origin { request in .answer(body: Bytes(request.method + " ") + request.body) }
        let site = try Site(
            http: "upstream origin { server 127.0.0.1:\(origin.port); keepalive 8; }",
            server: "\(Site.keepAlive) root \(directory.path)/root; \(detour.server)", directory: directory)
        defer { site.stop() }
        let client = try site.client()
        for _ in 0..<2 {
            let head = Client.head("POST", detour.target, [isChunked ? "Transfer-Encoding: chunked" : "Content-Length: 4"])
            try client.send(head + Bytes(isChunked ? "4\r\nbody\r\n0\r\n\r\n" : "body"))
            #expect(try client.readReply().text == "POST body")
        }
    }

    @Test("of a static answer is thrown away, and the connection goes on")
    func unwanted() throws {
        let site = try Site(server: "location / { return 200 kept; } location /status { stub_status; } location /gif { empty_gif; }")
        defer { site.stop() }
        let client = try site.client()
        for target in ["/", "/status", "/gif", "/status", "/"] {
            let reply = try client.request(target == "/" ? "POST" : "GET", target, [], body: .patterned(5_000))
            #expect(reply.status == 200 && reply["Connection"] == "keep-alive")
        }
    }

    static let framings = [
        "proxy_set_header Content-Length $content_length;", "proxy_set_header Content-Length '';", "proxy_set_header Content-Length 3;",
        "proxy_set_header Content-Length 300;", "proxy_set_header Content-Length 0;", "proxy_set_header Transfer-Encoding '';",
        "proxy_set_header Transfer-Encoding $http_transfer_encoding;", "proxy_set_header Transfer-Encoding chunked;",
        "proxy_set_header Content-Length $content_length; proxy_set_header Transfer-Encoding chunked;",
    ]

    @Test("is framed as it is sent, whatever proxy_set_header says", .enabled(if: Target.isGoodgate, "nginx sends what it is told to"),
          arguments: framings, ["", "proxy_request_buffering off;"])
    func framing(_ fields: String, buffering: String) throws {
        let origin = try Origin { request in .answer(body: Bytes(request.target) + request.body) }
        let site = try Site(
            origin, location: fields + buffering, server: "location /small { client_max_body_size 10; error_page 413 /err; } "
                + "location = /err { internal; \(fields) proxy_pass http://origin; }")
        defer { site.stop() }
        let text = "GET /admin HTTP/1.1\r\nHost: a\r\n\r\n", size = String(text.utf8.count, radix: 16)
        let client = try site.client()
        for target in ["/a", "/b"] {
            try client.send(Client.head("POST", target, ["Transfer-Encoding: chunked"]) + Bytes("\(size)\r\n\(text)\r\n0\r\n\r\n"))
            #expect(try client.readReply().text == target + text)
            #expect(try client.request("POST", target, body: Bytes(text)).text == target + text)
            #expect(try client.request("GET", target).text == target)
            #expect(try client.request("POST", target, ["Content-Length: 0"]).text == target)
            #expect(try site.get("/small", method: "POST", body: Bytes(text)).text == "/err")
        }
        #expect(origin.requests.count == 10)
    }

    @Test("of a client that leaves before its error page is there: nobody waits for that any longer", arguments: [false, true])
    func leaving(byReset: Bool) throws {
        let gone = DispatchSemaphore(value: 0)
        let origin = try Origin { _ in
            .takeOver { gateway in if gateway.isClosedByPeer(within: 60) { gone.signal() } }
        }
        let site = try Site(origin, server: "proxy_read_timeout 300s; client_max_body_size 1k; " + Self.pages)
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("POST", "/x", ["Content-Length: 1000000"]) + Bytes("abc"))
        #expect(origin.waitForRequests(1))
        if byReset { client.socket.reset() } else { client.close() }
        #expect(gone.wait(timeout: .now() + 60) == .success)
    }

    @Test("that waits for 100 when its answer is sent: the connection ends, for nobody knows whether it comes")
    func expectation() throws {
        let directory = try TemporaryDirectory()
        let site = try Site(server: "location / { root \(directory.path); }", directory: directory)
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("POST", "/missing", ["Content-Length: 4", "Expect: 100-continue"]))
        let reply = try client.readReply()
        #expect(reply.status == 404)
        #expect(!Target.isGoodgate || reply["Connection"] == "close")
    }
}
