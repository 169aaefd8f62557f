import ArgumentParser
import Config
import Foundation

/// The options of every command that talks to a running goodgate.
struct ControlOptions: ParsableArguments {
    @Option(help: "Path of the control socket (default: GOODGATE_CONTROL, else the usual place).")
    var control: String?

    @Option(name: [.customShort("p"), .customLong("prefix")], help: "The prefix that goodgate was started with (-p), if any.")
    var prefix: String?

    @Flag(help: "Print JSON.")
    var json = false

    /// The client for the socket that the options, the environment or the defaults name.
    var client: ControlClient {
        let environment = ProcessInfo.processInfo.environment
        if let control { return ControlClient(path: control) }
        if prefix == nil, let path = environment["GOODGATE_CONTROL"], !path.isEmpty { return ControlClient(path: path) }
        return ControlClient(
            path: ControlPath.standard(
                prefix: prefix, user: ChannelSystem.user, runtimeDirectory: environment["XDG_RUNTIME_DIR"]))
    }
}

extension ControlOptions {
    /// Runs a command; what goes wrong becomes one line on standard error and exit status 1.
    func run(_ body: (ControlClient) async throws -> Void) async throws {
        do {
            try await body(client)
        } catch let error as ClientError {
            FileHandle.standardError.write(Data("goodgate: \(error.message)\n".utf8))
            // As the API says it: programs read standard output.
            if json { try printJSON(APIError.Body(error: error.kind ?? "unavailable", message: error.message)) }
            throw ExitCode(1)
        }
    }

    /// Prints a value as JSON.
    func printJSON(_ value: some Encodable) throws { try Self.printJSON(value) }

    /// The same, for commands that talk to no running goodgate.
    static func printJSON(_ value: some Encodable) throws {
        print(String(decoding: try APICoding.prettyEncoder.encode(value), as: UTF8.self))
    }
}
