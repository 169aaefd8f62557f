import Foundation
import Testing
import TestKit

/// What an incident says, as `goodgate why --json` prints it.
private struct Told {
    let json: [String: Any]
    var verdict: [String: Any] { json["verdict"] as? [String: Any] ?? [:] }
    var rule: String { verdict["rule"] as? String ?? "" }
    var id: String { json["id"] as? String ?? "" }
    var attempts: [String: Int] { json["attempts"] as? [String: Int] ?? [:] }
    func count(_ key: String) -> Int { json[key] as? Int ?? -1 }
}

/// A gateway with a control socket, and nothing behind its upstream.
private struct DeadSite {
    let site: Site
    let socket: String
    let peer: String

    init(_ upstream: String = "", workers: Int = 1, main: String = "", directory: TemporaryDirectory? = nil) throws {
        let directory = try directory ?? TemporaryDirectory()
        socket = directory.path + "/control/control.sock"
        peer = "127.0.0.1:\(Ports.free())"
        site = try Site(
            http: """
                log_format verdict '$status|$upstream_reason|$incident_id|$attempts|$request_id';
                upstream back { server \(peer) max_fails=0; \(upstream) }
                """,
            server: "access_log access.log verdict; keepalive_requests 100000; location / { proxy_pass http://back; }",
            main: "control unix:\(socket); \(main)", workers: workers, directory: directory)
    }

    var commands: Commands { Commands(socket: socket) }
    func run(_ arguments: [String]) throws -> RunningProcess.Output { try commands.run(arguments) }
}

/// The newest incident, or nil while there is none.
private func why(_ socket: String, _ id: String? = nil) -> Told? {
    guard let result = try? Commands(socket: socket).run(["why", "--json"] + (id.map { [$0] } ?? [])), result.succeeded,
        let json = try? JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
    else { return nil }
    return Told(json: json)
}

/// What a file of `incident_log` holds: a report a line.
private func rows(_ path: String) -> String {
    let program = """
        import sqlite3, sys
        for row in sqlite3.connect(sys.argv[1]).execute("SELECT report FROM incident"): print(row[0].decode())
        """
    return (try? RunningProcess.run("/usr/bin/python3", ["-c", program, path]).output) ?? ""
}

/// What `goodgate incidents --json` lists, by upstream.
private func incidents(_ commands: Commands) throws -> [String: [String: Any]] {
    let json = try JSONSerialization.jsonObject(with: Data(commands.run(["incidents", "--json"]).output.utf8)) as? [String: Any]
    let list = json?["incidents"] as? [[String: Any]] ?? []
    return Dictionary(list.compactMap { item in (item["upstream"] as? String).map { ($0, item) } }) { first, _ in first }
}

@Suite("An incident", .blocking, .enabled(if: Target.isGoodgate, "verdicts are Goodgate's own"))
struct IncidentTests {
    @Test("has the id of the log line, and a verdict that names the cause")
    func nothingListens() throws {
        let dead = try DeadSite(workers: 2)
        defer { dead.site.stop() }
        try #require(eventually { dead.commands.areAnswered })
        #expect(try dead.run(["why"]).errors == "goodgate: no failure is known: nothing to explain\n")
        for _ in 0..<5 { #expect(try dead.site.get().status == 502) }
        let id = try #require(dead.site.gateway.accessLines(5).last?.split(separator: "|")[2]).description
        #expect(eventually { why(dead.socket, id)?.rule == "P01" && why(dead.socket, id)?.count("requests_failed") == 5 })
        let told = try #require(why(dead.socket))
        #expect(told.id == id && told.attempts == ["connect.refused": 5], "\(told.json)")
        #expect((told.count("requests_failed"), told.count("requests_saved"), told.count("requests_pending")) == (5, 0, 0))
        #expect(told.json["peer"] as? String == dead.peer)
        let page = try dead.run(["why", id.lowercased()]).output
        for text in [
            "incident    \(id), open", "where       upstream back at \(dead.peer)", "attempts    5 × connect.refused",
            "requests    5 failed, 0 served all the same", "verdict     Nothing listens there (P01", "fix         ",
            "timeline    ", "first connect.refused at \(dead.peer), while connecting, errno 111: the client got an error",
        ] { #expect(page.contains(text), "\(text) in \(page)") }
        // Which of two workers' lines is the first is not decided by the log.
        let requests = dead.site.gateway.accessLines(5).compactMap { $0.split(separator: "|").last }
        #expect(requests.allSatisfy { $0.count == 32 } && requests.contains { page.contains(" (request \($0))") }, "\(requests) in \(page)")
        let list = try dead.run(["incidents", "--since", "1h"]).output
        #expect(list.contains(id) && list.contains("Nothing listens there"), "\(list)")
        #expect(try dead.run(["incidents", "--since", "1h", "--app", "other"]).output == "no failures\n")
        #expect(try dead.run(["why", "00000000"]).errors.contains("incident 00000000 is not known"))
        #expect(try dead.run(["why", "../status"]).errors.contains("is no incident id"))
    }

    /// What an origin does, on which request of a connection, and what the record of the attempt then says.
    private static let breaks: [(name: String, reason: String, phase: String, errno: Int?, read: Int)] = [
        ("close", "conn.keepalive_race", "waiting for the response head", nil, 0),
        ("reset", "conn.reset", "waiting for the response head", 104, 0),
        ("silence", "response.timeout", "waiting for the response head", 110, 0),
        ("half", "conn.eof_before_head", "reading the response head", nil, 25),
        ("cut", "body.truncated", "relaying the body", nil, 43),
        ("refused", "connect.refused", "connecting", 111, 0),
    ]

    @Test("has the numbers of its attempts: phase, errno, bytes, connection, times, request")
    func records() throws {
        let folder = try TemporaryDirectory(), control = folder.path + "/control/control.sock"
        let origin = try Origin { request in
            switch request.target {
            case "/close": request.index == 1 ? .answer() : .close
            case "/reset": .reset
            case "/silence": .silence
            case "/half": .sequence([.bytes(Bytes("HTTP/1.1 200 OK\r\nContent-")), .close])
            default: .sequence([.bytes(Bytes("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")), .close])
            }
        }
        let dead = Ports.free()
        let names = Self.breaks.map(\.name)
        let site = try Site(
            http: names.map {
                "upstream \($0) { server 127.0.0.1:\($0 == "refused" ? dead : origin.port) max_fails=0; keepalive 4; }\n"
            }.joined(),
            server: "\(Site.keepAlive) proxy_read_timeout 200ms; add_header X-ID $request_id always;\n"
                + names.map { "location /\($0) { proxy_pass http://\($0); }\n" }.joined(),
            main: "control unix:\(control);", directory: folder)
        defer { site.stop(allowing: ["upstream"]) }
        let commands = Commands(socket: control)
        try #require(eventually { commands.areAnswered })
        #expect(try site.get("/close", method: "POST", body: Bytes("order")).status == 200)
        usleep(60_000)
        var ids: [String: String] = [:], statuses: [String: Int] = [:]
        for name in names {
            let reply = try? site.get("/\(name)", method: "POST", body: Bytes("order"))
            (ids[name], statuses[name]) = (reply?["X-ID"], reply?.status)
        }
        var found: [String: [String: Any]] = [:]
        #expect(try eventually {
            found = try incidents(commands)
            return names.allSatisfy { found[$0]?["verdict"] != nil && found[$0]?["requests_pending"] as? Int == 0 }
        }, "\(found)")
        for wanted in Self.breaks {
            let report = try #require(found[wanted.name])
            let record = try #require((report["records"] as? [[String: Any]])?.first, "\(report)")
            func number(_ key: String) -> Int? { record[key] as? Int }
            #expect(record["reason"] as? String == wanted.reason && record["phase"] as? String == wanted.phase, "\(record)")
            #expect(number("error_number") == wanted.errno && record["method"] as? String == "POST", "\(record)")
            #expect(record["peer"] as? String == "127.0.0.1:\(wanted.name == "refused" ? dead : origin.port)")
            // A client whose answer was cut has no id to compare.
            if let id = ids[wanted.name] { #expect(record["request"] as? String == id && number("status") == statuses[wanted.name]) }
            #expect((record["request"] as? String)?.count == 32)
            let duration = try #require(number("duration_milliseconds"))
            #expect(duration >= (wanted.name == "silence" ? 150 : 0), "\(record)")
            if wanted.name == "refused" {
                #expect(["bytes_written", "bytes_read", "connection_age_milliseconds", "is_reused"].allSatisfy { record[$0] == nil })
            } else {
                let request = try #require(origin.requests.last { $0.target == "/\(wanted.name)" })
                let sent = request.head.utf8.count + request.body.count, isReused = wanted.name == "close"
                #expect(number("bytes_written") == sent && number("bytes_read") == wanted.read, "\(record), sent \(sent)")
                // An end acknowledges what came before it; a reset need not.
                let acknowledged = try #require(number("bytes_acknowledged"))
                #expect(wanted.errno == nil ? acknowledged == sent : (0...sent).contains(acknowledged), "\(record), sent \(sent)")
                #expect(record["is_reused"] as? Bool == isReused && (number("connection_idle_milliseconds") != nil) == isReused)
                let age = try #require(number("connection_age_milliseconds")), idle = number("connection_idle_milliseconds") ?? 0
                #expect(age >= idle && idle >= (isReused ? 30 : 0), "\(record)")
            }
            let looks = (report["verdict"] as? [String: Any])?["looks"] as? [[String: Any]] ?? []
            #expect(looks.first?["step"] as? String == "volatile" && looks.first?["after_milliseconds"] as? Int != nil, "\(looks)")
        }
        let page = try commands.run(["why", try #require(found["close"]?["id"] as? String)]).output
        #expect(page.contains(" bytes acknowledged, 0 read, connection ") && page.contains("looked at   sockets, processes"), "\(page)")
        #expect(try commands.run(["incidents", "--json", "--app", "nobody"]).output.contains("\"incidents\" : ["))
    }

    @Test("of an address in a proxy_pass is of host and port, and names the right line")
    func implicitUpstreams() throws {
        let folder = try TemporaryDirectory()
        let control = folder.path + "/control/control.sock"
        let origin = try Origin { _ in .answer(fields: ["X-Large: " + String(repeating: "x", count: 9_000)]) }
        let dead = Ports.free()
        let site = try Site(
            server: """
                location /dead { proxy_pass http://127.0.0.1:\(dead); }
                location /large { proxy_pass http://127.0.0.1:\(origin.port)/x; }
                location /chosen { proxy_pass http://127.0.0.1:$arg_port; }
                """,
            main: "control unix:\(control);", directory: folder)
        defer { site.stop() }
        let commands = Commands(socket: control)
        try #require(eventually { commands.areAnswered })
        #expect(try site.get("/large").status == 502)
        #expect(eventually { why(control)?.rule == "P23" })
        let large = try #require(why(control)), name = "127.0.0.1:\(origin.port)"
        #expect(large.json["upstream"] as? String == name)
        let file = folder.path + "/" + GatewayProcess.configurationName
        let lines = try String(contentsOfFile: file, encoding: .utf8).components(separatedBy: "\n")
        let line = try #require(lines.firstIndex { $0.contains("/large {") }) + 1
        let page = try commands.run(["why"]).output
        #expect(page.contains("where       upstream \(name)\n") && page.contains("\(file):\(line)"), "\(page)")
        // nginx's own words stay.
        #expect(site.gateway.errorLog.contains("upstream: \"http://\(name)/x\""), "\(site.gateway.errorLog)")
        let other = Ports.free()
        for path in ["/dead", "/chosen?port=\(other)"] { #expect(try site.get(path).status == 502) }
        let wanted = ["127.0.0.1:\(dead) ", "127.0.0.1:\(other) ", "\(name) "]
        #expect(eventually { (try? commands.run(["incidents"]).output).map { list in wanted.allSatisfy(list.contains) } ?? false })
        let status = try commands.run(["status"]).output
        #expect(status.contains("\n\(name) ") && status.contains("\n127.0.0.1:\(dead) "), "\(status)")
    }

    @Test("of ten thousand failures has exact counts, and few records")
    func storm() throws {
        let dead = try DeadSite(workers: 2)
        defer { dead.site.stop() }
        try #require(eventually { dead.commands.areAnswered })
        let request = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
        let perClient = 1_250
        let threads = (0..<8).map { _ in
            Thread {
                guard let client = try? dead.site.client(timeout: 60) else { return }
                for _ in 0..<(perClient / 50) {
                    try? client.send(String(repeating: request, count: 50))
                    for _ in 0..<50 { _ = try? client.readReply() }
                }
            }
        }
        threads.forEach { $0.start() }
        #expect(eventually(within: 240) { threads.allSatisfy(\.isFinished) })
        let isCounted = eventually { why(dead.socket)?.count("requests_failed") == 10_000 }
        #expect(isCounted, "\(String(describing: why(dead.socket)?.json))")
        let told = try #require(why(dead.socket))
        #expect(told.attempts == ["connect.refused": 10_000])
        #expect(told.count("requests_pending") == 0)
        let status = try #require(
            try JSONSerialization.jsonObject(with: Data(dead.run(["status", "--json"]).output.utf8)) as? [String: Any])
        #expect((status["traffic"] as? [String: Any])?["attempts_dropped"] as? Int == 0)
    }

    @Test("in which another server answered counts the requests as saved")
    func saved() throws {
        let good = try Origin(answer: "good")
        let dead = try DeadSite("server 127.0.0.1:\(good.port) backup;")
        defer { dead.site.stop() }
        try #require(eventually { dead.commands.areAnswered })
        for _ in 0..<3 { #expect(try dead.site.get().text == "good") }
        #expect(eventually { why(dead.socket)?.count("requests_saved") == 3 })
        let told = try #require(why(dead.socket))
        #expect(told.count("requests_failed") == 0 && told.attempts == ["connect.refused": 3])
    }

    @Test("that the application made is told apart")
    func application() throws {
        let origin = try Origin { _ in .answer("503 Service Unavailable", body: Bytes("busy")) }
        let folder = try TemporaryDirectory()
        let site = try Site(origin, main: "control unix:\(folder.path)/control/control.sock;")
        defer { site.stop() }
        let socket = folder.path + "/control/control.sock"
        try #require(eventually { Commands(socket: socket).areAnswered })
        #expect(try site.get().text == "busy")
        #expect(eventually { why(socket)?.rule == "P30" })
        #expect(why(socket)?.attempts == ["app.answered": 1])
    }

    @Test("of an app that is killed names the app, its end, and what it wrote")
    func killedApp() throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let process = try #require(try control.instances().first?["process"] as? Int)
        let load = Load(port: control.site.port, clients: 4, pause: 0.002)
        #expect(eventually { load.count > 50 })
        kill(pid_t(process), SIGKILL)
        #expect(eventually { (why(control.socket)?.verdict["culprit"] as? [String: Any])?["name"] as? String == "app one" })
        let seen = load.finish()
        #expect(seen.failures.isEmpty, "\(seen.failures.first ?? "")")
        let told = try #require(why(control.socket))
        #expect(told.json["app"] as? String == "one")
        #expect(eventually { why(control.socket)?.count("requests_pending") == 0 })
        #expect((why(control.socket)?.count("requests_saved") ?? 0) > 0 && told.count("requests_failed") == 0, "\(told.json)")
        var page = ""
        #expect(try eventually {
            page = try control.run(["why"]).output
            return page.contains("booting none")
        }, "what it wrote comes by way of its keeper: \(page)")
        #expect(page.contains("ended       instance one.0#1 of release 1 (process \(process)) was killed by signal 9 at "), "\(page)")
        #expect(page.contains("goodgate app logs one"), "\(page)")
        for (app, isOf) in [("one", true), ("two", false)] {
            let list = try control.run(["incidents", "--json", "--app", app]).output
            #expect(list.contains(told.id) == isOf, "\(list)")
            #expect(try control.run(["incidents", "--app", app]).output.contains(told.id) == isOf)
        }
        let end = try #require((told.json["ends"] as? [[String: Any]])?.first)
        #expect(end["signal"] as? Int == 9 && end["status"] == nil && end["release"] as? Int == 1 && end["process"] as? Int == process)
        let timeline = told.json["timeline"] as? [[String: Any]] ?? []
        let times = [told.json["first"], told.json["last"], end["time"]] + timeline.map { $0["time"] }
        let format = ISO8601DateFormatter()
        for case let time as String in times {
            format.formatOptions = time.contains(".") ? [.withInternetDateTime, .withFractionalSeconds] : .withInternetDateTime
            #expect(format.date(from: time).map { abs($0.timeIntervalSinceNow) < 300 } == true, "\(time)")
        }
        #expect(times.count > 4 && times.allSatisfy { $0 is String }, "\(told.json)")
        control.site.stop()
    }

    @Test("of an app that ends while it starts names its exit status, and what it wrote, escaped")
    func endsOnBoot() throws {
        let control = try ControlSite(mode: "exit")
        defer { control.site.stop() }
        try #require(eventually { (try? control.status()) != nil })
        #expect(try control.site.get().status >= 502)
        let hasLines = eventually {
            let page = (try? control.run(["why"]).output) ?? ""
            return page.contains("cannot find") && page.contains("              | ") && page.contains("Crash loop (P11, proven)")
        }
        let page = try control.run(["why"]).output
        #expect(hasLines, "\(page)")
        #expect(page.contains(" of release 1 (process ") && page.contains(" exited with status 3 at "), "\(page)")
        #expect(page.contains("cannot find \\x1b[31mmodule\\x1b[0m 'database'") && !page.contains("\u{1B}"), "\(page)")
        #expect(page.contains("culprit     app one") && page.contains("always with code 3"), "\(page)")
    }

    @Test("of an app that the kernel killed for its memory says so, with its limit",
        .enabled(if: MemoryCgroup.isWritable, "needs root and a writable memory cgroup"))
    func outOfMemory() throws {
        let control = try ControlSite(app: "memory_max 64M;", mode: "hungry")
        defer { control.site.stop() }
        try control.waitUntilUp()
        #expect(try control.site.get("/eat").status == 502)
        #expect(eventually { why(control.socket)?.rule == "P10" }, "\(String(describing: why(control.socket)?.json))")
        #expect(eventually { (try? control.run(["why"]).output)?.contains("eating") == true })
        let page = try control.run(["why"]).output
        for text in [
            "Killed for its memory (P10, proven)", "of release 1 (pid ", "reached its memory_max of 64 MB",
            "was killed by signal 9, after an", "eating \\x1b[31mall\\x1b[0m, token=***",
            "+    memory_max 128M;",
        ] { #expect(page.contains(text), "\(text) in \(page)") }
        let end = try #require((why(control.socket)?.json["ends"] as? [[String: Any]])?.first)
        #expect(end["signal"] as? Int == 9 && end["out_of_memory_kills"] as? Int == 1)
    }

    @Test("of an app that is gone is known although no attempt was made")
    func emptyApp() throws {
        let control = try ControlSite(app: "restart always backoff=2s..5s;")
        try control.waitUntilUp()
        let process = try #require(try control.instances().first?["process"] as? Int)
        kill(pid_t(process), SIGKILL)
        #expect(control.site.gateway.waitForError("exited on signal 9"))
        // The workers are told at the end of the supervisor's turn that wrote this; what asks it afterwards is answered after that.
        #expect(eventually { (try? control.instances())?.first?["process"] as? Int != process })
        #expect(try control.site.get().status == 200)
        #expect(eventually { why(control.socket)?.rule == "P01" && why(control.socket)?.count("requests_saved") == 1 })
        let told = try #require(why(control.socket))
        #expect(told.attempts == ["pool.empty": 1] && told.count("requests_failed") == 0, "\(told.json)")
        #expect(told.verdict["cause"] as? String == "No instance of app one was left: it was killed by signal 9.")
        control.site.stop()
    }

    @Test("of an app whose check never passes says that goodgate stopped it, and what the check saw")
    func neverHealthy() throws {
        let control = try ControlSite(app: "health uri=/health; start_timeout 1s; stop_timeout 2s;", mode: "sick")
        defer { control.site.gateway.stop(SIGQUIT, seconds: 20, allowing: ["not ready within", "exited on signal 15"]) }
        #expect(control.site.gateway.waitForError("its check /health: it answered with status 500"), "\(control.site.gateway.errorLog)")
        #expect(eventually { ((try? control.instances())?.first?["last_failure"] as? String)?.contains("status 500") == true })
        // Until three starts have failed requests wait.
        #expect(try control.site.client(timeout: 30).request().status == 503)
        let cause = "goodgate stopped the last one, not ready within start_timeout: its check /health: it answered with status 500."
        #expect(eventually { (why(control.socket)?.verdict["cause"] as? String)?.hasSuffix(cause) == true },
                "\(String(describing: why(control.socket)?.json))")
        let told = try #require(why(control.socket))
        #expect(told.rule == "P01" && !"\(told.json)".contains("did not end three times"), "\(told.json)")
    }

    @Test("of an app that cannot be started says what hinders it, and so do app list and app logs")
    func cannotBeStarted() throws {
        let control = try ControlSite(app: "env_file missing.env;")
        defer { control.site.stop() }
        try #require(eventually { (try? control.status()) != nil })
        #expect(try control.site.client(timeout: 30).request().status == 503)
        let reason = "env_file \"\(control.directory.path)/missing.env\" cannot be read (2: No such file or directory)"
        #expect(eventually { (why(control.socket)?.verdict["cause"] as? String)?.contains(reason) == true },
                "\(String(describing: why(control.socket)?.json))")
        #expect(try control.run(["app", "list"]).output.contains(reason))
        #expect(try control.instances().first?["last_failure"] as? String != nil)
        let logs = try control.run(["app", "logs", "one"])
        #expect(logs.succeeded && logs.output == "")
        #expect(logs.errors.contains("app one has written nothing") && logs.errors.contains(reason), "\(logs.errors)")
        let started = try control.run(["app", "start", "one"])
        #expect(started.ending == .exited(1) && started.errors.contains(reason), "\(started.errors)")
        try control.directory.write("missing.env", "VERSION=2\n")
        #expect(try control.run(["app", "start", "one"]).succeeded)
        #expect(try control.instances().first?["last_failure"] == nil)
    }

    @Test("is known after a crash of everything, with incident_log")
    func kept() throws {
        let folder = try TemporaryDirectory()
        let first = try DeadSite(main: "incident_log incidents.db;", directory: folder)
        try #require(eventually { first.commands.areAnswered })
        #expect(try first.site.get().status == 502)
        #expect(eventually { why(first.socket)?.rule == "P01" && why(first.socket)?.count("requests_failed") == 1 })
        let id = try #require(why(first.socket)).id
        // What changed is written four times a second.
        #expect(eventually {
            let kept = rows(folder.path + "/incidents.db")
            return kept.contains("\"requestsFailed\":1") && kept.contains("\"rule\":\"P01\"")
        })
        first.site.gateway.process.kill()
        try? FileManager.default.removeItem(atPath: folder.path + "/gateway.pid")
        let second = try DeadSite(main: "incident_log incidents.db;", directory: folder)
        defer { second.site.stop() }
        try #require(eventually { second.commands.areAnswered })
        #expect(why(second.socket)?.id == id)
        let told = try #require(why(second.socket, id))
        #expect(told.rule == "P01" && told.json["is_open"] as? Bool == false && told.count("requests_failed") == 1)
    }

    @Test("is kept in memory when the file cannot be used, and the error log says why")
    func brokenStore() throws {
        let dead = try DeadSite(main: "incident_log /nonexistent/incidents.db;")
        defer { dead.site.stop() }
        try #require(eventually { dead.commands.areAnswered })
        let complaint = "incident_log \"/nonexistent/incidents.db\" cannot be used, incidents are kept in memory only"
        #expect(dead.site.gateway.waitForError(complaint))
        #expect(try dead.site.get().status == 502)
        #expect(eventually { why(dead.socket)?.rule == "P01" })
    }
}
