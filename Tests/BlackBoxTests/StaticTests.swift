import Foundation
import Testing
import TestKit

@Suite("A file", .blocking)
struct StaticFiles {
    private let folder: TemporaryDirectory
    private let site: Site

    init() throws {
        folder = try TemporaryDirectory()
        try folder.write("html/ten.txt", "0123456789")
        try folder.write("html/dir/index.html", "index")
        try folder.write("html/list/b.txt", "b")
        try folder.write("html/big.bin", Bytes.patterned(1_000_000))
        try folder.write("html/with space&.txt", "odd name")
        site = try Site(
            server: """
                types { text/plain txt; text/html html; } default_type application/octet-stream;
                location / { root html; }
                location /list/ { root html; autoindex on; }
                location /alias/ { alias html/dir/; }
                location /try { root html; try_files $uri /nothing @last; }
                location @last { return 203 last; }
                """, directory: folder)
    }

    @Test("is served with type, length, date and tag")
    func plain() throws {
        defer { site.stop() }
        let reply = try site.get("/ten.txt")
        #expect(reply.text == "0123456789")
        #expect(reply["Content-Type"] == "text/plain")
        #expect(reply["Content-Length"] == "10")
        #expect(reply["Accept-Ranges"] == "bytes")
        #expect(reply["ETag"]?.wholeMatch(of: #/"[0-9a-f]+-a"/#) != nil)
        #expect(reply["Last-Modified"]?.hasSuffix(" GMT") == true)
        #expect(try site.get("/ten.txt", method: "HEAD")["Content-Length"] == "10")
        #expect(try site.get("/ten.txt", method: "POST", body: Bytes("x")).status == 405)
        #expect(try site.get("/with%20space&.txt").text == "odd name")
        #expect(try site.get("/big.bin").body.fingerprint == Bytes.patterned(1_000_000).fingerprint)
    }

    @Test("is not sent again when the client has it")
    func conditional() throws {
        defer { site.stop() }
        let first = try site.get("/ten.txt")
        let tag = try #require(first["ETag"]), date = try #require(first["Last-Modified"])
        for fields in [["If-None-Match: \(tag)"], ["If-None-Match: W/\(tag)"], ["If-None-Match: \"x\", \(tag)"], ["If-None-Match: *"],
                       ["If-Modified-Since: \(date)"]] {
            let reply = try site.get("/ten.txt", fields)
            #expect(reply.status == 304, "\(fields)")
            #expect(reply["ETag"] == tag)
            #expect(reply["Content-Length"] == nil)
        }
        #expect(try site.get("/ten.txt", ["If-None-Match: \"x\"", "If-Modified-Since: \(date)"]).status == 200)
        #expect(try site.get("/ten.txt", ["If-Match: \"x\""]).status == 412)
        #expect(try site.get("/ten.txt", ["If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT"]).status == 412)
    }

    private static let rangeTable: [(String, Int, String?, String?)] = [
        ("bytes=2-4", 206, "234", "bytes 2-4/10"), ("bytes=7-", 206, "789", "bytes 7-9/10"), ("bytes=-2", 206, "89", "bytes 8-9/10"),
        ("bytes=0-99", 206, "0123456789", "bytes 0-9/10"), ("bytes=99-", 416, nil, "bytes */10"), ("bytes=a-b", 416, nil, "bytes */10"),
        ("items=0-1", 200, "0123456789", nil), ("bytes=4-2", 416, nil, "bytes */10"),
    ]

    @Test("is served in the ranges asked for", arguments: StaticFiles.rangeTable)
    func ranges(_ range: String, _ status: Int, _ text: String?, _ contentRange: String?) throws {
        defer { site.stop() }
        let reply = try site.get("/ten.txt", ["Range: \(range)"])
        #expect(reply.status == status)
        if let text { #expect(reply.text == text) }
        #expect(reply["Content-Range"] == contentRange)
    }

    @Test("is served in several ranges as multipart, and whole when If-Range does not match")
    func multipart() throws {
        defer { site.stop() }
        let reply = try site.get("/ten.txt", ["Range: bytes=0-1,5-6"])
        #expect(reply.status == 206)
        let type = try #require(reply["Content-Type"])
        let boundary = try #require(type.split(separator: "boundary=").last)
        #expect(type.hasPrefix("multipart/byteranges; boundary="))
        let part = "\r\n--\(boundary)\r\nContent-Type: text/plain\r\nContent-Range: bytes "
        #expect(reply.text == part + "0-1/10\r\n\r\n01" + part + "5-6/10\r\n\r\n56\r\n--\(boundary)--\r\n")
        #expect(try site.get("/ten.txt", ["Range: bytes=0-1", "If-Range: \"x\""]).status == 200)
        let tag = try #require(try site.get("/ten.txt")["ETag"])
        #expect(try site.get("/ten.txt", ["Range: bytes=0-1", "If-Range: \(tag)"]).status == 206)
    }

    @Test("is found by index, alias, try_files and autoindex, and nowhere else")
    func lookup() throws {
        defer { site.stop() }
        #expect(try site.get("/dir/").text == "index")
        #expect(try site.get("/dir").status == 301)
        #expect(try site.get("/alias/index.html").text == "index")
        #expect(try site.get("/alias/").text == "index")
        #expect(try site.get("/try/nothing").text == "last")
        #expect(try site.get("/list/").text.contains("<a href=\"b.txt\">b.txt</a>"))
        #expect(try site.get("/").status == 403)
        #expect(try site.get("/none").status == 404)
        #expect(try site.get("/dir/..%2f..%2fgateway.conf").status == 400)
        #expect(try site.get("/alias../gateway.conf").status == 404)
    }
}
