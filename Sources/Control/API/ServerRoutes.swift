import HTTPTypes
import Hummingbird
import Messages

/// `/v1/servers`: taking a server out of its upstreams, and giving it back. `/v1/upgrade`: another program.
struct ServerRoutes {
    let center: ControlCenter

    func add(to routes: RouterGroup<APIContext>) {
        routes.post("servers/drain") { request, context in try await self.drain(request, context, isDraining: true) }
        routes.post("servers/undrain") { request, context in try await self.drain(request, context, isDraining: false) }
        routes.post("upgrade") { _, _ in try await self.upgrade() }
    }

    /// A new program has this long to serve.
    private static let upgradeTimeout = Duration.seconds(120)

    private func upgrade() async throws -> DoneReport {
        let reply = try await center.ask(within: Self.upgradeTimeout) { .upgrade(request: $0) }
        if let error = APIError(reply.answer) { throw error }
        return DoneReport(message: reply.answer.text)
    }

    private func drain(_ request: Request, _ context: APIContext, isDraining: Bool) async throws -> DoneReport {
        let order = try await request.decode(as: ServerOrder.self, context: context)
        guard !order.server.isEmpty else { throw APIError(.badRequest, "invalid", "\"server\" is empty") }
        let reply = try await center.ask {
            .drain(request: $0, upstream: order.upstream ?? "", server: order.server, isDraining: isDraining)
        }
        if let error = APIError(reply.answer) { throw error }
        return DoneReport(message: reply.answer.text)
    }
}

/// The body of `POST /v1/servers/drain` and `undrain`.
struct ServerOrder: Codable, Equatable, Sendable {
    /// An address, a server as written in the configuration, or an instance of an app (`api.0`).
    var server: String
    /// All upstreams that have it when it is missing.
    var upstream: String?
}

/// What was done.
struct DoneReport: ResponseCodable, Equatable, Sendable {
    var message: String
}
