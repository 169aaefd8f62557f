import Machine
import Testing

@testable import Diagnosis

/// Any program may use a port's number in another address family or another network namespace: whose a listener is decides whether it
/// explains anything.
@Suite struct OwnershipTests {
    private static let failed = [
        "ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "ExecMainCode": "1", "ExecMainStatus": "1",
        "ExecMainExitTimestamp": "Sun 2026-11-22 09:59:58 UTC",
    ]

    /// app.service has exited; it says in its log, its command line, or nowhere that the port is its own.
    private func crashed(_ peer: String, known by: String) -> Scene {
        var scene = Scene(peer, [.connectRefused: 20])
        scene.unit("app.service", Self.failed.merging(["ExecStart": "argv[]=/srv/app\(by == "command" ? " --port 3000" : "") ; "]) { $1 })
        if by == "log" { scene.journal(-9_000, "app.service", "Listening on 127.0.0.1:3000", identifier: "app", pid: 900) }
        scene.journal(-2, "app.service", "app.service: Main process exited, code=exited, status=1/FAILURE")
        if by == "pm2" {
            scene.process("PM2 v6.0.8: God", command: "PM2 v6.0.8: God Daemon (/home/deploy/.pm2)")
            scene.system.commands["env PM2_HOME=/home/deploy/.pm2 pm2 jlist"] =
                #"[{"name":"api","pid":0,"pm2_env":{"status":"stopped","restart_time":1,"exec_mode":"fork_mode","PORT":3000}}]"#
        }
        scene.host = "localhost"
        scene.system.names["localhost"] = [PeerAddress(parsing: "[::1]:0"), PeerAddress(parsing: "127.0.0.1:0")]
        scene.upstream = UpstreamFacts(name: "localhost:3000", place: "/etc/nginx/nginx.conf:5")
        return scene
    }

    /// `ssh -L 3000` binds ::1 when 127.0.0.1 is taken.
    @Test(arguments: [
        ("command", "P01", Culprit(.unit, "app.service")), ("log", "P01", Culprit(.unit, "app.service")),
        ("pm2", "P01", Culprit(.supervisor, "pm2 api")),
    ])
    func `P02 gives no requests to a stranger because the app is down`(by: String, rule: String, culprit: Culprit) {
        var scene = crashed("127.0.0.1:3000", known: by)
        scene.listen("[::1]:3000", by: scene.process("ssh"))
        let verdict = scene.judge()
        #expect(verdict.rule == rule && verdict.culprit == culprit, "\(verdict.cause)")
        #expect(verdict.fix.edit == nil)
    }

    /// --apply makes only changes of proven verdicts without a caution.
    @Test func `P02 leaves a change to a person when nobody knows whose the other listener is`() {
        var scene = crashed("127.0.0.1:3000", known: "nothing")
        scene.listen("[::1]:3000", by: scene.process("python3"))
        let verdict = scene.judge()
        #expect(verdict.rule == "P02" && verdict.confidence == .likely && verdict.fix.caution != nil)
    }

    /// Two services name one port, or the one that runs is another than the one that served: no proof, no change.
    @Test func `P02 proves nothing when two units name the port`() {
        var scene = crashed("127.0.0.1:3000", known: "command")
        scene.unit("other.service", ["ExecStart": "argv[]=/srv/other --port 3000 ; "])
        scene.listen("[::1]:3000", by: scene.process("other", unit: "other.service"))
        let finding = scene.evidence().owner(
            of: Listener(address: scene.failure.peer!, owner: ProcessFacts(pid: 7, name: "other", unit: "other.service")),
            meantBy: scene.failure.peer!)
        #expect(finding == .unknown && scene.judge().confidence != .proven)
    }

    @Test(arguments: ["unit", "pm2"])
    func `P02 proves it when the app itself bound the other family`(by: String) {
        var scene = by == "pm2" ? Scene("127.0.0.1:3000", [.connectRefused: 9]) : Scene.app("127.0.0.1:3000", [.connectRefused: 9])
        let pid = scene.process("node", unit: by == "unit" ? "app.service" : nil)
        scene.listen("[::1]:3000", by: pid)
        if by == "pm2" {
            scene.process("PM2 v6.0.8: God", command: "PM2 v6.0.8: God Daemon (/home/deploy/.pm2)")
            scene.system.commands["env PM2_HOME=/home/deploy/.pm2 pm2 jlist"] =
                #"[{"name":"api","pid":\#(pid),"pm2_env":{"status":"online","restart_time":1,"exec_mode":"fork_mode","PORT":3000}}]"#
        }
        scene.host = "localhost"
        scene.system.names["localhost"] = [PeerAddress(parsing: "[::1]:0"), PeerAddress(parsing: "127.0.0.1:0")]
        let verdict = scene.judge()
        #expect(verdict.rule == "P02" && verdict.confidence == .proven && verdict.fix.caution == nil, "\(verdict.cause)")
    }

    /// A literal address: nothing but the unit's own command line tells that it is meant.
    @Test func `P02 is as sure of its change as of its cause`() {
        var scene = Scene.app("127.0.0.1:3000", [.connectRefused: 9])
        scene.listen("[::1]:3000", by: scene.process("node", unit: "app.service"))
        let verdict = scene.judge()
        #expect(verdict.rule == "P02" && verdict.confidence == .proven && verdict.fix.caution == nil, "\(verdict.cause)")
        #expect(verdict.evidence.contains { $0.text == "app.service: its ExecStart or Environment names port 3000" })
        #expect(!verdict.fix.summary.contains("instead of the name"))
        // Without it, the same listener is a guess.
        var guess = Scene("127.0.0.1:3000", [.connectRefused: 9])
        guess.unit("app.service")
        guess.listen("[::1]:3000", by: guess.process("node", unit: "app.service"))
        #expect(guess.judge().rule == "P02" && guess.judge().confidence == .likely && guess.judge().fix.caution != nil)
    }

    /// After an upgrade of PHP: nginx dials the old version's socket, and all versions have one directory.
    @Test(arguments: [1, 2])
    func `P16 restarts nothing for the path of an old version`(sockets: Int) {
        var scene = Scene("unix:/run/php/php8.1-fpm.sock", [.socketMissing: 4])
        for path in ["/", "/run", "/run/php"] { scene.system.statuses[path] = FileStatus(mode: 0o40755) }
        scene.unit("php8.2-fpm.service", ["RuntimeDirectory": "php", "ExecStart": "argv[]=/usr/sbin/php-fpm8.2 --nodaemonize ; "])
        for name in ["php8.2-fpm.sock", "php8.2-blog.sock"].prefix(sockets) {
            scene.listen("unix:/run/php/\(name)", by: scene.process("php-fpm8.2", unit: "php8.2-fpm.service"))
            scene.system.statuses["/run/php/\(name)"] = FileStatus(mode: 0o140666)
            scene.system.directories["/run/php", default: []].append(name)
        }
        let verdict = scene.judge()
        #expect(verdict.rule == "P16" && verdict.confidence == .likely && verdict.culprit.kind == .configuration, "\(verdict.cause)")
        #expect(verdict.cause.contains("/run/php/php8.2-fpm.sock") && !verdict.fix.commands.contains { $0.contains("restart") })
    }

    @Test func `P16 sees that the file of a bound socket was removed`() {
        var scene = Scene("unix:/run/app.sock", [.socketMissing: 4])
        for path in ["/", "/run"] { scene.system.statuses[path] = FileStatus(mode: 0o40755) }
        scene.unit("app.service", ["ExecStart": "argv[]=/srv/app --uds /run/app.sock ; "])
        #expect(scene.judge().rule == "P16" && scene.judge().confidence == .likely)
        scene.listen("unix:/run/app.sock", by: scene.process("app", unit: "app.service"))
        #expect(scene.judge().rule == "P16" && scene.judge().confidence == .proven, "\(scene.judge().cause)")
        #expect(scene.judge().fix.summary.contains("removed the socket file"))
    }

    /// An old unit that names the port and never ran; what runs was started by hand, in a container, or after the failures.
    @Test(arguments: [
        ("session-3.scope", 50_000 as Int64, true, false), ("docker-0123.scope", 50_000, true, false),
        ("run-u7.scope", 50_000, false, false), ("run-u7.scope", -2, true, false), ("run-u7.scope", 50_000, true, true),
    ])
    func `P27 kills no application for a unit that did not want the port`(owner: String, age: Int64, wanted: Bool, isTaken: Bool) {
        var scene = Scene("127.0.0.1:3000", [.responseTimeout: 3])
        scene.unit("old-app.service", ["ActiveState": "inactive", "SubState": "dead", "ExecStart": "argv[]=/srv/old --port 3000 ; "])
        if wanted { scene.journal(-5, "old-app.service", "old-app.service: Main process exited, code=exited, status=1/FAILURE") }
        scene.listen("127.0.0.1:3000", by: scene.process("python3", unit: owner, age: age))
        let verdict = scene.judge()
        let taken = verdict.rule == "P27" || verdict.alternatives.contains { $0.rule == "P27" }
        #expect(taken == isTaken && !verdict.fix.commands.contains { $0.hasPrefix("kill") }, "\(verdict.cause)")
    }

    /// Containers use ports like 3000 and 8080 inside, on every host.
    @Test(arguments: [
        ("command", "P01", Culprit(.unit, "app.service")), ("log", "P01", Culprit(.unit, "app.service")),
        ("pm2", "P01", Culprit(.supervisor, "pm2 api")), ("nothing", "P01", Culprit(.application, "the application behind 127.0.0.1:3000")),
    ])
    func `P03 takes no container's inner port for the app's`(by: String, rule: String, culprit: Culprit) {
        var scene = crashed("127.0.0.1:3000", known: by)
        scene.listen("0.0.0.0:3000", by: scene.process("python3", namespace: 4_026_532_999))
        let verdict = scene.judge()
        #expect(verdict.rule == rule && verdict.culprit == culprit, "\(verdict.cause)")
        #expect((verdict.alternatives + verdict.ruledOut).contains { $0.rule == "P03" && $0.confidence ?? .possible == .possible })
    }

    /// A container's process tells of the same number, before the app or after it.
    @Test(arguments: [-9_001, -8_999.5, -60]) func `a log in another network namespace does not hide whose the port was`(at: Double) {
        for by in ["command", "log"] {
            var scene = crashed("127.0.0.1:3000", known: by)
            if by == "command" { scene.journal(-9_000, "app.service", "Listening on 127.0.0.1:3000", identifier: "app", pid: 900) }
            scene.unit("inner.service")
            scene.journal(at, "inner.service", "Listening on 127.0.0.1:3000", identifier: "app", pid: 901)
            scene.listen("127.0.0.1:3000", by: scene.process("python3", unit: "inner.service", namespace: 4_026_532_999))
            let verdict = scene.judge()
            #expect(verdict.culprit == Culprit(.unit, "app.service") && verdict.rule == "P01", "\(verdict.cause)")
        }
    }

    @Test func `P03 finds the app that moved into a container, whatever listened before it`() {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 3])
        scene.unit("old.service", ["ActiveState": "inactive", "SubState": "dead"])
        scene.journal(-9_000, "old.service", "Listening on 127.0.0.1:3000", identifier: "app", pid: 900)
        scene.journal(-8_000, "old.service", "Stopped old.service - the app.")
        scene.unit("inner.service", ["ExecStart": "argv[]=/srv/app --port 3000 ; "])
        scene.journal(-7_000, "inner.service", "Listening on 127.0.0.1:3000", identifier: "app", pid: 901)
        scene.listen("127.0.0.1:3000", by: scene.process("python3", unit: "inner.service", namespace: 4_026_532_999))
        #expect(scene.judge().rule == "P03" && scene.judge().confidence == .firm, "\(scene.judge().cause)")
    }

    @Test func `P03 finds the app itself in another network namespace, or another's from within a container`() {
        var scene = Scene.app("127.0.0.1:3000", [.connectRefused: 3])
        scene.listen("127.0.0.1:3000", by: scene.process("node", unit: "app.service", namespace: 4_026_532_999))
        #expect(scene.judge().rule == "P03" && scene.judge().confidence == .firm)
        var inside = Scene("127.0.0.1:3000", [.connectRefused: 3])
        inside.proxyPID = inside.process("nginx", namespace: 4_026_532_777)
        inside.listen("0.0.0.0:3000", by: inside.process("node", namespace: 4_026_532_999))
        #expect(inside.judge().rule == "P03" && inside.judge().confidence == .likely)
    }
}
