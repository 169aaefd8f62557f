import ArgumentParser
import Foundation
import Glibc

/// `goodgate status`: workers, apps and upstreams of the running program.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show workers, apps and upstreams of the running goodgate.")

    @OptionGroup var options: ControlOptions

    @Flag(name: [.short, .long], help: "Show it anew every second, until Ctrl-C.")
    var watch = false

    func run() async throws {
        try await options.run { client in
            guard watch else {
                let status = try await client.get(StatusReport.self, "/v1/status")
                if options.json { try options.printJSON(status) } else { print(StatusText.render(status), terminator: "") }
                return
            }
            StandardOutput.endWhenUnread()
            let isTerminal = isatty(1) == 1
            if isTerminal, !options.json { print("\u{1b}[2J", terminator: "") }
            while true {
                let status = try await client.get(StatusReport.self, "/v1/status")
                if options.json {
                    print(String(decoding: try APICoding.encoder.encode(status), as: UTF8.self))
                } else {
                    // Home, the text with each line's rest cleared, then what is left below.
                    let text = StatusText.render(status)
                    print(isTerminal ? "\u{1b}[H" + text.replacing("\n", with: "\u{1b}[K\n") + "\u{1b}[J" : text + "\n", terminator: "")
                }
                fflush(nil)
                try await Task.sleep(for: .seconds(1))
            }
        }
    }
}
