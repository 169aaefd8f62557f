/// Whom a `proxy_pass` or one of its relatives names, with the variables in it as far as the configuration tells what they hold.
package struct RouteTarget: Sendable {
    /// What is known of the variables that decide whom to ask.
    package enum Outcome: Sendable, Hashable {
        /// Groups and addresses only: nothing has to be resolved.
        case nothingToResolve
        /// A name among them has to be.
        case needsResolver(String)
        /// The configuration does not tell.
        case unknown
    }

    /// `http`, `https`, `fastcgi`, …
    let scheme: String
    /// Groups and addresses, as written; a name that a variable gives is resolved at run time and is none of them.
    let authorities: [String]
    /// nil: no variable decides.
    let outcome: Outcome?

    /// Variables that begin a path.
    private static let paths = ["request_uri", "uri", "document_uri", "is_args"]

    init(_ text: String, module: String, server: ConfigNode, site: NginxSite) {
        let usual = module == "proxy" ? "http" : module
        // nginx does not mind how a group's name is written.
        let groups = Dictionary(site.upstreamNodes.compactMap(\.arguments.first).map { ($0.lowercased(), $0) }) { first, _ in first }
        func authority(of text: String) -> String {
            let written = Self.authority(of: text)
            return groups[written.lowercased()] ?? written
        }
        guard let name = Self.variable(in: Self.authority(of: text)) else {
            (scheme, authorities, outcome) = (Self.scheme(of: text) ?? usual, [authority(of: text)], nil)
            return
        }
        let values = site.values(of: name, in: server)
        let targets = (values ?? []).map { Self.replacing(name, by: $0, in: text) }.filter { !Self.authority(of: $0).isEmpty }
        scheme = Self.scheme(of: targets.first ?? text) ?? usual
        let found = targets.map(authority(of:))
        let isKnown = values != nil && found.allSatisfy { !$0.contains("$") }
        func isName(_ authority: String) -> Bool {
            if case .name = PeerAddress(parsing: authority) { groups[authority.lowercased()] == nil } else { false }
        }
        authorities = found.filter { !$0.contains("$") && !isName($0) }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        outcome =
            if let name = found.first(where: { !$0.contains("$") && isName($0) }) {
                .needsResolver(name)
            } else { isKnown && !found.isEmpty ? .nothingToResolve : .unknown }
    }

    private static func scheme(of text: String) -> String? { text.firstRange(of: "://").map { String(text[..<$0.lowerBound]) } }

    /// Host and port, the path of a socket, or the name of a group: what comes before the path and before a variable that begins one.
    static func authority(of text: String) -> String {
        var rest = text.firstRange(of: "://").map { text[$0.upperBound...] } ?? text[...]
        if rest.hasPrefix("unix:") { return "unix:" + rest.dropFirst(5).prefix { $0 != ":" } }
        rest = rest.prefix { $0 != "/" && $0 != "?" }
        var from = rest.startIndex
        while let at = rest[from...].firstIndex(of: "$") {
            // A number is what a regular expression found, behind a host the rest of its path.
            if let name = variable(in: rest[at...]), at > rest.startIndex, paths.contains(name) || name.allSatisfy(\.isNumber) {
                return String(rest[..<at])
            }
            from = rest.index(after: at)
        }
        return String(rest)
    }

    /// The name of the first variable.
    private static func variable(in text: some StringProtocol) -> String? {
        guard let at = text.firstIndex(of: "$") else { return nil }
        return String(
            text[text.index(after: at)...].drop { $0 == "{" }.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
    }

    private static func replacing(_ name: String, by value: String, in text: String) -> String {
        guard let at = text.firstIndex(of: "$") else { return text }
        let rest = text[text.index(after: at)...]
        let isBraced = rest.first == "{"
        let behind = rest.dropFirst(name.count + (isBraced ? 1 : 0))
        return text[..<at] + value + (isBraced && behind.first == "}" ? behind.dropFirst() : behind)
    }
}

extension NginxSite {
    /// The texts that a variable may hold, by `set` of its server and by map, geo and split_clients; nil when nothing gives it.
    func values(of name: String, in server: ConfigNode) -> [String]? {
        var found: [String] = []
        func visit(_ node: ConfigNode) {
            if node.name == "set", node.arguments.first == "$" + name { found.append(node.arguments.count > 1 ? node.arguments[1] : "") }
            node.children?.forEach(visit)
        }
        visit(server)
        for node in main where node.name == "http" {
            for table in node.children ?? [] where ["map", "geo", "split_clients"].contains(table.name) {
                guard table.arguments.last == "$" + name else { continue }
                let words = ["hostnames", "volatile", "ranges", "delete", "proxy", "proxy_recursive", "include"]
                found += (table.children ?? []).filter { !words.contains($0.name) }.compactMap(\.arguments.last)
            }
        }
        return found.isEmpty ? nil : found
    }
}
