/// What matters of an nginx configuration: whom it proxies to, with which settings, and where it logs.
package struct NginxSite: Sendable {
    /// One `proxy_pass` (or fastcgi_pass, uwsgi_pass, scgi_pass, grpc_pass).
    package struct Route: Sendable {
        /// The directive itself and the scheme it uses (`http`, `https`, `fastcgi`, …).
        package var directive: ConfigNode
        /// The block that it stands in.
        package var block: ConfigNode
        package var scheme: String
        /// Authority or name of the upstream group; empty when a variable decides.
        package var target: String
        /// The groups it leads to, as far as the configuration tells.
        package var groups: Set<String>
        /// What the variable is, if one decides whom to ask.
        package var variable: RouteTarget.Outcome?
        /// server_name of the server it stands in, and the location's words.
        package var serverNames: [String]
        package var location: String
        package var facts: UpstreamFacts
        package var hasErrorPage: Bool
        package var hasResolver: Bool
        /// What the address that stands in the directive is used for beside the connection; nil: nothing.
        package var addressUse: String?
        package var nextUpstream: [String]?
        /// Whether its requests leave a connection open behind them; nil: a variable decides.
        package var keepsConnections: Bool?
        /// The `…_set_header` that are in force.
        package var headerFields: [ConfigNode]
        /// Whether a `…_ssl_name` is in force.
        package var hasTLSName: Bool
        /// The `…_http_version` that is in force, if one is written.
        package var version: ConfigNode?

        /// A variable decides whom to ask, and it may hold a name.
        package var isNameInVariable: Bool { variable.map { $0 != .nothingToResolve } ?? false }
    }

    /// An access log and the formats of its lines: servers may write to one file in different ones.
    package struct AccessLog: Sendable, Hashable {
        /// Absolute path.
        package var path: String
        package var formats: [AccessFormat]
    }

    /// What was read and what it says.
    package var mainFile: String
    package var files: [String] = []
    /// What stood in the files when they were read, by path.
    package var texts: [String: String] = [:]
    package var gaps: [String] = []
    package var routes: [Route] = []
    /// By name; addresses used directly have an entry of their own.
    package var upstreams: [UpstreamFacts] = []
    package var upstreamNodes: [ConfigNode] = []
    package var errorLogs: [String] = []
    /// The level of each error log, by path.
    package var errorLevels: [String: String] = [:]
    package var accessLogs: [AccessLog] = []
    /// Where errors are thrown away.
    package var discardedErrors: [ConfigNode] = []
    package var main: [ConfigNode] = []
    package var prefix: String
    /// The program's version; nil when not known.
    package var version: NginxVersion?

    /// Reads a configuration. Never fails; what could not be read is in `gaps`.
    package init(
        mainFile: String, prefix: String, defaultErrorLog: String, defaultAccessLog: String, version: NginxVersion? = nil,
        from system: some SystemReader
    ) {
        self.mainFile = mainFile
        self.version = version
        self.prefix = prefix
        var reader = ConfigTreeReader()
        main = reader.read(mainFile, from: system)
        files = reader.files
        texts = reader.texts
        gaps = reader.gaps
        var formats = ["combined": AccessFormat.combined]
        let https = main.filter { $0.name == "http" }
        for http in https {
            for format in http.all("log_format") where format.arguments.count >= 2 {
                let words = format.arguments.dropFirst()
                formats[format.arguments[0]] = AccessFormat((words.first!.hasPrefix("escape=") ? words.dropFirst() : words).joined())
            }
        }
        for node in main where node.name != "stream" && node.name != "mail" { collectLogs(node, formats) }
        for node in main where node.name == "stream" || node.name == "mail" { collectErrorLogs(node) }
        if !has("error_log") { errorLogs = [defaultErrorLog]; errorLevels[defaultErrorLog] = "error" }
        if !has("access_log") { accessLogs = [AccessLog(path: defaultAccessLog, formats: [.combined])] }
        gaps = gaps.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        for http in https { readHTTP(http) }
    }
}

extension NginxSite {
    private mutating func readHTTP(_ http: ConfigNode) {
        upstreamNodes = http.all("upstream")
        for node in upstreamNodes {
            var facts = UpstreamFacts(name: node.arguments.first ?? "", place: node.place)
            for server in node.all("server") {
                guard let text = server.arguments.first else { continue }
                var entry = UpstreamFacts.Server(
                    text: text, address: PeerAddress(parsing: text).withDefaultPort(80), place: server.place)
                entry.parameters = Array(server.arguments.dropFirst())
                for argument in entry.parameters {
                    if argument.hasPrefix("max_fails=") { entry.maxFails = Int(argument.dropFirst(10)) ?? 1 }
                    if argument == "down" { entry.isDown = true }
                    if argument == "backup" { entry.isBackup = true }
                    if argument == "resolve" { entry.resolves = true }
                }
                facts.servers.append(entry)
            }
            facts.keepaliveTimeout = keepaliveTimeout(of: node)
            facts.hasZone = node.last("zone") != nil
            upstreams.append(facts)
        }
        for server in http.all("server") { walk(server, context: [http, server], server: server, location: "/") }
        // What no route reuses is not kept.
        for index in upstreams.indices {
            let routes = routes.filter { $0.groups.contains(upstreams[index].name) }
            if !routes.contains(where: { $0.keepsConnections != false }) { upstreams[index].keepaliveTimeout = nil }
        }
    }

    /// `60`, `60s`, `1m`, `1m30s`, `500ms` (rounded up) in seconds.
    package static func seconds(_ text: String?) -> Int? {
        guard let text else { return nil }
        var total = 0, rest = LineText(text)
        while let number = rest.number, number < 1 << 32 {
            rest = LineText(rest.bytes.drop { $0 >= 48 && $0 <= 57 })
            let unit = LineText(rest.bytes.prefix { $0 >= 97 && $0 <= 122 }).string
            rest = LineText(rest.bytes.drop { $0 >= 97 && $0 <= 122 })
            switch unit {
            case "ms": total += (number + 999) / 1_000
            case "", "s": total += number
            case "m": total += number * 60
            case "h": total += number * 3_600
            case "d": total += number * 86_400
            default: return nil
            }
            guard total < 1 << 50 else { return nil }
        }
        return rest.isEmpty ? total : nil
    }

    /// `8k`, `1m`, `4096` in bytes.
    package static func size(_ text: String?) -> Int? {
        guard let text, let number = LineText(text).number, number < 1 << 32 else { return nil }
        switch text.last {
        case "k", "K": return number << 10
        case "m", "M": return number << 20
        case "g", "G": return number << 30
        default: return number
        }
    }

    /// `upstream:` joins the path of a unix socket and the URI when proxy_pass has none: gives the configured socket.
    package func socket(in peer: PeerAddress) -> PeerAddress {
        guard case .unix(let text) = peer else { return peer }
        let paths = upstreams.flatMap(\.servers).compactMap(\.address.path)
        let fitting = paths.filter { text.hasPrefix($0 + "/") }.max { $0.utf8.count < $1.utf8.count }
        guard !paths.contains(text), let path = fitting else { return peer }
        return .unix(path)
    }

    /// The name servers of all `resolver` directives, each once. O(configuration).
    var resolvers: [EvidenceSet.Resolver] {
        var found: [EvidenceSet.Resolver] = []
        func visit(_ node: ConfigNode) {
            if node.name == "resolver" {
                for server in node.arguments where !server.contains("=") && !found.contains(where: { $0.text == server }) {
                    found.append(EvidenceSet.Resolver(text: server, place: node.place))
                }
            }
            node.children?.forEach(visit)
        }
        main.forEach(visit)
        return found
    }

    /// The names that servers, `…_pass` and the values of variables give, in small letters. O(configuration).
    var hostNames: Set<String> {
        var found: Set<String> = []
        func add(_ value: String?) {
            guard let value else { return }
            let authority = value.firstRange(of: "://").map { value[$0.upperBound...] } ?? value[...]
            if case .name(let name, _) = PeerAddress(parsing: authority.prefix { $0 != "/" }) { found.insert(name.lowercased()) }
        }
        func visit(_ node: ConfigNode) {
            switch node.name {
            case "set": add(node.arguments.last)
            case "upstream": node.all("server").forEach { add($0.arguments.first) }
            case "map", "geo", "split_clients": node.children?.forEach { add($0.arguments.last) }
            default:
                if node.name.hasSuffix("_pass") { add(node.arguments.first) }
                node.children?.forEach(visit)
            }
        }
        main.forEach(visit)
        return found
    }

    /// What changes beside the address when the one at a place is another; nil: nothing, as for a server of a group.
    func hostChange(at place: String) -> String? {
        routes.first { $0.directive.place == place }?.addressUse
    }

    /// The upstream whose server is, or was resolved to, `peer`.
    package func upstream(serving peer: PeerAddress, names: [String: [PeerAddress]] = [:]) -> (
        facts: UpstreamFacts, server: UpstreamFacts.Server
    )? {
        known(serving: peer, names: names) ?? guess(serving: peer)
    }

    /// A literal name whose answer has changed since: the only name with this port. Where a variable chooses the host, anybody may have
    /// been dialled.
    package func guess(serving peer: PeerAddress) -> (facts: UpstreamFacts, server: UpstreamFacts.Server)? {
        if routes.contains(where: \.isNameInVariable) { return nil }
        let named = upstreams.flatMap { facts in facts.servers.map { (facts, $0) } }.filter {
            if case .name(_, let port) = $0.1.address { port == peer.port ?? 0 } else { false }
        }
        return named.count == 1 ? named[0] : nil
    }

    /// The same without guessing.
    package func known(serving peer: PeerAddress, names: [String: [PeerAddress]]) -> (
        facts: UpstreamFacts, server: UpstreamFacts.Server
    )? {
        for facts in upstreams { for server in facts.servers where server.address == peer { return (facts, server) } }
        for facts in upstreams {
            for server in facts.servers {
                guard case .name(let host, let port) = server.address, port == peer.port ?? 0 else { continue }
                if names[host]?.contains(peer.withPort(0)) ?? false { return (facts, server) }
            }
        }
        if case .name(let name, _) = peer, let facts = upstreams.first(where: { $0.name == name }),
            let server = facts.servers.first
        {
            return (facts, server)
        }
        // nginx writes the name without its port when nobody was picked.
        if case .name(let name, _) = peer {
            let named = upstreams.filter { facts in
                facts.servers.contains { if case .name(name, _) = $0.address { true } else { false } }
            }
            if named.count == 1, let server = named[0].servers.first { return (named[0], server) }
        }
        return nil
    }
}
