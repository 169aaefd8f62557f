import Foundation
import Testing
import TestKit

@Suite("A condition of the client", .blocking)
struct Conditions {
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let later = "Mon, 07 Nov 1994 08:49:37 GMT"

    private static let proxiedFields = [
        "If-None-Match: \"tag\"", "If-Match: \"x\"", "If-Modified-Since: \(date)", "If-Unmodified-Since: Sat, 05 Nov 1994 08:49:37 GMT",
        "Range: bytes=1-2",
    ]

    @Test("is the origin's to decide when the answer is not ours", arguments: proxiedFields)
    func proxied(_ field: String) throws {
        let origin = try Origin { _ in
            .answer(fields: ["ETag: \"tag\"", "Last-Modified: \(Conditions.date)", "Accept-Ranges: none"], body: Bytes("body"))
        }
        let site = try Site(origin)
        defer { site.stop() }
        let reply = try site.get("/", [field])
        #expect(reply.status == 200)
        #expect(reply.text == "body")
        #expect(reply["Accept-Ranges"] == "none")
        #expect(origin.last[String(field.prefix { $0 != ":" })] != nil)
    }

    @Test("for a range is met by proxy_force_ranges where the origin does not know ranges: one range, not several")
    func forcedRanges() throws {
        let origin = try Origin { _ in
            .answer(fields: ["ETag: \"tag\"", "Accept-Ranges: none"], body: Bytes.patterned(300_000))
        }
        let site = try Site(origin, location: "proxy_force_ranges on;")
        defer { site.stop() }
        let client = try site.client()
        let whole = Bytes.patterned(300_000)
        for range in [0..<5, 70_000..<200_001, 299_999..<300_000] {
            let reply = try client.request("GET", "/", ["Range: bytes=\(range.lowerBound)-\(range.upperBound - 1)", "If-Range: \"tag\""])
            #expect(reply.status == 206)
            #expect(reply["Content-Range"] == "bytes \(range.lowerBound)-\(range.upperBound - 1)/300000")
            #expect(reply.body.fingerprint == Bytes(whole[range]).fingerprint)
        }
        #expect(try client.request("GET", "/", ["Range: bytes=0-1,3-4"]).status == 200)
        #expect(try client.request("GET", "/", ["Range: bytes=300000-"]).status == 416)
        let all = try client.request("GET", "/")
        #expect(all["Accept-Ranges"] == "bytes")
        #expect(all.body.fingerprint == whole.fingerprint)
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

    @Test("that no range can meet may lead to an error page", .enabled(if: Target.isGoodgate, "nginx applies the range to the page again"))
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
