import Foundation
import Testing
import TestKit

@Suite("The access log", .blocking)
struct AccessLog {
    @Test("has nginx's combined form, to the letter")
    func combined() throws {
        let origin = try Origin(answer: "12345")
        let site = try Site(origin)
        defer { site.stop() }
        _ = try site.get("/a?b", ["Referer: http://r.example/", "User-Agent: T/1"])
        _ = try site.get("/plain")
        let lines = site.gateway.accessLines(2)
        let time = #"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]"#
        let first = try Regex("^127\\.0\\.0\\.1 - - " + time + #" "GET /a\?b HTTP/1\.1" 200 5 "http://r\.example/" "T/1"$"#)
        let second = try Regex("^127\\.0\\.0\\.1 - - " + time + #" "GET /plain HTTP/1\.1" 200 5 "-" "-"$"#)
        #expect(lines[0].contains(first), "\(lines[0])")
        #expect(lines[1].contains(second), "\(lines[1])")
    }

    @Test("escapes quotes, backslashes, control bytes and bytes above 126")
    func escaping() throws {
        let origin = try Origin(answer: "x")
        let site = try Site(origin)
        defer { site.stop() }
        let client = try site.client()
        try client.send(Bytes("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: q\"b\\") + [9, 0x7f, 0xc3, 0xa9] + Bytes("z\r\n\r\n"))
        let reply = try client.readReply()
        if reply.status == 200 {
            #expect(site.gateway.accessLines(1)[0].hasSuffix(#""q\x22b\x5C\x09\x7F\xC3\xA9z""#))
        } else {
            #expect(reply.status == 400, "DEL may be refused")
        }
    }

    @Test("writes formats with any variable, escaped as asked", arguments: [
        ("", #"a\x22b|-|GET|/p|x=1|HTTP/1.1|200|127.0.0.1|http|a.example"#),
        ("escape=json", #"a\"b||GET|/p|x=1|HTTP/1.1|200|127.0.0.1|http|a.example"#),
        ("escape=none", #"a"b||GET|/p|x=1|HTTP/1.1|200|127.0.0.1|http|a.example"#),
    ])
    func formats(_ escape: String, _ expected: String) throws {
        let origin = try Origin(answer: "x")
        let format = "'$http_x_q|$http_x_none|$request_method|$uri|$args|$server_protocol|$status|$remote_addr|$scheme|$host'"
        let site = try Site(origin, server: "access_log mine.log mine;", http: "log_format mine \(escape) \(format);")
        defer { site.stop() }
        _ = try site.get("/p?x=1", ["X-Q: a\"b"])
        #expect(eventually { site.gateway.directory.read("mine.log") == expected + "\n" }, "\(site.gateway.directory.read("mine.log"))")
    }

    @Test("counts bytes and times")
    func numbers() throws {
        let origin = try Origin { _ in .delay(0.12, .answer(body: Bytes("12345"))) }
        let variables = "$body_bytes_sent $bytes_sent $request_length $request_time $upstream_response_time $connection_requests $pipe"
        let site = try Site(origin, server: "access_log n.log n;", http: "log_format n '\(variables)';")
        defer { site.stop() }
        let reply = try site.get("/", method: "POST", body: Bytes("abc"))
        #expect(eventually { site.gateway.directory.read("n.log").hasSuffix("\n") })
        let words = site.gateway.directory.read("n.log").split(whereSeparator: \.isWhitespace).map(String.init)
        #expect(words[0] == "5")
        #expect(words[1] == "\(reply.head.count + 5)")
        #expect(words[2] == "\(Client.head("POST", "/", bodyCount: 3).count + 3)")
        for word in words[3...4] {
            #expect(word.wholeMatch(of: #/\d+\.\d{3}/#) != nil)
            #expect((0.1...20).contains(Double(word) ?? 0))
        }
        #expect(words[5...6] == ["1", "."])
    }

    @Test("counts a chunked request as it came, and nothing of the next one", arguments: ["", "proxy_request_buffering off;"])
    func chunkedLength(_ location: String) throws {
        let origin = try Origin { _ in .answer() }
        let site = try Site(origin, location: location, server: "access_log n.log n;", http: "log_format n '$request_length';")
        defer { site.stop() }
        let client = try site.client()
        let first = Client.head("POST", "/", ["Transfer-Encoding: chunked"]) + Bytes("3;x=y\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n")
        let second = Client.head("GET", "/second")
        try client.send(first + second)
        _ = try client.readReply()
        _ = try client.readReply()
        let log = { site.gateway.directory.read("n.log") }
        #expect(eventually { log() == "\(first.count)\n\(second.count)\n" }, "\(log())")
    }

    @Test("is buffered as one of those says who write into it")
    func sharedBuffer() throws {
        let site = try Site(
            http: "log_format f '$uri';",
            server: """
                location /a { access_log one.log f buffer=32k; access_log all.log f; return 200; }
                location /b { access_log one.log f; access_log all.log f; return 200; }
                """)
        for target in ["/a", "/b"] { _ = try site.get(target) }
        #expect(eventually { site.gateway.directory.read("all.log") == "/a\n/b\n" })
        #expect(site.gateway.directory.read("one.log") == "")
        site.stop(SIGQUIT)
        #expect(site.gateway.directory.read("one.log") == "/a\n/b\n")
    }

    @Test("can be off, conditional, and several at once")
    func several() throws {
        let origin = try Origin(answer: "x")
        let site = try Site(
            origin, server: """
                access_log one.log f; access_log two.log f if=$loud;
                location /quiet { access_log off; proxy_pass http://origin; }
                """,
            http: "log_format f '$uri'; map $uri $loud { /loud 1; default 0; }")
        defer { site.stop() }
        for target in ["/a", "/loud", "/quiet", "/b"] { _ = try site.get(target) }
        #expect(eventually { site.gateway.directory.read("one.log") == "/a\n/loud\n/b\n" })
        #expect(site.gateway.directory.read("two.log") == "/loud\n")
    }

    @Test("with a buffer is complete after a graceful stop")
    func buffered() throws {
        let origin = try Origin(answer: "x")
        let site = try Site(origin, server: "access_log b.log f buffer=64k flush=1h;", http: "log_format f '$uri';")
        for index in 0..<50 { _ = try site.get("/\(index)") }
        #expect(site.gateway.directory.read("b.log").isEmpty)
        site.stop(SIGQUIT)
        #expect(site.gateway.directory.read("b.log") == (0..<50).map { "/\($0)\n" }.joined())
    }

    @Test("says 499 when the client went away before the answer, and the origin is cancelled")
    func clientAbort() throws {
        let asked = Box(false), gone = Box(false)
        let origin = try RawOrigin { client in
            _ = try client.readUntil("\r\n\r\n")
            asked.value = true
            gone.value = client.drain(seconds: 5).how != .timeout
        }
        let site = try Site(server: "location / { proxy_pass http://127.0.0.1:\(origin.port); }")
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("GET", "/"))
        #expect(eventually { asked.value })
        client.close()
        #expect(site.gateway.accessLines(1).first?.contains("\" 499 0 ") == true)
        #expect(eventually { gone.value })
    }

    @Test("goes on in a new file after USR1")
    func reopen() throws {
        let origin = try Origin(answer: "x")
        let site = try Site(origin, server: "access_log r.log f; error_log r.err;", http: "log_format f '$uri';")
        defer { site.stop() }
        let folder = site.gateway.directory
        _ = try site.get("/before")
        #expect(eventually { folder.read("r.log") == "/before\n" })
        rename(folder.path + "/r.log", folder.path + "/r.log.1")
        site.gateway.signal(SIGUSR1)
        #expect(eventually { FileManager.default.fileExists(atPath: folder.path + "/r.log") })
        #expect(try eventually {
            _ = try site.get("/after")
            return folder.read("r.log").contains("/after\n")
        })
        #expect(folder.read("r.log.1").hasPrefix("/before\n"))
    }

    @Test("goes to a path with variables, unless the root does not exist")
    func variablePath() throws {
        let directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(atPath: directory.path + "/html", withIntermediateDirectories: true)
        // A worker may have another account than the one that made the directory.
        chmod(directory.path, 0o777)
        let site = try Site(
            http: "log_format f '$uri';",
            server: """
                root html; access_log v_$arg_n.log f; open_log_file_cache max=2 min_uses=1;
                location /a { return 200; }
                location /b { root nowhere; return 200; }
                """, directory: directory)
        defer { site.stop() }
        for target in ["/a?n=1", "/a?n=2", "/a?n=1", "/b?n=3", "/a?n=3"] { _ = try site.get(target) }
        #expect(eventually { directory.read("v_3.log") == "/a\n" })
        #expect(directory.read("v_1.log") == "/a\n/a\n")
        #expect(directory.read("v_2.log") == "/a\n")
    }

    @Test("is written compressed, when its time has come")
    func compressed() throws {
        let site = try Site(
            http: "log_format f '$uri';", server: "access_log z.log f gzip buffer=1m flush=200ms; location / { return 200; }")
        defer { site.stop() }
        _ = try site.get("/one")
        let path = site.gateway.directory.path + "/z.log"
        func size() -> Int { (try? Data(contentsOf: URL(fileURLWithPath: path)).count) ?? 0 }
        #expect(eventually { size() > 0 })
        let first = size()
        _ = try site.get("/two")
        #expect(eventually { size() > first })
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/gzip")
        process.arguments = ["-dc", "--suffix", ".log", path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        #expect(String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) == "/one\n/two\n")
        process.waitUntilExit()
    }

    @Test("says which requests were pipelined")
    func pipelined() throws {
        let site = try Site(http: "log_format f '$uri$pipe';", server: "access_log p.log f; location / { return 200 x; }")
        defer { site.stop() }
        let client = try site.client()
        try client.send(Client.head("GET", "/a") + Client.head("GET", "/b"))
        _ = try client.readReply()
        _ = try client.readReply()
        _ = try client.request("GET", "/c")
        #expect(eventually { site.gateway.directory.read("p.log") == "/a.\n/bp\n/c.\n" })
    }

    @Test("goes to syslog again when the server is back")
    func syslogRecovers() throws {
        let port: Int
        let site: Site
        do {
            let receiver = try Datagrams(host: 9)
            port = receiver.port
            site = try Site(
                http: "log_format f '$uri';", server: "access_log syslog:server=127.0.0.9:\(port) f; location / { return 200; }")
            _ = try site.get("/first")
            #expect(receiver.next()?.hasSuffix(" nginx: /first") == true || !Target.isGoodgate)
        }
        defer { site.stop() }
        for _ in 0..<3 { _ = try site.get("/lost") }
        // A process that another test starts has a copy of the closed socket until it becomes its program.
        var returned: Datagrams?
        _ = eventually {
            returned = try? Datagrams(port: port, host: 9)
            return returned != nil
        }
        let receiver = try #require(returned)
        _ = try site.get("/again")
        // Lost lines may be late enough to arrive.
        var lines: [String] = []
        while lines.last?.hasSuffix("/again") != true, let line = receiver.next() { lines.append(line) }
        #expect(lines.last?.hasSuffix("/again") == true, "\(lines)")
    }

    @Test("goes to syslog over UDP")
    func syslog() throws {
        let origin = try Origin(answer: "x")
        let receiver = try Datagrams()
        let site = try Site(
            origin, server: "access_log syslog:server=127.0.0.1:\(receiver.port),tag=gw,severity=alert,nohostname f;",
            http: "log_format f 'uri=$uri';")
        defer { site.stop() }
        _ = try site.get("/sys")
        let text = receiver.next() ?? ""
        #expect(text.wholeMatch(of: #/<185>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d gw: uri=\/sys/#) != nil, "\(text)")
    }
}

@Suite("The error log", .blocking)
struct ErrorLog {
    @Test("names client, server, request and host of a missing file")
    func missingFile() throws {
        let site = try Site(server: "server_name a.example; location / { root html; }")
        defer { site.stop() }
        #expect(try site.get("/nothing", ["Referer: http://r/"]).status == 404)
        let path = site.gateway.directory.path + "/html/nothing"
        #expect(site.gateway.waitForError(
            "[error] "), "\(site.gateway.errorLog)")
        let tail = "open() \"\(path)\" failed (2: No such file or directory), client: 127.0.0.1, server: a.example, "
            + "request: \"GET /nothing HTTP/1.1\", host: \"a.example\", referrer: \"http://r/\""
        #expect(site.gateway.errorLog.contains(tail))
    }

    @Test("keeps quiet below its level")
    func level() throws {
        let site = try Site(server: "error_log crit.log crit; location / { root html; }")
        defer { site.stop() }
        #expect(try site.get("/nothing").status == 404)
        #expect(site.gateway.directory.read("crit.log").isEmpty)
        #expect(!site.gateway.errorLog.contains("/nothing"))
    }

    @Test("goes to syslog with the line's own severity")
    func syslog() throws {
        let receiver = try Datagrams()
        let log = "error_log syslog:server=127.0.0.1:\(receiver.port),facility=user,tag=e,nohostname;"
        let site = try Site(server: "\(log) location / { root html; }")
        defer { site.stop() }
        #expect(try site.get("/nothing").status == 404)
        let text = receiver.next() ?? ""
        let form = #/<11>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d e: \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[error\] .*open\(\).*/#
        #expect(text.wholeMatch(of: form) != nil, "\(text)")
    }

    @Test("goes to several places")
    func several() throws {
        let site = try Site(server: "error_log one.log; error_log two.log info; location / { root html; }")
        defer { site.stop() }
        #expect(try site.get("/nothing").status == 404)
        #expect(eventually { site.gateway.directory.read("two.log").contains("/html/nothing") })
        #expect(site.gateway.directory.read("one.log").contains("/html/nothing"))
    }
}

/// Receives datagrams on a port of its own.
private final class Datagrams {
    let port: Int
    private let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)

    /// - Parameter host: last byte of the 127.0.0.0/8 address. Another than 1 keeps the port from being taken by a client's socket meanwhile.
    init(port: Int = Ports.free(), host: UInt32 = 1) throws {
        self.port = port
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = (0x7f00_0000 + host).bigEndian
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0 else { throw KitError("cannot bind UDP port \(port)") }
    }

    deinit { close(descriptor) }

    /// The next datagram as text, nil if none comes.
    func next(milliseconds: Int32 = 20_000) -> String? {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, milliseconds) == 1 else { return nil }
        var bytes = Bytes(repeating: 0, count: 4_096)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        return count < 0 ? nil : Bytes(bytes[0..<count]).text
    }
}
