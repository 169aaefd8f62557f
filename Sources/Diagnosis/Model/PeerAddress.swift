/// The address of one upstream server, as a proxy dials it.
package enum PeerAddress: Sendable, Hashable {
    /// IPv4, four bytes in network order.
    case ipv4(UInt32, port: UInt16)
    /// IPv6, as two halves in network order, most significant first.
    case ipv6(UInt64, UInt64, port: UInt16)
    /// A path, or an abstract name beginning with `@`.
    case unix(String)
    /// Not an address: a host name with a port (0: none given), or the name of an upstream group when no server could be picked.
    case name(String, port: UInt16)

    /// Which kind of address it is.
    package var isUnixSocket: Bool { if case .unix = self { true } else { false } }
    /// Nil for a path, and for a name without one.
    package var port: UInt16? {
        switch self {
        case .ipv4(_, let port), .ipv6(_, _, let port): port
        case .name(_, let port): port == 0 ? nil : port
        case .unix: nil
        }
    }
    /// The path of a unix socket.
    package var path: String? { if case .unix(let path) = self { path } else { nil } }
    /// Which kind of address it is.
    package var isIPv6: Bool { if case .ipv6 = self { true } else { false } }
    package var isIPv4: Bool { if case .ipv4 = self { true } else { false } }
    package var isIP: Bool { isIPv4 || isIPv6 }

    /// 127.0.0.0/8, ::1 or ::ffff:127.0.0.0/104.
    package var isLoopback: Bool {
        switch self {
        case .ipv4(let a, _): a >> 24 == 127
        case .ipv6(let high, let low, _): high == 0 && (low == 1 || low >> 24 == 0xffff7f)
        case .unix: false
        case .name(let name, _): name == "localhost"
        }
    }

    /// The same host with another port. A path stays as it is.
    package func withPort(_ port: UInt16) -> PeerAddress {
        switch self {
        case .ipv4(let a, _): .ipv4(a, port: port)
        case .ipv6(let h, let l, _): .ipv6(h, l, port: port)
        case .name(let n, _): .name(n, port: port)
        case .unix: self
        }
    }

    /// With this port when it has none. A path stays as it is.
    package func withDefaultPort(_ port: UInt16) -> PeerAddress {
        isUnixSocket || self.port ?? 0 != 0 ? self : withPort(port)
    }

    /// `127.0.0.1:80`, `[::1]:80`, `unix:/run/app.sock`, `name:80`.
    package var text: String {
        switch self {
        case .ipv4(_, let port): "\(hostText):\(port)"
        case .ipv6(_, _, let port): "[\(hostText)]:\(port)"
        case .unix(let path): "unix:\(path)"
        case .name(let name, let port): port == 0 ? name : "\(name):\(port)"
        }
    }

    /// The host part alone, without brackets.
    package var hostText: String {
        switch self {
        case .ipv4(let a, _): return "\(a >> 24).\(a >> 16 & 255).\(a >> 8 & 255).\(a & 255)"
        case .ipv6(let high, let low, _): return Self.ipv6Text(high, low)
        case .unix(let path): return path
        case .name(let name, _): return name
        }
    }

    private static func ipv6Text(_ high: UInt64, _ low: UInt64) -> String {
        if high == 0, low >> 32 == 0xffff {
            let a = UInt32(truncatingIfNeeded: low)
            return "::ffff:\(a >> 24).\(a >> 16 & 255).\(a >> 8 & 255).\(a & 255)"
        }
        let groups = (0..<8).map { i in
            UInt16(truncatingIfNeeded: (i < 4 ? high : low) >> UInt64(48 - 16 * (i % 4)))
        }
        // RFC 5952: the longest run of two or more zero groups becomes "::".
        var best = (start: 0, count: 1), start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > best.count { best = (start, end - start) }
            start = end + 1
        }
        func join(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        if best.count < 2 { return join(groups[...]) }
        return join(groups[..<best.start]) + "::" + join(groups[(best.start + best.count)...])
    }
}

extension PeerAddress {
    /// Reads an address as configurations and logs write it: `1.2.3.4:80`, `[::1]:80`, `unix:/path`, `unix:/path:/uri`, `host:80`, `host`.
    ///
    /// Never fails: what is no address is a `.name`. O(length).
    package init(parsing text: some StringProtocol) {
        let text = String(text)
        if text.hasPrefix("unix:") {
            let rest = text.dropFirst(5)
            // nginx writes the URI after the path: unix:/run/a.sock:/uri
            self = .unix(
                String(rest.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).first ?? rest))
            return
        }
        if text.hasPrefix("["), let close = text.firstIndex(of: "]") {
            let host = text[text.index(after: text.startIndex)..<close]
            let after = text[text.index(after: close)...]
            let port = after.hasPrefix(":") ? UInt16(after.dropFirst()) ?? 0 : 0
            if let (high, low) = Self.parseIPv6(host) {
                self = .ipv6(high, low, port: port)
            } else {
                self = .name(String(host), port: port)
            }
            return
        }
        var host = text[...], port: UInt16 = 0
        if let colon = text.lastIndex(of: ":") {
            if text.firstIndex(of: ":") != colon {
                if let (high, low) = Self.parseIPv6(text[...]) { self = .ipv6(high, low, port: 0); return }
            } else if let number = UInt16(text[text.index(after: colon)...]) {
                host = text[..<colon]; port = number
            }
        }
        if let a = Self.parseIPv4(host) { self = .ipv4(a, port: port) } else { self = .name(String(host), port: port) }
    }

    static func parseIPv4(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
                let byte = UInt8(part)
            else { return nil }
            value = value << 8 | UInt32(byte)
        }
        return value
    }

    static func parseIPv6(_ text: Substring) -> (UInt64, UInt64)? {
        guard text.utf8.count <= 45 else { return nil }
        let text = text.split(separator: "%", maxSplits: 1).first ?? text
        var head: [UInt16] = [], tail: [UInt16] = [], seenGap = false
        var rest = text
        if rest.hasPrefix("::") { seenGap = true; rest = rest.dropFirst(2) }
        while !rest.isEmpty {
            let end = rest.firstIndex(of: ":") ?? rest.endIndex
            let group = rest[..<end]
            if group.contains("."), end == rest.endIndex {
                guard let a = parseIPv4(group) else { return nil }
                let pair = [UInt16(truncatingIfNeeded: a >> 16), UInt16(truncatingIfNeeded: a)]
                if seenGap { tail += pair } else { head += pair }
            } else {
                guard (1...4).contains(group.utf8.count), let value = UInt16(group, radix: 16) else { return nil }
                if seenGap { tail.append(value) } else { head.append(value) }
            }
            if end == rest.endIndex { break }
            rest = rest[rest.index(after: end)...]
            if rest.hasPrefix(":") {
                if seenGap { return nil }
                seenGap = true
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        let missing = 8 - head.count - tail.count
        guard seenGap ? missing >= 1 : missing == 0 else { return nil }
        let groups = head + [UInt16](repeating: 0, count: missing) + tail
        func half(_ part: ArraySlice<UInt16>) -> UInt64 { part.reduce(0) { $0 << 16 | UInt64($1) } }
        return (half(groups[..<4]), half(groups[4...]))
    }
}

extension PeerAddress: Codable {
    package init(from decoder: any Decoder) throws {
        self.init(parsing: try decoder.singleValueContainer().decode(String.self))
    }
    /// As its text.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
