extension ConfigurationReader {
    /// `upstream NAME { }`.
    func readUpstream(_ directive: Directive) throws(DirectiveError) {
        let name = directive.text(1)
        let key = name.lowercased()
        if upstreamIndices[key] != nil { throw DirectiveError("duplicate upstream \"\(name)\"") }
        upstreamIndices[key] = [http.upstreams.count]
        http.upstreams.append(UpstreamSettings(name: name, location: directive.location))
        let index = http.upstreams.count - 1
        let child = BlockScope(context: .upstream, location: directive.location)
        child.upstream = http.upstreams[index]
        let diagnosticCount = diagnostics.count
        read(directive.children ?? [], in: child)
        guard var upstream = child.upstream else { return }
        upstream.keepalive = child.keepalive.connections == 0 ? nil : child.keepalive
        upstream.hasResolverTimeout = !child.isFirst("resolver_timeout")
        upstream.namesApp = child.appName != nil
        http.upstreams[index] = upstream
        if let (appName, location) = child.appName {
            deferredToEnd.append { reader in reader.attachApp(appName, to: index, at: location) }
        } else if upstream.servers.isEmpty, upstream.statePath == nil {
            // The other errors of the block say more: a server was refused, or its name misspelt.
            let hasErrors = diagnostics.dropFirst(diagnosticCount).contains { $0.severity == .emergency }
            if !hasErrors, !hasLostStatements { throw DirectiveError("no servers are inside upstream") }
        }
    }

    private func attachApp(_ name: String, to upstream: Int, at location: SourceLocation) {
        guard let app = configuration.main.apps.firstIndex(where: { $0.name == name }) else {
            var diagnostic = Diagnostic(.emergency, "unknown app \"\(name)\"", at: location, directive: "app")
            diagnostic.suggestion = EditDistance.nearest(to: name, in: configuration.main.apps.map(\.name))
            diagnostics.append(diagnostic)
            return
        }
        if configuration.main.apps[app].listen == .nowhere {
            report("app \"\(name)\" listens nowhere (\"listen none\")", at: location, directive: "app")
        }
        http.upstreams[upstream].app = app
        if http.upstreams[upstream].queue == nil {
            http.upstreams[upstream].queue = QueueSettings(length: 1_000, timeout: 30_000)
        }
    }

    /// Sets the balancing method; nginx warns when there was one.
    func setPolicy(_ policy: BalancingPolicy, _ directive: Directive) {
        let methods = ["ip_hash", "least_conn", "hash", "random", "least_time"]
        if methods.contains(where: { !scope.isFirst($0) }) { warn("load balancing method redefined", directive) }
        scope.upstream?.policy = policy
    }

    /// `server ADDRESS PARAMETERS;` of an upstream.
    func upstreamServer(_ directive: Directive) throws(DirectiveError) -> UpstreamServer {
        var server = UpstreamServer(
            location: directive.location, text: directive[1], address: .literal(.ipv4(0, port: 0)))
        for index in 2..<directive.words.count { try serverParameter(directive, index, &server) }
        let text = directive.text(1)
        if server.service != nil, !server.isResolved {
            throw DirectiveError("service upstream \"\(text)\" requires \"resolve\" parameter")
        }
        let host = try address(directive[1], HostPort.Rules(), in: "upstream \"\(text)\"")
        server.address = host.address
        if server.service != nil {
            if host.hasPort { throw DirectiveError("service upstream \"\(text)\" may not have port") }
            guard case .name = host.address else {
                throw DirectiveError("service upstream \"\(text)\" requires domain name")
            }
            throw DirectiveError(
                "the parameter \"service=\" is known to nginx, but not supported by Goodgate yet: "
                    + "SRV records are not read; name the host and its port")
        }
        if case .literal = server.address { server.isResolved = false }
        if !server.isResolved {
            guard let found = addresses(of: server.address) else {
                throw DirectiveError("host not found in upstream \"\(text)\"")
            }
            server.resolved = found
        }
        return server
    }

    /// Whether the method allows for `backup` and `slow_start`.
    var policyWeighsFreely: Bool {
        switch scope.upstream?.policy {
        case .ipHash, .hash, .random: false
        default: true
        }
    }

    private static let serverParameters = [
        "weight=", "max_conns=", "max_fails=", "fail_timeout=", "slow_start=", "id=", "route=", "service=", "backup",
        "down", "drain", "resolve",
    ]

    private func serverParameter(
        _ directive: Directive, _ index: Int, _ server: inout UpstreamServer
    ) throws(DirectiveError) {
        var invalid: DirectiveError { directive.invalidParameter(index, known: Self.serverParameters) }
        func number(_ value: ArraySlice<UInt8>) throws(DirectiveError) -> Int {
            guard let number = ValueParsing.integer(value) else { throw invalid }
            return number
        }
        switch directive.text(index) {
        case "backup":
            guard policyWeighsFreely else {
                throw DirectiveError("balancing method does not support parameter", quoting: directive[index])
            }
            server.isBackup = true
            return
        case "down":
            server.isDown = true
            return
        case "drain":
            server.isDraining = true
            return
        case "resolve":
            server.isResolved = true
            return
        default: break
        }
        if let value = directive.value(index, after: "weight=") {
            server.weight = try number(value)
            guard server.weight > 0 else { throw invalid }
        } else if let value = directive.value(index, after: "max_conns=") {
            server.maxConnections = try number(value)
        } else if let value = directive.value(index, after: "max_fails=") {
            server.maxFails = try number(value)
        } else if let value = directive.value(index, after: "fail_timeout=") {
            guard let seconds = ValueParsing.seconds(value), seconds <= Int.max / 1_000 else { throw invalid }
            server.failTimeout = seconds * 1_000
        } else if let value = directive.value(index, after: "slow_start=") {
            guard let time = ValueParsing.milliseconds(value) else { throw invalid }
            guard policyWeighsFreely else {
                throw DirectiveError("balancing method does not support parameter", quoting: directive[index])
            }
            server.slowStart = time
        } else if let value = directive.value(index, after: "id=") {
            server.identifier = try number(value)
        } else if let value = directive.value(index, after: "route=") {
            guard !value.isEmpty else { throw DirectiveError("route is empty") }
            guard value.count <= 32 else { throw DirectiveError("route is longer than 32") }
            server.route = Bytes(value)
        } else if let value = directive.value(index, after: "service=") {
            guard !value.isEmpty else { throw DirectiveError("service is empty") }
            server.service = String(decoding: value, as: UTF8.self)
        } else {
            throw invalid
        }
    }

    /// nginx's checks of whole groups, and what they take from the http block.
    func finishUpstreams(httpSettings: LocationSettings) {
        for index in http.upstreams.indices where !http.upstreams[index].isImplicit {
            let upstream = http.upstreams[index]
            if upstream.resolver == nil { http.upstreams[index].resolver = httpSettings.core.resolver }
            if !upstream.hasResolverTimeout {
                http.upstreams[index].resolverTimeout = httpSettings.core.resolverTimeout
            }
            if let message = mistake(of: http.upstreams[index]) {
                report(message, at: upstream.location, directive: "upstream")
            }
        }
        attachHealthChecks()
    }

    private func mistake(of upstream: UpstreamSettings) -> String? {
        let name = upstream.name
        if let zone = upstream.zone?.name, zones[zone]?.size == 0 { return "zero size shared memory zone \"\(zone)\"" }
        if upstream.servers.contains(where: \.isResolved) {
            guard upstream.zone != nil else {
                return "resolving names at run time requires upstream \"\(name)\" to be in shared memory"
            }
            if upstream.resolver == nil {
                return "no resolver defined to resolve names at run time in upstream \"\(name)\""
            }
        }
        // Without any server other rules hold, and an app is no backup.
        let isAllBackup = !upstream.namesApp && !upstream.servers.isEmpty && upstream.servers.allSatisfy(\.isBackup)
        return isAllBackup ? "no servers in upstream \"\(name)\"" : nil
    }

    /// Gives each health check to the upstream that its location passes to.
    private func attachHealthChecks() {
        for check in healthChecks {
            let pass = http.locations[check.settings.index].proxy.pass
            guard case .upstream(let index) = pass?.target else {
                report(
                    "\"health_check\" directive requires \"proxy_pass\" without variables in the same location",
                    at: check.location, directive: "health_check")
                continue
            }
            http.upstreams[index].healthChecks.append(check)
        }
    }
}
