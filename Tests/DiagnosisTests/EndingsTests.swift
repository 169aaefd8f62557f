import Machine
import Testing

@testable import Diagnosis

/// Who has ended: the service, one of its workers, or another application in the same unit.
@Suite struct EndingsTests {
    private func served(_ unit: String, _ counts: [ReasonCode: Int], seconds: Int64 = 4) -> Scene {
        var scene = Scene("127.0.0.1:3000", counts, seconds: seconds)
        scene.unit(unit, ["ExecStart": "argv[]=/usr/bin/\(unit.split(separator: ".")[0]) -b 127.0.0.1:3000 ; "])
        scene.listen("127.0.0.1:3000", by: scene.process("python3", unit: unit))
        return scene
    }

    /// gunicorn writes both lines for a worker that was stuck; the unit never ended.
    @Test func `worker time-outs are no crash loop`() {
        var scene = served("gunicorn.service", [.connEndBeforeHead: 3], seconds: 300)
        for at in [0, 150, 300] as [Double] {
            scene.journal(at - 1, "gunicorn.service", "[80] [CRITICAL] WORKER TIMEOUT (pid:88)", identifier: "gunicorn", pid: 80)
            scene.journal(
                at, "gunicorn.service", "[80] [ERROR] Worker (pid:88) was sent SIGKILL! Perhaps out of memory?", identifier: "gunicorn",
                pid: 80)
        }
        let verdict = scene.judge()
        #expect(verdict.rule == "P28" && verdict.confidence == .proven, "\(verdict.cause)")
        #expect(["P07", "P11"].allSatisfy { rule in verdict.ruledOut.contains { $0.rule == rule } })
        #expect(!verdict.fix.commands.contains { $0.contains("reset-failed") })
    }

    @Test func `workers that crash are no crash loop of their service`() {
        var scene = served("php-fpm.service", [.connReset: 3], seconds: 300)
        for at in [0, 150, 300] as [Double] {
            scene.journal(
                at, "php-fpm.service", "WARNING: [pool www] child 99 exited on signal 11 (SIGSEGV) after 3.2 seconds from start",
                identifier: "php-fpm", pid: 3)
        }
        let verdict = scene.judge()
        #expect(verdict.rule == "P07" && verdict.confidence == .proven && verdict.cause.contains("signal 11"), "\(verdict.cause)")
        #expect(verdict.ruledOut.contains { $0.rule == "P11" })
    }

    /// Deploys, and ends that lie too far apart.
    @Test(arguments: [
        ("code=killed, status=15/TERM", 100.0, false), ("code=exited, status=143/n/a", 100, false),
        ("code=exited, status=0/SUCCESS", 100, false),
        ("code=exited, status=3/NOTIMPLEMENTED", 500, false), ("code=exited, status=3/NOTIMPLEMENTED", 100, true),
    ])
    func `three ends within ten minutes that nobody ordered are a crash loop`(how: String, apart: Double, isLoop: Bool) {
        var scene = served("app.service", [.connectRefused: 9], seconds: 1_000)
        for index in 0..<3 {
            scene.journal(Double(index) * apart, "app.service", "app.service: Main process exited, \(how)")
        }
        let verdict = scene.judge()
        #expect((verdict.rule == "P11" || verdict.alternatives.contains { $0.rule == "P11" }) == isLoop, "\(verdict.cause)")
    }

    private func inPM2(_ counts: [ReasonCode: Int], apps: Bool = true, _ line: String, count: Int = 1) -> Scene {
        var scene = Scene("127.0.0.1:3000", counts, seconds: 300)
        scene.unit("pm2.service", ["ExecStart": "argv[]=/usr/bin/pm2-runtime start eco.config.js ; "])
        let pid = scene.process("node", unit: "pm2.service")
        scene.listen("127.0.0.1:3000", by: pid)
        if apps {
            scene.process("PM2 v6.0.8: God", command: "PM2 v6.0.8: God Daemon (/home/deploy/.pm2)")
            scene.system.commands["env PM2_HOME=/home/deploy/.pm2 pm2 jlist"] =
                #"[{"name":"api","pid":\#(pid),"pm2_env":{"status":"online","restart_time":3,"exec_mode":"fork_mode","PORT":"3000"}}]"#
        }
        for index in 0..<count { scene.journal(Double(index) * 140, "pm2.service", line, identifier: "pm2", pid: 5) }
        return scene
    }

    /// Three planned restarts of `mailer`; one crash of it; the same when PM2 may not be asked.
    @Test(arguments: [
        ("code [0] via signal [SIGINT]", 3, true), ("code [1] via signal [SIGINT]", 3, true), ("code [0] via signal [SIGINT]", 3, false),
        ("code [1] via signal [SIGINT]", 1, false),
    ])
    func `another application of the same PM2 is not the backend`(how: String, count: Int, apps: Bool) {
        let verdict = inPM2([.connEndBeforeHead: 1], apps: apps, "App [mailer:3] exited with " + how, count: count).judge()
        #expect(!["P07", "P11", "P12"].contains(verdict.rule ?? "") || verdict.confidence == .possible, "\(verdict.cause)")
        #expect(verdict.confidence != .proven && !verdict.fix.commands.contains { $0.contains("systemctl") })
    }

    @Test func `a crash of the backend under PM2 is no reload`() {
        let crash = "App [api:0] exited with code [1] via signal [SIGINT]"
        var down = inPM2([.connectRefused: 4], crash)
        down.failure.last = Scene.start.advanced(byMilliseconds: 4_000)
        #expect(down.judge().rule != "P12" && down.judge().ruledOut.contains { $0.rule == "P12" }, "\(down.judge().cause)")
        let died = inPM2([.connEndBeforeHead: 1], crash).judge()
        #expect(died.rule == "P07" && died.cause.contains("api of pm2.service exited with code 1"), "\(died.cause)")
        let reload = inPM2([.connEndBeforeHead: 1], "App [api:0] exited with code [0] via signal [SIGINT]").judge()
        #expect(reload.rule == "P12", "\(reload.cause)")
        let loop = inPM2([.connectRefused: 9], crash, count: 3).judge()
        #expect(loop.rule == "P11" && loop.culprit.name == "api of pm2.service", "\(loop.cause)")
        #expect(!loop.fix.commands.contains { $0.contains("reset-failed") })
    }

    /// `systemctl stop`, `pm2 stop`: it was not started again.
    @Test func `an application that was stopped was not reloaded`() {
        var scene = inPM2([.connectRefused: 4], "App [api:0] exited with code [0] via signal [SIGINT]")
        scene.system.commands["env PM2_HOME=/home/deploy/.pm2 pm2 jlist"] =
            #"[{"name":"api","pid":0,"pm2_env":{"status":"stopped","restart_time":3,"exec_mode":"fork_mode","PORT":"3000"}}]"#
        #expect(scene.judge().rule != "P12")
    }

    /// One php-fpm serves several sites, each by a pool with a socket of its own.
    @Test(arguments: [(1, Confidence.proven), (2, .likely)])
    func `a pool that was busy is the backend's if there is no other`(sockets: Int, confidence: Confidence) {
        var scene = Scene("127.0.0.1:3000", [.responseTimeout: 2])
        scene.unit("php-fpm.service", ["ExecStart": "argv[]=/usr/sbin/php-fpm --nodaemonize ; "])
        scene.listen("127.0.0.1:3000", by: scene.process("php-fpm", unit: "php-fpm.service"))
        if sockets == 2 { scene.listen("unix:/run/blog.sock", by: scene.process("php-fpm", unit: "php-fpm.service")) }
        scene.journal(
            2, "php-fpm.service", "WARNING: [pool blog] server reached pm.max_children setting (5), consider raising it",
            identifier: "php-fpm", pid: 3)
        let verdict = scene.judge()
        #expect(verdict.rule == "P28" && verdict.confidence == confidence, "\(verdict.cause)")
        #expect(verdict.cause.hasPrefix("All 5 workers") == (sockets == 1))
    }
}
