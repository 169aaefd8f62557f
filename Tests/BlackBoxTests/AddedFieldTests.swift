import Foundation
import Testing
import TestKit

@Suite("A field added by configuration", .blocking)
struct AddedFields {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
        try folder.write("html/ten.txt", "0123456789")
    }

    @Test("goes to usual answers, with `always` to all, and is inherited until a location has its own")
    func always() throws {
        let site = try Site(
            http: "add_header X-Outer outer;",
            server: """
                root html;
                location / { }
                location /own/ { alias html/; add_header X-Own "$uri"; add_header X-Empty ""; add_header X-Always a always; }
                """, directory: folder)
        defer { site.stop() }
        #expect(try site.get("/ten.txt")["X-Outer"] == "outer")
        #expect(try site.get("/none")["X-Outer"] == nil)
        let own = try site.get("/own/ten.txt")
        #expect(own["X-Outer"] == nil)
        #expect(own["X-Own"] == "/own/ten.txt")
        #expect(own["X-Empty"] == nil)
        let missing = try site.get("/own/none")
        #expect(missing["X-Own"] == nil)
        #expect(missing["X-Always"] == "a")
    }

    @Test("comes once where the answer turns into 416", .enabled(if: Target.isGoodgate, "nginx adds fields that are `always` twice"))
    func once() throws {
        let site = try Site(server: "root html; add_header X-Always a always; add_header X-Usual u;", directory: folder)
        defer { site.stop() }
        let reply = try site.get("/ten.txt", ["Range: bytes=99-"])
        #expect(reply.status == 416)
        #expect(reply.all("X-Always") == ["a"])
        #expect(reply.all("X-Usual") == ["u"])
        #expect(reply["Content-Range"] == "bytes */10")
        #expect(reply["ETag"] == nil)
        #expect(reply["Last-Modified"] == nil)
    }

    @Test("named ETag or Last-Modified replaces the file's own, and If-Range follows it")
    func replaced() throws {
        let site = try Site(
            server: """
                location /set/ { alias html/; add_header ETag '"mine"'; add_header Last-Modified "Sun, 06 Nov 1994 08:49:37 GMT"; }
                location /gone/ { alias html/; add_header ETag ""; add_header Last-Modified ""; }
                """, directory: folder)
        defer { site.stop() }
        let reply = try site.get("/set/ten.txt")
        #expect(reply.all("ETag") == ["\"mine\""])
        #expect(reply.all("Last-Modified") == ["Sun, 06 Nov 1994 08:49:37 GMT"])
        #expect(try site.get("/set/ten.txt", ["Range: bytes=1-2", "If-Range: \"mine\""]).text == "12")
        #expect(try site.get("/set/ten.txt", ["Range: bytes=1-2", "If-Range: Sun, 06 Nov 1994 08:49:37 GMT"]).status == 206)
        let gone = try site.get("/gone/ten.txt")
        #expect(gone["ETag"] == nil)
        #expect(gone["Last-Modified"] == nil)
    }

    private static let expiresTable: [(String, String, String?)] = [
        ("epoch", "no-cache", "Thu, 01 Jan 1970 00:00:01 GMT"), ("max", "max-age=315360000", "Thu, 31 Dec 2037 23:55:55 GMT"),
        ("1h", "max-age=3600", nil), ("-1", "no-cache", nil), ("0", "max-age=0", nil), ("modified 100000d", "max-age=", nil),
        ("modified -100000d", "no-cache", nil), ("$arg_e", "max-age=86400", nil), ("@0h", "max-age=", nil),
    ]

    @Test("by expires comes with Cache-Control", arguments: expiresTable)
    func expires(_ setting: String, _ control: String, _ date: String?) throws {
        let site = try Site(server: "root html; expires \(setting); error_page 404 =200 /ten.txt;", directory: folder)
        defer { site.stop() }
        let reply = try site.get("/ten.txt?e=24h")
        let value = try #require(reply["Cache-Control"])
        #expect(control.hasSuffix("=") ? value.hasPrefix(control) : value == control)
        let expires = try #require(reply["Expires"])
        if let date { #expect(expires == date) } else { #expect(expires.hasSuffix(" GMT")) }
        if setting == "$arg_e" {
            #expect(try site.get("/ten.txt?e=off")["Expires"] == nil)
            #expect(try site.get("/ten.txt?e=rubbish")["Expires"] == nil)
        }
        if setting == "@0h" { #expect(Int(value.dropFirst(8)).map { (1...86_400).contains($0) } == true) }
    }

    @Test("behind the body is a trailer: chunked, evaluated at the end, not for old clients")
    func trailers() throws {
        let site = try Site(
            server: """
                root html; add_trailer X-Sent $sent_http_x_head; add_trailer X-Again $sent_trailer_x_sent; add_trailer X-Empty "";
                add_trailer X-Always a always; add_header X-Head h;
                """, directory: folder)
        defer { site.stop() }
        let reply = try site.get("/ten.txt")
        #expect(reply.text == "0123456789")
        #expect(reply["Transfer-Encoding"] == "chunked")
        #expect(reply["X-Sent"] == nil)
        #expect(reply.trailers.map { "\($0.name)=\($0.value)" } == ["X-Sent=h", "X-Again=h", "X-Always=a"])
        #expect(try site.get("/none").trailers.map(\.name) == ["X-Always"])
        #expect(try site.get("/ten.txt", method: "HEAD")["Content-Length"] == "10")
        let old = try site.client()
        try old.send("GET /ten.txt HTTP/1.0\r\n\r\n")
        #expect(try old.readReply()["Content-Length"] == "10")
    }
}
