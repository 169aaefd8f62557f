import ArgumentParser
import Diagnosis
import Foundation

/// `goodgate doctor`: explains what failed on a host that runs nginx, and what will.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Explain the 502s, 503s and 504s of a host that runs nginx, with evidence and fixes. Reads only.")

    @Option(help: "How far to look back: 90m, 24h, 7d.")
    var since = "24h"

    @Option(name: [.customShort("c"), .customLong("config")], help: "nginx's main configuration file, if it is not where nginx usually has it.")
    var configurationFile: String?

    @Flag(inversion: .prefixedNo, help: "Connect to each upstream to see whether it listens now.")
    var probe = true

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        guard let milliseconds = DurationText.milliseconds(since) else { throw ValidationError("--since takes a number and s, m, h or d, as in 24h") }
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
    }
}

/// Durations as people write them.
enum DurationText {
    /// `90m` as milliseconds; nil if it is no duration.
    static func milliseconds(_ text: String) -> Int64? {
        guard let unit = text.last, let number = Int64(text.dropLast()), number >= 0, number < 1_000_000 else { return nil }
        switch unit {
        case "s": return number * 1000
        case "m": return number * 60_000
        case "h": return number * 3_600_000
        case "d": return number * 86_400_000
        default: return nil
        }
    }
}
