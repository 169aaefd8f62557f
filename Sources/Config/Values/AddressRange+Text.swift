extension AddressRange {
    /// Parses `ADDRESS` or `ADDRESS/BITS`, IPv4 or IPv6.
    /// - Returns: the network, and whether bits beyond the mask were set (nginx warns of these); nil if it is neither.
    package static func parse(_ text: some Collection<UInt8>) -> (range: AddressRange, hasLowBits: Bool)? {
        let bytes = Bytes(text)
        let slash = bytes.firstIndex(of: UInt8(ascii: "/"))
        let address = bytes[..<(slash ?? bytes.count)]
        var bits: Int?
        if let slash {
            guard let value = ValueParsing.integer(bytes[(slash + 1)...]) else { return nil }
            bits = value
        }
        if let value = NetworkAddress.parseIPv4(address) {
            guard (bits ?? 32) <= 32 else { return nil }
            let mask = UInt32(truncatingIfNeeded: UInt64(0xFFFF_FFFF) << (32 - UInt64(bits ?? 32)))
            return (.ipv4(address: value & mask, mask: mask), value & ~mask != 0)
        }
        guard let value = NetworkAddress.parseIPv6(address), (bits ?? 128) <= 128 else { return nil }
        let count = UInt64(bits ?? 128)
        let maskHigh: UInt64 = count >= 64 ? .max : ~(UInt64.max >> count)
        let maskLow: UInt64 = count >= 128 ? .max : count <= 64 ? 0 : ~(UInt64.max >> (count - 64))
        let range = AddressRange.ipv6(
            high: value.high & maskHigh, low: value.low & maskLow, maskHigh: maskHigh, maskLow: maskLow)
        return (range, value.high & ~maskHigh != 0 || value.low & ~maskLow != 0)
    }

    /// Whether an address is in the network. An IPv6 address that holds an IPv4 one matches IPv4 networks too, as in nginx. O(1).
    package func contains(_ address: NetworkAddress) -> Bool {
        switch (self, address) {
        case (.all, _): return true
        case (.unix, .unix): return true
        case (.ipv4(let network, let mask), .ipv4(let value, _)): return value & mask == network
        case (.ipv4(let network, let mask), .ipv6(0, let low, _)) where low >> 32 == 0xFFFF:
            return UInt32(truncatingIfNeeded: low) & mask == network
        case (.ipv6(let high, let low, let maskHigh, let maskLow), .ipv6(let valueHigh, let valueLow, _)):
            return valueHigh & maskHigh == high && valueLow & maskLow == low
        default: return false
        }
    }
}
