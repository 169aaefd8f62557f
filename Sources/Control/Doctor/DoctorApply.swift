import Diagnosis
import Foundation

/// `goodgate doctor --apply`: makes the changes that the report proposes as diffs of files, and nothing else.
///
/// One change after the other: after each the server's own configuration test runs, and what does not pass is taken back. So the files pass
/// at any moment in which nobody waits for the test, and a change that this server's version does not know costs only itself.
struct DoctorApply {
    /// What became of one proposal.
    struct Step: Equatable {
        var title: String
        var file: String
        /// Nil: applied; else why it was left out.
        var problem: String?
    }

    /// Why nothing was touched.
    struct Refusal: Error { var text: String }

    let backup: URL
    /// Runs the server's configuration test; nil when it passes, else what it said.
    let test: () -> String?

    private let files = FileManager.default

    /// The proposals of a report that are diffs of files, each once: incidents first.
    static func proposals(_ report: DoctorReport) -> [(title: String, patch: FilePatch)] {
        var found: [(title: String, patch: FilePatch)] = []
        let diffs = report.cases.map { ($0.verdict.title, $0.verdict.fix.diff) } + report.findings.map { ($0.title, $0.diff) }
        for case (let title, let diff?) in diffs {
            guard let patch = FilePatch(diff), !found.contains(where: { $0.patch == patch }) else { continue }
            found.append((title, patch))
        }
        return found
    }

    /// Applies what passes.
    func run(_ proposals: [(title: String, patch: FilePatch)]) throws -> [Step] {
        if let said = test() { throw Refusal(text: "the configuration does not pass its test as it is: nothing was changed\n\(said)") }
        var originals: [String: String] = [:], accepted: [String: [FilePatch]] = [:], steps: [Step] = []
        for (title, patch) in proposals {
            // The target of a link, so that the link stays one.
            let path = URL(fileURLWithPath: patch.file).resolvingSymlinksInPath().path
            var step = Step(title: title, file: patch.file)
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
            } catch { step.problem = "\(error)" }
            steps.append(step)
        }
        return steps
    }

    /// Writes a text, tests, and writes the old one again if the test fails.
    /// - Returns: what the test said.
    private func replace(_ path: String, _ old: String, by new: String) throws -> String? {
        guard try String(contentsOfFile: path, encoding: .utf8) == old else { return "the file was changed meanwhile" }
        try write(new, to: path)
        guard let said = test() else { return nil }
        try write(old, to: path)
        return said
    }

    /// Copies a file below the backup folder, under its whole path.
    private func keep(_ path: String) throws {
        let copy = backup.appendingPathComponent(String(path.dropFirst()))
        try files.createDirectory(
            at: copy.deletingLastPathComponent(), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try files.copyItem(atPath: path, toPath: copy.path)
    }

    /// Whole or not at all; mode and owner stay.
    private func write(_ text: String, to path: String) throws {
        let before = try files.attributesOfItem(atPath: path)
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        let kept: Set<FileAttributeKey> = [.posixPermissions, .ownerAccountID, .groupOwnerAccountID]
        try files.setAttributes(before.filter { kept.contains($0.key) }, ofItemAtPath: path)
    }
}
