import Foundation
import Testing
import TestKit

/// A site whose `html` folder has these files.
private func site(_ files: [(name: String, text: String)], http: String = "", server: String) throws -> Site {
    let directory = try TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: directory.path + "/html", withIntermediateDirectories: true)
    for file in files { _ = try directory.write("html/" + file.name, file.text) }
    return try Site(http: "types { text/html html; text/plain txt; }\n" + http, server: "root html;\n" + server, directory: directory)
}

/// What gzip(1) makes of bytes.
private func gzip(_ bytes: Bytes, decompressing: Bool = false) throws -> Bytes {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/gzip")
    process.arguments = decompressing ? ["-dc"] : ["-c"]
    let (input, output) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    Thread.detachNewThread {
        try? input.fileHandleForWriting.write(contentsOf: Data(bytes))
        try? input.fileHandleForWriting.close()
    }
    let result = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw KitError("gzip failed") }
    return Bytes(result)
}

private let acceptsGzip = ["Accept-Encoding: gzip"]

@Suite("Compression of answers", .blocking)
struct GzipFilterTests {
    @Test("is for clients that take it, with what describes the plain bytes taken away")
    func files() throws {
        let text = String(repeating: "all work and no play ", count: 20_000)
        let site = try site([("a.html", text), ("small.html", "x")], server: "gzip on; gzip_vary on;")
        defer { site.stop() }
        let reply = try site.get("/a.html", acceptsGzip)
        #expect(reply["Content-Encoding"] == "gzip")
        #expect(reply["Vary"] == "Accept-Encoding")
        #expect(reply["Accept-Ranges"] == nil)
        #expect(reply["Content-Length"] == nil)
        #expect(reply["ETag"]?.hasPrefix("W/\"") == true)
        #expect(try gzip(reply.body, decompressing: true).text == text)
        let plain = try site.get("/a.html")
        #expect(plain["Content-Encoding"] == nil)
        #expect(plain["ETag"]?.hasPrefix("\"") == true)
        #expect(plain.text == text)
        #expect(try site.get("/small.html", acceptsGzip)["Content-Encoding"] == nil)
    }

    @Test("leaves alone what is compressed, of other types, or asked for by a proxy")
    func exceptions() throws {
        let origin = try Origin { request in
            let fields = request.target == "/done" ? ["Content-Type: text/html", "Content-Encoding: br"]
                : request.target == "/png" ? ["Content-Type: image/png"] : ["Content-Type: text/html; x=y"]
            return .answer(fields: fields, body: Bytes(String(repeating: "z", count: 500)))
        }
        let site = try Site(origin, server: "gzip on;")
        defer { site.stop() }
        #expect(try site.get("/done", acceptsGzip)["Content-Encoding"] == "br")
        #expect(try site.get("/png", acceptsGzip)["Content-Encoding"] == nil)
        #expect(try site.get("/x", acceptsGzip + ["Via: 1.1 p"])["Content-Encoding"] == nil)
        #expect(try site.get("/x", ["Accept-Encoding: gzip;q=0"])["Content-Encoding"] == nil)
    }

    @Test("does not hold back what an unbuffered upstream has sent")
    func flush() throws {
        let wanted = DispatchSemaphore(value: 0)
        let origin = try Origin { _ in
            .takeOver { client in
                try client.send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst \r\n")
                _ = wanted.wait(timeout: .now() + 60)
                try client.send("6\r\nsecond\r\n0\r\n\r\n")
            }
        }
        let site = try Site(origin, location: "proxy_buffering off;", server: "gzip on; gzip_min_length 0;")
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("GET", "/", acceptsGzip))
        // The second piece is sent when the first has come.
        _ = try client.readUntil("\r\n\r\n")
        #expect(try client.readExactly(20).count == 20)
        wanted.signal()
    }

    @Test("is undone for clients that do not take it, however large the answer gets")
    func gunzip() throws {
        let bomb = try gzip(Bytes(repeating: 0, count: 8_000_000))
        let small = try gzip(Bytes("one ")) + gzip(Bytes("two"))
        let origin = try Origin { request in
            let body = request.target == "/bomb" ? bomb : request.target == "/cut" ? Bytes(small.dropLast(5)) : small
            return .answer(fields: ["Content-Encoding: gzip"], body: body)
        }
        let site = try Site(origin, server: "gunzip on;")
        defer { site.stop() }
        let reply = try site.get("/bomb")
        #expect(reply["Content-Encoding"] == nil)
        #expect(reply.body == Bytes(repeating: 0, count: 8_000_000))
        #expect(try site.get("/two").text == "one two")
        #expect(try site.get("/two", acceptsGzip).body == small)
        #expect(throws: KitError.self, "broken data must not look complete") { try site.get("/cut") }
    }
}

@Suite("Changed bodies", .blocking)
struct ChangedBodyTests {
    @Test("have texts replaced wherever the pieces of the body end")
    func sub() throws {
        let pieces = ["x", "ab", "c", "abab", "cAb", "C", "ab"].map { Bytes($0) }
        let origin = try Origin { _ in .chunks(pieces, pause: 0.02, fields: ["Content-Type: text/html", "Last-Modified: Sun, 22 Nov 2026 09:57:59 GMT"]) }
        let site = try Site(origin, location: "proxy_buffering off;", server: "sub_filter abc '<$arg_r>'; sub_filter_once off;")
        defer { site.stop() }
        let reply = try site.get("/?r=1")
        #expect(reply.text == "x<1>ab<1><1>ab")
        #expect(reply["Last-Modified"] == nil)
        #expect(reply["Content-Length"] == nil)
    }

    @Test("say their charset, and are recoded")
    func charset() throws {
        let origin = try Origin { _ in .answer(fields: ["Content-Type: text/html"], body: Bytes("a\u{44f}b\u{20ac}")) }
        let site = try Site(
            origin, location: "source_charset utf-8; charset koi8-r;", http: "charset_map koi8-r utf-8 { D1 D18F; }")
        defer { site.stop() }
        let reply = try site.get()
        #expect(reply["Content-Type"] == "text/html; charset=koi8-r")
        #expect(reply.body == Bytes("a") + [0xd1] + Bytes("b&#8364;"))
    }

    @Test("get other bodies before and after")
    func addition() throws {
        let site = try site(
            [("a.html", "a body of some length"), ("before.txt", "<"), ("after.txt", ">")],
            server: "location = /a.html { gzip on; add_before_body /before.txt; add_after_body /after.txt; }")
        defer { site.stop() }
        let client = try site.client()
        for _ in 0..<2 { #expect(try client.request("GET", "/a.html").text == "<a body of some length>") }
        let compressed = try client.request("GET", "/a.html", acceptsGzip)
        #expect(compressed["Content-Encoding"] == "gzip")
        #expect(try gzip(compressed.body, decompressing: true).text == "<a body of some length>")
    }
}

@Suite("Server-side includes", .blocking)
struct SSIFilterTests {
    @Test("keep the order of the page, whichever part comes first")
    func order() throws {
        let origin = try Origin { request in .delay(request.target == "/slow/1" ? 0.3 : 0, .answer(body: Bytes("(\(request.target))"))) }
        let page = "A<!--#include virtual=\"/slow/1\" -->B<!--#include virtual=\"/slow/2\" -->C<!--#include virtual=\"part.html\" -->D"
        let site = try site(
            [("page.html", page), ("part.html", "[<!--#echo var=\"request_uri\" -->]")],
            server: "ssi on; location /slow { proxy_pass http://127.0.0.1:\(origin.port); }")
        defer { site.stop() }
        let client = try site.client()
        for _ in 0..<2 { #expect(try client.request("GET", "/page.html").text == "A(/slow/1)B(/slow/2)C[/page.html]D") }
        #expect(try client.request("GET", "/page.html")["Last-Modified"] == nil)
    }

    @Test("wait, capture, decide and stand in", arguments: [
        ("<!--#include virtual=\"/p.txt\" set=\"v\" -->=<!--#echo var=\"v\" -->", "=part"),
        ("<!--#set var=\"a\" value=\"$arg_q!\" --><!--#echo var=\"a\" -->", "&lt;q&gt;!"),
        ("<!--#echo var=\"none\" default=\"d\" -->|<!--#echo var=\"none\" -->", "d|(none)"),
        ("<!--#if expr=\"$arg_n = /^(1)2/\" -->y<!--#echo var=\"1\" --><!--#else -->n<!--#endif -->", "y1"),
        ("<!--#if expr=\"$arg_n != 12\" -->y<!--#else -->n<!--#endif -->", "n"),
        ("<!--#block name=\"b\" -->stub<!--#endblock --><!--#include virtual=\"/missing\" stub=\"b\" -->", "stub"),
        ("<!--#include virtual=\"/p.txt\" wait=\"yes\" -->!", "part!"),
        ("<!--#nonsense -->", "[an error occurred while processing the directive]"),
        ("<!--#include virtual=\"/../secret\" -->", "[an error occurred while processing the directive]"),
    ])
    func commands(_ page: String, _ expected: String) throws {
        let site = try site([("page.html", page), ("p.txt", "part")], server: "ssi on;")
        defer { site.stop() }
        #expect(try site.get("/page.html?q=%3Cq%3E&n=12").text == expected.replacingOccurrences(of: "&lt;q&gt;", with: "%3Cq%3E"))
    }

    @Test("are looked for in text/html, and in the types of ssi_types")
    func types() throws {
        let origin = try Origin { request in
            let types = ["html": "text/html", "plain": "TEXT/Plain; charset=x", "json": "application/json"]
            let type = request.target.split(separator: "/").last.flatMap { types[String($0)] }
            return .answer(fields: type.map { ["Content-Type: \($0)"] } ?? [], body: Bytes("<!--#echo var=\"arg_none\" default=\"it\" -->"))
        }
        let pass = "ssi on; proxy_pass http://127.0.0.1:\(origin.port);"
        let site = try Site(server: """
            location /default/ { \(pass) } location /plain/ { ssi_types text/plain; \(pass) }
            location /json/ { ssi_types application/json application/xml; \(pass) } location /all/ { ssi_types *; \(pass) }
            """)
        defer { site.stop() }
        for (location, types) in [
            ("default", ["html"]), ("plain", ["html", "plain"]), ("json", ["html", "json"]), ("all", ["html", "plain", "json", "none"]),
        ] {
            let found = try ["html", "plain", "json", "none"].filter { try site.get("/\(location)/\($0)").text == "it" }
            #expect(found == types, "\(location)")
        }
    }

    @Test("that wait inside an included page hold nothing back for ever")
    func nestedWait() throws {
        let outer = "1<!--#include virtual=\"/q\" wait=\"yes\" -->"
        let origin = try Origin { request in
            guard request.target == "/p" else { return .delay(0.4, .answer(body: Bytes("[q]"))) }
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: \(outer.utf8.count + 5)\r\n\r\n"
            return .sequence([.bytes(Bytes(head + outer)), .delay(0.15, .bytes(Bytes("2tail")))])
        }
        let proxied = "proxy_http_version 1.1; proxy_set_header Connection ''; proxy_pass http://127.0.0.1:\(origin.port);"
        let site = try site(
            [("page.html", "A<!--#include virtual=\"/p\" -->B")],
            server: "ssi on; location = /p { \(proxied) } location = /q { \(proxied) }")
        defer { site.stop() }
        let text = try site.get("/page.html").text
        #expect(text == "A1[q]2tailB", "\(text)")
    }

    @Test("and compression: a large part that waits for a slow one goes on when it is its turn")
    func compressedParts() throws {
        let large = String(repeating: "0123456789abcdef", count: 65_536)
        let origin = try Origin { request in
            request.target == "/slow" ? .delay(0.3, .answer(body: Bytes("S"))) : .answer(body: Bytes(large))
        }
        let site = try site(
            [("page.html", "A<!--#include virtual=\"/slow\" --><!--#include virtual=\"/large\" -->B")],
            server: """
                ssi on; gzip on; gzip_http_version 1.0;
                location /slow { proxy_pass http://127.0.0.1:\(origin.port); }
                location /large { proxy_pass http://127.0.0.1:\(origin.port); }
                """)
        defer { site.stop() }
        let reply = try site.get("/page.html", ["Accept-Encoding: gzip"])
        #expect(try gzip(reply.body, decompressing: true).text == "AS" + large + "B")
    }

    @Test("make no value longer than a block")
    func doubling() throws {
        let double = "<!--#set var=\"a\" value=\"$a$a\" -->"
        let page = "<!--#set var=\"a\" value=\"0123456789abcdef\" -->" + String(repeating: double, count: 40)
        let site = try site([("page.html", page + "end")], server: "ssi on; ssi_silent_errors on;")
        defer { site.stop() }
        #expect(try site.get("/page.html").text == "end")
        #expect(site.gateway.waitForError("a value of more than 65536 bytes in an SSI command"))
    }

    @Test("of a page in itself end")
    func cycle() throws {
        let site = try site([("loop.html", "x<!--#include virtual=\"/loop.html\" -->y")], server: "ssi on;")
        defer { site.stop() }
        let text = try site.get("/loop.html").text
        #expect(text.hasPrefix("xxxx"))
        #expect(text.hasSuffix("yyyy"))
        #expect(site.gateway.waitForError("subrequests cycle"))
    }

    @Test("leave nothing behind when the client goes away in the middle")
    func abort() throws {
        let origin = try Origin { _ in .delay(0.3, .answer(body: Bytes("late"))) }
        let site = try site(
            [("page.html", "A<!--#include virtual=\"/slow\" wait=\"yes\" -->B")],
            server: "ssi on; location /slow { proxy_pass http://127.0.0.1:\(origin.port); }")
        defer { site.stop() }
        for _ in 0..<3 {
            let client = try site.client()
            try client.send(Client.head("GET", "/page.html"))
            usleep(100_000)
            client.close()
        }
        #expect(try site.get("/page.html").text == "AlateB")
    }

    /// Each would keep a buffer of 16 KB and more.
    @Test("give back what a filter holds when the client leaves in the middle", .enabled(if: Target.isGoodgate, "it knows our processes"))
    func leavesInTheMiddle() throws {
        let origin = try Origin { _ in .silence }
        let directory = try TemporaryDirectory()
        try directory.write("page.html", "<!--#include virtual=\"/slow\" -->" + String(repeating: "text ", count: 12_000))
        let site = try Site(
            server: "root .; location / { ssi on; } location /slow { proxy_pass http://127.0.0.1:\(origin.port); }", directory: directory)
        defer { site.stop() }
        #expect(eventually { !site.gateway.workers.isEmpty })
        let worker = try #require(site.gateway.workers.first)
        func leave(_ count: Int) throws {
            for _ in 0..<count {
                let before = origin.connections
                let client = try site.client()
                try client.send(Client.head("GET", "/page.html"))
                #expect(eventually { origin.connections > before })
                client.close()
            }
        }
        try leave(50)
        let before = LiveProcess(worker).residentKiB
        try leave(300)
        #expect(LiveProcess(worker).residentKiB - before < 2_000, "kB")
    }
}
