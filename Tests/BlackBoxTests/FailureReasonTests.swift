import Foundation
import Testing
import TestKit

/// A site whose access log has `status|reason|incident|attempts`.
private func verdictSite(_ upstream: String, location: String = "", workers: Int = 1) throws -> Site {
    try Site(
        http: """
            log_format verdict '$status|$upstream_reason|$incident_id|$attempts';
            upstream back { \(upstream) keepalive 4; }
            """,
        server: "access_log access.log verdict; location / { proxy_pass http://back; \(Site.keepAlive) \(location) }", workers: workers)
}

/// Fields of the newest line of the access log.
private func logged(_ site: Site, _ count: Int = 1) throws -> [String] {
    let line = try #require(site.gateway.accessLines(count).last)
    let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    return try #require(fields.count == 4 ? fields : nil, "\(line)")
}

private func isIncident(_ text: String) -> Bool {
    text.utf8.count == 8 && text.utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || ($0 >= 65 && $0 <= 90) }
}

@Suite("A failure", .blocking, .enabled(if: Target.isGoodgate, "verdicts are Goodgate's own"))
struct FailureReasons {
    @Test("has one reason and one incident in both logs, in the field and on the page")
    func everywhere() throws {
        let site = try verdictSite("server 127.0.0.1:\(Ports.free()) max_fails=0;")
        defer { site.stop() }
        let reply = try site.get("/x")
        #expect(reply.status == 502)
        let line = try logged(site)
        #expect(line[0] == "502" && line[1] == "connect.refused" && line[3] == "1", "\(line)")
        #expect(isIncident(line[2]))
        #expect(reply["Proxy-Status"] == "goodgate; error=connection_refused")
        #expect(reply.text.contains("<center>Incident \(line[2])</center>"))
        // nginx's words, then ours.
        #expect(site.gateway.waitForError(
            "connect() failed (111: Connection refused) while connecting to upstream, client: 127.0.0.1"))
        #expect(site.gateway.waitForError(", host: \"a.example\", reason: connect.refused, incident: \(line[2])\n"))
    }

    @Test("is named by what was seen", arguments: [
        ("close", "conn.eof_before_head", "connection_terminated", 502), ("reset", "conn.reset", "connection_terminated", 502),
        ("silence", "response.timeout", "http_response_timeout", 504), ("ssh", "response.wrong_protocol", "http_protocol_error", 502),
        ("framing", "response.illegal_framing", "http_protocol_error", 502),
        ("large", "response.too_big_header", "http_response_header_section_size", 502),
    ])
    func reasons(_ kind: String, _ reason: String, _ error: String, _ status: Int) throws {
        let origin = try Origin { _ in
            switch kind {
            case "close": .close
            case "reset": .reset
            case "silence": .silence
            case "ssh": .sequence([.bytes(Bytes("SSH-2.0-OpenSSH_9.2\r\n\r\n")), .close])
            case "framing": .bytes(Bytes("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"))
            default: .answer(fields: ["X: " + String(repeating: "x", count: 9_000)])
            }
        }
        let timeout = kind == "silence" ? "300ms" : "30s"
        let site = try verdictSite("server 127.0.0.1:\(origin.port) max_fails=0;", location: "proxy_read_timeout \(timeout);")
        defer { site.stop() }
        let reply = try site.get()
        let line = try logged(site)
        #expect(reply.status == status && line[1] == reason, "\(line)")
        #expect(reply["Proxy-Status"] == "goodgate; error=\(error)")
    }

    @Test("of an answer's body cuts the connection and is named in the log")
    func truncated() throws {
        let origin = try Origin { _ in .sequence([.bytes(Bytes("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")), .close]) }
        let site = try verdictSite("server 127.0.0.1:\(origin.port) max_fails=0;")
        defer { site.stop() }
        _ = try? site.get()
        #expect(try logged(site)[1] == "body.truncated")
        #expect(site.gateway.waitForError("reason: body.truncated, incident: "))
    }

    @Test("before any attempt, of a name that cannot be had, is named as well")
    func name() throws {
        let site = try verdictSite(
            "server 127.0.0.1:\(Ports.free());",
            location: "} location /named { set $host_there api; proxy_pass http://$host_there; ")
        defer { site.stop(allowing: ["no resolver defined to resolve api"]) }
        #expect(try site.get("/named").status == 502)
        let line = try logged(site)
        #expect(line[1] == "dns.failed" && isIncident(line[2]) && line[3] == "0", "\(line)")
    }

    @Test("of a unix socket that is not there")
    func missingSocket() throws {
        let site = try verdictSite("server unix:/nonexistent/app.sock max_fails=0;")
        defer { site.stop(allowing: ["connect() to unix:/nonexistent/app.sock failed"]) }
        #expect(try site.get().status == 502)
        #expect(try logged(site)[1] == "socket.missing")
    }

    @Test("that another peer makes good is in the log, and not in the answer")
    func saved() throws {
        let good = try Origin(answer: "good")
        let site = try verdictSite(
            "server 127.0.0.1:\(Ports.free()) max_fails=0; server 127.0.0.1:\(good.port) backup;")
        defer { site.stop() }
        let reply = try site.get()
        #expect(reply.text == "good" && reply["Proxy-Status"] == nil)
        let line = try logged(site)
        #expect(line[1] == "connect.refused, -" && isIncident(line[2]) && line[3] == "2", "\(line)")
    }

    @Test("is one incident for all workers, and no failure is none")
    func shared() throws {
        let origin = try Origin(answer: "well")
        let site = try verdictSite(
            "server 127.0.0.1:\(Ports.free()) max_fails=0;", workers: 4)
        defer { site.stop() }
        for _ in 0..<40 { #expect(try site.get().status == 502) }
        let incidents = Set(site.gateway.accessLines(40).map { $0.split(separator: "|")[2] })
        #expect(incidents.count == 1, "\(incidents)")
        let well = try verdictSite("server 127.0.0.1:\(origin.port);")
        defer { well.stop() }
        #expect(try well.get()["Proxy-Status"] == nil)
        #expect(try logged(well) == ["200", "-", "-", "1"])
    }

    @Test("that the application answers itself is told apart", arguments: ["502 Bad Gateway", "503 Service Unavailable", "504 X"])
    func application(_ status: String) throws {
        let origin = try Origin { _ in .answer(status, fields: ["Proxy-Status: inner; error=dns_error"], body: Bytes("mine")) }
        let site = try verdictSite("server 127.0.0.1:\(origin.port) max_fails=0;")
        defer { site.stop() }
        let reply = try site.get()
        #expect(reply.text == "mine")
        // The upstream's own field stays, ours follows it.
        #expect(reply["Proxy-Status"] == "inner; error=dns_error, goodgate; received-status=\(status.prefix(3))")
        #expect(try logged(site)[1] == "app.answered")
        #expect(!site.gateway.errorLog.contains("reason:"))
    }

    @Test("says as much as proxy_status allows", arguments: ["off", "type", "full"])
    func detail(_ value: String) throws {
        let port = Ports.free()
        let site = try verdictSite("server 127.0.0.1:\(port) max_fails=0;", location: "proxy_status \(value);")
        defer { site.stop() }
        let field = try site.get()["Proxy-Status"]
        let incident = try logged(site)[2]
        switch value {
        case "off": #expect(field == nil)
        case "type": #expect(field == "goodgate; error=connection_refused")
        default:
            #expect(field == "goodgate; error=connection_refused; next-hop=\"127.0.0.1:\(port)\"; "
                + "details=\"connect.refused, incident \(incident)\"")
        }
    }

    @Test("leaves nginx's line as it is with error_log_verdict off, and when started as nginx", arguments: [false, true])
    func withoutVerdict(_ asNginx: Bool) throws {
        let folder = try TemporaryDirectory()
        let port = Ports.free()
        try folder.write(
            GatewayProcess.configurationName,
            GatewayProcess.configuration(
                http: """
                    server {
                        listen 127.0.0.1:\(port);
                        location / { proxy_pass http://127.0.0.1:\(Ports.free()); }
                        location /named { verdict_to 127.0.0.1; proxy_pass http://127.0.0.1:\(Ports.free()); }
                    }
                    """,
                main: asNginx ? "" : "error_log_verdict off;"))
        var binary = GatewayProcess.products + "/goodgate"
        if asNginx {
            try FileManager.default.createSymbolicLink(atPath: folder.path + "/nginx", withDestinationPath: binary)
            binary = folder.path + "/nginx"
        }
        let process = try RunningProcess(
            binary, GatewayProcess.arguments(folder.path), output: folder.path + "/stdout", errors: folder.path + "/stderr")
        defer { process.kill() }
        #expect(eventually { !folder.read("gateway.pid").isEmpty })
        let reply = try Client.get(port)
        #expect(reply.status == 502)
        #expect(eventually { folder.read("error.log").contains("host: \"a.example\"\n") }, "\(folder.read("error.log"))")
        #expect((reply["Proxy-Status"] == nil) == asNginx)
        #expect(reply.text.contains("Incident") == !asNginx)
        // nginx knows no verdict_to: who writes it wants it.
        #expect(try Client.get(port, "/named").text.contains("goodgate why "))
        process.signal(SIGTERM)
        #expect(process.wait(seconds: 30) == .exited(0))
    }
}
