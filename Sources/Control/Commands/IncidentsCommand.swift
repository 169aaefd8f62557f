import ArgumentParser
import Diagnosis
import Foundation

/// `goodgate incidents`: what failed, and why, in one line each.
struct IncidentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "incidents", abstract: "List failures of the running goodgate's upstreams: when, how many, why.")

    @OptionGroup var options: ControlOptions

    @Option(help: "Only those with a failure in this time, such as 30m, 1h, 7d.")
    var since: String?

    @Option(help: "Only those of this app.")
    var app: String?

    func run() async throws {
        var query: [String] = []
        if let since {
            guard let seconds = Self.seconds(since) else { throw ValidationError("--since takes a time such as 30m, 1h or 7d") }
            query.append("since=\(Timestamp(milliseconds: Int64((Date().timeIntervalSince1970 - seconds) * 1_000)).text)")
        }
        if let app, let escaped = app.addingPercentEncoding(withAllowedCharacters: .alphanumerics) { query.append("app=\(escaped)") }
        let resource = "/v1/incidents" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        try await options.run { client in
            let list = try await client.get(IncidentList.self, resource)
            if options.json { try options.printJSON(list) } else { print(IncidentText.list(list.incidents), terminator: "") }
        }
    }

    /// `90`, `30s`, `5m`, `1h`, `7d`.
    static func seconds(_ text: String) -> Double? {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        let unit = text.last.flatMap { units[$0] }
        guard let number = Double(unit == nil ? text : String(text.dropLast())), number >= 0, number < 1e9 else { return nil }
        return number * (unit ?? 1)
    }
}
