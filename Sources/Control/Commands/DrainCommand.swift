import ArgumentParser
import Diagnosis
import Foundation
import Glibc
import NIOHTTP1

/// `goodgate drain SERVER`.
struct DrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Send no new clients to a server, and wait until no request runs there.",
        discussion: """
            Requests with the server's sticky session still go there; what runs is finished. It holds until "goodgate undrain",
            over reloads, upgrades and restarts of goodgate.

            EXAMPLES
              goodgate drain 10.0.0.7:8080
              goodgate drain api.0 --upstream backend      an instance of an app, in one upstream only
            """)

    @Argument(help: "An address, a server as the configuration writes it, or an instance of an app (api.0).") var server: String
    @Option(help: "In this upstream only.") var upstream: String?
    @Flag(inversion: .prefixedNo, help: "Wait until no request runs there.") var wait = true
    @OptionGroup var options: ControlOptions

    func run() async throws {
        try await options.run { client in
            try await Self.order(client, "/v1/servers/drain", server, upstream, json: options.json)
            var told = UInt64.max
            while wait {
                let status = try await client.get(StatusReport.self, "/v1/status")
                let servers = status.upstreams.filter { upstream == nil || $0.name == upstream }.flatMap(\.servers)
                let running = servers.filter { $0.address == server || $0.name == server }.reduce(0) { $0 + $1.connections }
                if running != told, !options.json { print(running == 0 ? "no request runs there" : "\(running) requests run there") }
                fflush(nil)
                told = running
                if running == 0 { return }
                try await Task.sleep(for: .milliseconds(300))
            }
        }
    }

    /// Gives the order and prints what was done.
    static func order(_ client: ControlClient, _ resource: String, _ server: String, _ upstream: String?, json: Bool) async throws {
        let body = try APICoding.encoder.encode(ServerOrder(server: server, upstream: upstream))
        let answer = try await client.send(.POST, resource, body: body)
        let report = try APICoding.decoder.decode(DoneReport.self, from: Data(answer.body))
        print(json ? String(decoding: answer.body, as: UTF8.self) : TextEscape.terminal(report.message))
        fflush(nil)
    }
}

/// `goodgate undrain SERVER`.
struct UndrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "undrain", abstract: "Send new clients to a drained server again.")

    @Argument(help: "As it was drained.") var server: String
    @Option(help: "In this upstream only.") var upstream: String?
    @OptionGroup var options: ControlOptions

    func run() async throws {
        try await options.run { client in
            try await DrainCommand.order(client, "/v1/servers/undrain", server, upstream, json: options.json)
        }
    }
}
