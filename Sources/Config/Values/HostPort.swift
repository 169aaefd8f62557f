/// An address of the configuration taken apart: `HOST[:PORT][URI]`, `[IPv6][:PORT][URI]`, `unix:PATH[:URI]`.
package struct HostPort {
    /// What may stand in it.
    package struct Rules {
        /// `listen`: a port alone, `*`, and port ranges are allowed.
        var isListen = false
        /// A URI may follow (`proxy_pass`).
        var allowsURI = false
        /// Port when none is given.
        var defaultPort: UInt16 = 80

        package init(isListen: Bool = false, allowsURI: Bool = false, defaultPort: UInt16 = 80) {
            self.isListen = isListen
            self.allowsURI = allowsURI
            self.defaultPort = defaultPort
        }
    }

    /// nginx's text of what is wrong.
    package struct Failure: Error {
        package var message: String

        init(_ message: String) { self.message = message }
    }

    package var address: HostAddress
    /// Host as written; IPv6 with brackets; the path of a Unix-domain socket.
    package var host: Bytes
    package var port: UInt16
    /// Last port of a range; that of `port` without range.
    var lastPort: UInt16
    package var hasPort: Bool
    /// Text of the port; empty without port.
    package var portText: Bytes = []
    package var uri: Bytes = []

    /// Takes a text apart.
    package init(_ text: Bytes, _ rules: Rules) throws(Failure) {
        if text.count >= 5, lowercased(text[..<5]) == Bytes("unix:".utf8) {
            try self.init(unix: text.dropFirst(5), rules)
        } else if text.first == UInt8(ascii: "[") {
            try self.init(ipv6: text, rules)
        } else {
            try self.init(name: text, rules)
        }
    }

    private init(unix rest: ArraySlice<UInt8>, _ rules: Rules) throws(Failure) {
        var path = rest
        if rules.allowsURI, let colon = rest.firstIndex(of: UInt8(ascii: ":")) {
            path = rest[..<colon]
            uri = Bytes(rest[(colon + 1)...])
        }
        guard !path.isEmpty else { throw Failure("no path in the unix domain socket") }
        guard path.count <= NetworkAddress.unixPathLengthMax else {
            throw Failure("too long path in the unix domain socket")
        }
        host = Bytes(path)
        address = .literal(.unix(host))
        (port, lastPort, hasPort) = (0, 0, false)
    }

    private init(ipv6 text: Bytes, _ rules: Rules) throws(Failure) {
        guard let close = text.firstIndex(of: UInt8(ascii: "]")) else { throw Failure("invalid host") }
        var end = text.count
        if let slash = text[(close + 1)...].firstIndex(of: UInt8(ascii: "/")) {
            if rules.isListen || !rules.allowsURI { throw Failure("invalid host") }
            uri = Bytes(text[slash...])
            end = slash
        }
        (port, lastPort, hasPort) = (rules.defaultPort, rules.defaultPort, false)
        if close + 1 < end {
            guard text[close + 1] == UInt8(ascii: ":") else { throw Failure("invalid host") }
            (port, lastPort) = try Self.ports(text[(close + 2)..<end], rules)
            hasPort = true
            portText = Bytes(text[(close + 2)..<end])
        }
        guard close > 1 else { throw Failure("no host") }
        guard let value = NetworkAddress.parseIPv6(text[1..<close]) else { throw Failure("invalid IPv6 address") }
        host = Bytes(text[...close])
        address = .literal(.ipv6(high: value.high, low: value.low, port: port))
    }

    private init(name text: Bytes, _ rules: Rules) throws(Failure) {
        var end = text.count
        var colon = text.firstIndex(of: UInt8(ascii: ":"))
        if let start = text.firstIndex(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }) {
            if rules.isListen || !rules.allowsURI { throw Failure("invalid host") }
            uri = Bytes(text[start...])
            end = start
            if let position = colon, start < position { colon = nil }
        }
        (port, lastPort, hasPort) = (rules.defaultPort, rules.defaultPort, false)
        if let colon {
            (port, lastPort) = try Self.ports(text[(colon + 1)..<end], rules)
            hasPort = true
            portText = Bytes(text[(colon + 1)..<end])
            end = colon
        } else if rules.isListen, uri.isEmpty, let ports = try Self.portAlone(text) {
            (port, lastPort) = ports
            (hasPort, portText, host) = (true, text, [])
            address = .literal(.ipv4(0, port: port))
            return
        }
        guard end > 0 else { throw Failure("no host") }
        host = Bytes(text[..<end])
        if rules.isListen, host == [UInt8(ascii: "*")] {
            address = .literal(.ipv4(0, port: port))
        } else if let value = NetworkAddress.parseIPv4(host), value != .max {
            address = .literal(.ipv4(value, port: port))
        } else {
            address = .name(host: String(decoding: host, as: UTF8.self), port: port)
        }
    }

    private static func ports(_ text: ArraySlice<UInt8>, _ rules: Rules) throws(Failure) -> (UInt16, UInt16) {
        if rules.isListen, let dash = text.firstIndex(of: UInt8(ascii: "-")) {
            let last = try port(text[(dash + 1)...])
            let first = try port(text[..<dash])
            guard first <= last else { throw Failure("invalid port range") }
            return (first, last)
        }
        let value = try port(text)
        return (value, value)
    }

    /// The text as a port or a range of ports, nil if it is no number at all.
    private static func portAlone(_ text: Bytes) throws(Failure) -> (UInt16, UInt16)? {
        let dash = text.firstIndex(of: UInt8(ascii: "-"))
        guard ValueParsing.integer(text[..<(dash ?? text.count)]) != nil else { return nil }
        if let dash, ValueParsing.integer(text[(dash + 1)...]) == nil { return nil }
        return try ports(text[...], Rules(isListen: true))
    }

    private static func port(_ text: ArraySlice<UInt8>) throws(Failure) -> UInt16 {
        guard let value = ValueParsing.integer(text), value >= 1, value <= 65_535 else { throw Failure("invalid port") }
        return UInt16(value)
    }
}
