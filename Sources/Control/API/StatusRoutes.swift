import HTTPTypes
import Hummingbird
import Messages

/// `GET /v1/status`.
struct StatusRoutes {
    let center: ControlCenter

    func add(to routes: RouterGroup<APIContext>) {
        routes.get("status") { _, _ in try await self.status() }
    }

    /// Asks the supervisor for everything.
    func status() async throws -> StatusReport {
        let reply = try await center.ask { .status(request: $0) }
        if let error = APIError(reply.answer) { throw error }
        guard let hello = await center.hello else { throw APIError(.serviceUnavailable, "starting", "not ready yet") }
        var report = StatusReport(hello, reply.parts)
        report.traffic.attemptsDropped &+= await center.dropped
        return report
    }
}

extension StatusReport: ResponseCodable {}
