import Machine
import Testing

@testable import Diagnosis

/// What only looks like a cause: a complaint of somebody else, an event that was over, a name that two have. Each with what it is told
/// from.
@Suite struct DecoyTests {
    private static let peer = "127.0.0.1:3000"

    // MARK: P27

    /// `copy.service` says nothing of its port. When it complained, and when the holder was started, in seconds from the first failure.
    @Test(arguments: [
        // Long before, a holder that came later, a second copy beside a slow application.
        (ReasonCode.responseTimeout, -500.0, 50_000 as Int64, false, Confidence?.none), (.responseInvalid, -500, 50_000, false, nil),
        (.responseInvalid, -5, -2, false, nil), (.responseTimeout, -5, 50_000, false, nil), (.connReset, -5, 50_000, false, nil),
        // Nobody knows whose the port is; it has listened there itself.
        (.responseInvalid, -5, 50_000, false, .possible), (.responseInvalid, -5, 600, true, .proven), (.connReset, -5, 600, true, .proven),
    ])
    func `P27 calls nobody a thief whose port it may be`(
        reason: ReasonCode, complained: Double, age: Int64, hasServed: Bool, confidence: Confidence?
    ) {
        var scene = Scene(Self.peer, [reason: 5])
        scene.unit("copy.service", ["ActiveState": "inactive", "SubState": "dead"])
        if hasServed { scene.journal(-7_000, "copy.service", "Listening on port 3000", identifier: "node", pid: 900) }
        let line = "Error: listen EADDRINUSE: address already in use :::3000"
        scene.journal(complained, "copy.service", line, identifier: "node", pid: 901)
        scene.listen(Self.peer, by: scene.process("python3", age: age))
        let verdict = scene.judge()
        let found = verdict.rule == "P27" ? verdict.confidence : verdict.alternatives.first { $0.rule == "P27" }?.confidence
        #expect(found == confidence, "\(verdict.rule ?? "") \(verdict.cause)")
        let ends = verdict.fix.commands.contains { $0.hasPrefix("kill") || $0.contains("stop") || $0.contains("restart") }
        #expect(ends == (confidence == .proven), "\(verdict.fix.commands)")
    }

    @Test func `P27 takes an old complaint of the unit for its own time only, and stops no engine`() {
        var old = Scene(Self.peer, [.responseTimeout: 5])
        old.unit(
            "app.service", ["ExecStart": "argv[]=/srv/app --port 3000 ;", "ActiveEnterTimestamp": "Sun 2026-11-22 09:00:00 UTC"])
        old.journal(-20_000, "app.service", "listen tcp :3000: bind: address already in use", identifier: "app", pid: 900)
        old.listen(Self.peer, by: old.process("docker-proxy", unit: "docker.service"))
        #expect(old.judge().rule == "P28", "\(old.judge().cause)")
        old.journal(-5, "app.service", "listen tcp :3000: bind: address already in use", identifier: "app", pid: 900)
        let verdict = old.judge()
        #expect(verdict.rule == "P27" && !verdict.fix.commands.contains { $0.contains("docker.service") }, "\(verdict.fix.commands)")
    }

    @Test(arguments: [
        "Connection in use: ('127.0.0.1', 3000)", "[ERROR] Connection in use: ('0.0.0.0', 3000)",
        "Web server failed to start. Port 3000 was already in use.",
    ])
    func `P27 knows gunicorn's and Spring's words`(line: String) {
        var scene = Scene(Self.peer, [.responseInvalid: 3])
        scene.unit("app.service", ["ActiveState": "failed", "ExecStart": "argv[]=/srv/app --port 3000 ; "])
        scene.journal(-5, "app.service", line, identifier: "app", pid: 900)
        scene.listen(Self.peer, by: scene.process("python3"))
        #expect(scene.judge().rule == "P27" && scene.judge().confidence == .proven)
        #expect(Explainer.explain(line)?.rules == ["P27"])
    }

    // MARK: what was over before the failures

    private func running(_ counts: [ReasonCode: Int], seconds: Int64 = 2) -> Scene {
        var scene = Scene.app(Self.peer, counts, seconds: seconds)
        scene.listen(Self.peer, by: scene.process("node", unit: "app.service", age: 25))
        scene.journal(-7_000, "app.service", "Listening on port 3000", identifier: "node", pid: 900)
        return scene
    }

    /// Seconds from the stop to the failures; whether the next process says that it listens.
    @Test(arguments: [(0.5, true, true), (20, true, false), (20, false, false)])
    func `P13 is over when the unit has gone`(after: Double, listens: Bool, isStop: Bool) {
        var scene = running([.connEndBeforeHead: 5])
        scene.journal(-after, "app.service", "Stopping app.service - App...")
        scene.journal(1 - after, "app.service", "Stopped app.service - App.")
        scene.journal(2 - after, "app.service", "Started app.service - App.")
        if listens { scene.journal(2.3 - after, "app.service", "Listening on port 3000", identifier: "node", pid: 901) }
        let verdict = scene.judge()
        #expect((verdict.rule == "P13") == isStop, "\(verdict.rule ?? "") \(verdict.cause)")
        #expect(isStop || verdict.ruledOut.contains { $0.rule == "P13" && $0.text.contains("was over before") })
    }

    @Test func `P13 hides no crash of the process after the stop`() {
        for delay in [0.5, 18] {
            var scene = running([.connEndBeforeHead: 5])
            scene.journal(-2 - delay, "app.service", "Stopping app.service - App...")
            scene.journal(-1 - delay, "app.service", "Stopped app.service - App.")
            scene.journal(-0.9 - delay, "app.service", "Started app.service - App.")
            scene.journal(0.1, "app.service", "app.service: Main process exited, code=dumped, status=11/SEGV")
            let verdict = scene.judge()
            #expect(verdict.rule == "P07" && verdict.confidence == .proven, "\(verdict.rule ?? "") \(verdict.cause)")
        }
    }

    /// The unit's metrics are up before the port that is asked.
    @Test(arguments: [(3_000, false), (9_090, true)])
    func `P15 ends when the port listens again`(port: Int, isGap: Bool) {
        var scene = running([.connectRefused: 5])
        scene.journal(-58, "app.service", "Stopping app.service - App...")
        scene.journal(-57, "app.service", "Started app.service - App.")
        scene.journal(-56, "app.service", "Listening on port \(port)", identifier: "node", pid: 901)
        let verdict = scene.judge()
        #expect((verdict.rule == "P15") == isGap, "\(verdict.rule ?? "") \(verdict.cause)")
        #expect(isGap || verdict.ruledOut.contains { $0.rule == "P15" && $0.text.contains("listened again at") })
    }

    @Test(arguments: [true, false])
    func `P10 explains what failed before the application was up again`(isUp: Bool) {
        var scene = running([.connEndBeforeHead: 5])
        scene.oomKill(-28, of: "app.service")
        if isUp { scene.journal(-27, "app.service", "Listening on port 3000", identifier: "node", pid: 901) }
        let verdict = scene.judge()
        #expect((verdict.rule == "P10") != isUp, "\(verdict.rule ?? "") \(verdict.cause)")
    }

    /// An OOM kill, a restart, and 22 s later the end of the next process: by itself, of a worker only, or not told at all.
    @Test(arguments: ["exited, status=3/NOTIMPLEMENTED", "dumped, status=11/SEGV", "worker", ""])
    func `P10 is not blamed for the end of the next process`(end: String) {
        for reason in [ReasonCode.connEndBeforeHead, .connReset, .bodyTruncated] {
            var scene = running([reason: 1], seconds: 0)
            scene.oomKill(-22, of: "app.service")
            scene.journal(-22, "app.service", "app.service: Main process exited, code=killed, status=9/KILL")
            if end != "worker" { scene.journal(-21.5, "app.service", "Started app.service - App.") }
            if end == "worker" {
                scene.journal(0.01, "app.service", "Worker (pid:88) was sent SIGSEGV!", identifier: "gunicorn", pid: 80)
            } else if !end.isEmpty {
                scene.journal(0.01, "app.service", "app.service: Main process exited, code=\(end)")
            }
            let verdict = scene.judge()
            #expect((verdict.rule == "P07" && verdict.confidence == .proven) == !end.isEmpty, "\(verdict.rule ?? "") \(verdict.cause)")
            #expect(verdict.rule != "P10" && verdict.ruledOut.contains { $0.rule == "P10" && $0.text.contains("did not come with it") })
        }
    }

    /// Kills and exits in turn, each a second after its start: what failed in between came of all of them.
    @Test func `a loop of OOM kills and exits explains the refused connections between them`() {
        for isKill in [true, false] {
            var scene = running([.connectRefused: 30], seconds: 20)
            for at in stride(from: -2.0, to: 20, by: 2) {
                if isKill { scene.oomKill(at, of: "app.service") }
                let end = isKill ? "killed, status=9/KILL" : "exited, status=3/NOTIMPLEMENTED"
                scene.journal(at + 0.1, "app.service", "app.service: Main process exited, code=\(end)")
                scene.journal(at + 1, "app.service", "Started app.service - App.")
            }
            for at in 0..<20 as Range<Int64> { scene.failure.times.add(Scene.start.advanced(byMilliseconds: at * 1_000)) }
            let verdict = scene.judge()
            #expect(verdict.rule == (isKill ? "P10" : "P11") && verdict.confidence == .proven, "\(verdict.rule ?? "") \(verdict.cause)")
        }
    }

    @Test func `P10 is no proof where nothing tells of the time in between`() {
        var scene = running([.connEndBeforeHead: 1], seconds: 0)
        scene.oomKill(-22, of: "app.service")
        #expect(scene.judge().rule == "P10" && scene.judge().confidence == .likely)
    }

    /// What failed; when the worker was too slow; whether that explains it.
    @Test(arguments: [
        (ReasonCode.connReset, -80.0, false), (.connReset, 20, false), (.connEndBeforeHead, -10, false), (.connReset, -1, true),
        (.connEndBeforeHead, 1, true), (.responseTimeout, -50, true), (.responseTimeout, 20, true), (.responseTimeout, -100, false),
        (.responseTimeout, 90, false),
    ])
    func `P28 believes a slow worker for the requests that it held`(reason: ReasonCode, at: Double, explains: Bool) {
        var scene = running([reason: 5])
        scene.journal(at, "app.service", "[CRITICAL] WORKER TIMEOUT (pid:999)", identifier: "gunicorn", pid: 80)
        let verdict = scene.judge()
        let isProven = verdict.rule == "P28" && verdict.confidence == .proven
        #expect(isProven == explains, "\(verdict.rule ?? "") \(verdict.cause)")
    }

    /// php-fpm says once that its pool is full, however long that lasts.
    @Test(arguments: [(ReasonCode.responseTimeout, -2.0, true), (.responseTimeout, -120, false), (.connReset, -40, false)])
    func `P28 believes a full pool for the requests that waited`(reason: ReasonCode, at: Double, explains: Bool) {
        var scene = running([reason: 5], seconds: 900)
        for second in 0..<300 as Range<Int64> { scene.failure.times.add(Scene.start.advanced(byMilliseconds: second * 3_000)) }
        let line = "WARNING: [pool www] server reached pm.max_children setting (5), consider raising it"
        scene.journal(at, "app.service", line, identifier: "php-fpm", pid: 3)
        let verdict = scene.judge()
        #expect((verdict.rule == "P28" && verdict.confidence == .proven) == explains, "\(verdict.rule ?? "") \(verdict.cause)")
    }

    // MARK: a name that two have

    @Test(arguments: ["pm2", "supervisor"])
    func `P11 takes no program for the application because it is the only one`(by: String) {
        func judge(hasUnit: Bool, port: String = "") -> Verdict {
            var scene = Scene(Self.peer, [.connectRefused: 9])
            if hasUnit {
                scene.unit("app.service", ["ActiveState": "inactive", "SubState": "dead", "Environment": "PORT=3000"])
            }
            if by == "pm2" {
                scene.process("PM2 v6.0.8: God", command: "PM2 v6.0.8: God Daemon (/home/deploy/.pm2)")
                scene.system.commands["env PM2_HOME=/home/deploy/.pm2 pm2 jlist"] =
                    #"[{"name":"mailer","pid":0,"pm2_env":{"status":"errored","restart_time":16,"exec_mode":"fork_mode"\#(port)}}]"#
            }
            var evidence = scene.evidence()
            if by == "supervisor" {
                var app = ManagedApp(supervisor: .supervisord, name: "mailer", status: "FATAL")
                app.ports = port.isEmpty ? [] : [3_000]
                evidence.apps = .known([app], source: "supervisorctl status")
            }
            return VerdictEngine.judge(scene.failure, evidence: evidence)
        }
        let other = judge(hasUnit: true)
        #expect(other.rule == "P01" && !"\(other)".contains("mailer"), "\(other.cause)")
        let alone = judge(hasUnit: false)
        #expect(alone.rule == "P01" && alone.alternatives.contains { $0.rule == "P11" && $0.confidence == .possible }, "\(alone.cause)")
        #expect(judge(hasUnit: false, port: #","PORT":3000"#).rule == "P11")
    }

    /// The control group of the kill, and that of the unit where systemd tells it; nil: none of this unit.
    @Test(arguments: [
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/app.service", "/system.slice/app.service", false),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/app.service", "", false),
        ("/machine.slice/libpod-0123.scope/system.slice/app.service", "", false), ("/docker/0123/system.slice/app.service", "", false),
        ("/lxc.payload.web/system.slice/app.service", "", false), ("/other.slice/app.service", "/system.slice/app.service", false),
        ("/system.slice/app.service", "/system.slice/app.service", true), ("/system.slice/app.service", "", true),
        ("/system.slice/app.service/worker", "/system.slice/app.service", true), ("/web.slice/web-shop.slice/app.service", "", true),
    ])
    func `P10 knows a unit by its control group`(cgroup: String, own: String, isOwn: Bool) {
        var scene = Scene.app(Self.peer, [.connEndBeforeHead: 5], ["ControlGroup": own])
        scene.listen(Self.peer, by: scene.process("node", unit: "app.service"))
        scene.oomKill(-1, inCgroup: cgroup)
        let verdict = scene.judge()
        #expect((verdict.rule == "P10") == isOwn, "\(verdict.cause)")
        #expect(isOwn || verdict.ruledOut.contains { $0.rule == "P10" && $0.text.contains(cgroup) }, "\(verdict.ruledOut)")
        guard isOwn else { return }
        // No limit is known, so none is named and none is made.
        #expect(!verdict.cause.contains("the unit's memory limit") && !verdict.fix.commands.contains { $0.contains("set-property") })
    }

    /// The control group of the kill as the host names it, what the systemd of the container said, and the group as it names it.
    @Test(arguments: [
        ("/lxc/web/system.slice/app.service", "code=killed, status=9/KILL", "/system.slice/app.service", true),
        ("/lxc/web/system.slice/app.service", "code=killed, status=9/KILL", "", true),
        ("/lxc/web/system.slice/app.service/worker", "code=killed, status=9/KILL", "/system.slice/app.service", true),
        ("/lxc/web/system.slice/my-app.service", "code=killed, status=9/KILL", "", false),
        ("/lxc/web/system.slice/app.service", "code=killed, status=15/TERM", "/system.slice/app.service", false),
        ("/lxc/web/system.slice/app.service", "", "/system.slice/app.service", false),
    ])
    func `P10 knows a unit of a container by the moment of its end`(cgroup: String, end: String, own: String, isOwn: Bool) {
        var scene = Scene.app(Self.peer, [.connEndBeforeHead: 5], ["ControlGroup": own])
        scene.listen(Self.peer, by: scene.process("node", unit: "app.service"))
        scene.oomKill(-1, inCgroup: cgroup)
        if !end.isEmpty { scene.journal(-0.9, "app.service", "app.service: Main process exited, \(end)") }
        let verdict = scene.judge()
        #expect((verdict.rule == "P10") == isOwn, "\(verdict.cause)")
    }

    /// systemd logs to the console, so that no journal tells of the unit. NRestarts, how long after the kill the process was started, what
    /// the journal does say, and whether that is the unit.
    @Test(arguments: [
        ("3", 1 as Int64, "", Confidence?.some(.likely)), ("0", 1, "", nil), ("3", 600, "", nil), ("3", -50_000, "", nil),
        ("3", 1, "Stopped app.service - App.", nil),
    ])
    func `P10 takes a unit that was restarted just after the kill for the one that is named from outside`(
        restarts: String, after: Int64, said: String, confidence: Confidence?
    ) {
        var scene = Scene.app(
            Self.peer, [.connEndBeforeHead: 3], ["NRestarts": restarts, "MemoryMax": "62914560", "Restart": "always"], seconds: 6)
        scene.listen(Self.peer, by: scene.process("python3", unit: "app.service", age: -after))
        if !said.isEmpty { scene.journal(0.2, "app.service", said) }
        for at in [-6, -3, 0] as [Double] { scene.oomKill(at, inCgroup: "/docker/0123/system.slice/app.service") }
        let verdict = scene.judge()
        #expect((verdict.rule == "P10" ? verdict.confidence : nil) == confidence, "\(verdict.rule ?? "") \(verdict.cause)")
        let text = verdict.ruledOut.first { $0.rule == "P10" }?.text ?? ""
        #expect(confidence != nil || text.hasPrefix("not decided") && text.contains("from outside a container"), "\(text)")
    }

    private func missing(_ mode: UInt32, isBound: Bool, unit: [String: String]?) -> Scene {
        let path = "/tmp/app.sock"
        var scene = Scene("unix:\(path)", [.socketMissing: 4])
        for folder in ["/", "/tmp"] { scene.system.statuses[folder] = FileStatus(mode: 0o41777) }
        if let unit { scene.unit("app.service", ["ExecStart": "argv[]=gunicorn --bind unix:\(path) app ; "].merging(unit) { $1 }) }
        let pid = scene.process("other", unit: "other.service")
        scene.system.links["/proc/\(pid)/ns/mnt"] = "mnt:[2]"
        scene.system.statuses["/proc/\(pid)/root\(path)"] = FileStatus(mode: mode)
        if isBound { scene.listen("unix:\(path)", by: pid) }
        return scene
    }

    @Test func `P16 takes no file of that name elsewhere for the socket`() {
        let down = ["ActiveState": "failed", "Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "1"]
        // An ordinary file; a socket that nobody has bound; that of a stranger beside a unit that is meant to make it.
        let file = missing(0o100644, isBound: false, unit: nil).judge()
        #expect(!file.cause.contains("mount namespace") && file.culprit.kind == .application, "\(file.cause)")
        #expect(missing(0o140777, isBound: false, unit: nil).judge().confidence == .possible)
        for (mode, isBound) in [(0o100644, false), (0o140777, false), (0o140777, true)] as [(UInt32, Bool)] {
            let verdict = missing(mode, isBound: isBound, unit: down).judge()
            #expect(verdict.rule == "P16" && verdict.culprit == Culprit(.unit, "app.service"), "\(verdict.cause)")
        }
        let hidden = missing(0o140777, isBound: true, unit: nil).judge()
        #expect(hidden.confidence == .proven && hidden.culprit.name == "other.service" && hidden.cause.contains("PrivateTmp="))
    }

    @Test(arguments: ["docker.service", "user@1000.service", "session-3.scope"])
    func `a line of a container or a session is not of the unit that logged it`(unit: String) {
        var scene = Scene(Self.peer, [.connectRefused: 5])
        scene.unit(unit)
        scene.journal(-400, unit, "Listening on port 3000", identifier: "4f1c2d3e4f5a", pid: 880)
        let verdict = scene.judge()
        #expect(verdict.rule == "P01" && verdict.culprit.kind == .application, "\(verdict.cause)")
        #expect(!verdict.fix.commands.contains { $0.contains(unit) })
    }

    @Test func `a link that a log tells has the log for its source`() {
        var scene = Scene(Self.peer, [.connectRefused: 5])
        scene.unit("app.service")
        scene.journal(-400, "app.service", "Listening on port 3000", identifier: "node", pid: 880)
        let line = scene.judge().evidence.first { $0.text.contains("its log says it listens") }
        #expect(line?.source == "journalctl -u app.service")
    }

    /// `systemctl reload` with a command that fails; a start whose first command fails.
    @Test(arguments: [("Reload failed for app.service - App.", false), ("app.service: Failed with result 'exit-code'.", true)])
    func `the end of a command of a unit is none of its application`(next: String, isEnd: Bool) {
        var scene = Scene.app(
            Self.peer, [.connEndBeforeHead: 3], isEnd ? ["ActiveState": "activating", "SubState": "auto-restart"] : [:])
        if !isEnd { scene.listen(Self.peer, by: scene.process("node", unit: "app.service")) }
        for at in [-25, -5, 0] as [Double] {
            scene.journal(at, "app.service", "app.service: Control process exited, code=exited, status=1/FAILURE")
            scene.journal(at + 0.01, "app.service", next)
        }
        let verdict = scene.judge()
        #expect((verdict.rule == "P11") == isEnd && (isEnd || verdict.rule != "P07"), "\(verdict.rule ?? "") \(verdict.cause)")
        let told = Explainer.explain("app.service: Control process exited, code=exited, status=1/FAILURE")
        #expect(told?.summary.contains("ExecReload=") == true)
    }

    // MARK: what a resolver says

    @Test(arguments: [110, 2, 5, 1])
    func `P05 blames the resolver that gave no answer, not the name`(code: Int) {
        var scene = Scene(nil, [.dnsFailed: 5])
        scene.host = "api.internal"
        scene.failure.detailNumber = code
        scene.system.files["/etc/resolv.conf"] = "nameserver 10.0.0.2\n"
        var evidence = scene.evidence()
        evidence.resolvers = [.init(text: "127.0.0.1:23053", place: "nginx.conf:4")]
        var failure = scene.failure
        failure.host = "api.internal"
        let verdict = VerdictEngine.judge(failure, evidence: evidence)
        #expect(verdict.rule == "P05" && verdict.confidence == .likely && verdict.culprit.name == "resolver 127.0.0.1:23053")
        #expect(!verdict.cause.contains("host not found"), "\(verdict.cause)")
        #expect(verdict.fix.commands.first?.contains("-p 23053 @127.0.0.1 api.internal") == true)
    }
}
