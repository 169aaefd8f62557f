extension DirectiveTableBuilder {
    /// Access, realip, autoindex, stub_status, referer, empty_gif.
    mutating func addModules() {
        module = "http_access"
        let access: DirectiveContext = [.http, .server, .location, .limitExcept]
        for name in ["allow", "deny"] {
            add(name, access, .exactly(1), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
                if reader.scope.isFirst("allow"), reader.scope.isFirst("deny") {
                    reader.scope.settings.access.rules = []
                }
                let range = try reader.addressRange(directive, 1)
                reader.scope.settings.access.rules.append(
                    AccessSettings.Rule(range: range, isDenied: directive.name == "deny"))
            }
        }
        module = "http_realip"
        add("set_real_ip_from", .inherited, .exactly(1), isRepeatable: true, ModuleHandlers.realIPFrom)
        add("real_ip_header", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            switch directive.text(1) {
            case "X-Real-IP": reader.scope.settings.realIP.source = .xRealIP
            case "X-Forwarded-For": reader.scope.settings.realIP.source = .xForwardedFor
            case "proxy_protocol": reader.scope.settings.realIP.source = .proxyProtocol
            default: reader.scope.settings.realIP.source = .header(lowercased(directive[1]))
            }
        }
        add("real_ip_recursive", .inherited, .flag, Setter.flag(\.realIP.isRecursive))
        module = "http_autoindex"
        add("autoindex", .inherited, .flag, Setter.flag(\.autoindex.isEnabled))
        add("autoindex_format", .inherited, .exactly(1), Setter.choice(\.autoindex.format))
        add("autoindex_localtime", .inherited, .flag, Setter.flag(\.autoindex.showsLocalTime))
        add("autoindex_exact_size", .inherited, .flag, Setter.flag(\.autoindex.showsExactSize))
        module = "http_stub_status"
        add("stub_status", [.server, .location], .between(0, 1), isRepeatable: true) {
            (reader, _) throws(DirectiveError) in
            reader.scope.settings.handler = .stubStatus
        }
        module = "http_empty_gif"
        add("empty_gif", .location, .exactly(0), isRepeatable: true) { (reader, _) throws(DirectiveError) in
            reader.scope.settings.handler = .emptyGIF
        }
        module = "http_referer"
        let ownServer: DirectiveContext = [.server, .location]
        add("valid_referers", ownServer, .atLeast(1), isRepeatable: true, ModuleHandlers.validReferers)
        let number: DirectiveHandler = { (_, directive) throws(DirectiveError) in _ = try directive.number() }
        for name in ["referer_hash_max_size", "referer_hash_bucket_size"] {
            accept(name, ownServer, .exactly(1), "tables grow as needed", check: number)
        }
    }
}

/// Handlers of small modules.
enum ModuleHandlers {
    static let realIPFrom: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        if reader.scope.isFirst("set_real_ip_from") { reader.scope.settings.realIP.trusted = [] }
        reader.http.usesRealIP = true
        if directive.isWord(1, "unix:") {
            reader.scope.settings.realIP.trusted.append(.unix)
        } else if let (range, hasLowBits) = AddressRange.parse(directive[1]) {
            if hasLowBits { reader.warn("low address bits of \(directive.text(1)) are meaningless", directive) }
            reader.scope.settings.realIP.trusted.append(range)
        } else {
            guard let found = reader.addresses(of: .name(host: directive.text(1), port: 0)) else {
                throw DirectiveError("host not found in set_real_ip_from \"\(directive.text(1))\"")
            }
            reader.scope.settings.realIP.trusted += found.compactMap(AddressRange.init(exactly:))
        }
    }

    static let validReferers: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        var referer = reader.scope.isFirst("valid_referers") ? RefererSettings() : reader.scope.settings.referer
        var names = referer.names ?? []
        for index in 1...directive.argumentCount {
            let word = directive[index]
            switch directive.text(index) {
            case "": throw DirectiveError("invalid referer \"\"")
            case "none": referer.allowsNone = true
            case "blocked": referer.allowsBlocked = true
            case "server_names": referer.allowsServerNames = true
            default:
                if word.first == UInt8(ascii: "~") {
                    guard word.count > 1 else { throw DirectiveError("empty regex in \"~\"") }
                    let id = try reader.pattern(word.dropFirst(), caseless: true, at: directive.location)
                    referer.patterns.append(id)
                } else {
                    names.append(try refererName(word))
                }
            }
        }
        referer.names = names
        reader.scope.settings.referer = referer
    }

    private static func refererName(_ word: Bytes) throws(DirectiveError) -> RefererSettings.Name {
        let slash = word.firstIndex(of: UInt8(ascii: "/")) ?? word.count
        let uri = Bytes(word[slash...])
        let host = lowercased(word[..<slash])
        var table = HostNameTable<Bool>()
        guard table.add(host, true) == .added else {
            throw DirectiveError("invalid hostname or wildcard", quoting: host)
        }
        return switch ServerName(text: host) {
        case .exact(let name): RefererSettings.Name(kind: .exact, name: name, uri: uri)
        case .leadingWildcard(let name): RefererSettings.Name(kind: .leadingWildcard, name: name, uri: uri)
        case .suffix(let name): RefererSettings.Name(kind: .suffix, name: name, uri: uri)
        case .trailingWildcard(let name): RefererSettings.Name(kind: .trailingWildcard, name: name, uri: uri)
        case .pattern: RefererSettings.Name(kind: .exact, name: host, uri: uri)
        }
    }
}

extension ConfigurationReader {
    /// Names of `valid_referers` must not collide, and `server_names` stand for the names of the server.
    func finishReferers() {
        guard !scope.isFirst("valid_referers"), var names = scope.settings.referer.names else { return }
        var table = HostNameTable<Bool>()
        if scope.settings.referer.allowsServerNames {
            for name in http.servers[scope.server].names {
                switch name {
                case .exact(let text): names.append(RefererSettings.Name(kind: .exact, name: text, uri: []))
                case .leadingWildcard(let text):
                    names.append(RefererSettings.Name(kind: .leadingWildcard, name: text, uri: []))
                case .suffix(let text): names.append(RefererSettings.Name(kind: .suffix, name: text, uri: []))
                case .trailingWildcard(let text):
                    names.append(RefererSettings.Name(kind: .trailingWildcard, name: text, uri: []))
                case .pattern(let id): scope.settings.referer.serverPatterns.append(id)
                }
            }
            scope.settings.referer.names = names
        }
        for name in names where table.add(name.text, true) == .conflict {
            let text = String(decoding: name.text, as: UTF8.self)
            report("conflicting parameter \"\(text)\"", at: scope.location, directive: "valid_referers")
        }
        let referer = scope.settings.referer
        if referer.allowsNone || referer.allowsBlocked, names.isEmpty {
            // nginx counts names only; expressions alone are refused there too.
            report(
                "the \"none\" or \"blocked\" referers are specified in the \"valid_referers\" directive "
                    + "without any valid referer", at: scope.location, directive: "valid_referers")
        }
    }
}

extension RefererSettings.Name {
    /// The name with its wildcard, without URI.
    var text: Bytes {
        switch kind {
        case .exact: name
        case .leadingWildcard: Bytes("*.".utf8) + name
        case .suffix: Bytes(".".utf8) + name
        case .trailingWildcard: name + Bytes(".*".utf8)
        }
    }
}
