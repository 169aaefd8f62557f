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

    @Option(
        help: "The time zone of nginx's error log, such as +02:00, if neither its access log nor this host tells it.",
        transform: { text in
            guard let offset = LogTime.zone(named: text) else { throw ValidationError("--zone is an offset of UTC, as in +02:00") }
            return offset
        })
    var zone: Int64?

    @Flag(inversion: .prefixedNo, help: "Connect to each upstream to see whether it listens now.")
    var probe = true

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(
        help: """
            Make the changes of nginx's configuration that are printed as diffs and cannot make anything worse, each only if \
            nginx's own test passes then.
            """)
    var apply = false

    @Option(help: "Where --apply keeps the files as they were.")
    var backup = "/var/backups/goodgate"

    func run() throws {
        guard let milliseconds = DurationText.milliseconds(since) else {
            throw ValidationError("--since \(DurationText.rule), as in 24h")
        }
        if let file = configurationFile {
            do { _ = try FileHandle(forReadingFrom: URL(fileURLWithPath: file)).read(upToCount: 1) } catch {
                throw ClientError("\(file) cannot be read: it is not there, is no file, or is not readable for you")
            }
        }
        let system = LiveSystem()
        var options = Doctor<LiveSystem>.Options(since: system.now().advanced(byMilliseconds: -milliseconds))
        options.configuration = configurationFile.map { URL(fileURLWithPath: $0).path }
        options.testsUpstreams = probe
        options.zoneOffset = zone
        let report = Doctor.run(options, system: system)
        if json {
            try ControlOptions.printJSON(report.masked())
        } else {
            print(DoctorText.render(report.masked(), manual: ManualFolder.path))
        }
        if apply { try makeChanges(report) }
    }

    /// Progress goes to the standard error output, so that `--json` stays JSON.
    private func makeChanges(_ report: DoctorReport) throws {
        func say(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
        guard let command = report.testCommand else { throw ClientError("--apply needs nginx's own test, and no nginx was found") }
        if case .failure(let error) = Self.start(command[0]) { throw ClientError("--apply needs nginx's own test: \(error.text)") }
        let proposals = DoctorApply.proposals(report)
        for proposal in proposals {
            guard let caution = proposal.caution else { continue }
            say("by hand   \(TextEscape.terminal("\(proposal.patch.file): \(proposal.title)"))\n          \(TextEscape.terminal(caution))")
        }
        guard proposals.contains(where: { $0.caution == nil }) else {
            return say("--apply: of what is proposed there is nothing that it does by itself")
        }
        let stamp = report.time.text.filter { $0.isNumber || $0 == "T" || $0 == "Z" }
        let folder = URL(fileURLWithPath: backup).appendingPathComponent(stamp)
        var isChanged = false, isLeft = false
        try HeldSignals.during {
            let work = DoctorApply(backup: folder, test: { Self.test(command) }, isEndWanted: { HeldSignals.isEndWanted })
            defer { if isChanged { say("The files as they were: \(folder.path)") } }
            do {
                try work.run(proposals) { step in
                    if step.problem == nil { isChanged = true } else { isLeft = true }
                    say("\(step.problem == nil ? "applied " : "left out")  \(TextEscape.terminal("\(step.file): \(step.title)"))")
                    for line in (step.problem ?? "").split(separator: "\n") { say("          \(TextEscape.terminal(String(line)))") }
                }
            } catch let refusal as DoctorApply.Refusal {
                if HeldSignals.isEndWanted { say(refusal.text) }
                throw ClientError(refusal.text)
            }
        }
        if isChanged {
            let reload = ShellCommand(words: report.reloadCommand ?? ["nginx", "-s", "reload"])
            say("\(ShellCommand(words: command).text) passes; \(reload.text) makes the changes take effect.")
        }
        if isLeft { throw ExitCode(1) }
    }

    /// Whether a program is there.
    private static func start(_ program: String) -> Result<Void, SystemError> {
        do { _ = try Subprocess.run([program, "-v"], deadline: 5_000, limit: 4_096) } catch { return .failure(error) }
        return .success(())
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
