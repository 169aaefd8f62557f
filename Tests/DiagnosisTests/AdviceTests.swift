import Machine
import Testing

@testable import Diagnosis

/// What a person is told to look at or to change has to suit what failed.
@Suite struct AdviceTests {
    private static func nginx(_ message: String, upstream: String) -> String {
        "2026/11/22 10:03:04 [error] 12#12: *7 \(message) while connecting to upstream, client: 10.0.0.9, server: a, "
            + "request: \"GET /x HTTP/1.1\", upstream: \"http://\(upstream)/x\", host: \"a\""
    }

    @Test func `what to look at suits the kind of the peer`() throws {
        let unix = try #require(Explainer.explain(Self.nginx(
            "connect() to unix:/run/a.sock failed (111: Connection refused)", upstream: "unix:/run/a.sock:")))
        #expect(unix.rules == ["P01"] && unix.checks.first == "ss -xlp src /run/a.sock", "\(unix.checks)")
        let denied = try #require(Explainer.explain(Self.nginx(
            "connect() to 10.0.0.5:81 failed (1: Operation not permitted)", upstream: "10.0.0.5:81")))
        #expect(denied.checks.contains { $0.contains("nft") } && denied.checks.contains { $0.contains("IPAddressDeny") })
        #expect(!denied.checks.contains { $0.contains("namei") })
    }

    /// Closed after 11 ms of idleness: no time-out of the proxy's could be shorter.
    @Test(arguments: [(11 as Int64, false), (5_010, true)])
    func `P06 proposes a time-out only where one would help`(idle: Int64, hasDiff: Bool) {
        var scene = Scene.app("127.0.0.1:3000", [.connKeepaliveRace: 6])
        scene.listen("127.0.0.1:3000", by: scene.process("node", unit: "app.service"))
        scene.failure.samples = Scene.samples(6, .connKeepaliveRace) { $0.reused = true; $0.bytesRead = 0; $0.connectionIdle = idle }
        let verdict = scene.judge()
        #expect(verdict.rule == "P06" && (verdict.fix.diff != nil) == hasDiff, "\(verdict.cause) \(verdict.fix)")
    }

    /// A connection to a dead port may get that port itself, and then the proxy reads its own request.
    @Test(arguments: [("127.0.0.1:40001", false), ("127.0.0.1:3000", true)])
    func `P25 takes no connection to itself for another protocol`(peer: String, isOther: Bool) {
        let verdict = Scene(peer, [.responseWrongProtocol: 3]).judge()
        #expect((verdict.rule == "P25") == isOther)
        #expect(isOther || verdict.ruledOut.contains { $0.rule == "P25" && $0.text.contains("itself") })
    }
}
