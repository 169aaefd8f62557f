import Testing
import TestKit

/// Rates are of one request a minute: what the tests do takes less.
@Suite("What limits say and answer", .blocking)
struct LimitWords {
    @Test("limit_req: its status, its level, one level less for a delay, and a dry run that refuses nobody")
    func requests() throws {
        let site = try Site(
            http: """
                limit_req_zone $uri zone=z:1m rate=1r/m; log_format f '$uri $status $limit_req_status';
                limit_req_zone $uri zone=fast:1m rate=100r/s;
                """,
            server: """
                access_log f.log f; root html; limit_req_log_level warn;
                location /plain { limit_req zone=z; try_files /none =204; }
                location /other { limit_req zone=z; limit_req_status 429; limit_req_log_level notice; try_files /none =204; }
                location /close { limit_req zone=z burst=1 nodelay; limit_req_status 444; limit_req_log_level error; try_files /none =204; }
                location /dry { limit_req zone=z; limit_req_dry_run on; limit_req_log_level info; try_files /none =204; }
                location /wait { limit_req zone=z burst=1; limit_req_dry_run on; try_files /none =204; }
                location /delay { limit_req zone=fast burst=1; limit_req_log_level notice; try_files /none =204; }
                """)
        defer { site.stop() }
        let cases: [(path: String, statuses: [Int])] = [
            ("/plain", [204, 503, 503]), ("/other", [204, 429, 429]), ("/close", [204, 204, 0]), ("/dry", [204, 204, 204]),
            ("/wait", [204, 204, 204]),
        ]
        for each in cases {
            let statuses = each.statuses.map { _ in (try? site.get(each.path).status) ?? 0 }
            #expect(statuses == each.statuses, "\(each.path)")
        }
        let client = try site.client()
        try client.send(Client.head("GET", "/delay") + Client.head("GET", "/delay"))
        for _ in 0..<2 { #expect(try client.readReply().status == 204) }
        let passed = ["PASSED", "REJECTED", "REJECTED"], dry = ["PASSED", "REJECTED_DRY_RUN", "REJECTED_DRY_RUN"]
        let expected = zip(["/plain 204", "/plain 503", "/plain 503"], passed).map { "\($0) \($1)" }
            + zip(["/other 204", "/other 429", "/other 429"], passed).map { "\($0) \($1)" }
            + ["/close 204 PASSED", "/close 204 PASSED", "/close 444 REJECTED"] + dry.map { "/dry 204 \($0)" }
            + ["/wait 204 PASSED", "/wait 204 DELAYED_DRY_RUN", "/wait 204 REJECTED_DRY_RUN", "/delay 204 PASSED"]
        #expect(eventually { lines(site).count == expected.count + 1 })
        #expect(Array(lines(site).dropLast()) == expected)
        for (level, words, path) in [
            ("warn", "limiting requests, excess: ", "/plain"), ("notice", "limiting requests, excess: ", "/other"),
            ("error", "limiting requests, excess: ", "/close"), ("info", "limiting requests, dry run, excess: ", "/dry"),
            ("notice", "delaying request, dry run, excess: ", "/wait"), ("warn", "limiting requests, dry run, excess: ", "/wait"),
        ] {
            #expect(eventually { has(site, level, words, path) }, "\(level) \(words) \(path)\n\(site.gateway.errorLog)")
        }
    }

    @Test("limit_conn: its status, its level, and a dry run that refuses nobody")
    func connections() throws {
        let origin = try Origin { $0.target.contains("hold") ? .silence : .answer(body: Bytes("ok")) }
        let pass = "proxy_pass http://127.0.0.1:\(origin.port);"
        let site = try Site(
            http: "limit_conn_zone $arg_key zone=c:1m; log_format f '$uri $status $limit_conn_status';",
            server: """
                access_log f.log f; limit_conn c 1;
                location /plain { \(pass) } location /other { limit_conn_status 429; limit_conn_log_level notice; \(pass) }
                location /dry { limit_conn_dry_run on; limit_conn_log_level info; \(pass) }
                """)
        defer { site.stop() }
        let held = try site.client()
        try held.send(Client.head("GET", "/plain/hold?key=k"))
        #expect(origin.waitForRequests(1))
        let cases = [("/plain", 503, "REJECTED"), ("/other", 429, "REJECTED"), ("/dry", 200, "REJECTED_DRY_RUN")]
        for (path, status, _) in cases {
            #expect(try site.get(path + "?key=k").status == status, "\(path)")
            #expect(try site.get(path + "?key=another").status == 200, "\(path)")
            #expect(try site.get(path).status == 200, "\(path): an empty key is not counted")
        }
        let expected = cases.flatMap { ["\($0) \($1) \($2)", "\($0) 200 PASSED", "\($0) 200 -"] }
        #expect(eventually { lines(site) == expected }, "\(lines(site))")
        for (level, words, path) in [
            ("error", "limiting connections by zone \"c\"", "/plain"), ("notice", "limiting connections by zone \"c\"", "/other"),
            ("info", "limiting connections, dry run, by zone \"c\"", "/dry"),
        ] {
            #expect(eventually { has(site, level, words, path) }, "\(level) \(words) \(path)\n\(site.gateway.errorLog)")
        }
    }

    private func lines(_ site: Site) -> [String] { site.gateway.directory.read("f.log").split(separator: "\n").map(String.init) }

    /// Whether the error log has a line of a level with these words about a path.
    private func has(_ site: Site, _ level: String, _ words: String, _ path: String) -> Bool {
        site.gateway.errorLog.split(separator: "\n").contains {
            $0.contains("[\(level)]") && $0.contains(words) && $0.contains("request: \"GET \(path)")
        }
    }
}
