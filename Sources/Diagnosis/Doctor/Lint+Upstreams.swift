extension Lint.Context {
    /// Names where addresses are safer.
    func hostNames() -> [LintFinding] {
        var out: [LintFinding] = [], seen: Set<String> = []
        for facts in site.upstreams {
            for server in facts.servers {
                guard case .name(let host, let port) = server.address, seen.insert(server.place).inserted else {
                    continue
                }
                if host == "localhost" {
                    out.append(localhost(server, port, names[host] ?? []))
                } else if !server.resolves {
                    out.append(literal(facts, server, host, isUnknown: names[host]?.isEmpty ?? false))
                }
            }
        }
        for route in site.routes where !route.hasResolver {
            switch route.variable {
            case nil, .nothingToResolve: continue
            case .needsResolver(let name):
                out.append(
                    withoutResolver(
                        route, .error,
                        "\(name) comes out of a variable, so it is resolved at run time, which needs a `resolver` directive; without one "
                            + "every request for it fails with 502 \"no resolver defined\"."))
            case .unknown:
                out.append(
                    withoutResolver(
                        route, .notice,
                        "The configuration does not tell what the variable holds. The name of an upstream group or an address is fine; any "
                            + "other name needs a `resolver`, and without one its requests fail with 502 \"no resolver defined\"."))
            }
        }
        return out
    }

    private func withoutResolver(_ route: NginxSite.Route, _ severity: LintFinding.Severity, _ why: String) -> LintFinding {
        LintFinding(
            "variable-without-resolver", severity, "\(route.directive.name) with a variable and no resolver", why: why,
            place: route.directive.place,
            diff: insertion(after: route.directive, ["resolver 127.0.0.53 valid=10s;"]),
            byHand: "# in the location: resolver 127.0.0.53 valid=10s;",
            caution: "127.0.0.53 is the resolver of systemd-resolved: take the name server of this host.")
    }

    private func localhost(_ server: UpstreamFacts.Server, _ port: UInt16, _ addresses: [PeerAddress]) -> LintFinding {
        let both = addresses.contains(where: \.isIPv4) && addresses.contains(where: \.isIPv6)
        let bound = (evidence.listeners.value ?? []).first { $0.address.port == port }
        let target: PeerAddress =
            bound.map { $0.address.isIPv6 && !$0.accepts(.ipv4(0x7f00_0001, port: port)) } ?? false
            ? .ipv6(0, 1, port: port) : .ipv4(0x7f00_0001, port: port)
        let why =
            both
            ? "`localhost` is 127.0.0.1 and ::1 here; nginx treats them as two servers, and an application that "
                + "bound only one makes every second try fail."
            : "`localhost` is looked up in /etc/hosts; on a host where it is 127.0.0.1 and ::1, an application that "
                + "bound only one makes every second try fail."
        let listener = evidence.listeners(for: target).first
        let caution: String? =
            if !both || !addresses.contains(target.withPort(0)) || listener == nil {
                "Nothing listens on \(target.text) now, or localhost is not that address here."
            } else if let listener, evidence.owner(of: listener, meantBy: target) != .backend {
                "Whether \(listener.owner?.text ?? "what listens on \(target.text)") is meant is not known: make sure of it."
            } else {
                site.hostChange(at: server.place)
            }
        return LintFinding(
            "localhost-two-families", both ? .warning : .notice, "localhost instead of an address", why: why,
            place: server.place,
            diff: diff(
                server.place, server.text.hasPrefix("localhost:") ? server.text : "localhost",
                server.text.hasPrefix("localhost:") ? target.text : target.hostText),
            byHand: "# \(target.text) instead of \(server.text)", caution: caution)
    }

    /// - Parameter isUnknown: it was asked for, and has no address.
    private func literal(_ facts: UpstreamFacts, _ server: UpstreamFacts.Server, _ host: String, isUnknown: Bool) -> LintFinding {
        let why =
            isUnknown
            ? "\(host) does not resolve now: nginx will refuse to start or reload (\"host not found in upstream\")."
            : "\(host) is resolved once, at start; when its address changes (a container is made anew), requests go "
                + "to the old one until a reload."
        return LintFinding(
            isUnknown ? "host-not-found" : "literal-host", isUnknown ? .error : .warning,
            isUnknown ? "A host name that does not resolve" : "A host name that is resolved only once",
            why: why, place: server.place,
            diff: facts.hasZone ? diff(server.place, server.text, server.text + " resolve") : nil,
            byHand: "# nginx 1.27.3: in the upstream block `zone NAME 64k; resolver ADDRESS;` and `server \(server.text) resolve;`",
            caution: "It needs nginx 1.27.3 and a `resolver` that knows the name as this host does.")
    }

    /// Pools that empty too easily.
    func pools() -> [LintFinding] {
        var out: [LintFinding] = []
        for node in site.upstreamNodes {
            let name = node.arguments.first ?? ""
            guard let facts = site.upstreams.first(where: { $0.name == name }) else { continue }
            let usable = facts.servers.filter { !$0.isDown }
            let active = usable.filter { !$0.isBackup }
            if active.count == 2, usable.count == 2, active.allSatisfy({ $0.maxFails == 1 }), let server = active.first
            {
                let statements = node.all("server").filter { statement in active.contains { $0.place == statement.place } }
                out.append(
                    LintFinding(
                        "max-fails-two-servers", .warning, "max_fails=1 on two servers",
                        why:
                            "One failed request takes a server out for 10 s; two failures at once (a slow query, one "
                            + "bad URL) empty the pool of \(name), and every request gets 502 \"no live "
                            + "upstreams\".",
                        place: server.place,
                        diff: replacing(statements.map { ($0, Self.tolerant($0)) }),
                        byHand: "# in upstream \(name): both servers with max_fails=5 fail_timeout=5s",
                        caution: "A server that is really dead is tried five times, not once, before it is taken out."))
            }
            if facts.servers.count > 1, facts.servers.contains(where: \.isDown), active.count == 1 {
                out.append(
                    LintFinding(
                        "down-entry", .notice, "A `down` entry beside a single server",
                        why:
                            "nginx never takes out the only server of an upstream; an entry marked `down` makes it "
                            + "count as one of several, so that one failure empties the pool.",
                        place: facts.place,
                        commands: facts.servers.filter(\.isDown).map { "# take \"server \($0.text) down;\" out of upstream \(name)" }))
            }
            if active.count == 1, usable.count == 1, site.routes.contains(where: { $0.target == name }) {
                out.append(single(facts))
            }
            if active.count > 1, !facts.hasZone {
                out.append(
                    LintFinding(
                        "no-zone", .notice, "No shared zone",
                        why:
                            "Without `zone` each worker counts failures for itself: a dead server is tried again by "
                            + "every worker.",
                        place: facts.place, diff: insertion(after: node, ["zone \(name) 64k;"]),
                        byHand: "# in upstream \(name): a `zone` with a name and 64k"))
            }
            if let keep = facts.keepaliveTimeout { out += idle(facts, keep, node) }
            if facts.keepaliveTimeout == nil, let unused = unusedKeepalive(node, name) { out.append(unused) }
        }
        for route in site.routes where route.nextUpstream == ["off"] {
            out.append(
                LintFinding(
                    "next-upstream-off", .warning, "Retries are turned off",
                    why:
                        "With `\(route.directive.name.dropLast(5))_next_upstream off` every failed connection "
                        + "reaches the client although another server could have answered.",
                    place: route.directive.place,
                    diff: set("\(route.directive.name.dropLast(5))_next_upstream", "error timeout", route),
                    byHand: "# in its place: error timeout",
                    caution: "A request that failed on its way is sent to another server, unless it is a POST, LOCK or PATCH."))
        }
        return out
    }

    /// A `server` that bears five failures, with its other parameters.
    private static func tolerant(_ server: ConfigNode) -> String {
        let kept = server.arguments.filter { !$0.hasPrefix("max_fails=") && !$0.hasPrefix("fail_timeout=") }
        return (["server"] + kept + ["max_fails=5", "fail_timeout=5s"]).joined(separator: " ") + ";"
    }

    private func single(_ facts: UpstreamFacts) -> LintFinding {
        LintFinding(
            "single-upstream", .notice, "One server, so nothing to retry on",
            why:
                "When \(facts.servers.first?.text ?? "it") restarts, every request in that time fails: add a second "
                + "instance, or hold requests (Goodgate: `queue`).",
            place: facts.place, commands: ["# in upstream \(facts.name): a second instance of the application, as another `server`"])
    }

    /// Idle close of usual application servers, in seconds, by the name of their program.
    static let idleDefaults: [(program: String, seconds: Int, name: String)] = [
        ("gunicorn", 2, "gunicorn's --keep-alive"), ("uvicorn", 5, "uvicorn's --timeout-keep-alive"),
        ("node", 5, "Node's server.keepAliveTimeout"),
        ("hypercorn", 5, "hypercorn's keep_alive_timeout"),
        ("puma", 20, "Puma's persistent_timeout (65 s since version 7)"),
        ("java", 20, "Tomcat's keepAliveTimeout (Jetty: 30 s)"),
    ]

    /// By the program itself, or by what an interpreter runs: `python3 -m uvicorn`, `ruby /usr/bin/puma`.
    static func idleDefault(of command: String) -> (program: String, seconds: Int, name: String)? {
        let words = command.split(separator: " ").map { $0.split(separator: "/").last ?? $0 }
        let isInterpreted = words.first.map { word in ["python", "ruby", "bundle"].contains { word.hasPrefix($0) } } ?? false
        let programs = isInterpreted ? words.dropFirst().filter { !$0.hasPrefix("-") && $0 != "exec" }.prefix(1) : words.prefix(1)
        return idleDefaults.first { known in programs.contains { $0 == known.program || $0 == known.program + ":" } }
    }

    private func idle(_ facts: UpstreamFacts, _ keep: Int, _ node: ConfigNode) -> [LintFinding] {
        for server in facts.servers {
            guard let owner = evidence.listeners(for: server.address).first?.owner else { continue }
            let command = owner.commandLine
            guard let known = Self.idleDefault(of: command), keep >= known.seconds,
                !command.contains("keep-alive"), !command.contains("keepalive")
            else { continue }
            let shorter = "keepalive_timeout \(max(known.seconds - 1, 1))s;"
            return [
                LintFinding(
                    "keepalive-too-long", .warning, "Idle connections are kept longer than the application keeps them",
                    why:
                        "The proxy keeps idle connections to \(facts.name) for \(keep) s; \(owner.name) closes them "
                        + "after \(known.seconds) s by default (\(known.name)). A request that crosses the close "
                        + "fails with 502 (POST is not repeated).",
                    place: facts.place,
                    diff: node.last("keepalive_timeout").map { replacing([($0, shorter)]) } ?? insertion(after: node, [shorter]),
                    byHand: "# in upstream \(facts.name): a keepalive_timeout below \(known.seconds) s",
                    caution: "\(known.name) may be set in the application: make sure of the time before you keep connections for less.")
            ]
        }
        return []
    }

    /// `keepalive` in a group whose requests all ask for their connections to be closed.
    private func unusedKeepalive(_ node: ConfigNode, _ name: String) -> LintFinding? {
        guard let keepalive = node.last("keepalive"), keepalive.arguments.first != "0",
            let route = site.routes.first(where: { $0.groups.contains(name) })
        else { return nil }
        let isFastCGI = route.directive.name == "fastcgi_pass"
        guard isFastCGI || route.directive.name == "proxy_pass" else { return nil }
        let needed = isFastCGI ? "`fastcgi_keep_conn on`" : "`proxy_http_version 1.1` and `proxy_set_header Connection \"\"`"
        return LintFinding(
            "keepalive-not-used", .warning, "keepalive without effect",
            why:
                "`keepalive` of \(name) keeps nothing open without \(needed)\(isFastCGI ? "" : " (before nginx 1.29.7)"): every request "
                + "makes a connection, which costs time, and a local port for a minute.",
            place: keepalive.place, diff: isFastCGI ? set("fastcgi_keep_conn", "on", route) : reusing(route),
            byHand: isFastCGI
                ? "# in the location: fastcgi_keep_conn on;"
                : "# in the location: proxy_http_version 1.1; and a Connection field only for requests that ask for an upgrade",
            caution: isFastCGI
                ? "A kept connection occupies a worker of php-fpm: pm.max_children has to be more than all nginx workers keep."
                : "The application is spoken to in HTTP/1.1, and has to keep idle connections longer than the proxy's keepalive_timeout.")
    }

    /// The diff that lets a route's connections stay open; nil when a header field decides otherwise on purpose.
    private func reusing(_ route: NginxSite.Route) -> String? {
        let old = route.headerFields.first { $0.arguments.first?.lowercased() == "connection" }
        let isOld = route.version.map { $0.arguments.first == "1.0" } ?? true
        guard route.version == nil || !isOld else { return nil }
        let version = isOld ? ["proxy_http_version 1.1;"] : []
        let field = "proxy_set_header Connection \"\";"
        guard let old else { return insertion(after: route.headerFields.last ?? route.directive, version + [field]) }
        guard old.arguments.last?.lowercased() == "close" else { return nil }
        return version.isEmpty ? replacing([(old, field)]) : nil
    }
}
