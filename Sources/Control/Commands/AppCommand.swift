import ArgumentParser
import Diagnosis
import Foundation
import Glibc
import NIOHTTP1

/// `goodgate app …`: what is done with supervised apps, but for deploys.
struct AppCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "app", abstract: "List, start, stop, restart and scale the supervised apps, and read what they wrote.",
        subcommands: [List.self, Start.self, Stop.self, Restart.self, Scale.self, Logs.self])

    /// The path of an app in the API.
    static func resource(_ name: String, _ verb: String = "") -> String {
        let allowed = CharacterSet.urlPathAllowed.subtracting(CharacterSet(charactersIn: "/"))
        let encoded = name.addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
        return "/v1/apps/" + encoded + (verb.isEmpty ? "" : "/" + verb)
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the apps: releases, instances, and how a deployed release differs from the block of the configuration.")

        @OptionGroup var options: ControlOptions

        func run() async throws {
            try await options.run { client in
                let apps = try await client.get([AppReport].self, "/v1/apps")
                if options.json { return try options.printJSON(apps) }
                print(apps.isEmpty ? "the configuration has no app\n" : StatusText.apps(apps), terminator: "")
            }
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Start an app that is stopped, or whose next start is due later; waits until it is ready.")

        @Argument(help: "Name of the app.") var name: String
        @OptionGroup var options: ControlOptions

        func run() async throws { try await ProgressPrinter.follow(options, AppCommand.resource(name, "start")) }
    }

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop an app: nothing new goes there, what runs is finished. It stays stopped until it is started.")

        @Argument(help: "Name of the app.") var name: String
        @OptionGroup var options: ControlOptions

        func run() async throws { try await ProgressPrinter.follow(options, AppCommand.resource(name, "stop")) }
    }

    struct Restart: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replace all instances one after the other, without a failed request; env_file is read again.")

        @Argument(help: "Name of the app.") var name: String
        @OptionGroup var options: ControlOptions

        func run() async throws { try await ProgressPrinter.follow(options, AppCommand.resource(name, "restart")) }
    }

    struct Scale: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Set the number of instances, until the block is edited.")

        @Argument(help: "Name of the app.") var name: String
        @Argument(help: "Number of instances, 1 or more.") var count: UInt32
        @OptionGroup var options: ControlOptions

        func run() async throws {
            try await ProgressPrinter.follow(options, AppCommand.resource(name, "scale"), body: ScaleOrder(instances: Int(count)))
        }
    }

    struct Logs: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the last lines of an app's instances.")

        @Argument(help: "Name of the app.") var name: String
        @Flag(name: [.short, .long], help: "Go on with the lines that come, until Ctrl-C.") var follow = false
        @Option(name: [.customShort("n"), .long], help: "Lines of each instance, at most 200.") var lines = 50
        @OptionGroup var options: ControlOptions

        func run() async throws {
            if follow { StandardOutput.endWhenUnread() }
            try await options.run { client in
                let resource = AppCommand.resource(name, "logs") + "?lines=\(lines)&follow=\(follow)"
                var isSilent = true
                try await client.send(.GET, resource) { line in
                    isSilent = false
                    if options.json {
                        print(String(decoding: line, as: UTF8.self))
                    } else {
                        print(TextEscape.terminal(try APICoding.decoder.decode(LogLineReport.self, from: Data(line)).line))
                    }
                    fflush(nil)
                }
                if isSilent, !options.json { try await Self.explainSilence(of: name, client) }
            }
        }

        /// Nothing was written: perhaps because nothing ran.
        private static func explainSilence(of name: String, _ client: ControlClient) async throws {
            let app = try await client.get([AppReport].self, "/v1/apps").first { $0.name == name }
            var lines = ["goodgate: app \(TextEscape.terminal(name)) has written nothing"]
            for instance in app?.instances ?? [] {
                guard let failure = instance.lastFailure else { continue }
                lines.append("  \(TextEscape.terminal(name)).\(instance.slot) \(TextEscape.terminal(failure))")
            }
            FileHandle.standardError.write(Data((lines.joined(separator: "\n") + "\n").utf8))
        }
    }
}
