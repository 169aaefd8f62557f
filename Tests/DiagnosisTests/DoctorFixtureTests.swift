import Foundation
import Machine
import Testing

@testable import Diagnosis

/// A recording of a real systemd host with Debian's nginx: an app killed for its memory, one bound to ::1, one without its socket file,
/// and, as a decoy, another unit killed for its memory a second later.
@Suite struct DoctorFixtureTests {
    static func load(_ name: String) throws -> RecordedSystem {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures")
        return try JSONDecoder().decode(
            RecordedSystem.self, from: Data(contentsOf: folder.appendingPathComponent(name + ".json")))
    }

    private func report() throws -> DoctorReport {
        let system = try Self.load("three-causes")
        var options = Doctor<RecordedSystem>.Options(since: system.time.advanced(byMilliseconds: -86_400_000))
        options.zoneOffset = 0
        return Doctor.run(options, system: system)
    }

    @Test func `each of three real causes is named with its evidence and fix`() throws {
        let report = try report()
        let byPeer = Dictionary(uniqueKeysWithValues: report.cases.map { ($0.peer?.text ?? "", $0) })
        #expect(report.cases.count == 3)
        let killed = try #require(byPeer["127.0.0.1:3001"])
        #expect(
            killed.verdict.rule == "P10" && killed.verdict.culprit.name == "eater.service" && killed.requestsFailed == 4
        )
        #expect(
            killed.verdict.evidence.contains { $0.text.contains("task_memcg=") && $0.text.contains("eater.service") })
        let family = try #require(byPeer["127.0.0.1:3002"])
        #expect(family.verdict.rule == "P02" && family.requestsFailed == 6)
        #expect(family.verdict.fix.diff?.contains("+            proxy_pass http://[::1]:3002;") == true)
        let missing = try #require(byPeer["unix:/run/app3/app.sock"])
        #expect(
            missing.verdict.rule == "P16" && missing.verdict.culprit.name == "un.service" && missing.requestsFailed == 3
        )
        #expect(missing.verdict.fix.commands.first == "systemctl start un.service")
    }

    @Test func `the decoy is in nobody's evidence`() throws {
        for item in try report().cases {
            #expect(item.verdict.culprit.name != "decoy.service")
            #expect(!item.verdict.evidence.contains { $0.text.contains("decoy") })
        }
    }

    @Test func `a 502 of return is told apart from the proxy's own`() throws {
        let report = try report()
        #expect(report.responsesFailed == 14)
        #expect(report.appAnswers.count == 1 && report.appAnswers.first?.path == "/app502")
    }

    /// Seventeen failures made on a real host: each has its cause, none has another's.
    @Test(arguments: [
        ("127.0.0.1:4001", "P07", "crash.service", "proven"), ("127.0.0.1:4002", "P11", "loop.service", "likely"),
        ("127.0.0.1:4004", "P23", "the response header of 127.0.0.1:4004", "proven"),
        ("127.0.0.1:4006", "P25", "/tmp/ng/nginx.conf:18", "proven"),
        ("127.0.0.1:4007", "P28", "python3 (pid 117, slow.service)", "likely"), ("127.0.0.1:4008", "P15", "restarted.service", "proven"),
        ("127.0.0.1:4011", "P25", "/tmp/ng/nginx.conf:24", "proven"), ("127.0.0.1:4012", "P06", "/tmp/ng/nginx.conf:10", "possible"),
        ("127.0.0.1:4014", "P01", "the application behind 127.0.0.1:4014", "likely"),
        ("127.0.0.1:4020", "P01", "the application behind 127.0.0.1:4020", "likely"),
        ("198.51.100.7:80", "P20", "198.51.100.7", "firm"), ("unix:/run/s/perm.sock", "P17", "/run/s/perm.sock", "likely"),
        ("127.0.0.1:4016", "P01", "the application behind 127.0.0.1:4016", "likely"), ("10.77.0.2:4013", "P01", "10.77.0.2:4013", "likely"),
    ])
    func `many causes at once are kept apart`(
        peer: String, rule: String, culprit: String, confidence: String
    ) throws {
        let system = try Self.load("many-causes")
        var options = Doctor<RecordedSystem>.Options(since: system.time.advanced(byMilliseconds: -86_400_000))
        options.zoneOffset = 0
        let report = Doctor.run(options, system: system)
        #expect(Set(report.cases.map(\.id)).count == report.cases.count)
        let matching = report.cases.first { $0.peer?.text == peer }
        let found = try #require(matching)
        #expect(found.verdict.rule == rule && found.verdict.culprit.name == culprit)
        #expect(found.verdict.confidence?.name == confidence)
        let full = report.cases.filter { $0.peer?.text == "unix:/run/s/full.sock" }
        #expect(full.map(\.verdict.rule) == ["P18", "P28"] && full.map(\.requestsFailed) == [2, 2])
        #expect(!report.cases.contains { $0.verdict.culprit.name == "decoycrash.service" })
    }

    /// A client who invents names must not push the real failures out of the report.
    @Test func `the largest incidents keep their place beside the newest`() {
        let start = Timestamp(seconds: 1_795_341_600)
        var incidents = (0..<40).map { index in
            var incident = Incident(
                id: IncidentID(seconds: 1, salt: UInt16(index)), upstream: "name\(index)", peer: nil, first: start,
                last: start.advanced(byMilliseconds: Int64(-index)))
            incident.counts = [.dnsFailed: 1]
            return incident
        }
        incidents[39].counts = [.connectRefused: 500]
        let chosen = Doctor<RecordedSystem>.chosen(incidents, 20)
        #expect(chosen.map(\.upstream) == (0..<19).map { "name\($0)" } + ["name39"])
    }

    @Test func `the report survives JSON and prints without control bytes`() throws {
        let report = try report()
        let again = try JSONDecoder().decode(DoctorReport.self, from: JSONEncoder().encode(report))
        #expect(again.cases.map(\.id) == report.cases.map(\.id))
        let text = DoctorText.render(report)
        #expect(text.utf8.allSatisfy { $0 >= 32 || $0 == 10 })
        #expect(text.contains("P10, proven") && text.contains("Upstreams now"))
    }
}
