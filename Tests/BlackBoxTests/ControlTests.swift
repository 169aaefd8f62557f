import Foundation
import Testing
import TestKit

@Suite("goodgate-control", .blocking, .enabled(if: Target.isGoodgate, "Goodgate's own commands"))
struct ControlTests {
    private let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    @Test("prints the table that docs/nginx-compatibility.md holds")
    func compatibility() throws {
        let printed = try RunningProcess.run(GatewayProcess.goodgate, ["compatibility"]).output
        #expect(printed.hasPrefix("## Directives\n"))
        let page = try String(contentsOfFile: root + "/docs/nginx-compatibility.md", encoding: .utf8)
        #expect(page.hasSuffix(printed), "run `make compatibility` to write the page anew")
    }

    @Test("check says that a site file starts, and what is risky in it")
    func checkStarts() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path + "/site.conf"
        try """
            # As containers have it: conf.d/default.conf begins with what http, server and location all may hold.
            resolver 127.0.0.1 valid=30s;
            upstream app { server localhost:3000; server 127.0.0.1:3001; keepalive 32; }
            server { listen 8080; location / { proxy_pass http://app; } }
            """.write(toFile: path, atomically: true, encoding: .utf8)
        let result = try RunningProcess.run(GatewayProcess.goodgate, ["check", path])
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        #expect(result.output.contains("site.conf: starts\n"), "logs that nobody wrote are not missing")
        #expect(result.output.contains("risk"))
        #expect(!result.output.contains("keepalive without effect"), "it has one here: connections are kept unless told otherwise")
    }

    @Test("check says of every risk what to do about it, in text and JSON", arguments: [false, true])
    func checkFixes(json: Bool) throws {
        let folder = try TemporaryDirectory()
        let path = folder.path + "/site.conf"
        try folder.write("site.conf", """
            upstream app { server 10.0.0.1:3000; }
            server {
                listen 8080 backlog=2000000000;
                location / { proxy_pass http://app; proxy_connect_timeout 75s; }
            }
            """)
        let result = try RunningProcess.run(GatewayProcess.goodgate, ["check"] + (json ? ["--json"] : []) + [path])
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        let wanted = ["error_page 502 503 504 /50x.html", "sysctl -w net.core.somaxconn=2000000000", "a second instance of the application",
                      "proxy_connect_timeout 2s;", "may need longer"]
        for text in wanted { #expect(result.output.contains(text), "\(text) in \(result.output)") }
        guard json else {
            #expect(result.output.contains("\n          $ sysctl -w") && result.output.contains("\n          careful: "))
            return
        }
        let reports = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
        let risks = (reports.first?["findings"] as? [[String: Any]] ?? []).filter { $0["kind"] as? String == "risk" }
        #expect(risks.count == 4 && risks.allSatisfy { $0["diff"] != nil || $0["commands"] != nil }, "\(risks)")
    }

    @Test("check names every error with its line, and fails")
    func checkErrors() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path + "/broken.conf"
        try "server {\n listen 8080;\n proxy_pas http://x;\n ssl_certificate a;\n}\n".write(toFile: path, atomically: true, encoding: .utf8)
        let result = try RunningProcess.run(GatewayProcess.goodgate, ["check", "--json", path])
        #expect(result.ending == .exited(1))
        let reports = try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]])
        let findings = try #require(reports.first?["findings"] as? [[String: Any]])
        let errors = findings.filter { $0["kind"] as? String == "error" }
        #expect(errors.contains { ($0["place"] as? String)?.hasSuffix("broken.conf:3") == true })
        #expect(errors.contains { ($0["message"] as? String)?.contains("proxy_pass") == true }, "the nearest name is suggested")
        #expect(errors.contains { ($0["message"] as? String)?.contains("not supported by Goodgate yet") == true })
    }

    @Test("check names the user and the folders of logs that are not there")
    func checkMissing() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path + "/main.conf"
        try "user nosuchuser;\nevents { }\nhttp {\naccess_log \(folder.path)/none/a.log;\n}\n"
            .write(toFile: path, atomically: true, encoding: .utf8)
        let result = try RunningProcess.run(GatewayProcess.goodgate, ["check", path])
        #expect(result.output.contains("main.conf: starts where nothing of it is missing"), "\(result.output)")
        #expect(result.output.contains("missing \(path):1: there is no user \"nosuchuser\""))
        #expect(result.output.contains("missing \(path):4: there is no folder \"\(folder.path)/none\""))
        #expect(!result.output.contains("super-user"))
    }

    @Test("check reads a folder as Debian has it, without its backups")
    func checkFolder() throws {
        let folder = try TemporaryDirectory()
        let site = "# A site.\n\nserver { listen 8080; }\n"
        for name in ["default", "example.com", "a.conf"] { try folder.write(name, site) }
        for name in ["default~", "default.bak", "default.dpkg-old", ".default.swp"] { try folder.write(name, "nonsense;") }
        try folder.write("README", "This folder holds sites.\n")
        let result = try RunningProcess.run(GatewayProcess.goodgate, ["check", folder.path])
        #expect(result.output.contains("3 of 3 configurations start (100 %)"), "\(result.output)")
        #expect(result.succeeded)
    }

    @Test("explain knows the line of the article that the project began with")
    func explain() throws {
        let folder = try TemporaryDirectory()
        let line = """
            2026/04/08 18:30:22 [error] 5678#0: *7890 connect() failed (111: Connection refused) while connecting to upstream, \
            client: 10.0.0.5, server: example.com, request: "GET /api/data HTTP/1.1", upstream: "http://127.0.0.1:3000/api/data"
            """
        try (line + "\n").write(toFile: folder.path + "/log", atomically: true, encoding: .utf8)
        let result = try RunningProcess.run("/bin/sh", ["-c", "exec \(GatewayProcess.goodgate) explain < \(folder.path)/log"])
        #expect(result.succeeded, "\(result.errors)")
        #expect(result.output.contains("connect.refused"))
        #expect(result.output.contains("P01"))
        #expect(result.output.contains("3000"))
        // Names as in the API.
        let json = try RunningProcess.run("/bin/sh", ["-c", "exec \(GatewayProcess.goodgate) explain --json < \(folder.path)/log"])
        #expect(json.output.contains("\"error_number\":111"), "\(json.output)")
    }

    @Test("explain knows the lines of HAProxy, Caddy and Envoy as their users paste them, and says which it does not know")
    func explainOthers() throws {
        let folder = try TemporaryDirectory()
        try folder.write("log", """
            Nov 22 10:03:04 lb haproxy[9]: 10.0.1.2:33317 [22/Nov/2026:10:03:04.655] in app/s1 10/0/-1/-1/109 503 275 - - SC-- \
            1/1/1/1/3 0/0 "GET / HTTP/1.1"
            Nov 22 10:03:05 lb haproxy[9]: 10.0.1.2:33318 [22/Nov/2026:10:03:05.655] in app/s1 10/0/1/-1/109 504 275 - - sH-- \
            1/1/1/1/3 0/0 "GET / HTTP/1.1"
            {"level":"error","ts":1795341784.1,"logger":"http.log.error","msg":"dial tcp 127.0.0.1:9000: \
            connect: connection refused","status":502}
            [2026-11-22T10:03:04.310Z] "POST /v1 HTTP/2" 503 UH no_healthy_upstream - "-" 0 19 0 - "-" "curl" "token=hunter2"
            \u{1B}[31mthe weather is fine
            """)
        func explain(_ flag: String) throws -> RunningProcess.Output {
            try RunningProcess.run("/bin/sh", ["-c", "exec \(GatewayProcess.goodgate) explain \(flag) < \(folder.path)/log"])
        }
        let json = try explain("--json")
        let found = try json.output.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        }
        #expect(json.succeeded && found.map { $0["origin"] as? String } == ["haproxy", "haproxy", "caddy", "envoy"], "\(json)")
        #expect(found.map { $0["reason"] as? String } == ["connect.refused", "response.timeout", "connect.refused", "pool.empty"])
        #expect(found.map { ($0["rules"] as? [String])?.first } == ["P01", "P28", "P01", "P09"])
        let text = try explain("--all").output
        for part in [
            "SC at app/s1: the server", "may be: P01 Nothing listens there;", "look at: ", "UH: no healthy upstream host", "not recognised",
            "\\x1b[31mthe weather is fine", "127.0.0.1:9000",
        ] { #expect(text.contains(part), "\(part) in \(text)") }
        #expect(!text.contains("hunter2") && !text.utf8.contains(0x1b), "secrets are masked, and what moves a terminal is escaped")
    }

    @Test("an unknown subcommand names the nearest one")
    func nearest() throws {
        let result = try RunningProcess.run(GatewayProcess.goodgate, ["docter"])
        #expect(!result.succeeded)
        #expect((result.output + result.errors).contains("doctor"))
    }
}
