import Foundation
import Testing
import TestKit

/// What of its block, and of Goodgate's own surroundings, reaches the process of an app.
@Suite("The process of an app", .blocking, .enabled(if: Target.isGoodgate))
struct AppSurroundings {
    /// Answers with what it sees of itself. Beats for its watchdog until `/hang`; says which signal stops it.
    private static let program = """
        import http.server, json, os, resource, signal, socket, threading, time
        mask = os.umask(0)
        os.umask(mask)
        isWell = True
        def beat():
            to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            while True:
                if isWell: to.sendto(b"WATCHDOG=1", os.environ["NOTIFY_SOCKET"].replace("@", "\\0"))
                time.sleep(0.05)
        if "WATCHDOG_USEC" in os.environ: threading.Thread(target=beat, daemon=True).start()
        def stop(signal, frame):
            print("stopped by", signal, flush=True)
            os._exit(0)
        for name in ["TERM", "QUIT", "USR2"]: signal.signal(getattr(signal, "SIG" + name), stop)
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                global isWell
                if self.path == "/hang": isWell = False
                print("asked for", self.path, flush=True)
                sees = {"process": os.getpid(), "umask": mask, "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
                        "directory": os.getcwd(), "session": os.getsid(0), "environment": dict(os.environ)}
                body = json.dumps(sees).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def log_message(self, *arguments): pass
        http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
        """

    private func site(_ app: String, environment: [String: String] = [:], directory: TemporaryDirectory) throws -> Site {
        try directory.write("srv/app.py", Self.program)
        return try Site(
            http: "upstream back { app one; }", server: "location / { proxy_pass http://back; }",
            main: "app one { command /usr/bin/python3 app.py; directory \(directory.path)/srv; \(app) }", directory: directory,
            environment: environment)
    }

    private func ask(_ site: Site, _ target: String = "/") throws -> [String: Any] {
        let reply = try site.get(target)
        return try #require(try JSONSerialization.jsonObject(with: Data(reply.body)) as? [String: Any], "\(reply.status) \(reply.text)")
    }

    @Test("is as the block says, has the variables that are documented, and no others; USR1 reopens its log")
    func surroundings() throws {
        let directory = try TemporaryDirectory()
        try directory.write("app.env", "FROM_FILE=1\n")
        let site = try site(
            """
            env MODE=test; env PASSED; env_file app.env; umask 027; nofile 234; watchdog 600s; stop_signal USR2; log app.log;
            """,
            environment: ["TZ": "Pacific/Auckland", "PASSED": "yes", "SECRET": "hunter2", "LC_ALL": "C", "PYTHONPATH": "/nowhere"],
            directory: directory)
        let sees = try ask(site)
        #expect(sees["umask"] as? Int == 0o027 && sees["files"] as? Int == 234)
        #expect(sees["directory"] as? String == directory.path + "/srv")
        let process = try #require(sees["process"] as? Int)
        #expect(sees["session"] as? Int == process)
        #expect(LiveProcess(pid_t(process)).status("NoNewPrivs") == "1")

        let variables = try #require(sees["environment"] as? [String: String])
        #expect(
            Set(variables.keys) == [
                "PATH", "HOME", "LANG", "TZ", "USER", "LOGNAME", "SHELL", "PORT", "HOST", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                "MODE", "PASSED", "FROM_FILE",
            ])
        #expect(variables["TZ"] == "Pacific/Auckland" && variables["PASSED"] == "yes" && variables["LANG"] == "C.UTF-8")
        #expect(variables["WATCHDOG_USEC"] == "600000000" && variables["WATCHDOG_PID"] == "\(process)")
        #expect(variables["MODE"] == "test" && variables["FROM_FILE"] == "1" && variables["USER"] == variables["LOGNAME"])

        #expect(eventually { directory.read("app.log").contains("one.0 out asked for /\n") })
        try FileManager.default.moveItem(atPath: directory.path + "/app.log", toPath: directory.path + "/app.log.old")
        site.gateway.signal(SIGUSR1)
        #expect(eventually { FileManager.default.fileExists(atPath: directory.path + "/app.log") })
        _ = try ask(site, "/later")
        #expect(eventually { directory.read("app.log").contains("one.0 out asked for /later\n") })
        #expect(!directory.read("app.log.old").contains("/later"))

        site.gateway.stop(SIGQUIT)
        #expect(directory.read("app.log").contains("stopped by \(SIGUSR2)\n"), "\(directory.read("app.log"))")
    }

    @Test("that sends no WATCHDOG=1 in time is ended by ABRT, and another one serves")
    func watchdog() throws {
        let directory = try TemporaryDirectory()
        let site = try site("watchdog 1s;", directory: directory)
        let hangs = try ask(site, "/hang")["process"] as? Int
        #expect(site.gateway.waitForError("no WATCHDOG=1 within watchdog"))
        #expect(site.gateway.waitForError("exited on signal \(SIGABRT)"))
        #expect(eventually { (try? ask(site)["process"] as? Int).map { $0 != hangs } == true })
        site.gateway.stop(SIGQUIT)
    }

    /// Not everybody who is root in a container may mount.
    private static let canMount: Bool = {
        guard Target.isRoot, let directory = try? TemporaryDirectory(), (try? mount(directory.path)) == true else { return false }
        return (try? unmount(directory.path)) == true
    }()

    private static func mount(_ path: String) throws -> Bool {
        try RunningProcess.run("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=64k", "none", path]).succeeded
    }

    private static func unmount(_ path: String) throws -> Bool {
        try RunningProcess.run("/usr/bin/umount", ["-l", path]).succeeded
    }

    @Test("goes on when the disk below its log is full; what was lost is counted, and said when there is room again", .enabled(
        if: AppSurroundings.canMount, "needs root to mount a small file system"))
    func fullDisk() throws {
        let directory = try TemporaryDirectory()
        try directory.write("small/app.log", "")
        try #require(try Self.mount(directory.path + "/small"))
        defer { _ = try? Self.unmount(directory.path + "/small") }
        let site = try site("log small/app.log;", directory: directory)
        let process = try ask(site)["process"] as? Int
        let long = "/" + String(repeating: "x", count: 2000)
        let complaint = "log \"\(directory.path)/small/app.log\" cannot be written (28: No space left on device): lines are dropped"
        var processes = Set<Int?>()
        func writes(_ target: String, until isSeen: () -> Bool) throws -> Bool {
            try eventually {
                processes.insert(try ask(site, target)["process"] as? Int)
                return isSeen()
            }
        }
        #expect(try writes(long) { site.gateway.errorLog.contains(complaint) }, "\(site.gateway.errorLog)")
        for _ in 0..<5 { _ = try ask(site, long) }
        truncate(directory.path + "/small/app.log", 0)
        #expect(try writes("/again") { directory.read("small/app.log").contains("asked for /again") })
        #expect(processes == [process], "it went on all the time")
        let said = /is written again, (\d+) lines were lost/
        var lost = 0
        #expect(eventually {
            lost = site.gateway.errorLog.firstMatch(of: said).flatMap { Int($0.1) } ?? 0
            return lost > 0
        }, "\(site.gateway.errorLog)")
        #expect(directory.read("small/app.log").contains(" lines were not written: No space left on device"))
        site.gateway.stop(SIGQUIT)
    }
}
