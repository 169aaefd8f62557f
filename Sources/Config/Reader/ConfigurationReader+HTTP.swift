extension ConfigurationReader {
    /// `http { }`.
    func readHTTP(_ directive: Directive) {
        hasHTTP = true
        http.location = directive.location
        addCombinedFormat(at: directive.location)
        let child = BlockScope(context: .http, location: directive.location)
        child.settings = defaultSettings(at: directive.location)
        child.id = allocateSettings()
        readSettings(directive, in: child)
        finishUpstreams(httpSettings: child.settings)
        buildListeners()
    }

    /// Reads a block that has settings and stores these, complete, before the blocks within copy them.
    func readSettings(_ directive: Directive, in child: BlockScope) {
        child.deferred.append { reader in
            reader.finishSettings()
            reader.store(reader.scope)
        }
        read(directive.children ?? [], in: child)
    }

    /// Settings before anything is said.
    private func defaultSettings(at location: SourceLocation) -> LocationSettings {
        var settings = LocationSettings()
        settings.location = location
        let page = facts.pageSize
        settings.core.root = Template(literal: Bytes(prefixed("html").utf8))
        settings.core.clientBodyBufferSize = 2 * page
        settings.core.subrequestOutputBufferSize = page
        settings.core.clientBodyTempPath.path = defaults.clientBodyTemp
        settings.core.errorLogs = []
        settings.proxy.bufferSize = page
        settings.proxy.buffersSize = page
        settings.proxy.tempPath.path = defaults.proxyTemp
        settings.gzip.bufferSize = page
        settings.gzip.bufferCount = 128 * 1_024 / page
        settings.gunzip.bufferSize = page
        settings.gunzip.bufferCount = 128 * 1_024 / page
        settings.log.targets = [
            AccessLogTarget(destination: .file(defaults.accessLog), format: 0, location: nil)
        ]
        return settings
    }

    /// `server { }`.
    func readServer(_ directive: Directive) {
        let child = scope.makeChild(context: .server, location: directive.location)
        child.id = allocateSettings()
        child.server = http.servers.count
        http.servers.append(ServerSettings(location: directive.location, settings: child.id))
        // The server's own settings are complete before its locations copy them.
        child.deferred.append { reader in reader.finishServer() }
        let body = directive.children ?? []
        read(body, in: child)
        http.servers[child.server].rewrite.instructions = child.rewrite
        http.servers[child.server].locations = child.children
        checkDuplicates(among: child.children)
    }

    private func finishServer() {
        finishSettings()
        store(scope)
        let index = scope.server
        http.servers[index].head = scope.head
        if scope.head.largeBufferSize < scope.head.connectionPoolSize {
            report(
                "the \"large_client_header_buffers\" size must be equal to or greater than \"connection_pool_size\"",
                at: scope.seen["large_client_header_buffers"] ?? scope.seen["connection_pool_size"] ?? scope.location,
                directive: "large_client_header_buffers")
        }
        if http.servers[index].names.isEmpty { http.servers[index].names = [.exact([])] }
        // A refused `listen` must not become one on port 80, which would only collect more errors.
        if http.servers[index].listens.isEmpty, scope.isFirst("listen") {
            let port: UInt16 = facts.isRoot ? 80 : 8_000
            http.servers[index].listens = [
                ListenSettings(address: .ipv4(0, port: port), location: scope.location)
            ]
        }
    }

    /// A slot for the settings of a block.
    func allocateSettings() -> LocationID {
        http.locations.append(LocationSettings())
        return LocationID(http.locations.count - 1)
    }

    /// Puts the settings of a block into its slot.
    func store(_ block: BlockScope) {
        http.locations[block.id.index] = block.settings
    }

    /// What nginx works out or checks when it merges the settings of a block.
    func finishSettings() {
        let block = scope
        let fields = block.settings.headers
        if fields.headersInheritance == .merge, let inherited = block.inheritedHeaders {
            block.settings.headers.headers += inherited
        }
        if fields.trailersInheritance == .merge, let inherited = block.inheritedTrailers {
            block.settings.headers.trailers += inherited
        }
        if fields.headersInheritance == .off, block.isFirst("add_header") { block.settings.headers.headers = [] }
        if fields.trailersInheritance == .off, block.isFirst("add_trailer") { block.settings.headers.trailers = [] }
        finishProxy()
        finishReferers()
        finishCharsets()
    }
}
