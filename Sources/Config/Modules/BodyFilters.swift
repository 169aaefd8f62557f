extension DirectiveTableBuilder {
    /// gzip, gunzip, charset, ssi, sub, addition.
    mutating func addBodyFilters() {
        addGzip()
        module = "http_charset"
        add("charset", .inheritedAndIf, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            let name = try FilterHandlers.charset(reader, directive, allowsOff: true)
            reader.scope.settings.charset.charset = name
        }
        add("source_charset", .inheritedAndIf, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            let name = try FilterHandlers.charset(reader, directive, allowsOff: false)
            reader.scope.settings.charset.source = name
        }
        add("override_charset", .inheritedAndIf, .flag, Setter.flag(\.charset.overrides))
        add("charset_types", .inherited, .atLeast(1), isRepeatable: true, Setter.types(\.charset.types))
        add("charset_map", .http, .exactly(2), isBlock: true, isRepeatable: true) {
            (reader, directive) throws(DirectiveError) in
            try reader.readCharsetMap(directive)
        }
        module = "http_ssi"
        add("ssi", .inheritedAndIf, .flag, Setter.flag(\.ssi.isEnabled))
        add("ssi_silent_errors", .inherited, .flag, Setter.flag(\.ssi.isSilent))
        add("ssi_ignore_recycled_buffers", .inherited, .flag, Setter.flag(\.ssi.ignoresRecycledBuffers))
        add("ssi_min_file_chunk", .inherited, .exactly(1), Setter.size(\.ssi.minFileChunk))
        add("ssi_value_length", .inherited, .exactly(1), Setter.size(\.ssi.valueLengthMax))
        add("ssi_types", .inherited, .atLeast(1), isRepeatable: true, Setter.types(\.ssi.types))
        add("ssi_last_modified", .inherited, .flag, Setter.flag(\.ssi.keepsLastModified))
        module = "http_sub"
        add("sub_filter", .inherited, .exactly(2), isRepeatable: true, FilterHandlers.subFilter)
        add("sub_filter_types", .inherited, .atLeast(1), isRepeatable: true, Setter.types(\.sub.types))
        add("sub_filter_once", .inherited, .flag, Setter.flag(\.sub.isOnce))
        add("sub_filter_last_modified", .inherited, .flag, Setter.flag(\.sub.keepsLastModified))
        module = "http_addition"
        add("add_before_body", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.addition.before = directive[1]
        }
        add("add_after_body", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            reader.scope.settings.addition.after = directive[1]
        }
        add("addition_types", .inherited, .atLeast(1), isRepeatable: true, Setter.types(\.addition.types))
    }

    private mutating func addGzip() {
        module = "http_gzip"
        add("gzip", .inheritedAndIf, .flag, Setter.flag(\.gzip.isEnabled))
        add("gzip_buffers", .inherited, .exactly(2), Setter.buffers(\.gzip.bufferCount, \.gzip.bufferSize))
        add("gzip_types", .inherited, .atLeast(1), isRepeatable: true, Setter.types(\.gzip.types))
        add("gzip_comp_level", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            let level = try directive.number()
            guard level >= 1, level <= 9 else { throw DirectiveError("value must be between 1 and 9") }
            reader.scope.settings.gzip.level = level
        }
        add("gzip_window", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            let bits = FilterHandlers.powerOfTwo(try directive.size(), from: 9, through: 15)
            guard let bits else { throw DirectiveError(directive, "must be 512, 1k, 2k, 4k, 8k, 16k, or 32k") }
            reader.scope.settings.gzip.windowBits = bits
        }
        add("gzip_hash", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            let bits = FilterHandlers.powerOfTwo(try directive.size(), from: 9, through: 17)
            guard let bits else {
                throw DirectiveError(directive, "must be 512, 1k, 2k, 4k, 8k, 16k, 32k, 64k, or 128k")
            }
            reader.scope.settings.gzip.memoryLevel = bits - 8
        }
        add("postpone_gzipping", .inherited, .exactly(1), Setter.size(\.gzip.postpone))
        add("gzip_no_buffer", .inherited, .flag, Setter.flag(\.gzip.isUnbuffered))
        add("gzip_min_length", .inherited, .exactly(1), Setter.size(\.gzip.lengthMin))
        add("gzip_vary", .inherited, .flag, Setter.flag(\.gzip.hasVary))
        add("gzip_http_version", .inherited, .exactly(1)) { (reader, directive) throws(DirectiveError) in
            let version: HTTPVersion = try directive.choice()
            if version == .http2 { throw DirectiveError("invalid value", quoting: directive[1]) }
            reader.scope.settings.gzip.httpVersionMin = version
        }
        add("gzip_proxied", .inherited, .atLeast(1), isRepeatable: true, FilterHandlers.gzipProxied)
        add("gzip_disable", .inherited, .atLeast(1), isRepeatable: true, FilterHandlers.gzipDisable)
        module = "http_gzip_static"
        add("gzip_static", .inherited, .exactly(1), Setter.choice(\.gzipStatic.mode))
        module = "http_gunzip"
        add("gunzip", .inherited, .flag, Setter.flag(\.gunzip.isEnabled))
        add("gunzip_buffers", .inherited, .exactly(2), Setter.buffers(\.gunzip.bufferCount, \.gunzip.bufferSize))
    }
}

/// Handlers of the body filters.
enum FilterHandlers {
    /// The exponent of a power of two between two exponents; nil: another number.
    static func powerOfTwo(_ value: Int, from low: Int, through high: Int) -> Int? {
        (low...high).first { 1 << $0 == value }
    }

    private static let proxied: [(String, GzipSettings.Proxied)] = [
        ("off", .off), ("expired", .expired), ("no-cache", .noCache), ("no-store", .noStore), ("private", .private),
        ("no_last_modified", .noLastModified), ("no_etag", .noETag), ("auth", .auth), ("any", .any),
    ]

    static let gzipProxied: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        if reader.scope.isFirst("gzip_proxied") { reader.scope.settings.gzip.proxied = [] }
        for index in 1...directive.argumentCount {
            let word = String(decoding: lowercased(directive[index]), as: UTF8.self)
            guard let flag = proxied.first(where: { $0.0 == word })?.1 else {
                throw DirectiveError(
                    "invalid value \"\(directive.text(index))\"",
                    suggestion: EditDistance.nearest(to: word, in: proxied.map(\.0)))
            }
            if !reader.scope.settings.gzip.proxied.insert(flag).inserted {
                reader.warn("duplicate value \"\(directive.text(index))\"", directive)
            }
        }
    }

    static let gzipDisable: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        if reader.scope.isFirst("gzip_disable") {
            reader.scope.settings.gzip.disabledFor = []
            reader.scope.settings.gzip.isDisabledForMSIE6 = false
        }
        for index in 1...directive.argumentCount {
            switch directive.text(index) {
            case "msie6": reader.scope.settings.gzip.isDisabledForMSIE6 = true
            default:
                let id = try reader.pattern(directive[index], caseless: true, at: directive.location)
                reader.scope.settings.gzip.disabledFor.append(id)
            }
        }
    }

    static func charset(
        _ reader: ConfigurationReader, _ directive: Directive, allowsOff: Bool
    ) throws(DirectiveError) -> CharsetSettings.Name {
        if allowsOff, directive.isWord(1, "off") { return .off }
        guard directive[1].first == UInt8(ascii: "$") else { return .constant(directive[1]) }
        let variable = try reader.namedVariable(directive[1].dropFirst(), at: directive.location)
        return .dynamic(Template(parts: [.variable(variable)]))
    }

    static let subFilter: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        guard !directive[1].isEmpty else { throw DirectiveError("empty search pattern") }
        if reader.scope.isFirst("sub_filter") { reader.scope.settings.sub.rules = [] }
        guard reader.scope.settings.sub.rules.count < 255 else {
            throw DirectiveError("number of search patterns exceeds 255")
        }
        let match = try reader.template(lowercased(directive[1]), at: directive.location)
        let replacement = try reader.template(directive[2], at: directive.location)
        reader.scope.settings.sub.rules.append(SubSettings.Rule(match: match, replacement: replacement))
    }
}
