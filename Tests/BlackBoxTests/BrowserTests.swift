import Testing
import TestKit

@Suite("A browser is told by its User-Agent, and", .blocking)
struct Browsers {
    private struct Case {
        let agent: String
        /// Requests after which the connection is closed.
        var closes: [String] = []
        var isCompressed = true
        var isPadded = false
        var isRefreshed = false
    }

    /// With `keepalive_disable msie6` and with both.
    private static let posts = ["POST /default", "POST /both"]
    private static let macSafari = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605.1 Version/17.0 Safari/605.1"

    private static let cases = [
        Case(agent: "Mozilla/4.0 (compatible; MSIE 6.0; Windows)", closes: posts, isCompressed: false, isPadded: true, isRefreshed: true),
        Case(agent: "Mozilla/4.0 (compatible; MSIE 5.5; SV1)", closes: posts, isCompressed: false, isPadded: true, isRefreshed: true),
        Case(agent: "Mozilla/4.0 (compatible; MSIE 4.0; X)", closes: posts, isCompressed: false, isPadded: true, isRefreshed: true),
        Case(agent: "Mozilla/4.0 (compatible; MSIE 6.0; SV1)", isPadded: true, isRefreshed: true),
        Case(agent: "Mozilla/4.0 (compatible; MSIE 7.0; was MSIE 6.0; X)", isPadded: true, isRefreshed: true),
        Case(agent: "Mozilla/4.0 (compatible; MSIE 60.0; X)", isPadded: true, isRefreshed: true),
        Case(agent: "Mozilla/4.0 (compatible; MSIE 6.0; X) Opera 8.5"),
        Case(agent: "MSIE 6."),
        Case(agent: macSafari, closes: ["GET /safari", "POST /safari", "GET /both", "POST /both"]),
        Case(agent: "Mozilla/5.0 (Windows) AppleWebKit/605.1 Safari/605.1"),
        Case(agent: macSafari.replacing("Version/17.0", with: "Chrome/120.0"), isPadded: true),
        Case(agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Gecko/20100101 Safari/1 Chrome/1"),
        Case(agent: "curl/8.1"),
    ]

    @Test("keepalive_disable, gzip_disable, msie_padding and msie_refresh go by it as in nginx")
    func browsers() throws {
        let site = try Site(server: """
            default_type text/html; gzip_min_length 1;
            location /default { return 200; } location /none { keepalive_disable none; return 200; }
            location /safari { keepalive_disable safari; return 200; } location /both { keepalive_disable msie6 safari; return 200; }
            location /gzip { gzip on; gzip_disable msie6; return 200 "some text"; }
            location /page { return 404; } location /plain { msie_padding off; return 404; }
            location /moved { msie_refresh on; return 301 http://b.example/; }
            """)
        defer { site.stop() }
        for each in Self.cases {
            let fields = ["User-Agent: \(each.agent)"]
            let requests = ["default", "none", "safari", "both"].flatMap { ["GET /\($0)", "POST /\($0)"] }
            let closed = try requests.filter { request in
                let words = request.split(separator: " ").map(String.init)
                return try site.get(words[1], fields, method: words[0])["Connection"] == "close"
            }
            #expect(Set(closed) == Set(each.closes), "\(each.agent)")
            let isCompressed = try site.get("/gzip", fields + ["Accept-Encoding: gzip"])["Content-Encoding"] == "gzip"
            #expect(isCompressed == each.isCompressed, "\(each.agent)")
            #expect(try site.get("/page", fields).text.contains("<!-- a padding to disable") == each.isPadded, "\(each.agent)")
            #expect(try !site.get("/plain", fields).text.contains("<!-- a padding to disable"), "\(each.agent)")
            #expect(try site.get("/moved", fields).status == (each.isRefreshed ? 200 : 301), "\(each.agent)")
        }
    }

    @Test("gzip_disable takes expressions, which ignore case; gzip_comp_level packs as tightly as it is told")
    func gzip() throws {
        let words = (0..<400).map { "word\($0 * 7_919 % 97)" }.joined(separator: " ")
        let site = try Site(server: """
            default_type text/html; gzip on; gzip_vary on; gzip_disable "MSIE [1-6]\\." "bot/(7|8)";
            location / { return 200 "\(words)"; } location /1 { gzip_comp_level 1; return 200 "\(words)"; }
            location /9 { gzip_comp_level 9; return 200 "\(words)"; }
            """)
        defer { site.stop() }
        let isCompressed = ["MSIE 6.0; SV1": false, "MSIE 7.0": true, "Some BOT/8.1": false, "bot/9": true]
        for (agent, expected) in isCompressed {
            let reply = try site.get("/", ["Accept-Encoding: gzip", "User-Agent: \(agent)"])
            #expect((reply["Content-Encoding"] == "gzip") == expected, "\(agent)")
            #expect(reply["Vary"] == "Accept-Encoding", "\(agent)")
        }
        let sizes = try ["/", "/1", "/9"].map { try site.get($0, ["Accept-Encoding: gzip"]).body.count }
        #expect(sizes[0] == sizes[1], "1 is what holds without the directive")
        #expect(sizes[2] < sizes[1])
    }
}
