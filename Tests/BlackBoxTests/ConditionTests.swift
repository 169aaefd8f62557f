import Foundation
import Testing
import TestKit

@Suite("A condition of the client", .blocking)
struct Conditions {
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let later = "Mon, 07 Nov 1994 08:49:37 GMT"

    private static let proxyTable: [(String, Int)] = [
        ("If-None-Match: \"tag\"", 304), ("If-None-Match: \"x\"", 200), ("If-Match: \"x\"", 412), ("If-Match: *", 200),
        ("If-Modified-Since: \(date)", 304), ("If-Modified-Since: \(later)", 200), ("If-Unmodified-Since: \(later)", 200),
        ("If-Unmodified-Since: Sat, 05 Nov 1994 08:49:37 GMT", 412), ("If-Unmodified-Since: rubbish", 412),
    ]

    @Test("is looked at for answers of an origin that did not", arguments: proxyTable)
    func proxied(_ field: String, _ status: Int) throws {
        let origin = try Origin { _ in
            .answer(fields: ["ETag: \"tag\"", "Last-Modified: \(Conditions.date)", "X-Origin: o"], body: Bytes("body"))
        }
        let site = try Site(origin, server: "error_page 412 /refused; location /refused { return 412 refused; }")
        defer { site.stop() }
        let client = try site.client()
        for _ in 1...2 {
            let reply = try client.request("GET", "/", [field])
            #expect(reply.status == status)
            switch status {
            case 200: #expect(reply.text == "body")
            case 304: #expect(reply["ETag"] == "\"tag\"")
            default:
                #expect(reply.text == "refused")
                #expect(reply["X-Origin"] == nil)
            }
        }
    }

    @Test("with a date is exact, at least that new, or ignored")
    func dates() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write("html/ten.txt", "0123456789")
        var times = [timeval(tv_sec: 784_111_777, tv_usec: 0), timeval(tv_sec: 784_111_777, tv_usec: 0)]
        utimes(file, &times)
        let site = try Site(
            server: """
                location / { root html; }
                location /before/ { alias html/; if_modified_since before; }
                location /off/ { alias html/; if_modified_since off; etag off; }
                """, directory: folder)
        defer { site.stop() }
        let fields = ["If-Modified-Since: \(Self.date)", "If-Modified-Since: \(Self.later)", "If-Modified-Since: x"]
        #expect(try fields.map { try site.get("/ten.txt", [$0]).status } == [304, 200, 200])
        #expect(try fields.map { try site.get("/before/ten.txt", [$0]).status } == [304, 304, 200])
        #expect(try fields.map { try site.get("/off/ten.txt", [$0]).status } == [200, 200, 200])
        #expect(try site.get("/ten.txt")["ETag"] == "\"2ebc98a1-a\"")
        #expect(try site.get("/off/ten.txt")["ETag"] == nil)
    }

    @Test("that no range can meet may lead to an error page")
    func rangePage() throws {
        let folder = try TemporaryDirectory()
        try folder.write("html/ten.txt", "0123456789")
        let site = try Site(
            server: "root html; error_page 416 =200 /all; location /all { return 200 all; } location /max/ { alias html/; max_ranges 1; }",
            directory: folder)
        defer { site.stop() }
        let reply = try site.get("/ten.txt", ["Range: bytes=50-60"])
        #expect(reply.status == 200)
        #expect(reply.text == "all")
        #expect(try site.get("/max/ten.txt", ["Range: bytes=0-0,2-2"]).text == "0123456789")
        #expect(try site.get("/max/ten.txt", ["Range: bytes=2-2"]).text == "2")
    }

    @Test("of an old browser: msie_refresh sends a page in the place of a redirect")
    func refresh() throws {
        let site = try Site(server: "msie_refresh on; location / { return 301 \"/to here\"; }")
        defer { site.stop() }
        let reply = try site.get("/", ["User-Agent: Mozilla/4.0 (compatible; MSIE 6.0)"])
        #expect(reply.status == 200)
        #expect(reply["Location"] == nil)
        #expect(reply.text.contains("content=\"0; URL=/to%20here\""))
        #expect(try site.get("/", ["User-Agent: other"]).status == 301)
    }

    @Test("never leads to an endless row of error pages")
    func endless() throws {
        let site = try Site(server: "recursive_error_pages on; location / { error_page 404 500 /again; return 404; }")
        defer { site.stop() }
        #expect(try site.get("/").status == 500)
        #expect(try site.get("/").status == 500)
    }
}
