import Hummingbird

/// What the control process consists of. The one place where parts are added: a sink, and the routes that show what it knows.
struct ControlParts {
    let center: ControlCenter
    let sinks: [any AttemptSink]
    let incidents = IncidentDesk()

    init() {
        sinks = [incidents]
        center = ControlCenter(sinks: sinks)
    }

    /// All routes of the API. Each is described in docs/api.yaml.
    func makeRouter() -> Router<APIContext> {
        let router = Router(context: APIContext.self)
        let table = RouteTable()
        router.add(middleware: ErrorsAsJSON(table: table))
        let version = router.group("v1")
        StatusRoutes(center: center).add(to: version)
        AppRoutes(center: center).add(to: version)
        ServerRoutes(center: center).add(to: version)
        IncidentRoutes(desk: incidents).add(to: version)
        for route in router.routes { table.add(path: "\(route.path)", method: route.method.rawValue) }
        return router
    }
}
