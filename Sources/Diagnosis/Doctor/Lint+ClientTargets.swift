extension Lint.Context {
    /// Routes whose host or port a client chooses.
    func clientTargets() -> [LintFinding] {
        site.routes.compactMap { route in
            guard route.variable != nil, !isInternal(route), let url = route.directive.arguments.first,
                let variable = clientVariable(inAuthorityOf: url, of: route)
            else { return nil }
            return LintFinding(
                "client-chosen-target", .warning, "A client chooses where the request goes",
                why: "$\(variable) in the address is what the client sent: it can name any host and port that this machine reaches, "
                    + "such as a metadata service or a database (server-side request forgery).",
                place: route.directive.place,
                commands: ["# in http: map $\(variable) $target { default 127.0.0.1:9; a-name 127.0.0.1:3000; } and proxy to $target"])
        }
    }

    /// Only nginx itself leads to such a location.
    private func isInternal(_ route: NginxSite.Route) -> Bool {
        route.block.last("internal") != nil || route.location.hasPrefix("@")
    }

    /// The first variable of a client in the host or port of an address, also by way of a `set` in the same block.
    private func clientVariable(inAuthorityOf url: String, of route: NginxSite.Route) -> String? {
        let sets = route.block.all("set").filter { $0.arguments.count == 2 }
        for name in Self.variables(inAuthorityOf: url) {
            if isClients(name, route) { return name }
            guard let value = sets.last(where: { $0.arguments[0].lowercased() == "$" + name })?.arguments[1] else { continue }
            if let found = Self.variables(inAuthorityOf: value).first(where: { isClients($0, route) }) { return found }
        }
        return nil
    }

    /// Names of the variables between `scheme://` and the first slash.
    private static func variables(inAuthorityOf url: String) -> [String] {
        let bytes = Array(url.utf8)
        var start = 0
        if let colon = bytes.indices.first(where: { bytes[$0...].starts(with: "://".utf8) }) { start = colon + 3 }
        let authority = bytes[start...].prefix { $0 != UInt8(ascii: "/") }
        return authority.split(separator: UInt8(ascii: "$"), omittingEmptySubsequences: false).dropFirst().map { part in
            let name = (part.first == UInt8(ascii: "{") ? part.dropFirst() : part).prefix {
                $0 == UInt8(ascii: "_") || $0 >= 48 && $0 <= 57 || $0 | 0x20 >= 97 && $0 | 0x20 <= 122
            }
            return String(decoding: name, as: UTF8.self).lowercased()
        }
    }

    private func isClients(_ name: String, _ route: NginxSite.Route) -> Bool {
        // What comes behind the authority anyway.
        if name == "request_uri" || name == "uri" { return false }
        // The name by which the server was found is one of its own, unless it takes any.
        if name == "host" || name == "http_host" { return takesAnyName(route) }
        if let first = name.utf8.first, first >= 49, first <= 57 { return route.location.hasPrefix("~") }
        return ["args", "query_string"].contains(name) || ["arg_", "http_", "cookie_"].contains { name.hasPrefix($0) }
    }

    private func takesAnyName(_ route: NginxSite.Route) -> Bool {
        route.serverNames.isEmpty || route.serverNames.contains { $0 == "_" || $0.hasPrefix("~") || $0 == "" }
    }
}
