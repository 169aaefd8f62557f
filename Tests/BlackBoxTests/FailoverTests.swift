import Foundation
import Testing
import TestKit

/// The configuration that the project starts from: a main server, a backup, and an error page of the site's own.
private struct SmallSite {
    let main: Origin
    let backup: Origin
    let gateway: GatewayProcess
    let port = Ports.free()
    let directory: TemporaryDirectory

    init(failTimeout: String = "10s") throws {
        main = try Origin { _ in .answer(fields: ["X-From: main"], body: Bytes("m")) }
        backup = try Origin { _ in .answer(fields: ["X-From: backup"], body: Bytes("b")) }
        directory = try TemporaryDirectory()
        try directory.write("errors/502.html", "<h1>sorry</h1>\n")
        gateway = try GatewayProcess(http: """
            upstream backend {
                server 127.0.0.1:\(main.port) max_fails=3 fail_timeout=\(failTimeout);
                server 127.0.0.1:\(backup.port) max_fails=3 fail_timeout=\(failTimeout) backup;
                keepalive 32;
            }
            server {
                listen 127.0.0.1:\(port);
                server_name a.example;
                location / {
                    proxy_pass http://backend;
                    proxy_next_upstream error timeout http_502 http_503;
                    proxy_next_upstream_tries 2;
                    proxy_connect_timeout 5s;
                    \(Site.keepAlive)
                }
                error_page 502 /502.html;
                location = /502.html { root \(directory.path)/errors; internal; }
            }
            """, directory: directory)
    }
}

@Suite("The small site", .blocking)
struct Failover {
    @Test("uses the main server while it lives")
    func healthy() throws {
        let site = try SmallSite()
        defer { site.gateway.stop() }
        for _ in 0..<10 { #expect(try Client.get(site.port)["X-From"] == "main") }
        #expect(site.backup.requests.isEmpty)
    }

    @Test("fails no request while the main server is killed under load")
    func killedUnderLoad() throws {
        let site = try SmallSite()
        defer { site.gateway.stop() }
        let load = Load(port: site.port, clients: 6)
        #expect(eventually { load.count > 50 })
        site.main.stop()
        #expect(eventually { load.count > 200 })
        let result = load.finish()
        #expect(result.failures == [])
        #expect(site.backup.requests.count > 0)
    }

    @Test("answers the site's error page with status 502 when both are dead, and logs why")
    func bothDead() throws {
        let site = try SmallSite()
        defer { site.gateway.stop() }
        site.main.stop()
        site.backup.stop()
        let reply = try Client.get(site.port, "/api/data", ["Host: a.example"])
        #expect(reply.status == 502)
        #expect(reply.text == "<h1>sorry</h1>\n")
        let form = #/\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[error\] \d+#\d+: \*\d+ connect\(\) failed \(111: Connection refused\) /#
        let rest = "while connecting to upstream, client: 127.0.0.1, server: a.example, request: \"GET /api/data HTTP/1.1\", "
            + "upstream: \"http://127.0.0.1:\(site.main.port)/api/data\", host: \"a.example\""
        #expect(site.gateway.waitForError(rest))
        let line = site.gateway.errorLog.split(separator: "\n").first { $0.contains(":\(site.main.port)/api/data") } ?? ""
        let prefix = try #require(line.prefixMatch(of: form))
        let end = line[prefix.range.upperBound...]
        #expect(end.hasPrefix(rest))
        // nginx's line is whole; what Goodgate knows follows it.
        let verdict = #/, reason: connect\.refused, incident: [0-9A-Z]{8}/#
        let isRight = Target.isGoodgate ? end.dropFirst(rest.count).wholeMatch(of: verdict) != nil : end == rest
        #expect(isRight, "\(line)")
        #expect(site.gateway.accessLines(1)[0].split(separator: " ")[8] == "502", "awk's $9")
    }

    @Test("names both servers in $upstream_addr and both results in $upstream_status")
    func upstreamVariables() throws {
        let dead = Ports.free()
        let origin = try Origin(answer: "ok")
        let site = try Site(
            http: """
                upstream two { server 127.0.0.1:\(dead); server 127.0.0.1:\(origin.port) backup; }
                log_format up '$status [$upstream_addr] [$upstream_status] $upstream_bytes_received $request_length';
                """,
            server: "access_log up.log up; location / { proxy_pass http://two; }")
        defer { site.stop() }
        #expect(try site.get().status == 200)
        #expect(eventually { site.gateway.directory.read("up.log").hasSuffix("\n") })
        let head = Client.head("GET", "/").count
        #expect(site.gateway.directory.read("up.log")
            == "200 [127.0.0.1:\(dead), 127.0.0.1:\(origin.port)] [502, 200] 0, 40 \(head)\n")
    }

    @Test("with one group of dead servers says that none is live, after their failures")
    func noLiveUpstreams() throws {
        let ports = [Ports.free(), Ports.free()]
        let site = try Site(
            http: "upstream dead { server 127.0.0.1:\(ports[0]); server 127.0.0.1:\(ports[1]); }",
            server: "location / { proxy_pass http://dead; }")
        defer { site.stop() }
        #expect(try site.get().status == 502)
        #expect(try site.get("/again").status == 502)
        #expect(site.gateway.waitForError("no live upstreams while connecting to upstream"))
        #expect(site.gateway.errorLog.contains("request: \"GET /again HTTP/1.1\", upstream: \"http://dead/again\", host: \"a.example\""))
    }

    @Test("tries a failed server again after fail_timeout")
    func failTimeout() throws {
        let origin = try Origin(listening: false) { _ in .answer(body: Bytes("first")) }
        let other = try Origin(answer: "second")
        let site = try Site(
            http: """
                upstream pair {
                    server 127.0.0.1:\(origin.port) max_fails=1 fail_timeout=3s;
                    server 127.0.0.1:\(other.port) backup;
                }
                """,
            server: "location / { proxy_pass http://pair; }")
        defer { site.stop() }
        #expect(try site.get().text == "second")
        try origin.start()
        #expect(try site.get().text == "second", "still out")
        #expect(try eventually { try site.get().text == "first" })
    }

    @Test("counts failures up to max_fails before a server is out")
    func maxFails() throws {
        let bad = try Origin { _ in .close }
        let good = try Origin(answer: "good")
        let site = try Site(
            http: """
                upstream pair { server 127.0.0.1:\(bad.port) max_fails=3 fail_timeout=60s; server 127.0.0.1:\(good.port) max_fails=0; }
                """,
            server: "location / { proxy_pass http://pair; }")
        defer { site.stop() }
        for _ in 0..<30 { #expect(try site.get().text == "good") }
        #expect(bad.requests.count == 3)
        let line = "upstream server temporarily disabled while reading response header from upstream, client: 127.0.0.1"
        #expect(site.gateway.waitForError(line))
        #expect(site.gateway.errorLog.components(separatedBy: line).count == 2, "said once")
    }
}
