/// An IP address with a port: 4 or 16 bytes in network order.
public struct IPAddress: Equatable, Sendable {
    /// The first eight bytes of an IPv6 address as a big-endian number; 0 for IPv4.
    public var high: UInt64
    /// The last eight bytes of an IPv6 address, or an IPv4 address in its lower 32 bits.
    public var low: UInt64
    public var port: UInt16
    public var isIPv6: Bool

    @inlinable public init(high: UInt64 = 0, low: UInt64, port: UInt16, isIPv6: Bool) {
        self.high = high
        self.low = low
        self.port = port
        self.isIPv6 = isIPv6
    }
}

extension IPAddress {
    /// Parses a dotted quad; nil if it is none.
    /// - Parameter leadingZeros: whether `010.0.0.1` is 10.0.0.1, as nginx reads addresses in fields; else it is refused.
    public static func parseIPv4(_ bytes: ByteView, leadingZeros: Bool = false) -> UInt32? {
        guard bytes.count >= 7, bytes.count <= 15 else { return nil }
        var address: UInt32 = 0
        var part: UInt32 = 0
        var digits = 0
        var dots = 0
        for index in 0..<bytes.count {
            let byte = bytes[index]
            if byte == 0x2e {
                guard digits > 0, dots < 3 else { return nil }
                address = address << 8 | part
                (part, digits, dots) = (0, 0, dots + 1)
                continue
            }
            let digit = UInt32(byte &- 0x30)
            guard digit < 10, digits == 0 || part > 0 || leadingZeros else { return nil }
            part = part * 10 + digit
            digits += 1
            guard part <= 255 else { return nil }
        }
        guard dots == 3, digits > 0 else { return nil }
        return address << 8 | part
    }

    /// Parses an IPv6 address without brackets and zone; nil if it is none.
    public static func parseIPv6(_ bytes: ByteView) -> (high: UInt64, low: UInt64)? {
        guard bytes.count >= 2, bytes.count <= 45 else { return nil }
        var reader = IPv6Reader()
        var index = 0
        if bytes[0] == 0x3a {
            guard bytes[1] == 0x3a else { return nil }
            reader.gap = 0
            index = 2
        }
        while index < bytes.count {
            var end = index
            while end < bytes.count, bytes[end] != 0x3a { end += 1 }
            let part = bytes[index..<end]
            if part.contains(0x2e) {
                guard end == bytes.count, let address = parseIPv4(part), reader.append(UInt64(address >> 16)),
                    reader.append(UInt64(address & 0xffff))
                else { return nil }
                return reader.finish()
            }
            guard let group = hexadecimal(part), reader.append(group) else { return nil }
            if end == bytes.count { break }
            index = end + 1
            guard index < bytes.count else { return nil }
            if bytes[index] == 0x3a {
                guard reader.gap < 0 else { return nil }
                reader.gap = reader.count
                index += 1
            }
        }
        return reader.finish()
    }

    private static func hexadecimal(_ bytes: ByteView) -> UInt64? {
        guard bytes.count >= 1, bytes.count <= 4 else { return nil }
        var value: UInt64 = 0
        for index in 0..<bytes.count {
            let digit = ByteClass.hexadecimal(bytes[index])
            guard digit < 16 else { return nil }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    /// Collects the groups of an IPv6 address.
    private struct IPv6Reader {
        /// Groups so far, the last in the lowest 16 bits.
        private var head: (high: UInt64, low: UInt64) = (0, 0)
        var count = 0
        /// Number of groups before "::"; -1 if there is none.
        var gap = -1

        mutating func append(_ group: UInt64) -> Bool {
            guard count < 8 else { return false }
            head = (head.high << 16 | head.low >> 48, head.low << 16 | group)
            count += 1
            return true
        }

        func finish() -> (high: UInt64, low: UInt64)? {
            guard gap >= 0 else { return count == 8 ? head : nil }
            guard count < 8 else { return nil }
            // The groups after the gap stay; those before it move to the front.
            let after = UInt64(count - gap) * 16
            let upTo = UInt64(8 - count) * 16
            let tail = Self.masked(head, bits: after)
            let front = Self.shifted((head.high ^ tail.high, head.low ^ tail.low), by: upTo)
            return (front.high | tail.high, front.low | tail.low)
        }

        private static func masked(_ value: (high: UInt64, low: UInt64), bits: UInt64) -> (high: UInt64, low: UInt64) {
            // Smart shifts: 64 and more give 0.
            bits <= 64 ? (0, value.low & ~(~0 << bits)) : (value.high & ~(~0 << (bits - 64)), value.low)
        }

        private static func shifted(_ value: (high: UInt64, low: UInt64), by bits: UInt64) -> (
            high: UInt64, low: UInt64
        ) {
            if bits >= 64 { return (value.low << (bits - 64), 0) }
            if bits == 0 { return value }
            return (value.high << bits | value.low >> (64 - bits), value.low << bits)
        }
    }
}

extension IPAddress {
    /// Appends the address as text: IPv6 without brackets, the longest run of zeros compressed (RFC 5952); all or
    /// nothing, at most 45 bytes.
    @discardableResult
    public func write(into writer: inout ByteWriter) -> Bool {
        let start = writer.count
        if isIPv6 { writeIPv6(&writer) } else { Self.writeIPv4(UInt32(truncatingIfNeeded: low), &writer) }
        if !writer.isOverflown { return true }
        writer.count = start
        return false
    }

    private static func writeIPv4(_ address: UInt32, _ writer: inout ByteWriter) {
        var shift: UInt32 = 32
        while shift > 0 {
            shift &-= 8
            writer.append(decimal: UInt64(address >> shift & 255))
            if shift > 0 { writer.append(byte: 0x2e) }
        }
    }

    private func group(_ index: Int) -> UInt64 {
        (index < 4 ? high : low) >> UInt64(48 &- 16 &* (index & 3)) & 0xffff
    }

    private func writeIPv6(_ writer: inout ByteWriter) {
        if high == 0, low >> 32 == 0xffff {
            writer.append("::ffff:")
            Self.writeIPv4(UInt32(truncatingIfNeeded: low), &writer)
            return
        }
        let gap = longestZeroRun()
        var index = 0
        while index < 8 {
            if index == gap.lowerBound, !gap.isEmpty {
                writer.append("::")
                index = gap.upperBound
                continue
            }
            if index > 0, index != gap.upperBound || gap.isEmpty { writer.append(byte: 0x3a) }
            writer.append(hex: group(index))
            index &+= 1
        }
    }

    /// The first of the longest runs of two or more zero groups; empty if there is none.
    private func longestZeroRun() -> Range<Int> {
        var best = 0..<0
        var index = 0
        while index < 8 {
            var end = index
            while end < 8, group(end) == 0 { end &+= 1 }
            if end &- index > max(best.count, 1) { best = index..<end }
            index = max(end, index &+ 1)
        }
        return best
    }
}
