import Machine
import Testing

@testable import Diagnosis

/// P01, P02, P10, P16 and P27: the five that most 502s are.
@Suite struct FirstRulesTests {
    private let down = [
        "ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "ExecMainCode": "1",
        "ExecMainStatus": "1",
        "ExecMainExitTimestamp": "Sun 2026-11-22 09:59:58 UTC",
    ]

    @Test func `P01 names the unit that is down`() {
        var scene = Scene.app("127.0.0.1:3000", [.connectRefused: 7], down)
        scene.journal(-2, "app.service", "app.service: Main process exited, code=exited, status=1/FAILURE")
        scene.journal(-1.9, "app.service", "app.service: Failed with result 'exit-code'.")
        let verdict = scene.judge()
        #expect(verdict.rule == "P01" && verdict.confidence == .likely)
        #expect(verdict.culprit == Culprit(.unit, "app.service"))
        #expect(verdict.cause == "Nothing listens on 127.0.0.1:3000: app.service exited with code 1.")
        #expect(verdict.fix.commands.contains("systemctl restart app.service"))
    }

    @Test func `P01 does not deny a crash because the unit is up again`() {
        var scene = Scene.app("127.0.0.1:3000", [.connectRefused: 7])
        #expect(scene.judge().cause == "Nothing listens on 127.0.0.1:3000: app.service runs, but has not bound it.")
        scene.journal(-2, "app.service", "app.service: Main process exited, code=dumped, status=11/SEGV")
        let verdict = scene.judge()
        #expect(verdict.rule == "P01")
        #expect(verdict.cause == "Nothing listens on 127.0.0.1:3000: app.service ended at 2026-11-22T09:59:58Z and was started again.")
        #expect(verdict.evidence.contains { $0.text.contains("status=11/SEGV") })
    }

    /// Likely at most, and nothing that --apply could do: the other port may be one for metrics or a debugger.
    @Test func `P01 knows a wrong port and shows the right one`() {
        var scene = Scene.app("127.0.0.1:3000", [.connectRefused: 7])
        scene.listen("127.0.0.1:3001", by: scene.process("node", unit: "app.service"))
        let verdict = scene.judge()
        #expect(verdict.rule == "P01" && verdict.confidence == .likely)
        #expect(verdict.cause.contains("listens on 127.0.0.1:3001"))
        #expect(verdict.fix.diff?.contains("+    server 127.0.0.1:3001;") == true && verdict.fix.edit == nil)
    }

    @Test(arguments: ["has said that it listens there", "has just been started", "is starting"])
    func `P01 takes an app that is not up yet for no wrong port`(app: String) {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 7])
        scene.unit(
            "app.service",
            ["ExecStart": "argv[]=node --inspect app.js --port 3000 ;", "ActiveState": app == "is starting" ? "activating" : "active"])
        scene.listen("127.0.0.1:9229", by: scene.process("node", unit: "app.service", age: app == "has just been started" ? -3 : 50_000))
        if app == "has said that it listens there" {
            scene.journal(-600, "app.service", "Listening on port 3000", identifier: "node", pid: 900)
        }
        let verdict = scene.judge()
        #expect(verdict.rule == "P01" && verdict.culprit == Culprit(.unit, "app.service"))
        #expect(verdict.fix.diff == nil && verdict.fix.edit == nil)
        #expect(verdict.evidence.contains { $0.text.contains("127.0.0.1:9229") })
    }

    /// A unit that only names the port may ask there, and have ended because nobody answered.
    @Test func `P01 does not blame a client of the app that was away`() {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 7])
        scene.unit("mailer.service", ["ExecStart": "argv[]=mailer --port 3000 ;"])
        scene.journal(-2, "mailer.service", "mailer.service: Main process exited, code=exited, status=1/FAILURE")
        scene.listen("127.0.0.1:3000", by: scene.process("python3", age: -4))
        let verdict = scene.judge()
        #expect(verdict.culprit.name.contains("python3") && verdict.confidence == .likely, "\(verdict.cause)")
    }

    @Test(arguments: [
        ("API_ADDRESS=127.0.0.1:3000", "", false), ("DB_PORT=3000", "", false), ("REDIS=redis://127.0.0.1:3000", "", false),
        ("UPSTREAM=127.0.0.1:3000", "", false), ("API_PORT=3000", "", false), ("PORT=3000", "", true), ("HTTP_PORT=3000", "", true),
        ("LISTEN_ADDRESS=127.0.0.1:3000", "", true), ("APP_BIND=:3000", "", true), ("ADDR=:3000", "", true), ("PORT=30001", "", false),
        ("", "mailer --api 127.0.0.1:3000", false), ("", "mailer --redis=127.0.0.1:3000", false),
        ("", "app --url http://127.0.0.1:3000/", false), ("", "app --redis-port 3000", false), ("", "app --db-port=3000", false),
        ("", "app --import 3000", false), ("", "app --transport 3000", false), ("", "app --http-proxy 10.0.0.1:3000", false),
        ("", "app --server-address 10.0.0.1:3000", false), ("", "app -P 3000", false), ("", "ssh -L 5432:db:3000 host", false),
        ("", "ssh -N -L 3000:db:5432 host", false), ("", "docker run -p 8080:3000 image", false), ("", "docker run -p 3000:80 image", true),
        ("", "app --http-port 3000", true), ("", "java -Dserver.port=3000 -jar app.jar", true),
        ("", "java -jar jenkins.war --httpPort=3000", true),
        ("", "app --web.listen-address=:3000", true), ("", "app --http :3000", true), ("", "app --listen-addr 127.0.0.1:3000", true),
        ("", "gunicorn -b [::1]:3000 app:app", true),
        ("", "app --port 3000", true), ("", "app -p 3000", true), ("", "gunicorn -b 127.0.0.1:3000 app:app", true),
        ("", "app --listen=:3000", true), ("", "python3 -m http.server 3000", true), ("", "node server.js 3000", true),
    ])
    func `what a unit serves is told from what it asks`(environment: String, command: String, serves: Bool) {
        var unit = UnitState(name: "app.service")
        unit.environment = environment
        unit.execStart = command
        #expect(EvidenceSet.serves(port: 3_000, unit) == serves)
    }

    @Test(arguments: [
        ("API_SOCKET=/run/api.sock", "", false), ("SOCKET=/run/api.sock", "", true), ("LISTEN=unix:/run/api.sock", "", true),
        ("APP_SOCK=/run/api.sock", "", true), ("SOCKET=/run/api.sock2", "", false), ("SOCKET=/srv/run/api.sock", "", false),
        ("", "app --api unix:/run/api.sock", false), ("", "app --redis-socket=/run/api.sock", false),
        ("", "uvicorn --uds /run/api.sock", true), ("", "gunicorn --bind unix:/run/api.sock app:app", true),
        ("", "puma -b unix:///run/api.sock?umask=0111", true), ("", "uwsgi --http-socket=/run/api.sock", true),
        ("", "uwsgi -s /run/api.sock", true), ("", "node server.js /run/api.sock", true), ("", "node server.js /run/api.sock/x", false),
    ])
    func `what a unit serves at a path is told from what it asks`(environment: String, command: String, serves: Bool) {
        var unit = UnitState(name: "app.service")
        unit.environment = environment
        unit.execStart = command
        #expect(EvidenceSet.serves(path: "/run/api.sock", unit) == serves)
    }

    /// A client of the socket ends because nobody answers it.
    @Test(arguments: [ReasonCode.socketMissing, .connectRefused])
    func `a unit that asks a unix socket is not blamed for it`(reason: ReasonCode) {
        var scene = Scene("unix:/run/api.sock", [reason: 7])
        for path in ["/", "/run"] { scene.system.statuses[path] = FileStatus(mode: 0o40755) }
        scene.unit("mailer.service", ["ActiveState": "failed", "Result": "start-limit-hit", "Environment": "API_SOCKET=/run/api.sock"])
        scene.unit("other.service", ["Result": "start-limit-hit", "ExecStart": "argv[]=x --bind /run/api.sock2 ; "])
        for name in ["mailer", "other"] {
            for time in -4 ..< -1 {
                scene.journal(Double(time), "\(name).service", "\(name).service: Main process exited, code=exited, status=1/FAILURE")
            }
        }
        #expect(scene.judge().culprit.kind == .application)
        scene.unit("api.service", ["ActiveState": "inactive", "ExecStart": "argv[]=/srv/api --listen /run/api.sock ; "])
        let verdict = scene.judge()
        #expect(verdict.culprit.name == "api.service" && verdict.confidence != .proven, "\(verdict.cause)")
    }

    @Test func `P01 does not blame an unrelated crash`() {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 7])
        scene.unit("other.service", down)
        scene.journal(-2, "other.service", "other.service: Main process exited, code=dumped, status=11/SEGV")
        let verdict = scene.judge()
        #expect(verdict.rule == "P01" && verdict.confidence == .likely)
        #expect(!verdict.cause.contains("other") && !verdict.culprit.name.contains("other"))
        #expect(!verdict.evidence.contains { $0.text.contains("other.service") })
    }

    @Test func `P01 is ruled out by a listener that was there before`() {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 7])
        scene.system.answers["127.0.0.1:3000"] = []
        scene.listen("127.0.0.1:3000", by: scene.process("node"))
        let verdict = scene.judge()
        #expect(verdict.isUnknown)
        #expect(verdict.ruledOut.contains { $0.rule == "P01" })
        #expect(verdict.cause.contains("ruled out"))
    }

    @Test func `P01 says so when the table may not be read`() {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 7])
        scene.system.errors["/proc/net/tcp"] = 13
        let verdict = scene.judge()
        #expect(verdict.isUnknown)
        #expect(verdict.gaps.contains("no right to read /proc/net/tcp"))
    }

    @Test func `P02 sees that only the other family is bound`() {
        var scene = Scene.app("[::1]:3000", [.connectRefused: 50])
        scene.host = "localhost"
        scene.system.names["localhost"] = [PeerAddress(parsing: "[::1]:0"), PeerAddress(parsing: "127.0.0.1:0")]
        scene.listen("127.0.0.1:3000", by: scene.process("node", unit: "app.service"))
        let verdict = scene.judge()
        #expect(verdict.rule == "P02" && verdict.confidence == .proven)
        #expect(verdict.cause.contains("bound only 127.0.0.1:3000"))
        #expect(verdict.fix.diff?.contains("+    server 127.0.0.1:3000;") == true)
    }

    /// What listens here on the same port is somebody else: nothing to point the proxy at.
    @Test(arguments: [true, false])
    func `P02 takes no local listener for the twin of a remote address`(isHostKnown: Bool) {
        var scene = Scene("[2001:db8::7]:443", [.connectRefused: 9])
        scene.host = "api.example.com"
        scene.system.names["api.example.com"] = [PeerAddress(parsing: "[2001:db8::7]:0"), PeerAddress(parsing: "203.0.113.5:0")]
        if !isHostKnown { scene.system.addresses = [] }
        scene.listen("0.0.0.0:443", by: scene.process("nginx", unit: "nginx.service"))
        let verdict = scene.judge()
        #expect(verdict.rule != "P02" && verdict.fix.edit == nil, "\(verdict.cause)")
        #expect(!verdict.alternatives.contains { $0.rule == "P02" })
    }

    @Test func `P02 names the address of this host that a wildcard listener takes`() {
        var scene = Scene("[2001:db8::5]:443", [.connectRefused: 9])
        scene.host = "me.example.com"
        scene.system.addresses.append(PeerAddress(parsing: "[2001:db8::5]:0"))
        scene.system.names["me.example.com"] = [PeerAddress(parsing: "[2001:db8::5]:0"), PeerAddress(parsing: "10.0.0.5:0")]
        scene.listen("0.0.0.0:443", by: scene.process("node", unit: "app.service"))
        let verdict = scene.judge()
        #expect(verdict.rule == "P02" && verdict.fix.edit?.to ?? "10.0.0.5:443" == "10.0.0.5:443")
        #expect(verdict.fix.diff?.contains("+    server 10.0.0.5:443;") == true)
    }

    @Test func `P02 counts a dual-stack listener for both`() {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 5])
        scene.listen("[::]:3000", by: scene.process("node", age: 1))
        #expect(scene.judge().rule != "P02")
    }

    @Test func `P02 ignores the same port on another address of the other family`() {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 5])
        scene.listen("[2001:db8::5]:3000", by: scene.process("node"))
        #expect(scene.judge().rule == "P01")
    }

    @Test func `P10 tells the OOM kill instead of the refused connections`() {
        var scene = Scene.app(
            "127.0.0.1:3000", [.connectRefused: 30, .connEndBeforeHead: 2],
            [
                "ActiveState": "failed", "Result": "signal", "ExecMainCode": "2", "ExecMainStatus": "9",
                "MemoryMax": "62914560",
            ])
        scene.journal(-100, "app.service", "Listening on http://127.0.0.1:3000", identifier: "node", pid: 4_711)
        scene.oomKill(-0.2, of: "app.service")
        scene.journal(0, "app.service", "app.service: Main process exited, code=killed, status=9/KILL")
        let verdict = scene.judge()
        #expect(verdict.rule == "P10" && verdict.confidence == .proven)
        #expect(
            verdict.cause
                == "node (pid 4711) of app.service was killed by the OOM killer: it reached the unit's memory limit "
                + "of 60 MB."
        )
        #expect(verdict.alternatives.contains { $0.rule == "P01" })
        #expect(verdict.fix.commands.first == "systemctl set-property app.service MemoryMax=128M")
    }

    @Test func `P10 tells the host's shortage from the unit's limit`() {
        var scene = Scene.app("127.0.0.1:3000", [.connectRefused: 3], ["ActiveState": "failed"])
        scene.oomKill(-1, of: "app.service", constraint: "NONE")
        #expect(scene.judge().cause.contains("the whole host was out of memory"))
    }

    @Test func `P10 is known from systemd alone on cgroup version 2`() {
        var scene = Scene.app(
            "127.0.0.1:3000", [.connectRefused: 3],
            [
                "ActiveState": "failed", "Result": "oom-kill", "ExecMainCode": "2", "ExecMainStatus": "9",
                "ExecMainExitTimestamp": "Sun 2026-11-22 09:59:59 UTC",
            ])
        scene.system.errors["/dev/kmsg"] = 1
        let verdict = scene.judge()
        #expect(verdict.rule == "P10" && verdict.gaps.contains("no right to read /dev/kmsg"))
    }

    @Test func `P10 tells what the control group counts where no log may be read`() {
        var scene = Scene.app("127.0.0.1:3000", [.connEndBeforeHead: 3], [:])
        scene.listen("127.0.0.1:3000", by: scene.process("node", unit: "app.service"))
        scene.system.errors["/dev/kmsg"] = 1
        scene.system.files["/sys/fs/cgroup/system.slice/app.service/memory.events"] = "oom 2\noom_kill 2\n"
        var evidence = scene.evidence()
        evidence.journal = .unavailable(why: "no right")
        let text = VerdictEngine.judge(scene.failure, evidence: evidence).ruledOut.first { $0.rule == "P10" }?.text ?? ""
        #expect(
            text == "not decided: the control group of app.service counts 2 OOM kills, and when they were is not known: "
                + "no right to read /dev/kmsg")
    }

    @Test func `P10 does not blame the OOM kill of another unit`() {
        var scene = Scene.app("127.0.0.1:3000", [.connectRefused: 3], ["ActiveState": "inactive"])
        scene.unit("batch.service", ["ActiveState": "failed", "Result": "oom-kill"])
        scene.oomKill(-1, of: "batch.service")
        let verdict = scene.judge()
        #expect(verdict.rule == "P01")
        #expect(verdict.ruledOut.contains { $0.rule == "P10" && $0.text.contains("batch.service") })
    }

    @Test(arguments: [
        "/system.slice/docker-\(String(repeating: "0a1b2c3d", count: 8)).scope", "/docker/\(String(repeating: "0a1b2c3d", count: 8))",
        "/machine.slice/libpod-\(String(repeating: "0a1b2c3d", count: 8)).scope/container",
    ])
    func `P10 does not rule out the OOM kill of a container that may be the one`(cgroup: String) {
        var scene = Scene("127.0.0.1:3000", [.connEndBeforeHead: 3])
        scene.listen("127.0.0.1:3000", by: scene.process("docker-proxy", unit: "docker.service"))
        scene.oomKill(-1, inCgroup: cgroup)
        let notes = scene.judge().ruledOut.filter { $0.rule == "P10" }.map(\.text)
        #expect(notes.contains { $0.contains("container 0a1b2c3d0a1b was killed for its memory") }, "\(notes)")

        var direct = Scene.app("127.0.0.1:3000", [.connEndBeforeHead: 3], ["ActiveState": "active"])
        direct.listen("127.0.0.1:3000", by: direct.process("node", unit: "app.service"))
        direct.oomKill(-1, inCgroup: cgroup)
        let others = direct.judge().ruledOut.filter { $0.rule == "P10" }.map(\.text)
        #expect(others.contains { $0.contains("which does not serve 127.0.0.1:3000") && !$0.contains("container 0a1b") }, "\(others)")
    }

    @Test func `P10 does not blame yesterday's OOM kill`() {
        var scene = Scene.app(
            "127.0.0.1:3000", [.connectRefused: 3],
            [
                "ActiveState": "failed", "Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "1",
                "ActiveEnterTimestamp": "Sun 2026-11-22 08:00:00 UTC",
            ])
        scene.oomKill(-80_000, of: "app.service")
        let verdict = scene.judge()
        #expect(verdict.rule == "P01")
        #expect(verdict.ruledOut.contains { $0.rule == "P10" && $0.text.contains("not at the time") })
    }

    @Test func `P16 finds the missing file and the unit that makes it`() {
        var scene = Scene.app(
            "unix:/run/app/app.sock", [.socketMissing: 4], ["ActiveState": "inactive", "SubState": "dead"])
        scene.system.statuses["/"] = FileStatus(mode: 0o40755)
        scene.system.statuses["/run"] = FileStatus(mode: 0o40755)
        let verdict = scene.judge()
        #expect(verdict.rule == "P16" && verdict.confidence == .firm)
        #expect(verdict.cause == "/run/app/app.sock is missing: app.service is inactive.")
        #expect(verdict.fix.diff?.contains("RuntimeDirectory=app") == true)
    }

    @Test func `P16 sees a socket in another mount namespace`() {
        let path = "/tmp/app.sock"
        var scene = Scene("unix:\(path)", [.socketMissing: 4])
        scene.system.statuses["/"] = FileStatus(mode: 0o40755)
        scene.system.statuses["/tmp"] = FileStatus(mode: 0o41777)
        let pid = scene.process("node", unit: "app.service")
        scene.system.links["/proc/\(pid)/ns/mnt"] = "mnt:[2]"
        scene.system.statuses["/proc/\(pid)/root\(path)"] = FileStatus(mode: 0o140777)
        let verdict = scene.judge()
        #expect(verdict.rule == "P16" && verdict.cause.contains("PrivateTmp="))
        #expect(verdict.culprit.name == "app.service")
    }

    @Test func `P16 names the path the application really uses`() {
        var scene = Scene("unix:/run/app.sock", [.socketMissing: 4])
        scene.unit("app.service", ["ExecStart": "argv[]=gunicorn --bind unix:/run/app.sock ; "])
        scene.system.statuses["/"] = FileStatus(mode: 0o40755)
        scene.system.statuses["/run"] = FileStatus(mode: 0o40755)
        scene.listen("unix:/run/web/app.sock", by: scene.process("gunicorn", unit: "app.service"))
        let verdict = scene.judge()
        #expect(verdict.rule == "P16" && verdict.cause.contains("listens on /run/web/app.sock"))
    }

    @Test func `P27 finds who holds the port instead`() {
        var scene = Scene("127.0.0.1:3000", [.responseWrongProtocol: 2, .connReset: 3])
        scene.unit(
            "app.service",
            [
                "ActiveState": "activating", "SubState": "auto-restart",
                "ExecStart": "argv[]=/usr/bin/node server.js --port 3000 ; ",
            ])
        scene.journal(
            -5, "app.service", "Error: listen EADDRINUSE: address already in use 127.0.0.1:3000", identifier: "node",
            pid: 900)
        scene.listen("127.0.0.1:3000", by: scene.process("python3"))
        let verdict = scene.judge()
        #expect(verdict.rule == "P27" && verdict.confidence == .proven)
        #expect(verdict.culprit.name.hasPrefix("python3 (pid") && verdict.reason == "port.taken")
        #expect(verdict.fix.commands.contains("systemctl restart app.service"))
    }

    private static let elsewhere = [
        "Error: listen EADDRINUSE: address already in use :::9090", "listen tcp :9090: bind: address already in use",
        "bind() to 0.0.0.0:9090 failed (98: Address already in use)", "Web server failed to start. Port 9090: address already in use",
        "[Errno 98] error while attempting to bind on address ('127.0.0.1', 9090): address already in use",
    ]

    /// Its port for metrics is taken, not the one that users come to.
    @Test(arguments: elsewhere, [true, false])
    func `P27 does not take a complaint about another port for ours`(line: String, isHeld: Bool) {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 3])
        scene.unit("app.service", ["ActiveState": "failed", "ExecStart": "argv[]=/usr/bin/node server.js --port 3000 ; "])
        scene.journal(-5, "app.service", line, identifier: "node", pid: 900)
        scene.journal(-4.9, "app.service", "  code: 'EADDRINUSE',", identifier: "node", pid: 900)
        if isHeld { scene.listen("127.0.0.1:3000", by: scene.process("node", unit: "other.service")) }
        let verdict = scene.judge()
        #expect(verdict.rule != "P27" && !verdict.alternatives.contains { $0.rule == "P27" }, "\(verdict.cause)")
    }

    @Test(arguments: [
        ("OSError: [Errno 98] Address already in use", Confidence.likely, Confidence.firm),
        ("10:00:42 server.js:42 EADDRINUSE", .likely, .firm), ("listen tcp :3000: bind: address already in use", .firm, .proven),
    ])
    func `P27 is as sure as the complaint is clear`(line: String, gone: Confidence, held: Confidence) {
        var scene = Scene("127.0.0.1:3000", [.connReset: 3])
        scene.unit("app.service", ["ActiveState": "failed", "ExecStart": "argv[]=/usr/bin/node server.js --port 3000 ; "])
        scene.journal(-5, "app.service", line, identifier: "node", pid: 900)
        #expect(scene.judge().rule == "P27" && scene.judge().confidence == gone)
        scene.listen("127.0.0.1:3000", by: scene.process("python3"))
        #expect(scene.judge().rule == "P27" && scene.judge().confidence == held)
    }

    @Test func `a unit that only asks the port is not taken for the one that serves it`() {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 7])
        scene.unit("worker.service", ["ActiveState": "failed", "Environment": "API=http://127.0.0.1:3000/v1"])
        scene.oomKill(-1, of: "worker.service")
        let verdict = scene.judge()
        #expect(verdict.rule == "P01" && verdict.culprit.kind == .application)
        scene.listen("127.0.0.1:3000", by: scene.process("node", unit: "api.service", age: 1))
        #expect(scene.judge().culprit.name != "worker.service")
        var down = Scene("127.0.0.1:3000", [.responseInvalid: 7])
        down.unit("worker.service", ["ActiveState": "failed", "ExecStart": "argv[]=worker --api 127.0.0.1:3000 ; "])
        down.listen("127.0.0.1:3000", by: down.process("node", unit: "api.service"))
        #expect(down.judge().rule != "P27")
    }

    @Test func `a consumer whose log names the port is not accused of the backend's silence`() {
        var scene = Scene.app("127.0.0.1:3000", [.connectRefused: 7], ["ActiveState": "inactive", "SubState": "dead"])
        scene.unit("worker.service", ["ActiveState": "failed", "Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "1"])
        scene.journal(-5, "worker.service", "using the server listening on port 3000", identifier: "worker", pid: 900)
        scene.journal(-1, "worker.service", "worker.service: Main process exited, code=exited, status=1/FAILURE")
        let verdict = scene.judge()
        #expect(verdict.culprit.name != "worker.service" && verdict.confidence != .proven)
        #expect(!verdict.cause.contains("worker"))
    }

    @Test func `P27 leaves the rightful owner alone`() {
        var scene = Scene("127.0.0.1:3000", [.connReset: 3])
        scene.unit("app.service", ["ExecStart": "argv[]=/usr/bin/node server.js --port 3000 ; "])
        scene.unit("other.service", ["ExecStart": "argv[]=/usr/bin/node other.js --port 4000 ; "])
        scene.journal(
            -5, "other.service", "Error: listen EADDRINUSE: address already in use 127.0.0.1:4000", identifier: "node",
            pid: 900)
        scene.listen("127.0.0.1:3000", by: scene.process("node", unit: "app.service"))
        let verdict = scene.judge()
        #expect(verdict.rule != "P27")
        #expect(!verdict.evidence.contains { $0.text.contains("EADDRINUSE") })
    }
}
