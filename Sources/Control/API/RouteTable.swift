import Synchronization

/// Which methods each resource takes.
final class RouteTable: Sendable {
    private let routes = Mutex<[(path: [Substring], method: String)]>([])

    func add(path: String, method: String) { routes.withLock { $0.append((path.split(separator: "/"), method)) } }

    func methods(of path: String) -> [String] {
        let parts = path.split(separator: "/")
        return routes.withLock { routes in
            routes.filter { route in
                route.path.count == parts.count && zip(route.path, parts).allSatisfy { Self.isVariable($0) || $0 == $1 }
            }.map(\.method).sorted()
        }
    }

    /// `:name`, or `{name}` as the router writes it.
    private static func isVariable(_ part: Substring) -> Bool { part.first == ":" || part.first == "{" }
}
