extension Lint.Context {
    /// Time-outs and pages of the routes.
    func timeouts() -> [LintFinding] {
        var out: [LintFinding] = []
        let routes = site.routes.filter { !$0.directive.place.isEmpty }
        if let slow = routes.first(where: { waitsLong($0.facts) && $0.facts.servers.count > 1 })
            ?? routes.first(where: { waitsLong($0.facts) })
        {
            let count = routes.filter { waitsLong($0.facts) }.count
            let module = slow.directive.name.dropLast(5)
            out.append(
                LintFinding(
                    "connect-timeout-60", .warning, "60 s to wait for a connection",
                    why:
                        "A dead host is noticed after \(slow.facts.connectTimeout ?? 60) s only, and the next server is "
                        + "tried after that (\(count) of \(routes.count) routes); 1 to 2 s are enough in one "
                        + "network.",
                    place: slow.directive.place,
                    diff: set("\(module)_connect_timeout", "2s", slow),
                    byHand: "# in http, or in the location: a connect_timeout of 2s",
                    caution: "A server that is far away, or slow to accept, may need longer."))
        }
        if let bare = routes.first(where: { !$0.hasErrorPage }) {
            let count = routes.filter { !$0.hasErrorPage }.count
            out.append(
                LintFinding(
                    "no-error-page", .notice, "No page for 502, 503 and 504",
                    why:
                        "Users see the server's bare page when an application fails (\(count) of \(routes.count) "
                        + "routes): give them one that says when to come back.",
                    place: bare.directive.place,
                    commands: [
                        "# in the server: error_page 502 503 504 /50x.html; location = /50x.html { internal; root /var/www; }",
                        "# likewise where a block has an error_page of its own; without that location the application is asked for it",
                    ]))
        }
        for route in routes where (route.scheme == "https" || route.scheme == "grpcs") && route.facts.sendsServerName == false {
            let module = route.directive.name.dropLast(5)
            out.append(
                LintFinding(
                    "missing-sni", .warning, "TLS to the upstream without a server name",
                    why:
                        "`\(module)_ssl_server_name` is off by default: an upstream with several certificates "
                        + "refuses the handshake (alert 40 or 112) or shows the wrong one.",
                    place: route.directive.place,
                    diff: namingServer(module, route),
                    byHand: "# in the location: proxy_ssl_server_name on; proxy_ssl_name with the name in the certificate",
                    caution: "The upstream may choose another certificate, and another site, by the name."))
        }
        return out
    }

    /// The diff that sends the upstream's name. Of a group without a name for TLS its own would be sent, which no certificate has: that of
    /// its servers is set with it, if it is one.
    private func namingServer(_ module: Substring, _ route: NginxSite.Route) -> String? {
        let isGroup = site.upstreamNodes.contains { $0.arguments.first == route.target }
        guard isGroup, !route.hasTLSName else {
            return set("\(module)_ssl_server_name", "on", route)
        }
        let hosts = Set(route.facts.servers.map { server in if case .name(let host, _) = server.address { host } else { "" } })
        guard hosts.count == 1, let host = hosts.first, !host.isEmpty, route.block.last("\(module)_ssl_server_name") == nil else {
            return nil
        }
        return insertion(after: route.directive, ["\(module)_ssl_server_name on;", "\(module)_ssl_name \(host);"])
    }

    /// The diff that sets a directive beside a `proxy_pass`: in place of the one that stands in its block, or behind it.
    func set(_ name: String, _ value: String, _ route: NginxSite.Route) -> String? {
        let statement = "\(name) \(value);"
        return route.block.last(name).map { replacing([($0, statement)]) } ?? insertion(after: route.directive, [statement])
    }

    private func isLocal(_ facts: UpstreamFacts) -> Bool {
        facts.servers.allSatisfy { $0.address.isLoopback || $0.address.isUnixSocket }
    }

    /// Logs that do not tell the cause.
    func logs() -> [LintFinding] {
        let discarded = site.discardedErrors.prefix(1).map { node in
            LintFinding(
                "error-log-off", .warning, "Errors are thrown away",
                why: "What goes to /dev/null cannot tell why an upstream failed, today or in a month.",
                place: node.place, commands: ["# error_log /var/log/nginx/error.log error;"])
        }
        return discarded + site.errorLevels.sorted { $0.key < $1.key }.filter { ["crit", "alert", "emerg"].contains($0.value) }.map {
            path, level in
            LintFinding(
                "error-log-level", .warning, "The error log hides the cause of 502s",
                why:
                    "With level \(level) nginx does not write why an upstream failed (\"connect() failed\" and "
                    + "\"upstream timed out\" are `error`).",
                place: path, commands: ["# error_log \(path) error;"])
        }
    }

    /// Limits of the proxy and the host.
    func limits() -> [LintFinding] {
        var out: [LintFinding] = []
        let events = site.main.last { $0.name == "events" }
        let connections = events?.last("worker_connections")
        let count = connections.flatMap { Int($0.arguments.first ?? "") }.map { min(max($0, 0), 1 << 31) } ?? 512
        let nofile =
            site.main.last { $0.name == "worker_rlimit_nofile" }.flatMap { Int($0.arguments.first ?? "") }
            ?? evidence.proxy.value?.openFilesMax
        if let nofile, nofile < count * 2, nofile > 0 {
            out.append(
                LintFinding(
                    "descriptors-below-connections", .warning, "Fewer descriptors than connections need",
                    why:
                        "worker_connections \(count) needs up to \(count * 2) descriptors (each proxied request "
                        + "takes two), the limit is \(nofile): accept() or socket() will fail with error 24.",
                    place: connections?.place ?? events?.place ?? site.mainFile,
                    commands: ["# at the top of nginx.conf: worker_rlimit_nofile \(max(count * 2, 4_096));"]))
        }
        if let somaxconn = evidence.host.value?.somaxconn {
            for http in site.main where http.name == "http" {
                for server in http.all("server") {
                    for listen in server.all("listen") {
                        guard let text = listen.arguments.first(where: { $0.hasPrefix("backlog=") }),
                            let backlog = Int(text.dropFirst(8)), backlog > somaxconn
                        else { continue }
                        out.append(
                            LintFinding(
                                "backlog-above-somaxconn", .notice, "The backlog is cut by the kernel",
                                why:
                                    "backlog=\(backlog) has no effect above net.core.somaxconn, which is \(somaxconn).",
                                place: listen.place,
                                commands: ["sysctl -w net.core.somaxconn=\(backlog)"]))
                    }
                }
            }
            for unit in backendUnits() {
                guard let rest = LineText(unit.execStart).after("--backlog"),
                    let backlog = LineText(rest.bytes.dropFirst()).number, backlog > somaxconn
                else { continue }
                out.append(
                    LintFinding(
                        "backlog-above-somaxconn", .notice, "The backlog is cut by the kernel",
                        why:
                            "\(unit.name) asks for a backlog of \(backlog), the kernel gives \(somaxconn) "
                            + "(net.core.somaxconn).",
                        place: unit.name,
                        commands: ["sysctl -w net.core.somaxconn=\(backlog)"]))
            }
        }
        return out
    }

    /// Units of the applications behind the upstreams.
    func backendUnits() -> [UnitState] {
        var out: [UnitState] = []
        for server in site.upstreams.flatMap(\.servers) {
            for link in evidence.backends(of: server.address) where !out.contains(where: { $0.name == link.unit.name }) {
                out.append(link.unit)
            }
        }
        return out
    }

    /// Whether a dead host holds a request up for a minute.
    private func waitsLong(_ facts: UpstreamFacts) -> Bool { facts.connectTimeout ?? 0 >= 60 && !isLocal(facts) }

    func units() -> [LintFinding] {
        var out: [LintFinding] = []
        let readTimeout = site.routes.compactMap(\.facts.readTimeout).max() ?? 60
        for unit in backendUnits() {
            let place = unit.fragmentPath.isEmpty ? unit.name : unit.fragmentPath
            func drop(_ lines: String) -> String { "# systemctl edit \(unit.name)\n[Service]\n\(lines)" }
            if unit.killSignal == 9 {
                out.append(
                    LintFinding(
                        "kill-signal", .warning, "Stopped by SIGKILL",
                        why:
                            "KillSignal=SIGKILL gives \(unit.name) no chance to finish the requests it holds: each "
                            + "restart breaks them.",
                        place: place, diff: drop("KillSignal=SIGTERM")))
            }
            if let stop = unit.timeoutStop, stop < 5_000 {
                out.append(
                    LintFinding(
                        "timeout-stop", .warning, "Too little time to stop",
                        why:
                            "TimeoutStopSec of \(unit.name) is \(stop) ms, while the proxy waits up to "
                            + "\(readTimeout) s for an answer: requests in flight are killed at each restart.",
                        place: place, diff: drop("TimeoutStopSec=30s")))
            }
            if unit.restart == "no" || unit.restart.isEmpty {
                out.append(
                    LintFinding(
                        "no-restart", .warning, "Not restarted after a crash",
                        why:
                            "\(unit.name) has Restart=\(unit.restart.isEmpty ? "no" : unit.restart): after a crash "
                            + "or an OOM kill it stays down until someone starts it.",
                        place: place, diff: drop("Restart=on-failure\nRestartSec=1s")))
            }
            if unit.killMode == "process" || unit.killMode == "none" {
                out.append(
                    LintFinding(
                        "kill-mode", .warning, "Leftover processes keep the port",
                        why:
                            "KillMode=\(unit.killMode) leaves children of \(unit.name) behind when it stops; they "
                            + "keep its port (P27).",
                        place: place, diff: drop("KillMode=control-group")))
            }
        }
        return out
    }

    /// PM2.
    func managed() -> [LintFinding] {
        (evidence.apps.value ?? []).filter { $0.supervisor == .pm2 }.flatMap { app -> [LintFinding] in
            var out: [LintFinding] = []
            if app.execMode.hasPrefix("fork") {
                out.append(
                    LintFinding(
                        "pm2-fork-reload", .notice, "PM2 cannot reload \(app.name) without a gap",
                        why:
                            "\(app.name) runs in fork mode, where `pm2 reload` is a stop and a start: requests in "
                            + "between fail.",
                        place: "pm2 \(app.name)",
                        diff: app.isNode ? P12ReloadNotSeamless.seamless : nil,
                        byHand: "# two instances on ports of their own, restarted one after the other; or run it as an `app` of Goodgate"))
            }
            if let kill = app.killTimeout, kill < 5_000 {
                out.append(
                    LintFinding(
                        "pm2-kill-timeout", .notice, "PM2 kills \(app.name) after \(kill) ms",
                        why: "Requests that take longer than \(kill) ms are cut at each reload.",
                        place: "pm2 \(app.name)",
                        diff: "+kill_timeout: 10000,"))
            }
            return out
        }
    }
}
