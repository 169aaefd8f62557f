import Diagnosis
import Foundation
import HTTPTypes
import Hummingbird
import Machine

/// `GET /v1/incidents` and `GET /v1/incidents/{id}`.
struct IncidentRoutes {
    let desk: IncidentDesk

    func add(to routes: RouterGroup<APIContext>) {
        routes.get("incidents") { request, _ in
            let query = request.uri.queryParameters
            var since: Timestamp?
            if let text = query["since"] {
                guard let time = Timestamp(parsing: String(text)) else {
                    throw APIError(.badRequest, "invalid", "since is a time such as 2026-11-22T10:03:04Z (RFC 3339)")
                }
                since = time
            }
            let app = query["app"].map(String.init)
            let list = await desk.reports(since: since).filter { report in app.map { report.app == $0 } ?? true }
            return IncidentList(incidents: list)
        }
        routes.get("incidents/:id") { _, context in
            let text = try context.parameters.require("id")
            guard let id = IncidentID(parsing: text) else {
                throw APIError(.badRequest, "invalid", "\"\(text.prefix(32))\" is no incident id: eight letters and digits")
            }
            guard let report = await desk.report(id) else {
                throw APIError(.notFound, "not_found", "incident \(id.text) is not known (without incident_log, a restart forgets them)")
            }
            return report
        }
    }
}

/// The answer of `GET /v1/incidents`: the newest first.
struct IncidentList: Codable, Sendable, ResponseCodable { var incidents: [IncidentReport] }

extension IncidentReport: ResponseCodable {}
