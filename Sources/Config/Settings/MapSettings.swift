/// `map`.
package struct MapSettings: Sendable {
    /// Where it stands.
    package var location: SourceLocation
    /// Text that is looked up.
    package var source: Template
    package var variable: VariableID
    /// `hostnames`: look-up with wildcards, and a trailing dot of the text is ignored.
    package var isHostNames = false
    /// `volatile`.
    package var isVolatile = false
    /// Value when nothing matches; empty by default.
    package var defaultValue = Template()
    /// Keys without expressions. Maps ignore ASCII case: look up the text in lower case.
    package var keys = HostNameTable<Template>()
    /// Keys of a map without `hostnames`; wildcards mean nothing in them.
    package var exact: [Bytes: Template] = [:]
    /// In the order of the file.
    package var patterns: [(pattern: PatternID, value: Template)] = []

    package init(location: SourceLocation, source: Template, variable: VariableID) {
        self.location = location
        self.source = source
        self.variable = variable
    }
}

/// `geo`.
package struct GeoSettings: Sendable {
    /// Where it stands.
    package var location: SourceLocation
    /// The variable that it defines.
    package var variable: VariableID
    /// Variable that holds the address; nil: the client's.
    package var source: VariableID?
    /// `ranges`.
    package var isRanges = false
    /// `volatile`.
    package var isVolatile = false
    /// `proxy`: trusted proxies, whose X-Forwarded-For is used.
    package var proxies: [AddressRange] = []
    /// `proxy_recursive`.
    package var isProxyRecursive = false
    /// The values; the results of a look-up are indices into them. The first is the default.
    package var values: [Bytes] = [[]]
    /// Networks by prefix length, longest first.
    package var networks4: [(mask: UInt32, values: [UInt32: Int])] = []
    package var networks6: [(maskHigh: UInt64, maskLow: UInt64, values: [IPv6Key: Int])] = []
    /// With `ranges`: inclusive ranges in ascending order that do not overlap.
    package var ranges: [(low: UInt32, high: UInt32, value: Int)] = []

    /// A masked IPv6 address.
    package struct IPv6Key: Hashable, Sendable {
        /// Upper half in host byte order.
        package var high: UInt64
        /// Lower half in host byte order.
        package var low: UInt64
    }

    package init(location: SourceLocation, variable: VariableID) {
        self.location = location
        self.variable = variable
    }

    /// Index into `values` for an address; nil stands for text that is no address.
    ///
    /// As in nginx, Unix-domain sockets and unparseable texts count as 255.255.255.255, as do IPv6 addresses where ranges are used.
    /// O(number of different prefix lengths), or O(log ranges).
    package func valueIndex(for address: NetworkAddress?) -> Int {
        switch address {
        case .ipv4(let value, _): return valueIndex(ipv4: value)
        case .ipv6(0, let low, _) where low >> 32 == 0xFFFF:
            return valueIndex(ipv4: UInt32(truncatingIfNeeded: low))
        case .ipv6(let high, let low, _) where !isRanges:
            for network in networks6 {
                let key = IPv6Key(high: high & network.maskHigh, low: low & network.maskLow)
                if let index = network.values[key] { return index }
            }
            return 0
        default: return valueIndex(ipv4: .max)
        }
    }

    private func valueIndex(ipv4 address: UInt32) -> Int {
        if isRanges {
            var (low, high) = (0, ranges.count)
            while low < high {
                let middle = (low + high) / 2
                if ranges[middle].high < address { low = middle + 1 } else { high = middle }
            }
            return low < ranges.count && ranges[low].low <= address ? ranges[low].value : 0
        }
        for network in networks4 {
            if let index = network.values[address & network.mask] { return index }
        }
        return 0
    }
}

/// `split_clients`.
package struct SplitClientsSettings: Sendable {
    /// Where it stands.
    package var location: SourceLocation
    /// Text that is hashed (MurmurHash2, seed 0).
    package var source: Template
    package var variable: VariableID
    /// Parts in order. A hash below `upperBound` (exclusive) of the first such part selects it; nil: `*`, the rest.
    package var parts: [(upperBound: UInt32?, value: Template)] = []

    package init(location: SourceLocation, source: Template, variable: VariableID) {
        self.location = location
        self.source = source
        self.variable = variable
    }
}

/// `limit_req_zone`.
package struct LimitRequestZone: Hashable, Sendable {
    /// The name as written.
    package var name: String
    /// Size that nginx would take, which bounds the number of keys.
    package var size: ByteCount
    /// What is counted; an empty text is not.
    package var key: Template
    /// Requests per 1,000 seconds (nginx's own unit: rate × 1000).
    package var rate: Int
    package var location: SourceLocation
    /// The key as written.
    package var keyText: Bytes = []

    package init(name: String, size: ByteCount, key: Template, rate: Int, location: SourceLocation) {
        self.name = name
        self.size = size
        self.key = key
        self.rate = rate
        self.location = location
    }
}

/// `limit_conn_zone`.
package struct LimitConnectionZone: Hashable, Sendable {
    /// The name as written.
    package var name: String
    /// Size that nginx would take, which bounds the number of keys.
    package var size: ByteCount
    /// What is counted; an empty text is not.
    package var key: Template
    /// Where it stands.
    package var location: SourceLocation
    /// The key as written.
    package var keyText: Bytes = []

    package init(name: String, size: ByteCount, key: Template, location: SourceLocation) {
        self.name = name
        self.size = size
        self.key = key
        self.location = location
    }
}

/// `log_format`.
package struct LogFormat: Hashable, Sendable {
    /// How values of variables are escaped.
    package enum Escape: String, Hashable, Sendable, CaseIterable { case standard = "default", json, none }
    /// The name as written.
    package var name: String
    /// How values of variables are escaped.
    package var escape: Escape = .standard
    /// The text; variables are escaped, literals are not.
    package var template: Template

    package init(name: String, escape: Escape, template: Template) {
        self.name = name
        self.escape = escape
        self.template = template
    }
}

/// `charset_map`: a pair of single-byte or to-UTF-8 recoding tables.
package struct CharsetMap: Hashable, Sendable {
    /// First charset.
    package var source: String
    /// Second charset.
    package var target: String
    /// For each byte of `source` its form in `target` (1…4 bytes when the target is UTF-8).
    package var toTarget: [Bytes]
    /// For each form in `target` the byte of `source`.
    package var toSource: [Bytes: UInt8]

    package init(source: String, target: String, toTarget: [Bytes], toSource: [Bytes: UInt8]) {
        self.source = source
        self.target = target
        self.toTarget = toTarget
        self.toSource = toSource
    }
}
