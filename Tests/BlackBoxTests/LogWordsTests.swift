import Foundation
import Glibc
import Testing
import TestKit

@Suite("Lines of the error log", .blocking)
struct LogWords {
    @Test("say what rewrite rules did, with rewrite_log, as nginx says it")
    func rewriteLog() throws {
        let site = try Site(
            server: """
                rewrite_log on; error_log error.log notice;
                rewrite ^/none x; rewrite ^/rw/(.*) /u?a=$1 last; rewrite ^/go /zz redirect;
                if ($uri ~ ^/if(.)) { return 204; }
                location / { return 200; }
                """)
        defer { site.stop() }
        for target in ["/rw/b", "/go", "/ifl"] { _ = try site.get(target) }
        for text in [
            "\"^/none\" does not match \"/rw/b\", client", "\"^/rw/(.*)\" matches \"/rw/b\", client",
            "rewritten data: \"/u\", args: \"a=b\", client", "\"^/if(.)\" matches \"/ifl\", client", "rewritten redirect: \"/zz\", client",
        ] {
            #expect(site.gateway.waitForError(text), "\(text)\n\(site.gateway.errorLog)")
        }
    }

    @Test("say that a variable was never set, unless uninitialized_variable_warn is off")
    func uninitialized() throws {
        let site = try Site(server: """
            location /never { if ($arg_never) { set $unset 1; } return 200 "[$unset]"; }
            location /quiet { uninitialized_variable_warn off; return 200 "[$unset]"; }
            location /set { set $unset ""; return 200 "[$unset]"; }
            """)
        defer { site.stop() }
        for target in ["/quiet", "/set", "/never"] { #expect(try site.get(target).text == "[]") }
        let line = "using uninitialized \"unset\" variable, client: 127.0.0.1, server: , request: \"GET "
        #expect(site.gateway.waitForError(line + "/never"), "\(site.gateway.errorLog)")
        #expect(site.gateway.errorLog.components(separatedBy: line).count == 2, "\(site.gateway.errorLog)")
        #expect(site.gateway.errorLog.contains("[warn]"))
    }

    @Test("name the phase in which a head was refused, and a client that left", arguments: [
        ("G&T / HTTP/1.1\r\n\r\n", "client sent invalid method while reading client request line, client: 127.0.0.1"),
        ("GET / HTTP/1.1\r\n\r\n", "client sent HTTP/1.1 request without \"Host\" header while reading client request headers, client"),
        ("", "client closed connection while waiting for request, client: 127.0.0.1, server: 127.0.0.1:"),
    ])
    func phases(_ sent: String, _ line: String) throws {
        let site = try Site(server: "error_log error.log info; location / { return 200; }", main: "error_log error.log info;")
        defer { site.stop() }
        let client = try site.client()
        try client.send(sent)
        if sent.isEmpty { client.close() } else { _ = try client.readToEnd() }
        #expect(site.gateway.waitForError(line), "\(site.gateway.errorLog)")
    }

    @Test("name host and server of a head that was refused later", arguments: [
        ("Host: b.example\r\nReferer: http://r/\r\nContent-Length: x", "b.example", "b.example\", referrer: \"http://r/\""),
        ("Host: b.example\r\nContent-Length: 1\r\nContent-Length: 1", "b.example", "b.example\""),
        ("Host: b.example\r\nHost: c.example", "b.example", "b.example\""),
        ("Host: a/b", "a.example", "a/b\""),
    ])
    func refusedHost(_ fields: String, _ server: String, _ host: String) throws {
        let port = Ports.free()
        let servers = ["a.example", "b.example"].map { Site.block("", port, "server_name \($0); error_log \($0).log info;") }
        let gateway = try GatewayProcess(http: servers.joined(separator: "\n"))
        defer { gateway.stop() }
        let reply = try Client.exchange(port, "GET / HTTP/1.1\r\n\(fields)\r\n\r\n")
        #expect(reply.hasPrefix("HTTP/1.1 400 "))
        let line = ", server: \(server), request: \"GET / HTTP/1.1\", host: \"\(host)\n"
        let log = { gateway.directory.read("\(server).log") }
        #expect(eventually { log().contains(line) }, "\(log())")
    }

    @Test("name the address that proxy_bind may not have; the request gets 500")
    func bind() throws {
        let origin = try Origin(answer: "x")
        let site = try Site(origin, location: "proxy_bind 192.0.2.1;")
        defer { site.stop(allowing: ["[crit]"]) }
        #expect(try site.get("/").status == 500)
        let line = "bind(192.0.2.1) failed (99: Cannot assign requested address) while connecting to upstream, client: 127.0.0.1"
        #expect(site.gateway.waitForError(line), "\(site.gateway.errorLog)")
        #expect(site.gateway.errorLog.contains("[crit]"))
        #expect(origin.requests.isEmpty)
    }

    @Test("name what was asked upstream, also when X-Accel-Redirect led elsewhere")
    func askedUpstream() throws {
        let origin = try Origin { _ in .answer(fields: ["X-Accel-Redirect: /private/none"]) }
        let site = try Site(
            origin, server: "location /p/ { proxy_pass http://origin/q/; } location /private/ { internal; root html; }")
        defer { site.stop() }
        #expect(try site.get("/p/x?y=1").status == 404)
        let line = "request: \"GET /p/x?y=1 HTTP/1.1\", upstream: \"http://127.0.0.1:\(origin.port)/q/x?y=1\", host: "
        #expect(site.gateway.waitForError(line), "\(site.gateway.errorLog)")
    }

    @Test("say that a client left while its answer was made")
    func abort() throws {
        let origin = try Origin { _ in .silence }
        let site = try Site(origin, server: "error_log error.log info;")
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("GET", "/"))
        #expect(eventually { origin.requests.count == 1 })
        client.close()
        let line = "epoll_wait() reported that client prematurely closed connection, so upstream connection is closed too"
        #expect(site.gateway.waitForError(line + " while sending request to upstream, client: "), "\(site.gateway.errorLog)")
    }
}

@Suite("A log that nobody reads", .blocking, .enabled(if: Target.isGoodgate, "nginx waits for the reader"))
struct StalledLog {
    private func fifo() throws -> (TemporaryDirectory, String) {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/pipe"
        #expect(mkfifo(path, 0o666) == 0)
        chmod(path, 0o666)
        return (directory, path)
    }

    @Test("holds back neither start nor requests; what is read later is whole lines")
    func stalled() throws {
        let (directory, path) = try fifo()
        let format = String(repeating: "x", count: 1000)
        let site = try Site(
            http: "log_format long '$uri \(format)';", server: "access_log \(path) long; location / { return 200; }", directory: directory)
        defer { site.stop(allowing: ["bytes lost"]) }
        let client = try site.client()
        for number in 0..<400 { #expect(try client.request("GET", "/\(number)").status == 200) }
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        defer { Glibc.close(reader) }
        var text = ""
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let isWhole = eventually {
            let n = read(reader, &chunk, chunk.count)
            if n > 0 { text += String(decoding: chunk[..<n], as: UTF8.self) }
            return text.contains("/399 \(format)\n")
        }
        #expect(isWhole)
        let lines = text.split(separator: "\n")
        #expect(lines.count == 400 && lines.enumerated().allSatisfy { $1 == "/\($0) \(format)" })
    }

    @Test("loses lines, counted, when there are too many")
    func lost() throws {
        let (directory, path) = try fifo()
        let format = String(repeating: "x", count: 4000)
        let site = try Site(
            http: "log_format long '$uri \(format)';", server: "access_log \(path) long; location / { return 200; }", directory: directory)
        defer { site.stop(allowing: ["bytes lost"]) }
        let client = try site.client()
        for _ in 0..<400 { #expect(try client.request("GET", "/").status == 200) }
        #expect(eventually { site.gateway.standardError.contains("[alert] ") || site.gateway.errorLog.contains("[alert] ") })
        #expect((site.gateway.standardError + site.gateway.errorLog).contains("write() to \"\(path)\" failed (11: "))
    }
}

@Suite("Variables of the connection and of hops", .blocking, .enabled(if: Target.isGoodgate, "nginx has no $proxy_add_via"))
struct HopVariables {
    @Test("are there: $tcpinfo_*, $proxy_add_via")
    func values() throws {
        let origin = try Origin { request in .answer(body: Bytes(request["Via"] ?? "none")) }
        let site = try Site(
            origin, location: "proxy_set_header Via $proxy_add_via;",
            server: "location /tcp { return 200 \"$tcpinfo_rtt $tcpinfo_rttvar $tcpinfo_snd_cwnd $tcpinfo_rcv_space\"; }")
        defer { site.stop() }
        #expect(try site.get("/").text == "1.1 goodgate")
        #expect(try site.get("/", ["Via: 1.0 fred"]).text == "1.0 fred, 1.1 goodgate")
        #expect(try site.get("/tcp").text.wholeMatch(of: #/\d+ \d+ [1-9]\d* [1-9]\d+/#) != nil)
    }

    @Test("OPTIONS goes as many hops on as Max-Forwards says (RFC 9110, 7.6.2)")
    func maxForwards() throws {
        let origin = try Origin { request in .answer(body: Bytes(request["Max-Forwards"] ?? "none")) }
        let site = try Site(origin)
        defer { site.stop() }
        #expect(try site.get("/", ["Max-Forwards: 2"], method: "OPTIONS").text == "1")
        let last = try site.get("/", ["Max-Forwards: 0"], method: "OPTIONS")
        #expect(last.status == 200 && last.text.isEmpty)
        #expect(try site.get("/", ["Max-Forwards: 2"]).text == "2", "it means nothing with GET")
    }
}
