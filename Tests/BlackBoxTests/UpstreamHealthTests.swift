import Foundation
import Testing
import TestKit

/// `upstream_health`: for uptime tools and outer balancers.
@Suite("The health page", .blocking, .enabled(if: Target.isGoodgate))
struct UpstreamHealth {
    private func json(_ reply: Reply) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any], "\(reply.text)")
    }

    /// The numbers of a group's servers by condition, those that are not 0.
    private func servers(_ reply: Reply, _ name: String) throws -> [String: Int] {
        let upstreams = try #require(try json(reply)["upstreams"] as? [[String: Any]])
        let one = try #require(upstreams.first { $0["name"] as? String == name }, "\(reply.text)")
        return try #require(one["servers"] as? [String: Int]).filter { $0.value != 0 }
    }

    @Test("says how many servers are in which condition, and 503 when a group has none") func conditions() throws {
        let (well, sick) = (try Origin(answer: "ok"), try Origin { _ in .answer("500 No") })
        let dead = Ports.free()
        let site = try Site(
            http: """
                upstream mixed {
                    server 127.0.0.1:\(well.port); server 127.0.0.1:\(sick.port); server 127.0.0.1:\(dead) drain;
                    server 127.0.0.1:\(dead) down; server 127.0.0.1:\(dead) backup;
                }
                upstream none { server 127.0.0.1:\(dead) fail_timeout=60s; server 127.0.0.1:\(dead + 1) down; }
                upstream lone { server 127.0.0.1:\(dead); }
                """,
            server: """
                location / { proxy_pass http://mixed; health_check interval=20ms; }
                location /none { proxy_pass http://none; }
                location /other { proxy_pass http://127.0.0.1:\(dead); }
                location = /health { upstream_health; }
                location = /health/mixed { upstream_health mixed; }
                location = /health/none { upstream_health none; }
                """)
        defer { site.stop() }
        #expect(eventually { (try? servers(site.get("/health/mixed"), "mixed")) == [
            "total": 5, "up": 1, "unhealthy": 2, "draining": 1, "down": 1,
        ] }, "\((try? site.get("/health/mixed").text) ?? "")")
        let one = try site.get("/health/mixed")
        #expect(one.status == 200 && one["Content-Type"] == "application/json" && one["Cache-Control"] == "no-store")
        #expect(try json(one)["healthy"] as? Bool == true)
        #expect(try site.get("/health").status == 200)
        #expect(try site.get("/none").status == 502)
        let none = try site.get("/health/none")
        #expect(none.status == 503)
        #expect(try servers(none, "none") == ["total": 2, "failed": 1, "down": 1])
        let all = try site.get("/health")
        #expect(all.status == 503)
        #expect(try json(all)["healthy"] as? Bool == false)
        #expect(try (json(all)["upstreams"] as? [[String: Any]])?.count == 3, "those that the configuration names")
        #expect(try servers(all, "lone") == ["total": 1, "up": 1], "a lone server is never out")
        for port in [well.port, sick.port, dead] { #expect(!all.text.contains("\(port)")) }
        #expect(try site.get("/health/none", method: "HEAD").body.isEmpty)
        #expect(try site.get("/health", method: "POST").status == 405)
    }

    @Test("refuses a group that does not exist") func unknown() throws {
        #expect(throws: (any Error).self) {
            try Site(http: "upstream backend { server 127.0.0.1; }", server: "location / { upstream_health bakend; }")
        }
    }
}
