extension ConfigurationReader {
    /// `listen ADDRESS[:PORT] PARAMETERS;`
    func listen(_ directive: Directive) throws(DirectiveError) {
        let place = "\"\(directive.text(1))\" of the \"listen\" directive"
        let host = try address(directive[1], HostPort.Rules(isListen: true), in: place)
        var model = ListenSettings(address: .ipv4(0, port: 0), location: directive.location)
        for index in 2..<directive.words.count { try listenParameter(directive, index, &model) }
        guard let found = addresses(of: host.address) else { throw DirectiveError("host not found in \(place)") }
        var isNew = Set(http.servers[scope.server].listens.map(\.address))
        var ownAddresses: Set<NetworkAddress> = []
        for address in found {
            let isUnix = address.port == nil
            for port in host.port...(isUnix ? host.port : host.lastPort) {
                var settings = model
                settings.address = address.with(port: port)
                // A name may resolve to one address twice; that is no error.
                guard ownAddresses.insert(settings.address).inserted else { continue }
                guard isNew.insert(settings.address).inserted else {
                    throw DirectiveError("a duplicate listen \(settings.address.text)")
                }
                http.servers[scope.server].listens.append(settings)
            }
        }
    }

    private func listenParameter(
        _ directive: Directive, _ index: Int, _ settings: inout ListenSettings
    ) throws(DirectiveError) {
        switch directive.text(index) {
        case "default_server", "default": settings.isDefaultServer = true
        case "proxy_protocol": settings.acceptsProxyProtocol = true
        case "ssl":
            throw DirectiveError(
                "the \"ssl\" parameter of the \"listen\" directive is known to nginx, but not supported by Goodgate yet: "
                    + Unsupported.tls)
        case "http2", "spdy":
            throw DirectiveError(
                "the \"\(directive.text(index))\" parameter of the \"listen\" directive is known to nginx, "
                    + "but not supported by Goodgate yet: " + Unsupported.http2)
        case "quic":
            throw DirectiveError(
                "the \"quic\" parameter of the \"listen\" directive is known to nginx, "
                    + "but not supported by Goodgate yet: " + Unsupported.http3)
        case let text where text.hasPrefix("accept_filter="):
            warn("accept filters \"\(text)\" are not supported on this platform, ignored", directive)
        default:
            guard try socketParameter(directive, index, &settings.socket) else {
                throw directive.invalidParameter(
                    index,
                    known: [
                        "default_server", "proxy_protocol", "bind", "reuseport", "deferred", "multipath", "backlog=",
                        "rcvbuf=", "sndbuf=", "fastopen=", "ipv6only=on", "so_keepalive=on",
                    ])
            }
            settings.socket.isExplicit = true
            settings.socket.bindsSeparately = true
        }
    }

    /// Whether the parameter is one of the socket; then it is applied.
    private func socketParameter(
        _ directive: Directive, _ index: Int, _ socket: inout ListenSettings.SocketOptions
    ) throws(DirectiveError) -> Bool {
        let word = directive[index]
        switch directive.text(index) {
        case "bind": return true
        case "deferred": socket.isDeferred = true
        case "reuseport": socket.isReusePort = true
        // Read, and not acted on.
        case "multipath": break
        default:
            if let value = directive.value(index, after: "fastopen=") {
                guard let queue = ValueParsing.integer(value) else {
                    throw DirectiveError("invalid fastopen", quoting: word)
                }
                socket.fastOpenQueue = queue
            } else if let value = directive.value(index, after: "backlog=") {
                guard let backlog = ValueParsing.integer(value), backlog > 0 else {
                    throw DirectiveError("invalid backlog", quoting: word)
                }
                socket.backlog = backlog
            } else if let value = directive.value(index, after: "rcvbuf=") {
                guard let size = ValueParsing.size(value) else { throw DirectiveError("invalid rcvbuf", quoting: word) }
                socket.receiveBuffer = size
            } else if let value = directive.value(index, after: "sndbuf=") {
                guard let size = ValueParsing.size(value) else { throw DirectiveError("invalid sndbuf", quoting: word) }
                socket.sendBuffer = size
            } else if let value = directive.value(index, after: "ipv6only=o") {
                guard value.elementsEqual("n".utf8) || value.elementsEqual("ff".utf8) else {
                    throw DirectiveError("invalid ipv6only flags", quoting: word.dropFirst(9))
                }
                socket.isIPv6Only = value.count == 1
            } else if let value = directive.value(index, after: "so_keepalive=") {
                socket.keepalive = try Self.keepalive(value)
            } else {
                return false
            }
        }
        return true
    }

    /// `on`, `off` or `[IDLE]:[INTERVAL]:[COUNT]`.
    private static func keepalive(_ value: ArraySlice<UInt8>) throws(DirectiveError) -> ListenSettings.Keepalive {
        if value.elementsEqual("on".utf8) { return .on(idle: nil, interval: nil, count: nil) }
        if value.elementsEqual("off".utf8) { return .off }
        let parts = value.split(separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
        let invalid = DirectiveError("invalid so_keepalive value:", quoting: value)
        var numbers: [Int?] = [nil, nil, nil]
        for (index, part) in parts.enumerated() where !part.isEmpty {
            guard let number = index < 2 ? ValueParsing.seconds(part) : ValueParsing.integer(part) else {
                throw invalid
            }
            numbers[index] = number == 0 ? nil : number
        }
        guard numbers.contains(where: { $0 != nil }) else { throw invalid }
        return .on(idle: numbers[0], interval: numbers[1], count: numbers[2])
    }

    /// `server_name NAME …;`
    func serverName(_ directive: Directive) throws(DirectiveError) {
        for index in 1...directive.argumentCount {
            var word = directive[index]
            let isBadStar = word.first == UInt8(ascii: "*") && (word.count < 3 || word[1] != UInt8(ascii: "."))
            if isBadStar || word == [UInt8(ascii: ".")] {
                throw DirectiveError("server name \"\(directive.text(index))\" is invalid")
            }
            if word.contains(UInt8(ascii: "/")) {
                warn("server name \"\(directive.text(index))\" has suspicious symbols", directive)
            }
            if lowercased(word) == Bytes("$hostname".utf8) { word = Bytes(facts.hostName.utf8) }
            let isFirst = http.servers[scope.server].names.isEmpty
            let name = try serverName(word, directive)
            http.servers[scope.server].names.append(name)
            if isFirst {
                let isRegex = word.first == UInt8(ascii: "~")
                let shown = isRegex ? word : lowercased(word.first == UInt8(ascii: ".") ? Bytes(word.dropFirst()) : word)
                http.servers[scope.server].canonicalName = shown
            }
        }
    }

    private func serverName(_ word: Bytes, _ directive: Directive) throws(DirectiveError) -> ServerName {
        guard word.first == UInt8(ascii: "~") else { return ServerName(text: lowercased(word)) }
        guard word.count > 1 else { throw DirectiveError("empty regex in server name \"~\"") }
        let pattern = word.dropFirst()
        let isCaseless = pattern.contains { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") }
        return .pattern(try self.pattern(pattern, caseless: isCaseless, at: directive.location))
    }
}

extension ServerName {
    /// A name that is no expression, in lower case.
    init(text: Bytes) {
        if text.starts(with: "*.".utf8) {
            self = .leadingWildcard(Bytes(text.dropFirst(2)))
        } else if text.count > 1, text.first == UInt8(ascii: ".") {
            self = .suffix(Bytes(text.dropFirst()))
        } else if text.count > 2, text.suffix(2).elementsEqual(".*".utf8) {
            self = .trailingWildcard(Bytes(text.dropLast(2)))
        } else {
            self = .exact(text)
        }
    }

    /// The name as written, but for case; nil for expressions.
    package var text: Bytes? {
        switch self {
        case .exact(let name): name
        case .leadingWildcard(let name): Bytes("*.".utf8) + name
        case .suffix(let name): Bytes(".".utf8) + name
        case .trailingWildcard(let name): name + Bytes(".*".utf8)
        case .pattern: nil
        }
    }
}
