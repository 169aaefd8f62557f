import Foundation
import Testing
import TestKit

@Suite("Texts that a client or a page makes up", .blocking)
struct HostileTexts {
    @Test("end in an error line, not in the worker's end, where variables name each other in a circle")
    func cycle() throws {
        let site = try Site(
            http: "map $b $a { default \"<$b>\"; } map $a $b { default \"<$a>\"; }", server: "location / { return 200 \"[$a]\"; }")
        defer { site.stop() }
        #expect(try site.get("/").status == 200)
        #expect(try site.get("/").status == 200)
        #expect(site.gateway.waitForError("cycle while evaluating variable \"a\""), "\(site.gateway.errorLog)")
        #expect(!site.gateway.errorLog.contains("exited on signal"))
    }

    @Test("get 500 from a rule whose expression needs too many steps: what guards is not passed by", arguments: [
        "if ($uri ~ \"(a+)+b\") { return 403; } location / { return 200; }",
        "if ($uri !~ \"(a+)+b\") { return 200; } location / { return 403; }",
        "rewrite \"(a+)+b\" /denied last; location = /denied { return 403; } location / { return 200; }",
        "location ~ \"(a+)+b\" { return 403; } location / { return 200; }",
        "location /a { location ~ \"(a+)+b\" { return 403; } } location / { return 200; }",
    ])
    func undecided(_ server: String) throws {
        let site = try Site(server: server)
        defer { site.stop(allowing: ["[alert]"]) }
        #expect(try site.get("/ab").status == 403)
        #expect(try site.get("/" + String(repeating: "a", count: 40) + "c/ab").status == 500)
    }

    @Test("get 500 from a server_name whose expression needs too many steps, and no other server's answer",
          .enabled(if: Target.isGoodgate, "nginx closes the connection without an answer"))
    func undecidedServer() throws {
        let port = Ports.free()
        let guarded = Site.block("", port, "server_name \"~(a+)+b\"; return 403;")
        let gateway = try GatewayProcess(http: Site.block("", port, "server_name _; return 200;") + guarded)
        defer { gateway.stop(allowing: ["[alert]"]) }
        func status(_ host: String) throws -> String {
            let reply = try Client.exchange(port, "GET / HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n")
            return reply.split(separator: " ").dropFirst().first.map(String.init) ?? ""
        }
        #expect(try status("other") == "200")
        #expect(try status("ab") == "403")
        #expect(try status(String(repeating: "a", count: 40) + "cab") == "500")
    }

    @Test("are one line in the error log, whatever a path holds")
    func lineBreaks() throws {
        let site = try Site(server: "root html;")
        defer { site.stop() }
        #expect(try site.get("/x%0a2026/11/23%2001:00:00%20[error]%201%231:%20*9%20forged%0d").status == 404)
        #expect(site.gateway.waitForError("forged"))
        let lines = site.gateway.errorLog.split(separator: "\n").filter { $0.contains("forged") }
        #expect(lines.count == 1 && lines[0].contains("open() \""), "\(lines)")
    }

    @Test("go upstream with the path that an absolute target leaves out (RFC 9112, 3.2.1)")
    func emptyPath() throws {
        let origin = try Origin { request in .answer(body: Bytes(request.target)) }
        let site = try Site(origin)
        defer { site.stop() }
        #expect(try site.get("http://b?x=1").body.text == "/?x=1")
        #expect(try site.get("http://b").body.text == "/")
    }
}

@Suite("Pages with commands", .blocking)
struct SSIPages {
    private static let server = "root .; ssi on; default_type text/html;"

    private func folder(_ pages: [String: String]) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        for (name, text) in pages { try directory.write(name, text) }
        return directory
    }

    private func site(_ pages: [String: String]) throws -> Site { try Site(server: Self.server, directory: folder(pages)) }

    @Test("have as many regular expressions as they like, also what a client sends")
    func manyPatterns() throws {
        let site = try site([
            "a.html": "<!--#if expr=\"$arg_v = /$arg_r/\" -->Y<!--#else -->N<!--#endif -->",
            "b.html": "<!--#if expr=\"$arg_v = /^(?P<Tail>m.)z/\" -->Y<!--#echo var=\"tail\" --><!--#else -->N<!--#endif -->",
        ])
        defer { site.stop() }
        for number in 0..<140 { #expect(try site.get("/a.html?v=x\(number)&r=x\(number)$").body.text == "Y") }
        #expect(try site.get("/b.html?v=moz").body.text == "Ymo")
        #expect(try site.get("/a.html?v=x1&r=x1$").body.text == "Y")
        #expect(try site.get("/b.html?v=mmm").body.text == "N")
    }

    @Test("have names in any case, as nginx's have")
    func names() throws {
        let text = "<!--#set var=\"Title\" value=\"x\" --><!--#if expr=\"$Title = x\" -->YES<!--#else -->NO<!--#endif -->|"
            + "<!--#echo var=\"title\" -->|<!--#include virtual=\"/part.html\" set=\"Part\" --><!--#echo var=\"PART\" -->"
        let site = try site(["a.html": text, "part.html": "p"])
        defer { site.stop() }
        #expect(try site.get("/a.html").body.text == "YES|x|p")
    }

    @Test("do not take the places of plain requests, however slowly they are read")
    func slots() throws {
        let include = "<!--#include virtual=\"/big.txt\" -->"
        let pages = [
            "page.html": String(repeating: include, count: 100), "big.txt": String(repeating: "b", count: 1_500_000), "plain.css": "plain",
        ]
        let port = Ports.free()
        let gateway = try GatewayProcess(
            http: Site.block("", port, Self.server), events: "worker_connections 64;", directory: folder(pages))
        defer { gateway.stop(allowing: ["too many subrequests"]) }
        var readers: [Client] = []
        for _ in 0..<8 {
            let client = try Client(port, timeout: 8)
            try client.send("GET /page.html HTTP/1.1\r\nHost: a\r\n\r\n")
            readers.append(client)
        }
        #expect(gateway.waitForError("too many subrequests"))
        for _ in 0..<8 { #expect(try Client.get(port, "/plain.css").body.text == "plain") }
        readers.forEach { $0.close() }
    }
}
