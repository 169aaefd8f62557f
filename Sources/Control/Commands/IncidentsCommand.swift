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
            guard let milliseconds = DurationText.milliseconds(since) else {
                throw ValidationError("--since \(DurationText.rule), as in 30m")
            }
            query.append("since=\(Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000) - milliseconds).text)")
        }
        if let app, let escaped = app.addingPercentEncoding(withAllowedCharacters: .alphanumerics) { query.append("app=\(escaped)") }
        let resource = "/v1/incidents" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        try await options.run { client in
            let list = try await client.get(IncidentList.self, resource)
            if options.json { try options.printJSON(list) } else { print(IncidentText.list(list.incidents), terminator: "") }
        }
    }
}
