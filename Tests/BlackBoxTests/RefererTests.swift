import Testing
import TestKit

@Suite("A referer", .blocking)
struct Referers {
    private static let table: [(String, String?, Bool)] = [
        ("/names", "http://www.example.org/x", true), ("/names", "HTTPS://WWW.example.org:8080/", true),
        ("/names", "www.example.org", false), ("/names", "http://example.org", false), ("/names", "http://a.b.example.net", true),
        ("/names", "http://example.net", false), ("/names", "http://dot.example", true), ("/names", "http://www.dot.example", true),
        ("/names", "http://shop.anything", true), ("/names", nil, false), ("/none", nil, true), ("/none", "", false),
        ("/blocked", "", true), ("/blocked", "no url", true), ("/blocked", "http://evil.example", false),
        ("/uri", "http://www.example.org/uri2", true), ("/uri", "http://www.example.org:1/uri", true),
        ("/uri", "http://www.example.org/", false), ("/uri", "http://www.example.org/URI", false),
        ("/pattern", "http://x.example.org/a", true), ("/pattern", "http://x.example.com/a", false),
        ("/server", "http://a.example/x", true), ("/server", "http://other7/x", true), ("/server", "http://other7x/", false),
        ("/any", "http://evil.example", true),
    ]

    @Test("is valid by name, wildcard, path, expression or the server's own names")
    func valid() throws {
        let site = try Site(server: """
            server_name a.example ~^other[0-9]$;
            location /names {
                valid_referers www.example.org *.example.net .dot.example shop.*;
                return 200 "<$invalid_referer>";
            }
            location /none { valid_referers none www.example.org; return 200 "<$invalid_referer>"; }
            location /blocked { valid_referers blocked www.example.org; return 200 "<$invalid_referer>"; }
            location /uri { valid_referers www.example.org/uri; return 200 "<$invalid_referer>"; }
            location /pattern { valid_referers ~example\\.org/; return 200 "<$invalid_referer>"; }
            location /server { valid_referers server_names; return 200 "<$invalid_referer>"; }
            location /any { return 200 "<$invalid_referer>"; }
            """)
        defer { site.stop() }
        let client = try site.client()
        for (path, referer, isValid) in Self.table {
            let reply = try client.request("GET", path, referer.map { ["Referer: \($0)"] } ?? [])
            #expect(reply.text == (isValid ? "<>" : "<1>"), "\(path) \(referer ?? "none")")
        }
    }
}
