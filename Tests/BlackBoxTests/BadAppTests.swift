import Foundation
import Testing
import TestKit

/// Apps that cannot work as they are: the error log says what, where, and what to do; the client gets 503 with Retry-After, or the answer.
@Suite("An app that cannot work as it is", .blocking, .enabled(if: Target.isGoodgate))
struct BadApps {
    /// What is wrong with it, and what the log and the client get.
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// The inside of the block. `@` is the test's directory, `#` a port that is free.
        var block: String
        var log: [String]
        /// nil: no request is sent.
        var status: Int?
        var needsRoot = false
        var needsIPv6 = false
    }

    private static let python = "command /usr/bin/python3 @/app.py"

    static let cases = [
        Case(testDescription: "its command is missing", block: "command /no/such/program;",
             log: ["/no/such/program", "No such file or directory"], status: 503),
        Case(testDescription: "its command is not executable", block: "command @/app.py;",
             log: ["app.py", "Permission denied"], status: 503),
        Case(testDescription: "its user is unknown", block: "\(python) port; user no-such-user;",
             log: ["unknown user or group \"no-such-user\""], status: 503, needsRoot: true),
        Case(testDescription: "its env_file is not there", block: "\(python) port; env_file /no/such/file;",
             log: ["env_file \"/no/such/file\" cannot be read (2: No such file or directory)"], status: 503),
        Case(testDescription: "its env_file is malformed", block: "\(python) port; env_file @/app.py;",
             log: ["app.py\" line 1 is not NAME=VALUE"], status: 503),
        Case(testDescription: "it listens at another port", block: "\(python) #;",
             log: ["instead of 127.0.0.1:", "it seems to ignore $PORT"], status: 200),
        Case(testDescription: "it listens on ::1 only", block: "\(python) ::1;", log: ["listens at [::1]:"], status: 200, needsIPv6: true),
        Case(testDescription: "it never listens", block: "\(python) never; start_timeout 300ms; restart always backoff=10ms..5s;",
             log: ["not ready within start_timeout: it listens nowhere"], status: 503),
        Case(testDescription: "it listens, and ends at once", block: "\(python) flash; restart always backoff=10ms..5s;",
             log: ["exited with code 1"], status: 503),
        Case(testDescription: "it ignores its stop signal", block: "\(python) stubborn; stop_timeout 300ms;",
             log: ["did not end within stop_timeout of its stop signal, is killed"], status: 200),
        Case(testDescription: "it forks away", block: "\(python) forks; restart always backoff=10ms..5s;",
             log: ["were left and killed: the command must stay the process it starts as"], status: 503),
        Case(testDescription: "its log is on a full disk", block: "\(python) port; log /dev/full;",
             log: ["log \"/dev/full\" cannot be written (28: No space left on device): lines are dropped"], status: 200),
    ]

    /// Listens as its argument says.
    private static let program = """
        import http.server, os, signal, socket, sys, time
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                print("a line", flush=True)
                self.send_response(200); self.end_headers(); self.wfile.write(b"x")
            def log_message(self, *arguments): pass
        class Six(http.server.HTTPServer): address_family = socket.AF_INET6
        how, port = sys.argv[1], int(os.environ["PORT"])
        if how == "never": time.sleep(60)
        if how == "flash":
            server = socket.socket()
            server.bind(("127.0.0.1", port)); server.listen()
            time.sleep(0.06)
            os._exit(1)
        if how == "forks":
            if os.fork() > 0: os._exit(0)
            time.sleep(60)
        if how == "stubborn": signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if how.isdigit(): port = int(how)
        server = Six(("::1", port), Handler) if how == "::1" else http.server.HTTPServer(("127.0.0.1", port), Handler)
        server.serve_forever()
        """

    private func site(_ block: String) throws -> Site {
        let directory = try TemporaryDirectory()
        try directory.write("app.py", Self.program)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: directory.path + "/app.py")
        let text = block.replacingOccurrences(of: "@", with: directory.path).replacingOccurrences(of: "#", with: String(Ports.free()))
        return try Site(
            http: "upstream back { app bad; }", server: "location / { proxy_pass http://back; }", main: "app bad { \(text) }",
            directory: directory)
    }

    @Test("says so, and is never a silent 502", arguments: cases.filter { !$0.needsRoot && !$0.needsIPv6 })
    func bad(_ item: Case) throws { try check(item) }

    @Test("says so when its user is at fault", .enabled(if: Target.isRoot, "needs root"), arguments: cases.filter(\.needsRoot))
    func badUser(_ item: Case) throws { try check(item) }

    @Test("says so when its address family is", .enabled(if: Ports.haveIPv6, "needs IPv6"), arguments: cases.filter(\.needsIPv6))
    func badFamily(_ item: Case) throws { try check(item) }

    private func check(_ item: Case) throws {
        let site = try site(item.block)
        let start = ContinuousClock.now
        var reply = try site.client(timeout: 40).request()
        // A request that three instances had when they ended may be what ends them: it is not given to a fourth.
        if item.testDescription.hasSuffix("ends at once") {
            for _ in 0..<10 where reply.status == 502 { reply = try site.client(timeout: 40).request() }
        }
        #expect(reply.status == item.status, "\(site.gateway.errorLog)")
        #expect(ContinuousClock.now - start < .seconds(20), "nobody waits for what is not coming")
        if reply.status == 503 { #expect((Int(reply["Retry-After"] ?? "") ?? 0) >= 1) }
        site.gateway.stop(SIGQUIT, seconds: 20, allowing: ["app bad"])
        for words in item.log { #expect(site.gateway.errorLog.contains(words), "\(words) in:\n\(site.gateway.errorLog)") }
        #expect(!site.gateway.errorLog.contains("\"GET / HTTP/1.1\", upstream: \"http://127.0.0.1:0"))
    }

    @Test("-t warns of what will hinder it, and of an unsafe user")
    func warnings() throws {
        let directory = try TemporaryDirectory()
        let main = "app a { command /no/such/program; directory /no/such/place; env_file /no/such.env; }"
        let http = "upstream u { app a; } server { listen 127.0.0.1:\(Ports.free()); }"
        try directory.write(GatewayProcess.configurationName, GatewayProcess.configuration(http: http, main: main))
        let result = try RunningProcess.run(
            GatewayProcess.binary, ["-t"] + GatewayProcess.arguments(directory.path), seconds: 60)
        #expect(result.succeeded, "\(result.errors)")
        for words in ["directory \"/no/such/place\"", "command \"/no/such/program\"", "env_file \"/no/such.env\""] {
            #expect(result.errors.contains("[warn] app \"a\": \(words) is not there in "), "\(result.errors)")
        }
        #expect(result.errors.contains("runs as the workers' user") == Target.isRoot)
    }

    @Test("a fixed address that another process has: it is named, nothing is sent to it")
    func portTaken() throws {
        let thief = try Origin(answer: "stolen")
        let site = try site(
            "command /usr/bin/python3 @/app.py \(thief.port); listen 127.0.0.1:\(thief.port); restart always backoff=10ms..5s;")
        let reply = try site.client(timeout: 30).request()
        #expect(reply.status == 503, "\(site.gateway.errorLog)")
        #expect(site.gateway.waitForError("127.0.0.1:\(thief.port) is taken by process \(getpid())"), "\(site.gateway.errorLog)")
        #expect(thief.requests.isEmpty)
        site.gateway.stop(SIGQUIT, seconds: 20, allowing: ["app bad"])
    }

    @Test("a configuration that names it wrongly does not start", arguments: [
        ("app a { command /bin/true; } app a { command /bin/true; }", "app a;", "duplicate app \"a\""),
        ("app a { command /bin/true; listen 127.0.0.1:3000; instances 2; }", "app a;", "app \"a\" has 2 instances, but one fixed address"),
        ("app a { command /bin/true; }", "app b;", "unknown app \"b\""),
    ])
    func configurations(_ main: String, _ upstream: String, _ message: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write(
            GatewayProcess.configurationName,
            GatewayProcess.configuration(http: "upstream u { \(upstream) } server { listen 127.0.0.1:\(Ports.free()); }", main: main))
        let result = try RunningProcess.run(GatewayProcess.binary, GatewayProcess.arguments(directory.path), seconds: 60)
        #expect(result.ending == .exited(1))
        #expect(result.errors.contains(message), "\(result.errors)")
    }
}
