import Testing
import TestKit

@Suite("The address of a redirect", .blocking)
struct Redirects {
    @Test("has the host and the port that server_name_in_redirect, port_in_redirect and absolute_redirect say")
    func address() throws {
        let port = Ports.free()
        func server(_ inside: String) -> String { "server { listen 127.0.0.1:\(port); \(inside) }\n" }
        let gateway = try GatewayProcess(http: server("return 301 /default;") + server("""
            server_name plain.example;
            location / { return 301 /x; } location /rewrite { rewrite ^ /y redirect; } location /whole { return 301 http://o.example/x; }
            location /text { return 302 ?a=b; } location /dir/ { proxy_pass http://127.0.0.1:1; }
            location /off { port_in_redirect off; return 301 /x; } location /path { absolute_redirect off; return 301 /x; }
            location /named { server_name_in_redirect on; return 301 /x; }
            """) + server("""
            server_name First.example second.example; server_name_in_redirect on; port_in_redirect off;
            location / { return 301 /x; } location /port { port_in_redirect on; return 301 /x; }
            location /host { server_name_in_redirect off; return 301 /x; }
            """) + server("server_name .dot.example; server_name_in_redirect on; return 301 /x;"))
        defer { gateway.stop() }
        let cases: [(host: String, path: String, location: String)] = [
            ("plain.example", "/", "http://plain.example:PORT/x"),
            ("PLAIN.example:99", "/", "http://plain.example:PORT/x"),
            ("plain.example", "/rewrite", "http://plain.example:PORT/y"),
            ("plain.example", "/whole", "http://o.example/x"),
            ("plain.example", "/text", "?a=b"),
            ("plain.example", "/dir?q=1", "http://plain.example:PORT/dir/?q=1"),
            ("plain.example:99", "/off", "http://plain.example/x"),
            ("plain.example", "/path", "/x"),
            ("plain.example", "/named", "http://plain.example:PORT/x"),
            ("second.example", "/", "http://first.example/x"),
            ("second.example", "/port", "http://first.example:PORT/x"),
            ("second.example", "/host", "http://second.example/x"),
            ("a.dot.example", "/", "http://dot.example:PORT/x"),
            ("other.example", "/", "http://other.example:PORT/default"),
        ]
        for each in cases {
            let reply = try Client.get(port, each.path, ["Host: \(each.host)"])
            #expect(reply["Location"] == each.location.replacing("PORT", with: "\(port)"), "\(each.host)\(each.path)")
        }
        let old = try Client.exchange(port, "GET / HTTP/1.0\r\n\r\n")
        #expect(old.contains("\r\nLocation: http://127.0.0.1:\(port)/default\r\n"), "without a Host: the address; \(old)")
    }
}
