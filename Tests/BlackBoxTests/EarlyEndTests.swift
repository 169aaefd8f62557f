import Foundation
import Testing
import TestKit

@Suite("A request that ends early", .blocking)
struct EarlyEnds {
    /// Every variable that this program has, from the page that a test keeps true.
    static let variables: [String] = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = (try? String(contentsOf: root.appending(path: "docs/nginx-compatibility.md"), encoding: .utf8)) ?? ""
        let names = page.matches(of: #/(?m)^\| `\$(\w+)` \| implemented/#).map { String($0.1) }
        let families = ["arg", "cookie", "http", "sent_http", "sent_trailer", "upstream_http", "upstream_cookie", "upstream_trailer"]
        return names + families.map { $0 + "_a" }
    }()

    /// All bytes that a client ever sends, and whether it then waits for the gateway to end; else it closes.
    static let ends: [(bytes: String, waits: Bool)] = [
        ("", false), ("\r\n", false), ("G", false), ("GE T", true), ("GET", true), ("GET / HTTP/1.1", true),
        ("GET / HTTP/1.1\r\n", true), ("GET / HTTP/1.1\r\n", false), ("GET /\r\n", true), ("\u{16}\u{3}\u{1}", true),
        ("GET / HTTP/2.0\r\n\r\n", true), ("GET / HTTP/9\r\n\r\n", true), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", true),
        ("GET / HTTP/1.1\r\n\r\n", true), (get("/x?a=b") + "X", true), (get("/x"), false), (get("/", "Host: b\r\n\r\n"), true),
        (get("/%00", "\r\n"), true), (get("/../..", "\r\n"), true), (get("/", "Expect: nothing\r\n\r\n"), true),
        (post("/", "Content-Length: 1\r\nTransfer-Encoding: chunked", ""), true), (post("/", "Content-Length: -1", ""), true),
        (post("/p", "Content-Length: 9", "ab"), true), (post("/p", "Content-Length: 9", "ab"), false),
        (post("/s", "Content-Length: 9", "ab"), true), (post("/p", "Transfer-Encoding: chunked", "zz\r\n"), true),
        (post("/s", "Transfer-Encoding: chunked", "zz\r\n"), true), ("OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", true),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", true), (get("http://b?c", "Connection: close\r\n\r\n"), true),
        (get("/" + String(repeating: "x", count: 40_000)), true), (get("/", "A: " + String(repeating: "x", count: 40_000)), true),
        (get("/p", "Connection: close\r\n\r\n"), true), (get("/p", "\r\n"), false), (get("/e", "Connection: close\r\n\r\n"), true),
    ]

    private static func get(_ target: String, _ rest: String = "") -> String { "GET \(target) HTTP/1.1\r\nHost: a\r\n\(rest)" }

    private static func post(_ target: String, _ fields: String, _ body: String) -> String {
        "POST \(target) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n\(body)"
    }

    @Test("can be logged with every variable, wherever it ends", .enabled(if: Target.isGoodgate))
    func variables() throws {
        #expect(Self.variables.count > 100)
        let all = Self.variables.map { "$" + $0 }.joined(separator: "|")
        let origin = try Origin { _ in .delay(0.05, .answer(body: Bytes("p"))) }
        let site = try Site(
            http: """
                log_format all '\(all)'; proxy_connect_timeout 10s; proxy_read_timeout 10s;
                client_header_timeout 300ms; client_body_timeout 300ms;
                """,
            server: """
                root .; access_log all.log all; add_header X-All '\(all)' always;
                error_page 400 408 413 414 494 500 502 504 /e;
                location / { return 200 ok; }
                location /p { proxy_set_header X-All '\(all)'; proxy_pass http://127.0.0.1:\(origin.port); }
                location /s { proxy_request_buffering off; proxy_pass http://127.0.0.1:\(origin.port); }
                location /e { proxy_pass http://127.0.0.1:1; }
                """)
        defer { site.stop() }
        let clients = try Self.ends.map { end in
            let client = try site.client()
            try client.send(end.bytes)
            if !end.waits { client.close() }
            return client
        }
        for (end, client) in zip(Self.ends, clients) where end.waits {
            #expect(throws: Never.self, "\(end.bytes.prefix(80).debugDescription)") { try client.readToEnd() }
        }
        #expect(try site.get("/").status == 200)
        #expect(!site.gateway.errorLog.contains("exited on signal"), "\(site.gateway.errorLog)")
    }

    @Test("has what there is of its request line in both logs, as nginx's has", arguments: [
        ("GET /half?a=b HTTP/1.1\r\nHost: a\r\n", "GET /half?a=b HTTP/1.1", "HTTP/1.1", "408"),
        ("\r\nGET /cut HT", "GET /cut HT", "", "408"),
        ("GET /bad HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET /bad HTTP/1.1", "HTTP/1.1", "400"),
    ])
    func requestLine(_ sent: String, _ line: String, _ version: String, _ status: String) throws {
        let site = try Site(
            http: "log_format f '$status|$request|$server_protocol';",
            server: """
                access_log f.log f; error_log error.log info; client_header_timeout 300ms;
                location / { return 200; }
                """)
        defer { site.stop() }
        let client = try site.client()
        try client.send(sent)
        _ = try client.readToEnd()
        #expect(eventually { site.gateway.directory.read("f.log").hasSuffix("\n") })
        #expect(site.gateway.directory.read("f.log") == "\(status)|\(line)|\(version.isEmpty ? "-" : version)\n")
        #expect(site.gateway.errorLog.contains("request: \"\(line)\""), "\(site.gateway.errorLog)")
    }
}
