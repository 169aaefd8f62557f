extension ConfigurationReader {
    /// `geo [$address] $variable { }`.
    func readGeo(_ directive: Directive) throws(DirectiveError) {
        let last = directive.argumentCount
        var source: VariableID?
        if last == 2 { source = try namedVariable(try variableName(directive[1]), at: directive.location) }
        let name = try variableName(directive[last])
        let id = try define(name, as: .geo(http.geos.count), at: directive.location)
        var builder = GeoBuilder(GeoSettings(location: directive.location, variable: id))
        builder.settings.source = source
        readLines(directive) { (line) throws(DirectiveError) in
            for warning in try builder.add(line) { warn(warning, line) }
        }
        let geo = builder.build()
        configuration.variables.entries[id.index].isVolatile = geo.isVolatile
        http.geos.append(geo)
    }
}

/// Collects the lines of a `geo` block.
struct GeoBuilder {
    var settings: GeoSettings
    private var valueIndices: [Bytes: Int] = [:]
    private var defaultIndex: Int?
    private var hasNetworks = false
    private var networks: [AddressRange: Int] = [:]
    /// Ranges by the upper 16 bits of the address; that is where nginx splits them, and deletes and compares the pieces.
    private var chunks: [UInt16: [Piece]] = [:]

    private struct Piece {
        var low: UInt16
        var high: UInt16
        var value: Int
    }

    init(_ settings: GeoSettings) { self.settings = settings }

    /// Applies a line.
    /// - Returns: texts of warnings.
    mutating func add(_ line: Directive) throws(DirectiveError) -> [String] {
        if line.argumentCount == 0 {
            switch line.name {
            case "ranges":
                if hasNetworks {
                    throw DirectiveError("the \"ranges\" directive must be the first directive inside \"geo\" block")
                }
                settings.isRanges = true
                return []
            case "proxy_recursive":
                settings.isProxyRecursive = true
                return []
            case "volatile":
                settings.isVolatile = true
                return []
            default: break
            }
        }
        guard line.argumentCount == 1 else { throw DirectiveError("invalid number of the geo parameters") }
        if line.name == "proxy" {
            let (range, warnings) = try Self.network(line[1])
            settings.proxies.append(range)
            return warnings
        }
        if !settings.isRanges { hasNetworks = true }
        if line.name == "default" { return setDefault(line[1]) }
        let isDeletion = line.name == "delete"
        let word = line[isDeletion ? 1 : 0]
        if settings.isRanges { return try addRange(word, isDeletion ? nil : line[1]) }
        return try addNetwork(word, isDeletion ? nil : line[1])
    }

    private mutating func index(of value: Bytes) -> Int {
        if let known = valueIndices[value] { return known }
        let index = settings.values.count
        settings.values.append(value)
        valueIndices[value] = index
        return index
    }

    private mutating func setDefault(_ value: Bytes) -> [String] {
        defer { defaultIndex = index(of: value) }
        guard let defaultIndex else { return [] }
        let (new, old) = (Self.text(value), Self.text(settings.values[defaultIndex]))
        return settings.isRanges
            ? ["duplicate default geo range value: \"\(new)\", old value: \"\(old)\""]
            : ["duplicate network \"default\", value: \"\(new)\", old value: \"\(old)\""]
    }

    private static func text(_ bytes: Bytes) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func network(_ word: Bytes) throws(DirectiveError) -> (AddressRange, [String]) {
        guard let (range, hasLowBits) = AddressRange.parse(word) else {
            throw DirectiveError("invalid network", quoting: word)
        }
        return (range, hasLowBits ? ["low address bits of \(text(word)) are meaningless"] : [])
    }

    private mutating func addNetwork(_ word: Bytes, _ value: Bytes?) throws(DirectiveError) -> [String] {
        var (range, warnings) = try Self.network(word)
        guard let value else {
            if networks.removeValue(forKey: range) == nil { warnings.append("no network \"\(Self.text(word))\" to delete") }
            return warnings
        }
        if let old = networks[range] {
            let (new, previous) = (Self.text(value), Self.text(settings.values[old]))
            warnings.append("duplicate network \"\(Self.text(word))\", value: \"\(new)\", old value: \"\(previous)\"")
        }
        networks[range] = index(of: value)
        return warnings
    }

    private mutating func addRange(_ word: Bytes, _ value: Bytes?) throws(DirectiveError) -> [String] {
        let invalid = DirectiveError("invalid range", quoting: word)
        guard let dash = word.firstIndex(of: UInt8(ascii: "-")) else { throw invalid }
        guard let low = NetworkAddress.parseIPv4(word[..<dash]), low != .max,
            let high = NetworkAddress.parseIPv4(word[(dash + 1)...]), high != .max, low <= high
        else { throw invalid }
        let valueIndex = value.map { index(of: $0) }
        var warnings: Set<String> = []
        for chunk in UInt16(low >> 16)...UInt16(high >> 16) {
            let start = UInt32(chunk) == low >> 16 ? UInt16(truncatingIfNeeded: low) : 0
            let end = UInt32(chunk) == high >> 16 ? UInt16(truncatingIfNeeded: high) : .max
            if let valueIndex {
                let piece = Piece(low: start, high: end, value: valueIndex)
                if let old = try insert(piece, into: chunk, word) {
                    let (new, previous) = (Self.text(settings.values[valueIndex]), Self.text(settings.values[old]))
                    warnings.insert(
                        "duplicate range \"\(Self.text(word))\", value: \"\(new)\", old value: \"\(previous)\"")
                }
            } else if let position = chunks[chunk]?.firstIndex(where: { $0.low == start && $0.high == end }) {
                chunks[chunk]?.remove(at: position)
            } else {
                warnings.insert("no address range \"\(Self.text(word))\" to delete")
            }
        }
        return warnings.sorted()
    }

    /// Inserts a piece; one inside another splits it.
    /// - Returns: the old value if the same piece was there.
    private mutating func insert(_ piece: Piece, into chunk: UInt16, _ word: Bytes) throws(DirectiveError) -> Int? {
        guard var pieces = chunks[chunk] else {
            chunks[chunk] = [piece]
            return nil
        }
        // Not in the dictionary while it changes, so that it is changed in place.
        chunks[chunk] = nil
        defer { chunks[chunk] = pieces }
        // New pieces mostly come in ascending order, so look from the end.
        guard let position = pieces.lastIndex(where: { $0.low <= piece.high }), pieces[position].high >= piece.low else {
            let position = pieces.lastIndex { $0.high < piece.low }.map { $0 + 1 } ?? 0
            pieces.insert(piece, at: position)
            return nil
        }
        let old = pieces[position]
        if old.low == piece.low, old.high == piece.high {
            pieces[position].value = piece.value
            return old.value
        }
        guard piece.low >= old.low, piece.high <= old.high else {
            let host = { (low: UInt16) in NetworkAddress.ipv4(UInt32(chunk) << 16 | UInt32(low), port: 0).host }
            throw DirectiveError("range \"\(Self.text(word))\" overlaps \"\(host(old.low))-\(host(old.high))\"")
        }
        var replacement: [Piece] = []
        if old.low < piece.low { replacement.append(Piece(low: old.low, high: piece.low - 1, value: old.value)) }
        replacement.append(piece)
        if old.high > piece.high { replacement.append(Piece(low: piece.high + 1, high: old.high, value: old.value)) }
        pieces.replaceSubrange(position...position, with: replacement)
        return nil
    }

    /// The finished settings.
    consuming func build() -> GeoSettings {
        var result = settings
        if let defaultIndex { result.values[0] = settings.values[defaultIndex] }
        var tables4: [UInt32: [UInt32: Int]] = [:]
        var tables6: [GeoSettings.IPv6Key: [GeoSettings.IPv6Key: Int]] = [:]
        for (range, value) in networks {
            switch range {
            case .ipv4(let address, let mask): tables4[mask, default: [:]][address] = value
            case .ipv6(let high, let low, let maskHigh, let maskLow):
                let mask = GeoSettings.IPv6Key(high: maskHigh, low: maskLow)
                tables6[mask, default: [:]][GeoSettings.IPv6Key(high: high, low: low)] = value
            case .all, .unix: break
            }
        }
        result.networks4 = tables4.sorted { $0.key > $1.key }.map { ($0.key, $0.value) }
        result.networks6 = tables6.sorted { ($0.key.high, $0.key.low) > ($1.key.high, $1.key.low) }
            .map { ($0.key.high, $0.key.low, $0.value) }
        for (chunk, pieces) in chunks.sorted(by: { $0.key < $1.key }) {
            for piece in pieces {
                let low = UInt32(chunk) << 16 | UInt32(piece.low)
                let high = UInt32(chunk) << 16 | UInt32(piece.high)
                if let last = result.ranges.last, last.value == piece.value, last.high &+ 1 == low {
                    result.ranges[result.ranges.count - 1].high = high
                } else {
                    result.ranges.append((low, high, piece.value))
                }
            }
        }
        return result
    }
}
