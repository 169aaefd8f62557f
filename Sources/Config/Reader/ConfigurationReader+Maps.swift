extension ConfigurationReader {
    /// Applies the lines of a block that are no directives; an error ends one line only.
    func readLines(_ directive: Directive, _ body: (Directive) throws(DirectiveError) -> Void) {
        for line in directive.children ?? [] {
            if line.children != nil {
                report(DirectiveError("unexpected \"{\""), line)
                continue
            }
            do throws(DirectiveError) {
                try body(line)
            } catch {
                report(error, line)
            }
        }
    }

    /// `map TEXT $variable { }`.
    func readMap(_ directive: Directive) throws(DirectiveError) {
        let source = try template(directive[1], at: directive.location)
        let name = try variableName(directive[2])
        let index = http.maps.count
        let variable = try define(name, as: .map(index), at: directive.location)
        var map = MapSettings(location: directive.location, source: source, variable: variable)
        var hasDefault = false
        var isHostNames = false
        readLines(directive) { (line) throws(DirectiveError) in
            if line.argumentCount == 0, line.name == "hostnames" || line.name == "volatile" {
                if line.name == "hostnames" { isHostNames = true } else { map.isVolatile = true }
                return
            }
            guard line.argumentCount == 1 else { throw DirectiveError("invalid number of the map parameters") }
            let value = try template(line[1], at: line.location)
            if line.name == "default" {
                if hasDefault { throw DirectiveError("duplicate default map parameter") }
                hasDefault = true
                map.defaultValue = value
                return
            }
            try addMapKey(line, value, isHostNames: isHostNames, to: &map)
        }
        map.isHostNames = isHostNames
        configuration.variables.entries[variable.index].isVolatile = map.isVolatile
        http.maps.append(map)
    }

    private func addMapKey(
        _ line: Directive, _ value: Template, isHostNames: Bool, to map: inout MapSettings
    ) throws(DirectiveError) {
        let key = line[0]
        if key.first == UInt8(ascii: "~") {
            let isCaseless = key.count > 1 && key[1] == UInt8(ascii: "*")
            let id = try pattern(key.dropFirst(isCaseless ? 2 : 1), caseless: isCaseless, at: line.location)
            map.patterns.append((id, value))
            return
        }
        let text = key.first == UInt8(ascii: "\\") ? Bytes(key.dropFirst()) : key
        let insertion: HostNameTable<Template>.Insertion
        if isHostNames {
            insertion = map.keys.add(text, value)
        } else {
            let lower = lowercased(text)
            insertion = map.exact[lower] == nil ? .added : .conflict
            if insertion == .added { map.exact[lower] = value }
        }
        switch insertion {
        case .added: return
        case .invalid: throw DirectiveError("invalid hostname or wildcard", quoting: text)
        case .conflict: throw DirectiveError("conflicting parameter", quoting: text)
        }
    }

    /// `split_clients TEXT $variable { }`.
    func readSplitClients(_ directive: Directive) throws(DirectiveError) {
        let source = try template(directive[1], at: directive.location)
        let name = try variableName(directive[2])
        let variable = try define(name, as: .splitClients(http.splitClients.count), at: directive.location)
        var settings = SplitClientsSettings(location: directive.location, source: source, variable: variable)
        var sum = 0
        var last: UInt32 = 0
        readLines(directive) { (line) throws(DirectiveError) in
            guard line.argumentCount >= 1 else { throw DirectiveError("invalid percent value", quoting: line[0]) }
            let value = Template(literal: line[1])
            var hundredths = 10_000
            if line.name == "*" {
                sum = 10_000
            } else {
                guard let parsed = Self.hundredthsOfPercent(line[0]) else {
                    throw DirectiveError("invalid percent value", quoting: line[0])
                }
                hundredths = parsed
                sum += parsed
            }
            guard sum <= 10_000 else { throw DirectiveError("percent total is greater than 100%") }
            if sum == 10_000 {
                settings.parts.append((nil, value))
            } else {
                last += UInt32(UInt64(hundredths) * 0xFFFF_FFFF / 10_000)
                settings.parts.append((last, value))
            }
        }
        http.splitClients.append(settings)
    }

    /// `12.5%` as 1250; nil: no such number, or zero.
    private static func hundredthsOfPercent(_ word: Bytes) -> Int? {
        guard word.last == UInt8(ascii: "%") else { return nil }
        let parts = word.dropLast().split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = ValueParsing.integer(parts[0]), whole <= 100 else { return nil }
        var value = whole * 100
        if parts.count == 2, !parts[1].isEmpty {
            guard parts[1].count <= 2, let fraction = ValueParsing.integer(parts[1]) else { return nil }
            value += parts[1].count == 1 ? fraction * 10 : fraction
        }
        return value > 0 ? value : nil
    }
}
