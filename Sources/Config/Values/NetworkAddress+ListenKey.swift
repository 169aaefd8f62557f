extension NetworkAddress {
    /// The text that names an address in messages between the programs, always the same for the same address: `127.0.0.1:3000`,
    /// `[::1]:3000`, `unix:/path`.
    package var listenKey: String { text }

    /// Reads what `listenKey` wrote; nil for anything else, names included.
    package init?(listenKey text: String) {
        if text.hasPrefix("unix:") {
            self = .unix(Array(text.utf8.dropFirst(5)))
            return
        }
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits) else { return nil }
        let host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            guard let (high, low) = Self.parseIPv6(host.dropFirst().dropLast().utf8) else { return nil }
            self = .ipv6(high: high, low: low, port: port)
        } else {
            guard let address = Self.parseIPv4(host.utf8) else { return nil }
            self = .ipv4(address, port: port)
        }
    }
}
