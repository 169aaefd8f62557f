extension DirectiveTableBuilder {
    /// Files and request bodies of the http core module.
    mutating func addCore() {
        module = "http_core"
        add("root", .inheritedAndIf, .exactly(1), isRepeatable: true, CoreHandlers.root)
        add("alias", .location, .exactly(1), isRepeatable: true, CoreHandlers.root)
        add("types", .inherited, .exactly(0), isBlock: true, isRepeatable: true, CoreHandlers.types)
        add("default_type", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.core.defaultType = directive[1]
        }
        add("disable_symlinks", .inherited, .between(1, 2), CoreHandlers.disableSymlinks)
        add("log_not_found", .inherited, .flag, Setter.flag(\.core.logsNotFound))
        add("sendfile", .inheritedAndIf, .flag, Setter.flag(\.core.isSendfileEnabled))
        add("sendfile_max_chunk", .inherited, .exactly(1), Setter.size(\.core.sendfileChunkMax))
        add(
            "output_buffers", .inherited, .exactly(2),
            Setter.buffers(\.core.outputBufferCount, \.core.outputBufferSize))
        add("postpone_output", .inherited, .exactly(1), Setter.size(\.core.postponeOutput))
        add(
            "subrequest_output_buffer_size", .inherited, .exactly(1), Setter.size(\.core.subrequestOutputBufferSize))
        add("etag", .inherited, .flag, Setter.flag(\.core.hasETag))
        add("if_modified_since", .inherited, .exactly(1), Setter.choice(\.core.ifModifiedSince))
        add("max_ranges", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.core.rangeCountMax = try directive.number()
        }
        add("client_max_body_size", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.core.clientBodySizeMax = try directive.size(allowsGiga: true)
        }
        add("client_body_buffer_size", .inherited, .exactly(1), Setter.size(\.core.clientBodyBufferSize))
        add("client_body_timeout", .inherited, .exactly(1), Setter.milliseconds(\.core.clientBodyTimeout))
        add("client_body_temp_path", .inherited, .between(1, 4)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.core.clientBodyTempPath = try reader.tempPath(directive)
        }
        add("client_body_in_file_only", .inherited, .exactly(1), Setter.choice(\.core.clientBodyInFile))
        add("client_body_in_single_buffer", .inherited, .flag, Setter.flag(\.core.clientBodyInSingleBuffer))
        add("satisfy", .inherited, .exactly(1), Setter.choice(\.core.satisfy))
        add("auth_delay", .inherited, .exactly(1), Setter.milliseconds(\.core.authDelay))
        add("internal", .location, .exactly(0)) { (reader, _) throws(DirectiveError) in
            reader.scope.settings.core.isInternal = true
        }
        add("resolver", .inherited, .atLeast(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.core.resolver = try reader.resolver(directive)
        }
        add("resolver_timeout", .inherited, .exactly(1), Setter.milliseconds(\.core.resolverTimeout))
        add("error_log", .inherited, .atLeast(1), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            if reader.scope.isFirst("error_log") { reader.scope.settings.core.errorLogs = [] }
            let log = try reader.errorLog(directive)
            reader.scope.settings.core.errorLogs.append(log)
        }
        add("limit_except", .location, .atLeast(1), isBlock: true, CoreHandlers.limitExcept)
        add("index", .inherited, .atLeast(1), isRepeatable: true, CoreHandlers.index)
        add("random_index", .location, .flag, Setter.flag(\.core.isRandomIndex))
        add("try_files", [.server, .location], .atLeast(2), CoreHandlers.tryFiles)
        addIgnoredCore()
    }

    private mutating func addIgnoredCore() {
        let flag: DirectiveHandler = { (_, directive) throws(DirectiveError) in _ = try directive.flag() }
        let number: DirectiveHandler = { (_, directive) throws(DirectiveError) in _ = try directive.number() }
        let size: DirectiveHandler = { (_, directive) throws(DirectiveError) in _ = try directive.size() }
        let sizeOrOff: DirectiveHandler = { (_, directive) throws(DirectiveError) in
            if !directive.isWord(1, "off") { _ = try directive.size(allowsGiga: true) }
        }
        let hash = "tables grow as needed"
        for name in [
            "variables_hash_max_size", "variables_hash_bucket_size", "server_names_hash_max_size",
            "server_names_hash_bucket_size",
        ] { accept(name, .http, .exactly(1), hash, check: number) }
        for name in ["types_hash_max_size", "types_hash_bucket_size"] {
            accept(name, .inherited, .exactly(1), hash, check: number)
        }
        let plain = "files are read with ordinary calls"
        accept("aio", .inherited, .exactly(1), plain) { (_, directive) throws(DirectiveError) in
            let isPool = directive.value(1, after: "threads=") != nil
            guard isPool || ["on", "off", "threads"].contains(directive.text(1)) else {
                throw DirectiveError(directive, "invalid value")
            }
        }
        accept("aio_write", .inherited, .flag, plain, check: flag)
        accept("read_ahead", .inherited, .exactly(1), plain, check: size)
        accept("directio", .inherited, .exactly(1), plain, check: sizeOrOff)
        accept("directio_alignment", .inherited, .exactly(1), plain) { (_, directive) throws(DirectiveError) in
            _ = try directive.size(allowsGiga: true)
        }
        accept("send_lowat", .inherited, .exactly(1), "Linux has no send low-water mark", check: size)
        let cache = "files are opened for each request, so changes show at once"
        accept("open_file_cache", .inherited, .between(1, 2), cache, check: CoreHandlers.openFileCache)
        accept("open_file_cache_valid", .inherited, .exactly(1), cache) { (_, directive) throws(DirectiveError) in
            _ = try directive.seconds()
        }
        accept("open_file_cache_min_uses", .inherited, .exactly(1), cache, check: number)
        accept("open_file_cache_errors", .inherited, .flag, cache, check: flag)
        accept("open_file_cache_events", .inherited, .flag, cache, check: flag)
        accept(
            "client_body_early_read", [.http, .server], .atLeast(1), "request bodies are read when a handler wants them")
    }
}

/// Handlers of the http core module.
enum CoreHandlers {
    static let root: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        let isAlias = directive.name == "alias"
        let earlier = ["root", "alias"].first { !reader.scope.isFirst($0) }
        if earlier == directive.name { throw DirectiveError(directive, "is duplicate") }
        if let earlier {
            throw DirectiveError(directive, "is duplicate, \"\(earlier)\" directive was specified earlier")
        }
        if isAlias, case .named = reader.scope.match {
            throw DirectiveError("the \"alias\" directive cannot be used inside the named location")
        }
        let text = directive.text(1)
        for name in ["document_root", "realpath_root"] where text.containsVariable(name) {
            throw DirectiveError("the $\(name) variable cannot be used in the \"\(directive.name)\" directive")
        }
        var path = directive[1]
        if !isAlias, path.last == UInt8(ascii: "/") { path.removeLast() }
        if path.first != UInt8(ascii: "$") { path = ConfigurationPath.absolute(path, in: reader.configuration.prefix) }
        reader.scope.settings.core.root = try reader.template(path, at: directive.location)
        reader.scope.settings.core.isAlias = isAlias
        reader.scope.settings.core.aliasedPrefixLength = isAlias ? reader.scope.match?.pathLength : 0
    }

    static let types: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        var types = reader.scope.isFirst("types") ? [:] : reader.scope.settings.core.types
        for line in directive.children ?? [] {
            if line.children != nil {
                reader.report(DirectiveError("unexpected \"{\""), line)
                continue
            }
            let type = Bytes(line.name.utf8)
            for word in line.arguments {
                let fileExtension = lowercased(word)
                if let previous = types[fileExtension] {
                    let old = String(decoding: previous, as: UTF8.self)
                    let text = String(decoding: word, as: UTF8.self)
                    reader.warn(
                        "duplicate extension \"\(text)\", content type: \"\(line.name)\", "
                            + "previous content type: \"\(old)\"", line)
                }
                types[fileExtension] = type
            }
        }
        reader.scope.settings.core.types = types
    }

    static let disableSymlinks: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        var mode: DisableSymlinks?
        var from: Template?
        for index in 1...directive.argumentCount {
            if let known = DisableSymlinks(rawValue: directive.text(index)) {
                mode = known
            } else if let value = directive.value(index, after: "from=") {
                from = try reader.template(value, at: directive.location)
            } else {
                throw directive.invalidParameter(index)
            }
        }
        guard let mode else {
            throw DirectiveError("\"\(directive.name)\" must have \"off\", \"on\" or \"if_not_owner\" parameter")
        }
        if directive.argumentCount == 2, from == nil {
            throw DirectiveError("duplicate parameters \"\(directive.text(1)) \(directive.text(2))\"")
        }
        if mode == .off, from != nil { throw DirectiveError("\"from=\" cannot be used with \"off\" parameter") }
        reader.scope.settings.core.disableSymlinks = mode
        reader.scope.settings.core.disableSymlinksFrom = from
    }

    static let openFileCache: DirectiveHandler = { (_, directive) throws(DirectiveError) in
        var (entries, isOff) = (0, false)
        for index in 1...directive.argumentCount {
            if let value = directive.value(index, after: "max="), let number = ValueParsing.integer(value), number > 0 {
                entries = number
            } else if let value = directive.value(index, after: "inactive="), ValueParsing.seconds(value) != nil {
                continue
            } else if directive.isWord(index, "off") {
                isOff = true
            } else {
                throw DirectiveError("invalid \"open_file_cache\" parameter", quoting: directive[index])
            }
        }
        if !isOff, entries == 0 { throw DirectiveError("\"open_file_cache\" must have the \"max\" parameter") }
    }

    static let index: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        if reader.scope.isFirst("index") { reader.scope.settings.core.index = [] }
        for number in 1...directive.argumentCount {
            if directive[number].first == UInt8(ascii: "/"), number != directive.argumentCount {
                reader.warn("only the last index in \"index\" directive should be absolute", directive)
            }
            if directive[number].isEmpty {
                throw DirectiveError("index \"\" in \"index\" directive is invalid")
            }
            let template = try reader.template(directive[number], at: directive.location)
            reader.scope.settings.core.index.append(template)
        }
    }

    static let tryFiles: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        var candidates: [TryFiles.Candidate] = []
        for word in directive.arguments.dropLast() {
            let isDirectory = word.count > 0 && word.last == UInt8(ascii: "/")
            let path = try reader.template(isDirectory ? word.dropLast() : word[...], at: directive.location)
            candidates.append(TryFiles.Candidate(path: path, isDirectory: isDirectory))
        }
        let last = directive[directive.argumentCount]
        let fallback: TryFiles.Fallback
        if last.first == UInt8(ascii: "=") {
            guard let code = ValueParsing.integer(last.dropFirst()), code <= 999 else {
                throw DirectiveError("invalid code", quoting: last)
            }
            fallback = .status(code)
        } else {
            fallback = .uri(try reader.template(last, at: directive.location))
        }
        reader.scope.settings.core.tryFiles = TryFiles(candidates: candidates, fallback: fallback)
    }

    private static let methods = [
        "GET", "HEAD", "POST", "PUT", "DELETE", "MKCOL", "COPY", "MOVE", "OPTIONS", "PROPFIND", "PROPPATCH", "LOCK",
        "UNLOCK", "PATCH",
    ]

    static let limitExcept: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        var allowed: Set<Bytes> = []
        for index in 1...directive.argumentCount {
            let method = directive.text(index).uppercased()
            guard methods.contains(method) else {
                throw DirectiveError(
                    "invalid method \"\(directive.text(index))\"",
                    suggestion: EditDistance.nearest(to: method, in: methods))
            }
            allowed.insert(Bytes(method.utf8))
        }
        if allowed.contains(Bytes("GET".utf8)) { allowed.insert(Bytes("HEAD".utf8)) }
        let id = reader.allocateSettings()
        reader.scope.settings.core.limitExcept = LimitExcept(methods: allowed, settings: id)
        reader.scope.deferred.append { reader in
            let child = reader.scope.makeChild(context: .limitExcept, location: directive.location)
            child.id = id
            reader.readSettings(directive, in: child)
        }
    }
}

extension String {
    /// Whether `$name` or `${name}` begins anywhere in the text, as nginx's search finds it.
    func containsVariable(_ name: String) -> Bool {
        let bytes = Bytes(utf8)
        for form in ["$\(name)", "${\(name)}"] {
            let wanted = Bytes(form.utf8)
            guard bytes.count >= wanted.count else { continue }
            for start in 0...(bytes.count - wanted.count) where bytes[start..<(start + wanted.count)] == wanted[...] {
                return true
            }
        }
        return false
    }
}
