import Foundation
import Testing
import TestKit

/// What of a verdict is on a page.
private func row(_ label: String, of reply: Reply) -> [String] {
    reply.text.components(separatedBy: "\r\n").compactMap { line in
        let start = "<tr><td>\(label)</td><td>"
        return line.hasPrefix(start) && line.hasSuffix("</td></tr>") ? String(line.dropFirst(start.count).dropLast(10)) : nil
    }
}

/// A page with nothing but the incident.
private func isPlain(_ reply: Reply) -> Bool {
    reply.text.contains("<center>Incident ") && !reply.text.contains("<table") && reply["Cache-Control"] == nil
        && !reply.text.contains("127.0.0.1") && !reply.text.contains("refused")
}

private func isFull(_ reply: Reply) -> Bool { row("reason", of: reply) == ["connect.refused"] && reply["Cache-Control"] == "no-store" }

@Suite("verdict_to", .blocking, .enabled(if: Target.isGoodgate, "verdicts are Goodgate's own"))
struct VerdictPageTests {
    private func deadSite(_ server: String, main: String = "", workers: Int = 1, directory: TemporaryDirectory? = nil) throws
        -> (site: Site, peer: Int)
    {
        let peer = Ports.free()
        let site = try Site(
            http: "upstream back { server 127.0.0.1:\(peer) max_fails=0; server 127.0.0.1:\(peer) backup max_fails=0; }",
            server: "\(server) location / { proxy_pass http://back; }", main: main, workers: workers, directory: directory)
        return (site, peer)
    }

    @Test("shows whom it names all that the worker saw, and what to type for more")
    func named() throws {
        let (site, peer) = try deadSite("verdict_to 127.0.0.0/8;")
        defer { site.stop() }
        let reply = try site.get("/x?token=abc")
        #expect(reply.status == 502 && isFull(reply), "\(reply.text)")
        let incident = try #require(reply.text.components(separatedBy: "<center>Incident ").last?.prefix(8))
        let sentence = "The upstream's host refused the connection: nothing accepts there. (connecting, 111: Connection refused)"
        #expect(row("what happened", of: reply) == [sentence])
        #expect(row("upstream", of: reply) == ["127.0.0.1:\(peer)"] && row("attempts", of: reply) == ["2"])
        #expect(row("more", of: reply) == ["<code>goodgate why \(incident)</code>"])
        #expect(row("verdict", of: reply).isEmpty && !reply.text.contains("abc"))
        let head = try site.get(method: "HEAD")
        #expect(head.status == 502 && head["Cache-Control"] == "no-store" && head.body.isEmpty)
    }

    @Test(
        "shows nobody else anything",
        arguments: ["", "verdict_to off;", "verdict_to 10.0.0.0/8 unix: ::1;", "verdict_to 127.0.0.2;"])
    func others(_ server: String) throws {
        let (site, _) = try deadSite(server)
        defer { site.stop() }
        for fields in [[], ["X-Forwarded-For: 10.1.1.1", "X-Real-IP: 10.1.1.1", "Forwarded: for=10.1.1.1"]] as [[String]] {
            let reply = try site.get("/", fields)
            #expect(reply.status == 502 && isPlain(reply), "\(reply.text)")
        }
    }

    @Test(
        "names a client by its socket and by real_ip: both",
        arguments: [
            ("127.0.0.1 10.0.0.0/8", "10.1.1.1", true), ("127.0.0.1 10.0.0.0/8", "192.0.2.1", false), ("127.0.0.1", "10.1.1.1", false),
            ("10.0.0.0/8", "10.1.1.1", false), ("127.0.0.1", nil, true), ("all", "192.0.2.1", true),
            // What it says itself is not what a trusted proxy adds.
            ("127.0.0.1 10.0.0.0/8", "10.1.1.1, 192.0.2.1", false),
        ] as [(String, String?, Bool)])
    func realAddress(_ list: String, _ forwarded: String?, _ isNamed: Bool) throws {
        let (site, _) = try deadSite("set_real_ip_from 127.0.0.0/8; real_ip_header X-Forwarded-For; verdict_to \(list);")
        defer { site.stop() }
        let reply = try site.get("/", forwarded.map { ["X-Forwarded-For: \($0)"] } ?? [])
        #expect(isNamed ? isFull(reply) : isPlain(reply), "\(reply.text)")
        // The address goes with the request: the next one on the connection is its own.
        let client = try site.client()
        _ = try client.request("GET", "/", ["X-Forwarded-For: 192.0.2.1"])
        #expect(try isFull(client.request()) == (list != "10.0.0.0/8"))
    }

    @Test(
        "names a client by the PROXY header, too",
        arguments: [
            ("127.0.0.1 10.0.0.0/8", "TCP4 10.1.1.1 192.0.2.8 4242 80", "", true),
            ("127.0.0.1", "TCP4 10.1.1.1 192.0.2.8 4242 80", "", false),
            ("10.0.0.0/8", "TCP4 10.1.1.1 192.0.2.8 4242 80", "", false),
            ("10.0.0.0/8", "TCP4 10.1.1.1 192.0.2.8 4242 80", "set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;", false),
            (
                "127.0.0.1 10.0.0.0/8", "TCP4 10.1.1.1 192.0.2.8 4242 80",
                "set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;", true
            ),
            ("127.0.0.1 2001:db8::/32", "TCP6 2001:db8::1 2001:db8::2 4242 80", "", true),
            ("127.0.0.1 10.0.0.0/8", "UNKNOWN", "", false),
        ])
    func proxyProtocol(_ list: String, _ header: String, _ more: String, _ isNamed: Bool) throws {
        let port = Ports.free()
        let (site, _) = try deadSite("listen 127.0.0.1:\(port) proxy_protocol; verdict_to \(list); \(more)")
        defer { site.stop() }
        let client = try Client(port)
        try client.send(Bytes("PROXY \(header)\r\n") + Client.head("GET", "/"))
        let reply = try client.readReply()
        #expect(isNamed ? isFull(reply) : isPlain(reply), "\(reply.text)")
    }

    @Test(
        "names clients of unix sockets by unix:, and by nothing else",
        arguments: [("unix:", true), ("127.0.0.0/8 ::/0 0.0.0.0/0", false)])
    func unixSocket(_ list: String, _ isNamed: Bool) throws {
        let folder = try TemporaryDirectory()
        let (site, _) = try deadSite("listen unix:\(folder.path)/s.sock; verdict_to \(list);", directory: folder)
        defer { site.stop() }
        let reply = try Client(try Socket(unixPath: folder.path + "/s.sock")).request()
        #expect(isNamed ? isFull(reply) : isPlain(reply), "\(reply.text)")
    }

    @Test("leaves error_page, and an answer of the application, as they are")
    func pages() throws {
        let origin = try Origin { _ in .answer("503 Service Unavailable", body: Bytes("mine")) }
        let site = try Site(
            http: "upstream back { server 127.0.0.1:\(Ports.free()) max_fails=0; }",
            server: """
                verdict_to 127.0.0.1;
                location /page { error_page 502 /sorry; proxy_pass http://back; }
                location /sorry { internal; return 200 sorry; }
                location /app { proxy_pass http://127.0.0.1:\(origin.port); }
                location /limited { return 503; }
                """)
        defer { site.stop() }
        #expect(try site.get("/page").text == "sorry")
        #expect(try site.get("/app").text == "mine")
        let limited = try site.get("/limited")
        #expect(limited.status == 503 && !limited.text.contains("<table") && !limited.text.contains("Incident"))
    }

    @Test("shows the verdict of an outage that lasts, in every worker, until its incident is over or nobody knows of it")
    func outage() throws {
        let folder = try TemporaryDirectory()
        let control = "control unix:\(folder.path)/control/control.sock;"
        let (site, peer) = try deadSite(
            "add_header X-Worker $pid always; verdict_to 127.0.0.1; location /o { verdict_to off; proxy_pass http://back; }",
            main: control, workers: 2, directory: folder)
        defer { site.stop(allowing: ["exited on signal 9"]) }
        #expect(site.gateway.waitForError("control process"))
        #expect(eventually { (try? row("verdict", of: site.get())) == ["Nothing listens there (P01, likely)"] })
        let reply = try site.get()
        #expect(row("cause", of: reply).first?.contains("127.0.0.1:\(peer)") == true, "\(reply.text)")
        #expect(row("fix", of: reply).count == 1 && !row("evidence", of: reply).isEmpty && isFull(reply))
        #expect(isPlain(try site.get("/o")))
        // Both workers know, and one that comes is told.
        for worker in site.gateway.workers.prefix(1) { kill(worker, SIGKILL) }
        #expect(site.gateway.waitForError("exited on signal 9"))
        #expect(eventually { site.gateway.workers.count == 2 && (try? site.get()) != nil })
        let workers = site.gateway.workers
        var seen: Set<String> = []
        for worker in workers {
            // The other one has to answer.
            kill(worker, SIGSTOP)
            defer { kill(worker, SIGCONT) }
            #expect(eventually { LiveProcess(worker).status("State").hasPrefix("T") })
            #expect(eventually { (try? row("verdict", of: site.get())) == ["Nothing listens there (P01, likely)"] })
            seen.insert(try site.get()["x-worker"] ?? "")
        }
        #expect(seen == Set(workers.map { String($0) }))
        // Somebody listens again: no page at all.
        let origin = try Origin(port: peer) { _ in .answer(body: Bytes("well")) }
        #expect(eventually { (try? site.get().text) == "well" })
        origin.stop()
        // Without the process that knows, what the worker sees is left. The next such process may soon know as much: it ends as well.
        func controlProcess() -> pid_t? {
            site.gateway.process.children.first { child in
                let line = FileManager.default.contents(atPath: "/proc/\(child)/cmdline").map { String(decoding: $0, as: UTF8.self) }
                return line?.contains("control process") == true
            }
        }
        let process = try #require(controlProcess())
        kill(process, SIGSTOP)
        #expect(row("verdict", of: try site.get()).count == 1)
        #expect(
            eventually {
                if let process = controlProcess() { kill(process, SIGKILL) }
                return (try? site.get()).map { isFull($0) && row("verdict", of: $0).isEmpty } == true
            })
    }

    @Test("escapes what an application wrote, and masks its secrets")
    func hostileText() throws {
        let control = try ControlSite(server: "verdict_to 127.0.0.1;", mode: "hostile")
        defer { control.site.stop() }
        try #require(eventually { (try? control.status()) != nil })
        let isShown = eventually(within: 60) {
            (try? row("evidence", of: control.site.get()).contains { $0.contains("alert(1)") }) == true
        }
        let reply = try control.site.get()
        #expect(isShown, "\(reply.text)")
        let line = try #require(row("evidence", of: reply).first { $0.contains("alert(1)") })
        #expect(line.hasSuffix(" out &lt;script&gt;alert(1)&lt;/script&gt; \\x1b[31m&quot;&#39;&amp;&#xfc; password=***"), "\(line)")
        #expect(!reply.text.contains("<script") && !reply.text.contains("hunter2") && !reply.text.contains("\u{1b}"))
    }

    /// Stands in for a control process in strange hands: after the first failure it says three hundred things of its incident within one
    /// second of the monotonic clock, and notes in a file that the supervisor has read them all.
    private static let liar = """
        #!/usr/bin/python3
        import os, socket, struct, sys, time
        channel = socket.socket(fileno=3)
        channel.setblocking(True)
        def text(value): return struct.pack("<H", len(value)) + value
        def wait(kind):
            while packet := channel.recv(65536):
                if packet[2:4] == kind: return packet
            sys.exit()
        packet = wait(b"\\x03\\x02")
        start, end = 0, 1
        while int(start) != int(end):
            time.sleep(1 - time.monotonic() % 1)
            start = time.monotonic()
            for number in range(300):
                lie = b"<b>lie %d</b>" % number
                words = text(lie) + text(b"<script>alert(1)</script>\\x1b[2J\\xff") + text(b"x" * 512) + struct.pack("<HH", 0, 0)
                channel.send(b"G\\x02\\x03\\x03\\0" + struct.pack("<H", 1) + packet[-10:-2] + words)
            channel.send(b"G\\x02\\x10\\x03" + struct.pack("<I", 1))
            wait(b"\\x16\\x02")
            end = time.monotonic()
        open(os.path.dirname(sys.argv[0]) + "/told", "w").write("all")
        wait(None)
        """

    @Test("shows what a taken-over control process says as text, and takes no more than a hundred lies a second")
    func takenOver() throws {
        let folder = try TemporaryDirectory()
        for name in ["goodgate", "goodgate-worker", "goodgate-launch"] {
            try Executable.place(GatewayProcess.products + "/" + name, at: folder.path + "/" + name)
        }
        try Executable.install(folder.write("liar", Self.liar), at: folder.path + "/goodgate-control")
        let port = Ports.free()
        try folder.write(
            GatewayProcess.configurationName,
            GatewayProcess.configuration(
                http: "server { listen 127.0.0.1:\(port); verdict_to 127.0.0.1; "
                    + "location / { proxy_pass http://127.0.0.1:\(Ports.free()); } }",
                main: "control unix:\(folder.path)/c/c.sock;"))
        let process = try RunningProcess(
            folder.path + "/goodgate", GatewayProcess.arguments(folder.path), output: folder.path + "/stdout",
            errors: folder.path + "/stderr")
        defer { process.kill() }
        try #require(eventually { !folder.read("gateway.pid").isEmpty })
        #expect(eventually { (try? isFull(Client.get(port))) == true && folder.read("told") == "all" })
        let reply = try Client.get(port)
        #expect(row("verdict", of: reply) == ["&lt;b&gt;lie 99&lt;/b&gt;"])
        #expect(row("cause", of: reply) == ["&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[2J&#xfffd;"])
        process.signal(SIGTERM)
        #expect(process.wait(seconds: 30) == .exited(0))
    }

    @Test("takes effect and ends with a reload")
    func reload() throws {
        let (site, peer) = try deadSite("")
        defer { site.stop() }
        #expect(isPlain(try site.get()))
        for (list, isNamed) in [("127.0.0.1", true), ("off", false)] {
            try site.gateway.rewrite(
                http: Site.block("", site.port, "verdict_to \(list); location / { proxy_pass http://127.0.0.1:\(peer); }"))
            site.gateway.signal(SIGHUP)
            #expect(eventually { (try? site.get()).map { isNamed ? isFull($0) : isPlain($0) } == true })
        }
    }
}
