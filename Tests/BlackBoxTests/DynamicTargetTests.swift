import Foundation
import Testing
import TestKit

@Suite("A proxy_pass with variables", .blocking)
struct DynamicTargets {
    private func site(_ http: String = "", locations: String) throws -> Site { try Site(http: http, server: locations) }

    @Test("reaches groups by name in any case, addresses and unix sockets")
    func targets() throws {
        let folder = try TemporaryDirectory()
        let origin = try Origin { _ in .echo }
        let unix = try Origin(unixPath: folder.path + "/o.sock") { _ in .echo }
        let site = try site(
            "upstream Group { server 127.0.0.1:\(origin.port); }",
            locations: """
                location /group { proxy_pass http://$arg_to; }
                location /uri { proxy_pass http://$arg_to/other?a=b; }
                location /query { proxy_pass http://$arg_to?c=$arg_c; }
                location /unix { proxy_pass http://unix:$arg_to:/d$uri; }
                """)
        defer { site.stop() }
        for to in ["Group", "GROUP", "127.0.0.1:\(origin.port)"] {
            #expect(try site.get("/group/%41?to=\(to)").text.hasPrefix("GET /group/%41?to=\(to) HTTP/1.1\r\nHost: \(to)\r\n"))
            #expect(try site.get("/uri?to=\(to)").text.hasPrefix("GET /other?a=b HTTP/1.1\r\n"))
            #expect(try site.get("/query?to=\(to)&c=d").text.hasPrefix("GET /?c=d HTTP/1.1\r\n"))
        }
        #expect(try site.get("/unix?to=\(folder.path)/o.sock").text.hasPrefix("GET /d/unix HTTP/1.1\r\nHost: localhost\r\n"))
        #expect(unix.requests.count == 1)
    }

    @Test("counts tries and failures of a group as a constant one does")
    func failover() throws {
        let dead = Ports.free()
        let origin = try Origin(answer: "ok")
        let site = try site(
            "upstream group { server 127.0.0.1:\(dead); server 127.0.0.1:\(origin.port) backup; }",
            locations: "location / { proxy_pass http://$arg_g; add_header X-Tried $upstream_addr; }")
        defer { site.stop() }
        #expect(try site.get("/?g=group")["X-Tried"] == "127.0.0.1:\(dead), 127.0.0.1:\(origin.port)")
        #expect(try site.get("/?g=group")["X-Tried"] == "127.0.0.1:\(origin.port)")
    }

    @Test("that is no target is answered with an error that says why", arguments: [
        ("ftp://a", 500, "invalid URL prefix in \"ftp://a\""),
        ("", 500, "invalid URL prefix in \"\""),
        ("http://127.0.0.1:0", 500, "invalid port in upstream \"127.0.0.1:0\""),
        ("http://127.0.0.1:70000/x", 500, "invalid port in upstream \"127.0.0.1:70000/x\""),
        ("http://nobody.example", 502, "no resolver defined to resolve nobody.example"),
    ])
    func mistakes(_ target: String, _ status: Int, _ message: String) throws {
        let site = try site(locations: "location / { proxy_pass $arg_u; }")
        defer { site.stop() }
        #expect(try site.get("/?u=\(target)").status == status)
        #expect(site.gateway.waitForError(message))
    }

    @Test("keeps nothing of the many addresses that clients name")
    func many() throws {
        let origin = try Origin(answer: "ok")
        let site = try site(locations: "location / { proxy_pass http://$arg_u:\(origin.port); }")
        defer { site.stop() }
        let client = try site.client()
        for number in 1...300 {
            let host = "127.0.\(number / 250).\(number % 250 + 1)"
            let status = try client.request("GET", "/?u=\(host)").status
            #expect(status == (host == "127.0.0.1" ? 200 : 502))
        }
        #expect(try site.get("/?u=127.0.0.1").text == "ok")
    }
}
