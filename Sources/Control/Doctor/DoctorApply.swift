import Diagnosis
import Foundation

/// `goodgate doctor --apply`: makes those changes of files that the report proposes and that cannot make anything worse, and nothing else.
///
/// One change after the other: after each the server's own configuration test runs, and what does not pass is taken back. So the files pass
/// at any moment in which nobody waits for the test, and a change that this server's version does not know costs only itself. An end that
/// is asked for during a test takes back the change that is being tested.
struct DoctorApply {
    /// What became of one proposal.
    struct Step: Equatable {
        var title: String
        var file: String
        /// Nil: applied; else why it was left out.
        var problem: String?
    }

    /// What the report proposes for a file.
    struct Proposal {
        var title: String
        var patch: FilePatch
        /// Why a person has to make it; nil: it is made.
        var caution: String?
    }

    /// Why nothing was touched, or why it went no further.
    struct Refusal: Error { var text: String }

    let backup: URL
    /// Runs the server's configuration test; nil when it passes, else what it said.
    let test: () -> String?
    /// Whether somebody wants this to end.
    var isEndWanted: () -> Bool = { false }

    private let files = FileManager.default

    /// The proposals of a report that are diffs of files, each once: incidents first. Of verdicts only proven ones.
    static func proposals(_ report: DoctorReport) -> [Proposal] {
        var found: [Proposal] = []
        func add(_ title: String, _ diff: String?, _ caution: String?) {
            guard let patch = diff.flatMap(FilePatch.init), !found.contains(where: { $0.patch == patch }) else { return }
            found.append(Proposal(title: title, patch: patch, caution: caution))
        }
        for verdict in report.cases.map(\.verdict) {
            add(verdict.title, verdict.fix.diff, verdict.confidence == .proven ? verdict.fix.caution : "The verdict is not proven.")
        }
        for finding in report.findings { add(finding.title, finding.diff, finding.caution) }
        return found
    }

    /// Applies what passes; `done` hears of each step.
    func run(_ proposals: [Proposal], done: (Step) -> Void = { _ in }) throws {
        if let said = test() {
            // Who interrupts from the keyboard interrupts the test as well.
            if isEndWanted() { throw Refusal(text: "ended during the first test: nothing was changed") }
            throw Refusal(text: "the configuration does not pass its test as it is: nothing was changed\n\(said)")
        }
        var originals: [String: String] = [:], accepted: [String: [FilePatch]] = [:]
        for proposal in proposals where proposal.caution == nil {
            if isEndWanted() { throw Refusal(text: "ended: the other changes were not tried") }
            let patch = proposal.patch
            // The target of a link, so that the link stays one.
            let path = URL(fileURLWithPath: patch.file).resolvingSymlinksInPath().path
            var step = Step(title: proposal.title, file: patch.file)
            do {
                let original = try originals[path] ?? String(contentsOfFile: path, encoding: .utf8)
                let before = accepted[path] ?? []
                if let after = FilePatch.apply(before + [patch], to: original), let current = FilePatch.apply(before, to: original) {
                    if originals[path] == nil { try keep(path) }
                    originals[path] = original
                    step.problem = try replace(path, current, by: after)
                } else {
                    step.problem = "another change of the same lines was made, or the file has changed"
                }
                if step.problem == nil { accepted[path] = before + [patch] }
            } catch let refusal as Refusal { throw refusal } catch { step.problem = "\(error)" }
            done(step)
        }
        if !accepted.isEmpty, let said = test() {
            if isEndWanted() { throw Refusal(text: "ended during the last test: each change had passed its own") }
            throw Refusal(text: "the configuration does not pass its test any more: somebody else changed it meanwhile\n\(said)")
        }
    }

    /// Writes a text, tests, and writes the old one again if the test fails, or if somebody wants this to end.
    /// - Returns: why the old one stands there; nil: it does not.
    private func replace(_ path: String, _ old: String, by new: String) throws -> String? {
        guard try String(contentsOfFile: path, encoding: .utf8) == old else { return "the file was changed meanwhile" }
        try write(new, to: path)
        let said = test()
        let isEnding = isEndWanted()
        guard said != nil || isEnding else { return nil }
        do { try write(old, to: path) } catch {
            throw Refusal(
                text: "\(path) holds a change that was not accepted, and cannot be written back: \(error)\n"
                    + "As it was: \(copy(of: path).path)")
        }
        return isEnding ? "ended during its test" : said
    }

    private func copy(of path: String) -> URL { backup.appendingPathComponent(String(path.dropFirst())) }

    /// Copies a file below the backup folder, under its whole path.
    private func keep(_ path: String) throws {
        let copy = copy(of: path)
        try files.createDirectory(
            at: copy.deletingLastPathComponent(), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try files.copyItem(atPath: path, toPath: copy.path)
    }

    /// Whole or not at all; mode and owner stay, and are set before the file is seen.
    private func write(_ text: String, to path: String) throws {
        let before = try files.attributesOfItem(atPath: path)
        guard before[.referenceCount] as? Int ?? 1 == 1 else { throw Problem("the file has hard links, which would keep the old text") }
        let kept: Set<FileAttributeKey> = [.posixPermissions, .ownerAccountID, .groupOwnerAccountID]
        let url = URL(fileURLWithPath: path)
        // A name that `include dir/*` leaves out.
        let new = url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).\(UUID().uuidString)").path
        guard files.createFile(atPath: new, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600]) else {
            throw Problem("no file can be made beside it")
        }
        do {
            try files.setAttributes(before.filter { kept.contains($0.key) }, ofItemAtPath: new)
            try LiveSystem.rename(new, over: path)
        } catch {
            try? files.removeItem(atPath: new)
            throw error
        }
    }

    private struct Problem: Error, CustomStringConvertible {
        let description: String
        init(_ text: String) { description = text }
    }
}
