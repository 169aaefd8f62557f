import Foundation
import Machine
import Testing

@testable import Control
@testable import Diagnosis

/// `doctor --apply` on files of a temporary folder, with a configuration test that refuses what says `bad`.
@Suite("doctor --apply") struct DoctorApplyTests {
    private final class Site {
        let folder: URL
        let file: String
        static let text = "one\ntwo\nthree\nfour\n"

        init() throws {
            folder = FileManager.default.temporaryDirectory.appendingPathComponent("goodgate-apply-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            file = folder.path + "/site.conf"
            try Self.text.write(toFile: file, atomically: false, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: file)
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        func text(_ path: String? = nil) -> String { (try? String(contentsOfFile: path ?? file, encoding: .utf8)) ?? "" }

        func patch(_ line: Int, _ new: String, file: String? = nil, caution: String? = nil) throws -> DoctorApply.Proposal {
            let change = UnifiedDiff.Change(line: line, inserting: [new])
            let diff = try #require(UnifiedDiff.make(file: file ?? self.file, text: Self.text, changes: [change]))
            return DoctorApply.Proposal(title: new, patch: try #require(FilePatch(diff)), caution: caution)
        }

        /// Steps; `seen` hears of each test.
        func apply(
            _ proposals: [DoctorApply.Proposal], isEndWanted: @escaping () -> Bool = { false }, seen: @escaping () -> Void = {}
        ) throws -> [DoctorApply.Step] {
            let work = DoctorApply(
                backup: folder.appendingPathComponent("backup"),
                test: {
                    seen()
                    return self.text().contains("bad") ? "nginx: bad directive" : nil
                }, isEndWanted: isEndWanted)
            var steps: [DoctorApply.Step] = []
            try work.run(proposals) { steps.append($0) }
            return steps
        }
    }

    @Test("makes what passes, takes back what does not, and keeps the file as it was") func some() throws {
        let site = try Site()
        let steps = try site.apply([site.patch(2, "TWO"), site.patch(3, "bad"), site.patch(4, "FOUR")])
        #expect(steps.map(\.problem) == [nil, "nginx: bad directive", nil])
        #expect(site.text() == "one\nTWO\nthree\nFOUR\n")
        #expect(site.text(site.folder.path + "/backup" + site.file) == Site.text)
        let mode = try FileManager.default.attributesOfItem(atPath: site.file)[.posixPermissions] as? Int
        #expect(mode == 0o640)
    }

    @Test("changes nothing when the configuration does not pass as it is") func broken() throws {
        let site = try Site()
        try "bad\ntwo\n".write(toFile: site.file, atomically: false, encoding: .utf8)
        let proposals = try [site.patch(2, "TWO")]
        #expect(throws: DoctorApply.Refusal.self) { try site.apply(proposals) }
        #expect(site.text() == "bad\ntwo\n")
        #expect(!FileManager.default.fileExists(atPath: site.folder.path + "/backup"))
    }

    @Test("leaves out what no longer fits, and what another change has taken") func stale() throws {
        let site = try Site()
        let proposals = try [site.patch(2, "TWO"), site.patch(2, "zwei")]
        #expect(try site.apply(proposals).map { $0.problem == nil } == [true, false])
        #expect(site.text() == "one\nTWO\nthree\nfour\n")
        try "other\n".write(toFile: site.file, atomically: false, encoding: .utf8)
        #expect(try site.apply(proposals).allSatisfy { $0.problem != nil })
        #expect(site.text() == "other\n")
    }

    @Test("writes to the target of a link") func link() throws {
        let site = try Site()
        let link = site.folder.path + "/enabled"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: site.file)
        #expect(try site.apply([site.patch(1, "ONE", file: link)]).map(\.problem) == [nil])
        #expect(site.text() == "ONE\ntwo\nthree\nfour\n")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == site.file)
    }

    @Test("what needs a person is left alone") func caution() throws {
        let site = try Site()
        #expect(try site.apply([site.patch(2, "TWO", caution: "it may cost"), site.patch(3, "THREE")]).map(\.title) == ["THREE"])
        #expect(site.text() == "one\ntwo\nTHREE\nfour\n")
    }

    @Test("who asks it to end during a test gets the file as it was, and nothing more is tried") func ended() throws {
        let site = try Site()
        var tests = 0
        #expect(throws: DoctorApply.Refusal.self) {
            _ = try site.apply([site.patch(2, "TWO"), site.patch(4, "FOUR")], isEndWanted: { tests >= 2 }, seen: { tests += 1 })
        }
        #expect(tests == 2 && site.text() == Site.text)
    }

    /// An interrupt from the keyboard reaches the test too, which then fails.
    @Test("an interrupted test tells of the interrupt", arguments: [1, 3]) func interrupted(at last: Int) throws {
        let site = try Site()
        var tests = 0
        let error = #expect(throws: DoctorApply.Refusal.self) {
            _ = try site.apply([site.patch(2, "TWO")], isEndWanted: { tests >= last }, seen: {
                tests += 1
                if tests == last { try? "bad\n".write(toFile: site.file, atomically: false, encoding: .utf8) }
            })
        }
        #expect(error?.text.hasPrefix("ended during the \(last == 1 ? "first" : "last") test") == true)
    }

    @Test("a signal that is ignored stays so") func ignored() {
        let before = signal(SIGHUP, SIG_IGN)
        defer { signal(SIGHUP, before) }
        HeldSignals.during {
            // Not to this thread, which may be one that takes no signals.
            kill(getpid(), SIGHUP)
            usleep(20_000)
            #expect(!HeldSignals.isEndWanted)
        }
    }

    @Test("a file that others changed during the test is told of") func raced() throws {
        let site = try Site()
        var tests = 0
        #expect(throws: DoctorApply.Refusal.self) {
            _ = try site.apply([site.patch(2, "TWO")], seen: {
                tests += 1
                if tests == 3 { try? "bad\n".write(toFile: site.file, atomically: false, encoding: .utf8) }
            })
        }
        #expect(tests == 3)
    }

    @Test("a change that cannot be taken back names the copy") func stuck() throws {
        let site = try Site()
        var tests = 0
        let error = #expect(throws: DoctorApply.Refusal.self) {
            _ = try site.apply([site.patch(2, "bad")], seen: {
                tests += 1
                // A second name, with which the file is not replaced.
                if tests == 2 { try? FileManager.default.linkItem(atPath: site.file, toPath: site.folder.path + "/second") }
            })
        }
        #expect(error?.text.contains(site.folder.path + "/backup" + site.file) == true)
    }

    @Test("a file with other names is left alone") func hardLink() throws {
        let site = try Site()
        try FileManager.default.linkItem(atPath: site.file, toPath: site.folder.path + "/second")
        #expect(try site.apply([site.patch(2, "TWO")]).allSatisfy { $0.problem?.contains("hard links") == true })
        #expect(site.text() == Site.text)
        #expect(try FileManager.default.contentsOfDirectory(atPath: site.folder.path).sorted() == ["backup", "second", "site.conf"])
    }

    @Test("of verdicts only proven ones are applied") func proposals() throws {
        let diff = try #require(UnifiedDiff.make(file: "/etc/a", text: Site.text, changes: [.init(line: 1, inserting: ["x"])]))
        for confidence in [Confidence.possible, .likely, .firm, .proven] {
            var report = DoctorReport(time: Timestamp(seconds: 1), since: Timestamp(seconds: 0))
            let peer = PeerAddress(parsing: "127.0.0.1:3000")
            var verdict = VerdictEngine.judge(
                FailureCase(upstream: "a", peer: peer, counts: [:], first: report.time, last: report.time), evidence: EvidenceSet())
            verdict.confidence = confidence
            verdict.fix = Fix("Do.", diff: diff)
            report.cases = [
                .init(
                    id: IncidentID(seconds: 1, salt: 1), upstream: "a", peer: peer, start: report.time, end: report.time, isOngoing: false,
                    attempts: [:], requestsFailed: 0, verdict: verdict)
            ]
            #expect((DoctorApply.proposals(report).first?.caution == nil) == (confidence == .proven))
        }
    }
}
