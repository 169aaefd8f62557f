import Machine
import Testing

@testable import Diagnosis

/// An effect is not before its cause: what is seen now, or happened later, proves nothing of failures long ago.
@Suite struct TimesTests {
    /// The scene as it is looked at, with the failures a day before.
    private func yesterday(_ scene: Scene) -> Scene {
        var scene = scene
        scene.failure.first = scene.failure.first.advanced(byMilliseconds: -86_400_000)
        scene.failure.last = scene.failure.last.advanced(byMilliseconds: -86_400_000)
        return scene
    }

    private static let stopped = [
        "ActiveState": "inactive", "SubState": "dead", "ExecMainCode": "1", "ExecMainStatus": "0",
        "ExecMainExitTimestamp": "Sun 2026-11-22 09:59:58 UTC", "ActiveEnterTimestamp": "Thu 2026-11-19 10:00:00 UTC",
    ]

    private static func scene(_ rule: String) -> Scene {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 5])
        switch rule {
        case "P01":
            scene = .app("127.0.0.1:3000", [.connectRefused: 5], stopped)
            scene.journal(-20_000, "app.service", "Listening on port 3000", identifier: "node", pid: 900)
            scene.journal(-2, "app.service", "Stopping app.service - The app...")
        case "P02":
            scene = .app("127.0.0.1:3000", [.connectRefused: 5])
            scene.listen("[::1]:3000", by: scene.process("node", unit: "app.service"))
        case "P03":
            scene = .app("127.0.0.1:3000", [.connectRefused: 5])
            scene.listen("127.0.0.1:3000", by: scene.process("node", unit: "app.service", namespace: 4_026_532_999))
        case "P04":
            scene = Scene("172.18.0.4:3000", [.connectRefused: 9])
            scene.host = "api"
            scene.system.names["api"] = [PeerAddress(parsing: "172.18.0.9:0")]
        case "P11":
            scene = .app(
                "127.0.0.1:3000", [.connReset: 5],
                stopped.merging(["ActiveState": "failed", "Result": "start-limit-hit", "ExecMainStatus": "1"]) { $1 })
            scene.journal(-20_000, "app.service", "Listening on port 3000", identifier: "node", pid: 900)
            for at in -5 ..< -1 {
                scene.journal(Double(at), "app.service", "app.service: Main process exited, code=exited, status=1/FAILURE")
            }
        case "P16":
            scene = .app("unix:/run/app/app.sock", [.socketMissing: 4], stopped.merging(["RuntimeDirectory": "app"]) { $1 })
            for path in ["/", "/run"] { scene.system.statuses[path] = FileStatus(mode: 0o40755) }
        case "P17":
            scene = Scene("unix:/run/app.sock", [.socketDenied: 3])
            scene.proxyPID = scene.process("nginx", unit: "nginx.service", uid: 33)
            for path in ["/", "/run"] { scene.system.statuses[path] = FileStatus(mode: 0o40755) }
            scene.system.statuses["/run/app.sock"] = FileStatus(mode: 0o140700, uid: 1_000, gid: 1_000)
        case "P18":
            scene = Scene("unix:/run/app.sock", [.backlogFull: 30])
            scene.listen("unix:/run/app.sock", by: scene.process("gunicorn", unit: "app.service"), queue: 11, max: 10)
        case "P19":
            scene = Scene("127.0.0.1:3000", [.connectTimeout: 30])
            scene.listen("127.0.0.1:3000", by: scene.process("node"), queue: 129, max: 128)
        case "P20":
            scene = Scene("192.0.2.9:3000", [.connectUnreachable: 3])
            scene.system.routes = ["192.0.2.9": false]
        case "P22":
            scene = Scene("127.0.0.1:3000", [.localDescriptors: 30])
            let pid = scene.process("nginx", unit: "nginx.service")
            scene.proxyPID = pid
            scene.system.files["/proc/\(pid)/limits"] =
                "Limit Soft Hard Units\nMax open files            20                   20                   files     \n"
            scene.system.directories["/proc/\(pid)/fd"] = (0..<20).map(String.init)
        case "P25":
            scene = Scene("127.0.0.1:3000", [.responseWrongProtocol: 3])
            scene.listen("127.0.0.1:3000", by: scene.process("sshd"))
            scene.system.answers["127.0.0.1:3000"] = Array("SSH-2.0-OpenSSH_9.2\r\n".utf8)
            scene.sniffs = true
        default: break
        }
        return scene
    }

    @Test(arguments: ["P01", "P02", "P03", "P04", "P11", "P16", "P17", "P18", "P19", "P20", "P22", "P25"])
    func `what is so now is proof for the failures of now only`(rule: String) {
        let scene = Self.scene(rule)
        let now = scene.judge()
        #expect(now.rule == rule && now.confidence ?? .possible >= .firm, "\(now.cause)")
        let then = yesterday(scene).judge()
        #expect(then.confidence ?? .possible <= .likely, "\(then.rule ?? "") \(then.cause)")
    }

    /// The admin stopped it an hour ago; the failures are of ten hours ago.
    @Test func `a unit that was stopped later explains nothing`() {
        let verdict = yesterday(Self.scene("P01")).judge()
        #expect(verdict.rule == "P01" && verdict.confidence == .possible)
        #expect(verdict.cause.contains("is down only since 2026-11-22T09:59:58Z"), "\(verdict.cause)")
        #expect(!verdict.evidence.contains { $0.text.contains("Stopping") })
        let loop = yesterday(Self.scene("P11")).judge()
        #expect(loop.rule != "P11" && !loop.ruledOut.contains { $0.rule == "P06" && $0.text.contains("ended at") }, "\(loop.cause)")
    }

    /// Own traffic is looked at within milliseconds, and judged once more when the incident is closed.
    @Test func `what was seen at the time of the failures stays proof`() {
        var scene = Self.scene("P18")
        var evidence = scene.evidence()
        scene.failure.now = scene.failure.now.advanced(byMilliseconds: 3_600_000)
        #expect(VerdictEngine.judge(scene.failure, evidence: evidence).confidence == .proven)
        evidence.looked = scene.failure.now
        #expect(VerdictEngine.judge(scene.failure, evidence: evidence).confidence == .likely)
    }

    /// Failures every four minutes for eleven hours, and one event in the middle: a race of idle connections, as a rule.
    private func sporadic(_ counts: [ReasonCode: Int], failures: [Int64]) -> Scene {
        var scene = Scene.app("127.0.0.1:3000", counts, seconds: failures.max() ?? 0)
        // The kernel's times count from the boot.
        scene.system.files["/proc/uptime"] = "\(100_000 + (failures.max() ?? 0)).50 1.00\n"
        for at in failures { scene.failure.times.add(Scene.start.advanced(byMilliseconds: at * 1_000)) }
        scene.listen("127.0.0.1:3000", by: scene.process("node", unit: "app.service"))
        scene.upstream = UpstreamFacts(name: "app", place: "nginx.conf:3")
        scene.upstream?.keepaliveTimeout = 60
        return scene
    }

    @Test(arguments: ["P07", "P10", "P11"])
    func `one end within hours of failures does not explain them all`(rule: String) {
        func judge(_ failures: [Int64]) -> Verdict {
            var scene = sporadic([.connEndBeforeHead: failures.count], failures: failures)
            let middle = 20_000.0
            if rule == "P10" { scene.oomKill(middle, of: "app.service") }
            for index in 0..<(rule == "P11" ? 3 : 1) where rule != "P10" {
                scene.journal(middle + Double(index), "app.service", "app.service: Main process exited, code=dumped, status=11/SEGV")
            }
            return scene.judge()
        }
        let spread = judge((0..<160).map { $0 * 240 }.filter { abs($0 - 20_000) > 60 })
        #expect(spread.rule == "P06", "\(spread.rule ?? "") \(spread.cause)")
        #expect(spread.ruledOut.contains { $0.rule == rule && $0.text.contains("of 160 failures") || $0.text.contains("of 159 failures") })
        let some = judge((0..<20).map { $0 * 2_000 + 300 } + (0..<6).map { 20_000 + $0 })
        #expect(some.rule != rule || some.confidence == .possible, "\(some.cause)")
        let together = judge((0..<40).map { 20_000 + $0 / 4 } + [100, 38_000])
        #expect(together.rule == rule && together.confidence == .proven, "\(together.rule ?? "") \(together.cause)")
    }

    @Test func `times are counted in bounded memory`() {
        var times = FailureTimes(), other = FailureTimes()
        for index in 0..<100_000 as Range<Int64> { times.add(Timestamp(milliseconds: 1_795_341_600_000 + index * 7_000)) }
        other.add(Timestamp(milliseconds: 1_795_341_600_000), count: 5)
        times.add(other)
        #expect(times.total == 100_005)
        let start = Timestamp(milliseconds: 1_795_341_600_000)
        let hour = times.count(within: [start...start.advanced(byMilliseconds: 3_600_000)])
        #expect(hour >= 519 && hour < 4_000, "\(hour)")
        #expect(times.count(within: [Timestamp(milliseconds: 0)...Timestamp(milliseconds: 1)]) == 0)
        #expect(other.count(within: [start...start, start...start.advanced(byMilliseconds: 1)]) == 5)
    }

    /// nginx writes whole seconds, the journal milliseconds.
    @Test func `a restart in the second of the failures is their cause`() {
        var scene = Scene.app("127.0.0.1:3000", [.connectRefused: 3], seconds: 0)
        scene.listen("127.0.0.1:3000", by: scene.process("node", unit: "app.service", age: 0))
        scene.journal(0.3, "app.service", "Stopping app.service - The app...")
        scene.journal(0.4, "app.service", "Started app.service - The app.")
        let verdict = scene.judge()
        #expect(verdict.rule == "P15" && verdict.cause.contains("for a moment"), "\(verdict.rule ?? "") \(verdict.cause)")
    }
}
