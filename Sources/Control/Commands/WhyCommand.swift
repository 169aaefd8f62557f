import ArgumentParser
import Diagnosis

/// `goodgate why [ID]`: the verdict of an incident, on a page.
struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Explain an incident: cause, evidence, fix, timeline (default: the last one).")

    @OptionGroup var options: ControlOptions

    @Argument(help: "The incident's id, from a log line, an error page, or goodgate incidents.")
    var id: String?

    func run() async throws {
        try await options.run { client in
            let report: IncidentReport
            if let id {
                let known = id.unicodeScalars.filter { $0.properties.isAlphabetic || ("0"..."9").contains($0) }.map(String.init).joined()
                guard known == id, !id.isEmpty else { throw ClientError("\"\(id)\" is no incident id: eight letters and digits") }
                report = try await client.get(IncidentReport.self, "/v1/incidents/\(id)")
            } else {
                let list = try await client.get(IncidentList.self, "/v1/incidents")
                guard let newest = list.incidents.first else { throw ClientError("no failure is known: nothing to explain") }
                report = newest
            }
            if options.json { try options.printJSON(report) } else { print(IncidentText.page(report), terminator: "") }
        }
    }
}
