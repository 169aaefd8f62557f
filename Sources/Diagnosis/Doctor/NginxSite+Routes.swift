/// Whom each `proxy_pass` and its relatives lead to, and with which settings.
extension NginxSite {
    mutating func walk(_ node: ConfigNode, context: [ConfigNode], server: ConfigNode, location: String) {
        for child in node.children ?? [] {
            if ["proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass"].contains(child.name),
                let target = child.arguments.first
            {
                addRoute(child, target, context, server, location)
            } else if child.children != nil,
                child.name == "location" || child.name == "if" || child.name == "limit_except"
            {
                walk(
                    child, context: context + [child], server: server,
                    location: child.name == "location" ? child.arguments.joined(separator: " ") : location)
            }
        }
    }

    private mutating func addRoute(
        _ directive: ConfigNode, _ text: String, _ context: [ConfigNode], _ server: ConfigNode, _ location: String
    ) {
        let module = String(directive.name.dropLast(5))  // "proxy", "fastcgi", …
        let target = RouteTarget(text, module: module, server: server, site: self)
        let scheme = target.scheme
        func inherited(_ name: String) -> ConfigNode? {
            for node in context.reversed() { if let found = node.last(name) { return found } }
            return nil
        }
        // Files of certificates are relative to the configuration's.
        let folder = String(mainFile.prefix(through: mainFile.lastIndex(of: "/") ?? mainFile.startIndex))
        func settle(_ facts: inout UpstreamFacts) {
            facts.scheme = scheme
            facts.connectTimeout = inherited("\(module)_connect_timeout").flatMap { Self.seconds($0.arguments.first) } ?? 60
            facts.readTimeout = inherited("\(module)_read_timeout").flatMap { Self.seconds($0.arguments.first) } ?? 60
            facts.bufferSize = inherited("\(module)_buffer_size").flatMap { Self.size($0.arguments.first) } ?? 4_096
            facts.sendsServerName = inherited("\(module)_ssl_server_name")?.arguments.first == "on"
            facts.healthCheck = facts.healthCheck ?? context.compactMap { $0.last("health_check") }.last.flatMap(Self.check)
            if scheme == "https" || scheme == "grpcs" { facts.tls = Self.tls(module, facts, folder, inherited) }
        }
        func implicit(_ authority: String) -> UpstreamFacts {
            let address = PeerAddress(parsing: authority).withDefaultPort(scheme == "https" || scheme == "grpcs" ? 443 : 80)
            var facts = UpstreamFacts(
                name: address.text, place: directive.place,
                servers: [.init(text: authority, address: address, place: directive.place)])
            facts.isImplicit = true
            return facts
        }
        var facts = implicit(target.authorities.first ?? "")
        for authority in target.authorities {
            facts = implicit(authority)
            if let index = upstreams.firstIndex(where: { $0.name == ($0.isImplicit ? facts.name : authority) }) {
                settle(&upstreams[index])
                facts = upstreams[index]
            } else {
                settle(&facts)
                upstreams.append(facts)
            }
        }
        settle(&facts)
        // Header fields are inherited only by a block that has none of its own.
        let fields = context.reversed().map { $0.all("\(module)_set_header") }.first { !$0.isEmpty } ?? []
        let groups = Set(upstreamNodes.compactMap(\.arguments.first)).intersection(target.authorities)
        let errorCodes = context.flatMap { $0.all("error_page") }.flatMap(\.arguments)
        routes.append(
            Route(
                directive: directive, block: context.last ?? server, scheme: scheme,
                target: target.outcome == nil ? target.authorities.first ?? "" : "", groups: groups, variable: target.outcome,
                serverNames: server.last("server_name")?.arguments ?? [], location: location, facts: facts,
                hasErrorPage: errorCodes.contains { $0 == "502" || $0 == "503" || $0 == "504" },
                hasResolver: inherited("resolver") != nil || main.contains { $0.name == "resolver" },
                addressUse: addressUse(module, scheme, fields, inherited),
                nextUpstream: inherited("\(module)_next_upstream")?.arguments,
                keepsConnections: keepsConnections(module, fields, inherited), headerFields: fields,
                hasTLSName: inherited("\(module)_ssl_name") != nil, version: inherited("\(module)_http_version")))
    }

    /// `health_check [uri=/] [port=…] [match=…]`; nil: of another kind than HTTP.
    private static func check(_ directive: ConfigNode) -> UpstreamFacts.HealthCheck? {
        func value(_ name: String) -> String? {
            directive.arguments.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
        }
        let uri = value("uri") ?? "/"
        // What no request line holds, and what only nginx can know, is not asked.
        guard value("type") == nil, uri.hasPrefix("/"), uri.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 36 }) else { return nil }
        return UpstreamFacts.HealthCheck(uri: uri, port: value("port").flatMap { UInt16($0) }, hasMatch: value("match") != nil)
    }

    private static func tls(
        _ module: String, _ facts: UpstreamFacts, _ folder: String, _ inherited: (String) -> ConfigNode?
    ) -> UpstreamFacts.TLS {
        func setting(_ name: String) -> String? { inherited("\(module)_ssl_\(name)")?.arguments.first }
        let written = PeerAddress(parsing: facts.written)
        let name = setting("name") ?? written.hostText
        let isHost = if case .name = written { facts.isImplicit } else { false }
        return UpstreamFacts.TLS(
            name: name.contains("$") ? nil : name, isNameOfHost: setting("name") != nil || isHost,
            sendsName: setting("server_name") == "on", verifies: setting("verify") == "on",
            authorities: setting("trusted_certificate").map { $0.hasPrefix("/") ? $0 : folder + $0 })
    }

    /// What the address that stands in a directive is used for beside the connection.
    private func addressUse(
        _ module: String, _ scheme: String, _ fields: [ConfigNode], _ inherited: (String) -> ConfigNode?
    ) -> String? {
        guard module == "proxy" || module == "grpc" else { return nil }
        let host = fields.first { $0.arguments.first?.lowercased() == "host" }?.arguments.last
        let key = inherited("proxy_cache_key")?.arguments.joined()
        if host.map({ $0.contains("proxy_host") }) ?? true {
            return "Without `proxy_set_header Host` the address is also the Host that the application is told."
        }
        if inherited("proxy_cache")?.arguments.first ?? "off" != "off", key.map({ $0.contains("proxy_host") }) ?? true {
            return "The address is part of the key of cached answers: all would be fetched anew."
        }
        if scheme == "https" || scheme == "grpcs", inherited("\(module)_ssl_name") == nil {
            return "The address is also the name that is told and checked in TLS."
        }
        return inherited("proxy_redirect").map({ $0.arguments.first != "off" }) ?? false
            ? "`proxy_redirect` may go by the address." : nil
    }
}

// MARK: connections that are kept

extension NginxSite {
    /// Whether this nginx keeps connections to upstreams without being told to.
    package var keepsByDefault: Bool { version.map { $0 >= NginxVersion(1, 29, 7) } ?? false }

    /// Seconds for which connections to a group are kept, if its requests leave any open; the default is 60 s.
    func keepaliveTimeout(of node: ConfigNode) -> Int? {
        let count = node.last("keepalive")?.arguments.first
        guard count != "0", count != nil || keepsByDefault else { return nil }
        return node.last("keepalive_timeout").flatMap { Self.seconds($0.arguments.first) } ?? 60
    }

    /// Whether requests of a route leave their connections open: before nginx 1.29.7 only with HTTP/1.1 and without `Connection: close`,
    /// both of which have to be written. nil: a variable decides.
    private func keepsConnections(_ module: String, _ fields: [ConfigNode], _ inherited: (String) -> ConfigNode?) -> Bool? {
        switch module {
        case "grpc": return true
        case "fastcgi": return inherited("fastcgi_keep_conn")?.arguments.first == "on"
        case "proxy":
            let version = inherited("proxy_http_version")?.arguments.first ?? (keepsByDefault ? "1.1" : "1.0")
            guard version != "1.0" else { return false }
            guard let field = fields.first(where: { $0.arguments.first?.lowercased() == "connection" }) else { return keepsByDefault }
            let value = field.arguments.count > 1 ? field.arguments[1] : ""
            guard value.contains("$") else { return value.isEmpty || value.lowercased() == "keep-alive" }
            // The usual map for WebSockets says what is sent to all others.
            guard let map = maps.last(where: { $0.arguments.last == value }) else { return nil }
            let other = (map.children ?? []).last { $0.name.isEmpty } ?? map.last("default")
            return other.map { $0.arguments.first?.lowercased() != "close" } ?? true
        default: return false
        }
    }

    private var maps: [ConfigNode] { main.filter { $0.name == "http" }.flatMap { $0.all("map") } }
}
