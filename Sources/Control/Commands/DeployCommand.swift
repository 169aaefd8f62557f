import ArgumentParser
import Config
import Foundation

/// `goodgate deploy NAME`: a new release.
struct DeployCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Bring a new release of an app. The old one serves until the new one has proven itself, and stays if it does not.",
        discussion: """
            Starts one new instance, gives it a slice of the traffic for the soak time, then starts the others, and only then
            stops the old ones, one at a time. Exit status 1 if the new release failed: the old one was not touched then, and the
            last lines of the new one are printed. What is not said stays as the block of the configuration has it; without any
            option, the block's own command is deployed anew.

            EXAMPLES
              goodgate deploy api --directory /srv/api-42
              goodgate deploy api --command "/usr/bin/node server.js" --env VERSION=42 --soak 30s
            """)

    @Argument(help: "Name of the app.") var name: String
    @Option(help: "Program and arguments, quoted as in the configuration; no shell.") var command: String?
    @Option(help: "NAME=VALUE, on top of the block's; may be repeated.") var env: [String] = []
    @Option(help: "A file of variables, instead of the block's; may be repeated.") var envFile: [String] = []
    @Option(help: "Working directory.") var directory: String?
    @Option(help: "How long the first new instance serves a slice of the traffic: 500ms, 10s, 2m.") var soak = "10s"
    @OptionGroup var options: ControlOptions

    func run() async throws {
        guard let milliseconds = DurationText.milliseconds(soak, max: 3_600_000) else {
            throw ValidationError("--soak \(DurationText.rule), at most one hour, as in 10s")
        }
        var order = ReleaseOrder()
        order.soakMilliseconds = UInt32(milliseconds)
        if let command {
            guard let words = CommandWords.split(command) else {
                throw ValidationError("--command is quoted as in the configuration, and takes one command: \(command)")
            }
            order.command = words
        }
        order.directory = directory.map(Self.absolute)
        if !env.isEmpty { order.environment = env }
        if !envFile.isEmpty { order.environmentFiles = envFile.map(Self.absolute) }
        try await ProgressPrinter.follow(options, AppCommand.resource(name, "deploy"), body: order, app: name)
    }

    private static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }
}

/// `goodgate rollback NAME`: back to the release before.
struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "Go back to the release before the present one, the same way as a deploy.")

    @Argument(help: "Name of the app.") var name: String
    @OptionGroup var options: ControlOptions

    func run() async throws {
        try await ProgressPrinter.follow(options, AppCommand.resource(name, "rollback"), app: name)
    }
}
