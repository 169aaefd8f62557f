extension ConfigurationReader {
    private static let builtins: [String: BuiltinVariable] = Dictionary(
        uniqueKeysWithValues: BuiltinVariable.allCases.map { ($0.rawValue, $0) })

    /// Names that nginx defines itself but that we serve from the general families; they cannot be defined again either.
    private static let reserved: Set<String> = [
        "http_host", "http_user_agent", "http_referer", "http_via", "sent_http_cache_control", "sent_http_link",
    ]

    /// The longest prefix first where one is a prefix of another.
    static let families: [(prefix: String, kind: @Sendable (Bytes) -> VariableKind)] = [
        ("upstream_http_", { .upstreamHeader($0) }), ("upstream_trailer_", { .upstreamTrailer($0) }),
        ("upstream_cookie_", { .upstreamCookie($0) }), ("sent_http_", { .sentHeader($0) }),
        ("sent_trailer_", { .sentTrailer($0) }), ("http_", { .requestHeader($0) }), ("cookie_", { .cookie($0) }),
        ("arg_", { .argument($0) }),
        ("proxy_protocol_tlv_", { .proxyProtocolTLV(ProxyProtocolTLV(name: $0)) }),
    ]

    /// The id of a variable that is used. Who computes it may be said later.
    func variable(_ name: some Collection<UInt8>, at location: SourceLocation) -> VariableID {
        let key = String(decoding: name.map(lowercased), as: UTF8.self)
        if let index = variableIndices[key] { return VariableID(index) }
        let index = configuration.variables.entries.count
        let kind = Self.predefinedKind(key)
        var variable = Variable(name: key, kind: kind)
        switch kind {
        case .builtin(let builtin): variable.isVolatile = builtin.isVolatile
        case .argument: variable.isVolatile = true
        default: break
        }
        configuration.variables.entries.append(variable)
        variableIndices[key] = index
        variableUses.append(location)
        return VariableID(index)
    }

    private static func predefinedKind(_ name: String) -> VariableKind {
        if let builtin = builtins[name] { return .builtin(builtin) }
        for family in families where name.hasPrefix(family.prefix) {
            let rest = Bytes(name.utf8.dropFirst(family.prefix.utf8.count))
            return family.kind(rest)
        }
        return .undefined
    }

    /// Defines a variable.
    /// - Throws: `the duplicate "x" variable` if it is a builtin that cannot be changed.
    func define(
        _ name: Bytes, as kind: VariableKind, isVolatile: Bool = false, at location: SourceLocation
    ) throws(DirectiveError) -> VariableID {
        guard !name.isEmpty else { throw DirectiveError("invalid variable name \"$\"") }
        let id = variable(name, at: location)
        let entry = configuration.variables.entries[id.index]
        if case .builtin(let builtin) = entry.kind, !builtin.isChangeable { throw Self.duplicate(name) }
        if Self.reserved.contains(entry.name) { throw Self.duplicate(name) }
        var changed = entry
        switch kind {
        case .set, .namedCapture:
            changed.isAssigned = true
            if entry.kind == .undefined || kind == .namedCapture && entry.kind == .set { changed.kind = kind }
        default:
            changed.kind = kind
            changed.isVolatile = isVolatile
        }
        configuration.variables.entries[id.index] = changed
        return id
    }

    private static func duplicate(_ name: Bytes) -> DirectiveError {
        DirectiveError("the duplicate \"\(String(decoding: name, as: UTF8.self))\" variable")
    }

    /// Reports variables that were used but that nobody defined.
    func reportUnknownVariables() {
        for (index, variable) in configuration.variables.entries.enumerated() where variable.kind == .undefined {
            if let reason = UnsupportedVariable.reason(for: variable.name) {
                let message = "\"\(variable.name)\" variable is known to nginx, but not supported by Goodgate yet: \(reason)"
                report(message, at: variableUses[index])
                continue
            }
            var diagnostic = Diagnostic(
                .emergency, "unknown \"\(variable.name)\" variable", at: variableUses[index])
            diagnostic.suggestion = suggestion(
                for: variable.name,
                in: BuiltinVariable.allCases.map(\.rawValue)
                    + configuration.variables.entries.filter { $0.kind != .undefined }.map(\.name))
            diagnostics.append(diagnostic)
        }
    }

    /// A variable given as `$name` where nothing else may stand.
    /// - Throws: `invalid variable name "x"`.
    func variableName(_ word: Bytes) throws(DirectiveError) -> Bytes {
        guard word.first == UInt8(ascii: "$") else { throw DirectiveError("invalid variable name", quoting: word) }
        return Bytes(word.dropFirst())
    }
}

/// The lower-case form of an ASCII letter; any other byte as it is.
func lowercased(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }

/// ASCII lower case.
func lowercased(_ bytes: some Collection<UInt8>) -> Bytes { bytes.map(lowercased) }

extension ProxyProtocolTLV {
    /// By the part of the variable's name after `proxy_protocol_tlv_`: `alpn`, `0x02`, `ssl_version`, `ssl_0x21`, …
    init(name: Bytes) {
        let text = String(decoding: name, as: UTF8.self)
        let names: [String: UInt8] = ["alpn": 0x01, "authority": 0x02, "unique_id": 0x05, "ssl": 0x20, "netns": 0x30]
        let sslNames: [String: UInt8] = [
            "version": 0x21, "cn": 0x22, "cipher": 0x23, "sig_alg": 0x24, "key_alg": 0x25,
        ]
        if let type = names[text] {
            self = .type(type)
        } else if text == "ssl_verify" {
            self = .sslVerify
        } else if text.hasPrefix("ssl_") {
            let rest = String(text.dropFirst(4))
            self = (sslNames[rest] ?? Self.hexadecimal(rest)).map { .sslType($0) } ?? .unknown
        } else {
            self = Self.hexadecimal(text).map { .type($0) } ?? .unknown
        }
    }

    private static func hexadecimal(_ text: String) -> UInt8? {
        text.hasPrefix("0x") ? UInt8(text.dropFirst(2), radix: 16) : nil
    }
}
