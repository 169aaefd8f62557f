extension NetworkAddress {
    /// Bytes that a Unix-domain path may have on Linux.
    package static let unixPathLengthMax = 107

    /// A dotted quad. nil if it is not one.
    package static func parseIPv4(_ text: some Collection<UInt8>) -> UInt32? {
        var address: UInt32 = 0
        var octet: UInt32 = 0
        var (digits, dots) = (0, 0)
        for byte in text {
            if byte == UInt8(ascii: ".") {
                guard digits > 0, dots < 3 else { return nil }
                address = address << 8 | octet
                (octet, digits, dots) = (0, 0, dots + 1)
                continue
            }
            guard byte >= 0x30, byte <= 0x39, digits < 10 else { return nil }
            octet = octet * 10 + UInt32(byte - 0x30)
            digits += 1
            guard octet <= 255 else { return nil }
        }
        guard dots == 3, digits > 0 else { return nil }
        return address << 8 | octet
    }

    /// An IPv6 address without brackets, also with a dotted quad at its end. nil if it is not one.
    package static func parseIPv6(_ text: some Collection<UInt8>) -> (high: UInt64, low: UInt64)? {
        let bytes = Bytes(text)
        guard bytes.count >= 2, bytes.count <= 45 else { return nil }
        var groups: [UInt16] = []
        var gap: Int?
        var index = 0
        if bytes[0] == UInt8(ascii: ":") {
            guard bytes[1] == UInt8(ascii: ":") else { return nil }
            (gap, index) = (0, 2)
        }
        while index < bytes.count {
            let end = bytes[index...].firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
            let part = bytes[index..<end]
            if part.contains(UInt8(ascii: ".")) {
                guard end == bytes.count, let quad = parseIPv4(part) else { return nil }
                groups += [UInt16(quad >> 16), UInt16(quad & 0xFFFF)]
                break
            }
            if part.isEmpty {
                guard gap == nil else { return nil }
                gap = groups.count
            } else {
                guard let group = hexadecimal(part) else { return nil }
                groups.append(group)
            }
            guard groups.count <= 8 else { return nil }
            if end == bytes.count { break }
            index = end + 1
            // A colon at the end must belong to `::`.
            if index == bytes.count, gap != groups.count || part.isEmpty == false { return nil }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        func half(_ part: ArraySlice<UInt16>) -> UInt64 { part.reduce(0) { $0 << 16 | UInt64($1) } }
        return (half(groups[..<4]), half(groups[4...]))
    }

    private static func hexadecimal(_ part: ArraySlice<UInt8>) -> UInt16? {
        guard part.count <= 4 else { return nil }
        var value: UInt16 = 0
        for byte in part {
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt16(byte - 0x30)
            case 0x41...0x46, 0x61...0x66: value = value << 4 | UInt16((byte | 0x20) - 0x57)
            default: return nil
            }
        }
        return value
    }

    /// The address as nginx prints it: `127.0.0.1:80`, `[::1]:80`, `unix:/path`.
    package var text: String {
        switch self {
        case .ipv4(_, let port), .ipv6(_, _, let port): "\(host):\(port)"
        case .unix: host
        }
    }

    /// The address without its port; IPv6 in brackets.
    package var host: String {
        switch self {
        case .ipv4(let address, _):
            "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)"
        case .ipv6(let high, let low, _): "[\(Self.ipv6Text(high: high, low: low))]"
        case .unix(let path): "unix:" + String(decoding: path, as: UTF8.self)
        }
    }

    /// The longest run of zero groups becomes `::`.
    private static func ipv6Text(high: UInt64, low: UInt64) -> String {
        var groups: [UInt16] = []
        for half in [high, low] {
            for shift in stride(from: 48, through: 0, by: -16) { groups.append(UInt16(truncatingIfNeeded: half >> shift)) }
        }
        var best = 0..<0
        var index = 0
        while index < 8 {
            let start = index
            while index < 8, groups[index] == 0 { index += 1 }
            if index - start > max(best.count, 1) { best = start..<index }
            index += 1
        }
        if best.isEmpty { return groups.map { String($0, radix: 16) }.joined(separator: ":") }
        let before = groups[..<best.lowerBound].map { String($0, radix: 16) }.joined(separator: ":")
        let after = groups[best.upperBound...].map { String($0, radix: 16) }.joined(separator: ":")
        return "\(before)::\(after)"
    }
}
