import ArgumentParser
import Diagnosis
import Foundation
import NIOHTTP1

/// `goodgate upgrade`: the program's file was replaced; run the new one, without a refused connection.
struct UpgradeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Run the program's file anew beside the running one (after an update), and end the old one once the new one serves.",
        discussion: "Exit status 1 if the new program does not start; the old one serves on then. Apps are not restarted.")

    @OptionGroup var options: ControlOptions

    func run() async throws {
        try await options.run { client in
            let answer = try await client.send(.POST, "/v1/upgrade")
            let report = try APICoding.decoder.decode(DoneReport.self, from: Data(answer.body))
            print(options.json ? String(decoding: answer.body, as: UTF8.self) : TextEscape.terminal(report.message))
        }
    }
}
