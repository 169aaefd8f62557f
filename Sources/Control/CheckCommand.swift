import ArgumentParser
import Config
import Diagnosis
import Foundation

/// `goodgate check PATH…`: will these configurations run, what is ignored, what is risky.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say whether configurations run here: errors, what is ignored, and what is risky.",
        discussion: "Given a folder, checks every configuration in it (*.conf, and what else begins with a directive, but no backups) "
            + "and says what share starts. Exit status 1 if anything would not start.")

    @Argument(help: "Configuration files, or folders of them.")
    var paths: [String]

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        var reports: [CheckReport] = [], host = CheckedHost()
        for path in paths {
            for file in try files(at: path) { reports.append(CheckReport.make(file, host: &host)) }
        }
        guard !reports.isEmpty else { throw ValidationError("no configuration in \(paths.joined(separator: ", "))") }
        if json {
            try ControlOptions.printJSON(reports)
        } else {
            for report in reports { print(report.text) }
            if reports.count > 1 {
                let starting = reports.count { $0.starts }
                print("\(starting) of \(reports.count) configurations start (\(starting * 100 / reports.count) %)")
            }
        }
        if reports.contains(where: { !$0.starts }) { throw ExitCode(1) }
    }

    private func files(at path: String) throws -> [String] {
        var isDirectory: ObjCBool = false
        // SAFETY: the call writes one flag.
        guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw ValidationError("\(path): no such file or folder")
        }
        guard isDirectory.boolValue else { return [path] }
        let found = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        return found.sorted().map { path + "/" + $0 }.filter(CheckedFiles.isConfiguration)
    }
}
