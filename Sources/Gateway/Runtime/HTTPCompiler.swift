import Config
import Loop
import Machine
import Pattern
import Wire

/// Turns the typed settings of a configuration into what the data plane reads. Runs once, at the start of a worker.
struct HTTPCompiler: ~Copyable {
    let configuration: Ref<Configuration>
    let hostName: String
    var log: LogWriter
    var patterns: [Ref<CompiledPattern>] = []
    var variables: [VariableEntry] = []
    var upstreams: [Ref<Upstream>] = []
    /// Those whose settings are equal are one, with one cache.
    var resolvers: [Ref<ResolverRuntime>] = []
    var followedServers: [Ref<FollowedServer>] = []
    var locations: [Ref<Location>] = []
    var servers: [Ref<VirtualServer>] = []
    var charsets = CharsetTable(names: [], recodings: [])
    /// Tables of media types that were already made.
    var typeTables: [(types: [Bytes: Bytes], table: ByteTable<ByteView>)] = []

    /// - Parameter hostName: of this machine, for lines to syslog.
    init(configuration: Ref<Configuration>, log: consuming LogWriter, hostName: String) {
        self.hostName = hostName
        self.configuration = configuration
        self.log = log
    }

    /// What went wrong: what the supervisor's check did not see, so nothing but memory or a regular expression.
    struct Failure: Error { let message: String }

    mutating func compile() throws(Failure) -> HTTPRuntime {
        var runtime = HTTPRuntime(
            configuration: configuration, usesRealIP: configuration.value.http?.usesRealIP ?? false, warnsUninitialized: true)
        compileVariables()
        addProxyHost()
        try compilePatterns()
        compileMainLogs()
        compileCharsets()
        guard configuration.value.http != nil else { return runtime }
        try compileUpstreams()
        for index in configuration.value.http!.locations.indices {
            locations.append(Ref.immortal(Location(id: index, settings: Ref.immortal(configuration.value.http!.locations[index]))))
        }
        for location in locations {
            compileProxy(location)
            compileHeaders(location)
            compileFiles(location)
            compileReferers(location)
            compileFilters(location)
            compileLogs(location)
        }
        compileHealthChecks()
        for match in configuration.value.http!.matches { runtime.matches[match.name] = self.match(match) }
        for index in configuration.value.http!.servers.indices { try compileServer(index) }
        runtime.maps = FixedList(configuration.value.http!.maps.map { compile($0) })
        runtime.geos = FixedList(configuration.value.http!.geos.map { compile($0) })
        runtime.requestZoneKeys = FixedList(configuration.value.http!.limitRequestZones.map { compile($0.key) })
        runtime.connectionZoneKeys = FixedList(configuration.value.http!.limitConnectionZones.map { compile($0.key) })
        runtime.listeners = compileListeners()
        runtime.charsets = charsets
        runtime.variables = FixedList(variables)
        runtime.usesRequestBodyFile = variables.contains { $0.kind == .builtin && $0.builtin == .requestBodyFile }
        runtime.usesRequestBody = variables.contains { $0.kind == .builtin && $0.builtin == .requestBody }
        runtime.patterns = FixedList(patterns)
        runtime.locations = FixedList(locations)
        runtime.servers = FixedList(servers)
        runtime.upstreams = FixedList(upstreams)
        return runtime
    }

    private mutating func compilePatterns() throws(Failure) {
        for source in configuration.value.patterns {
            let pattern: Pattern
            let text = ByteView.immortal(source.bytes)
            do {
                pattern = try Pattern(text, options: source.caseless ? .caseless : [])
            } catch {
                throw Failure(message: "pcre2_compile() failed: \(error.message)")
            }
            let names = source.namedVariables.map { (variable: Int32($0.variable.index), group: Int32($0.capture)) }
            patterns.append(Ref.immortal(CompiledPattern(pattern: pattern, text: text, names: FixedList(names))))
        }
    }

    private mutating func compileVariables() {
        for variable in configuration.value.variables.entries {
            var kind = VariableEntry.Kind.none
            var builtin = BuiltinVariable.request
            var name = Array(variable.name.utf8)
            var number = 0
            switch variable.kind {
            case .undefined: kind = .none
            case .builtin(let which): (kind, builtin) = (.builtin, which)
            case .requestHeader(let part): (kind, name) = (.requestHeader, part)
            case .sentHeader(let part): (kind, name) = (.sentHeader, part)
            case .sentTrailer(let part): (kind, name) = (.sentTrailer, part)
            case .upstreamHeader(let part): (kind, name) = (.upstreamHeader, part)
            case .upstreamTrailer(let part): (kind, name) = (.upstreamTrailer, part)
            case .upstreamCookie(let part): (kind, name) = (.upstreamCookie, part)
            case .cookie(let part): (kind, name) = (.cookie, part)
            case .argument(let part): (kind, name) = (.argument, part)
            case .proxyProtocolTLV: kind = .proxyProtocolTLV
            case .map(let index): (kind, number) = (.map, index)
            case .geo(let index): (kind, number) = (.geo, index)
            case .splitClients(let index): (kind, number) = (.splitClients, index)
            case .set, .namedCapture: kind = .assigned
            }
            let isComputed = kind == .map || kind == .geo || kind == .splitClients
            variables.append(VariableEntry(
                kind: kind, builtin: builtin, name: ByteView.immortal(name), number: number,
                isAssigned: variable.isAssigned || kind == .assigned, isCached: isComputed && !variable.isVolatile))
        }
    }

    /// The Host of a dynamic proxy_pass is this variable, whether the configuration names it or not.
    private mutating func addProxyHost() {
        guard !variables.contains(where: { $0.kind == .builtin && $0.builtin == .proxyHost }) else { return }
        variables.append(VariableEntry(
            kind: .builtin, builtin: .proxyHost, name: "proxy_host", number: 0, isAssigned: false, isCached: false))
    }

    // MARK: - Texts

    func compile(_ template: Template) -> CompiledText {
        CompiledText(parts: template.parts.map { part in
            switch part {
            case .literal(let bytes): .literal(ByteView.immortal(bytes))
            case .variable(let id): .variable(Int32(id.index))
            case .capture(let number): .capture(Int32(number))
            }
        })
    }

    // MARK: - Servers

    private mutating func compileServer(_ index: Int) throws(Failure) {
        let settings = configuration.value.http!.servers[index]
        let location = locations[settings.settings.index]
        let server = Ref.immortal(VirtualServer(index: index, settings: settings, location: location))
        server.value.rewrite = compile(settings.rewrite)
        server.value.locations = compileTree(settings.locations)
        servers.append(server)
    }

    private func compile(_ program: RewriteProgram) -> Ref<CompiledRewrite>? {
        program.isEmpty ? nil : Ref.immortal(CompiledRewrite(program: Ref.immortal(program)))
    }

    private func compileTree(_ nodes: [LocationNode]) -> LocationTree {
        var entries: [LocationTree.Entry] = []
        var regexes: [LocationTree.Regex] = []
        var named: [(name: ByteView, location: Ref<Location>)] = []
        func entry(_ path: [UInt8], _ change: (inout LocationTree.Entry) -> Void) {
            let view = ByteView.immortal(path)
            if let index = entries.firstIndex(where: { $0.path == view }) { return change(&entries[index]) }
            var made = LocationTree.Entry(path: view)
            change(&made)
            entries.append(made)
        }
        for node in nodes {
            let location = locations[node.settings.index]
            location.value.rewrite = compile(node.rewrite)
            location.value.redirectsToSlash = node.redirectsToSlash
            if !node.children.isEmpty { location.value.children = compileTree(node.children) }
            switch node.match {
            case .exact(let path): entry(path) { $0.exact = location }
            case .prefix(let path): entry(path) { $0.prefix = location }
            case .prefixNoRegex(let path):
                entry(path) {
                    $0.prefix = location
                    $0.stopsRegex = true
                }
            case .regex(let id): regexes.append(LocationTree.Regex(pattern: patterns[id.index], location: location))
            case .named(let name): named.append((ByteView.immortal(name), location))
            }
        }
        return LocationTree(entries: entries, regexes: regexes, named: named)
    }

    private func compileListeners() -> [Ref<Listener>] {
        let http = configuration.value.http!
        return http.listeners.enumerated().map { index, settings in
            let hosts = HostTable(
                names: NameTable(settings.hosts.names) { servers[$0] },
                regexes: settings.hosts.patterns.map { (patterns[$0.pattern.index], servers[$0.server]) })
            let standard = servers[settings.defaultServer]
            let names = settings.hosts.names
            let named = [names.exact, names.leading, names.trailing].flatMap(\.values) + settings.hosts.patterns.map(\.server)
            return Ref.immortal(Listener(
                index: UInt32(index), key: settings.address.listenKey, hasProxyProtocol: settings.acceptsProxyProtocol,
                defaultServer: standard, hosts: hosts, isTCP: settings.address.port != nil,
                hasHeadOptions: named.contains { servers[$0].value.headOptions != standard.value.headOptions }))
        }
    }
}

extension HTTPCompiler {
    /// Hands the log writer, now with all files, to the worker.
    mutating func takeLog() -> LogWriter {
        var result = LogWriter()
        swap(&result, &log)
        return result
    }
}
