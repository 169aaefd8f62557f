extension ConfigurationReader {
    /// The addresses of a host at a port; a literal is its own address.
    /// - Returns: empty when resolution is postponed; nil when the name does not resolve.
    func addresses(of address: HostAddress) -> [NetworkAddress]? {
        guard case .name(let host, let port) = address else {
            if case .literal(let value) = address { return [value] }
            return nil
        }
        let resolution: NameResolution
        if let known = resolutions[host] {
            resolution = known
        } else {
            resolution = source.resolve(host: host)
            resolutions[host] = resolution
        }
        switch resolution {
        case .addresses(let found): return found.isEmpty ? nil : found.map { $0.with(port: port) }
        case .notFound: return nil
        case .postponed: return []
        }
    }

    /// A list of networks given as `all`, `unix:` or CIDR words.
    func addressRange(_ directive: Directive, _ index: Int) throws(DirectiveError) -> AddressRange {
        if directive.isWord(index, "all") { return .all }
        if directive.isWord(index, "unix:") { return .unix }
        guard let (range, hasLowBits) = AddressRange.parse(directive[index]) else {
            throw directive.invalidParameter(index)
        }
        if hasLowBits { warn("low address bits of \(directive.text(index)) are meaningless", directive) }
        return range
    }

    /// `resolver` with its parameters.
    func resolver(_ directive: Directive) throws(DirectiveError) -> ResolverSettings {
        var settings = ResolverSettings()
        for index in 1...directive.argumentCount {
            if let value = directive.value(index, after: "valid=") {
                guard let seconds = ValueParsing.seconds(value) else { throw invalidResolver(directive, index) }
                settings.valid = seconds
            } else if let value = directive.value(index, after: "ipv4=") {
                guard let isOn = Self.onOff(value) else { throw invalidResolver(directive, index) }
                settings.usesIPv4 = isOn
            } else if let value = directive.value(index, after: "ipv6=") {
                guard let isOn = Self.onOff(value) else { throw invalidResolver(directive, index) }
                settings.usesIPv6 = isOn
            } else if directive.value(index, after: "status_zone=") != nil {
                // Read, and nothing shows it.
                continue
            } else {
                let server = try address(
                    directive[index], HostPort.Rules(defaultPort: 53), in: "resolver \"\(directive.text(index))\"")
                settings.servers.append(server.address)
                guard let found = addresses(of: server.address) else {
                    throw DirectiveError("host not found in resolver \"\(directive.text(index))\"")
                }
                settings.addresses += found
            }
        }
        if !settings.usesIPv4, !settings.usesIPv6 {
            throw DirectiveError("\"ipv4\" and \"ipv6\" cannot both be \"off\"")
        }
        if settings.servers.isEmpty { throw DirectiveError("no name servers defined") }
        return settings
    }

    private static func onOff(_ value: ArraySlice<UInt8>) -> Bool? {
        if value.elementsEqual("on".utf8) { return true }
        return value.elementsEqual("off".utf8) ? false : nil
    }

    private func invalidResolver(_ directive: Directive, _ index: Int) -> DirectiveError {
        DirectiveError("invalid parameter: \(directive.text(index))")
    }

    /// Takes an address apart; an error ends in ` in PLACE`.
    func address(_ text: Bytes, _ rules: HostPort.Rules, in place: String) throws(DirectiveError) -> HostPort {
        do throws(HostPort.Failure) {
            return try HostPort(text, rules)
        } catch {
            throw DirectiveError("\(error.message) in \(place)")
        }
    }
}
