import ArgumentParser
import Diagnosis
import Foundation

/// `goodgate doctor`: explains what failed on a host that runs nginx, and what will.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Explain the 502s, 503s and 504s of a host that runs nginx, with evidence and fixes.",
        discussion: "Reads only, unless --apply.")

    @Option(help: "How far to look back: 90m, 24h, 7d.")
    var since = "24h"

    @Option(
        name: [.customShort("c"), .customLong("config")], help: "nginx's main configuration file, if it is not where nginx usually has it.")
    var configurationFile: String?

    @Flag(inversion: .prefixedNo, help: "Connect to each upstream to see whether it listens now.")
    var probe = true

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Make the changes of nginx's configuration that are printed as diffs, each only if nginx's own test passes then.")
    var apply = false

    @Option(help: "Where --apply keeps the files as they were.")
    var backup = "/var/backups/goodgate"

    func run() throws {
        guard let milliseconds = DurationText.milliseconds(since) else {
            throw ValidationError("--since \(DurationText.rule), as in 24h")
        }
        let system = LiveSystem()
        var options = Doctor<LiveSystem>.Options(since: system.now().advanced(byMilliseconds: -milliseconds))
        options.configuration = configurationFile
        options.testsUpstreams = probe
        let report = Doctor.run(options, system: system)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(report), as: UTF8.self))
        } else {
            print(DoctorText.render(report))
        }
        if apply { try makeChanges(report) }
    }

    /// Progress goes to the standard error output, so that `--json` stays JSON.
    private func makeChanges(_ report: DoctorReport) throws {
        func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
        guard let command = report.testCommand else { throw ClientError("--apply needs nginx's own test, and no nginx was found") }
        let proposals = DoctorApply.proposals(report)
        guard !proposals.isEmpty else { return say("--apply: no change of a file is proposed") }
        let stamp = report.time.text.filter { $0.isNumber || $0 == "T" || $0 == "Z" }
        let folder = URL(fileURLWithPath: backup).appendingPathComponent(stamp)
        let work = DoctorApply(backup: folder) { Self.test(command) }
        let steps: [DoctorApply.Step]
        do { steps = try work.run(proposals) } catch let refusal as DoctorApply.Refusal { throw ClientError(refusal.text) }
        for step in steps {
            say("\(step.problem == nil ? "applied " : "left out")  \(TextEscape.terminal("\(step.file): \(step.title)"))")
            if let problem = step.problem {
                for line in problem.split(separator: "\n") { say("          \(TextEscape.terminal(String(line)))") }
            }
        }
        if steps.contains(where: { $0.problem == nil }) {
            say("The files as they were: \(folder.path)")
            say("\(command.joined(separator: " ")) passes; nginx -s reload makes the changes take effect.")
        }
        if steps.contains(where: { $0.problem != nil }) { throw ExitCode(1) }
    }

    /// What a configuration test says when it fails; nil when it passes.
    private static func test(_ command: [String]) -> String? {
        var said: [UInt8] = []
        do {
            // nginx speaks on its standard error output.
            let status = try Subprocess.stream(["/bin/sh", "-c", "exec \"$@\" 2>&1", "sh"] + command, deadline: 30_000) { piece in
                said += piece.prefix(8_192 - min(said.count, 8_192))
                return true
            }
            return status == 0 ? nil : String(decoding: said, as: UTF8.self)
        } catch { return error.text }
    }
}
