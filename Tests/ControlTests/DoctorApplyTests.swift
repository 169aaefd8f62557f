import Diagnosis
import Foundation
import Testing

@testable import Control

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

        func patch(_ line: Int, _ new: String, file: String? = nil) throws -> (title: String, patch: FilePatch) {
            let change = UnifiedDiff.Change(line: line, inserting: [new])
            let diff = try #require(UnifiedDiff.make(file: file ?? self.file, text: Self.text, changes: [change]))
            return (new, try #require(FilePatch(diff)))
        }

        func apply(_ proposals: [(title: String, patch: FilePatch)]) throws -> [DoctorApply.Step] {
            try DoctorApply(backup: folder.appendingPathComponent("backup")) { self.text().contains("bad") ? "nginx: bad directive" : nil }
                .run(proposals)
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
}
