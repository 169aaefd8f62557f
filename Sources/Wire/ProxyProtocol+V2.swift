extension ProxyProtocol {
    /// Signature (12 bytes), version and command, family and transport, length (2 bytes), addresses, TLVs.
    static func parseV2(_ bytes: ByteView) -> Outcome {
        if bytes.count > 12, bytes[12] >> 4 != 2 { return .failed }
        guard bytes.count >= 16 else { return .needMore }
        let length = 16 &+ Int(number16(bytes, 14))
        guard length <= maxLength else { return .failed }
        guard bytes.count >= length else { return .needMore }
        var header = ProxyProtocolHeader(length: length)
        // Command PROXY over a stream; anything else says nothing about addresses.
        guard bytes[12] & 15 == 1, bytes[13] & 15 == 1 else { return .complete(header) }
        let isIPv6: Bool
        switch bytes[13] >> 4 {
        case 1: isIPv6 = false
        case 2: isIPv6 = true
        default: return .complete(header)
        }
        let size = isIPv6 ? 16 : 4
        let end = 16 &+ 2 &* size &+ 4
        guard end <= length else { return .failed }
        header.source = address(bytes, 16, port: 16 &+ 2 &* size, isIPv6)
        header.destination = address(bytes, 16 &+ size, port: 18 &+ 2 &* size, isIPv6)
        header.tlvs = ByteRange(from: end, to: length)
        return .complete(header)
    }

    private static func number16(_ bytes: ByteView, _ offset: Int) -> UInt16 {
        UInt16(bytes[offset]) << 8 | UInt16(bytes[offset &+ 1])
    }

    private static func address(_ bytes: ByteView, _ offset: Int, port: Int, _ isIPv6: Bool) -> IPAddress {
        guard isIPv6 else {
            let word = UInt32(truncatingIfNeeded: bytes.exactWord(at: offset, length: 4)).byteSwapped
            return IPAddress(low: UInt64(word), port: number16(bytes, port), isIPv6: false)
        }
        return IPAddress(
            high: bytes.word(at: offset).byteSwapped, low: bytes.word(at: offset &+ 8).byteSwapped,
            port: number16(bytes, port), isIPv6: true)
    }

    /// Value of a TLV, by the name that nginx's `$proxy_protocol_tlv_NAME` uses: "alpn", "authority", "unique_id", "ssl",
    /// "netns", "ssl_version", "ssl_cn", "ssl_cipher", "ssl_sig_alg", "ssl_key_alg", or a type ("0x01", "ssl_0x21"). Nil
    /// if it is not there, the list is broken before it, or the name is unknown. "ssl_verify": see `writeTLV`. O(n).
    public static func tlv(_ name: ByteView, _ header: ProxyProtocolHeader, _ bytes: ByteView) -> ByteView? {
        let all = header.tlvs.view(bytes)
        guard name.hasPrefix("ssl_") else {
            guard let type = type(name) else { return nil }
            return find(type, in: all)
        }
        // The value of "ssl" is one byte of flags, four of the verification's result, and TLVs.
        guard let ssl = find(0x20, in: all), ssl.count >= 5, let type = sslType(name.dropFirst(4)) else { return nil }
        return find(type, in: ssl.dropFirst(5))
    }

    /// Appends the value of a TLV; "ssl_verify" as a decimal number.
    ///
    /// - Returns: whether it is there and fitted.
    public static func writeTLV(
        _ name: ByteView, _ header: ProxyProtocolHeader, _ bytes: ByteView, into writer: inout ByteWriter
    ) -> Bool {
        if name == "ssl_verify" {
            guard let ssl = find(0x20, in: header.tlvs.view(bytes)), ssl.count >= 5 else { return false }
            let result = UInt32(truncatingIfNeeded: ssl.exactWord(at: 1, length: 4)).byteSwapped
            return writer.append(decimal: UInt64(result))
        }
        guard let value = tlv(name, header, bytes) else { return false }
        return writer.append(value)
    }

    private static func type(_ name: ByteView) -> UInt8? {
        if name == "alpn" { return 0x01 }
        if name == "authority" { return 0x02 }
        if name == "unique_id" { return 0x05 }
        if name == "ssl" { return 0x20 }
        if name == "netns" { return 0x30 }
        return numericType(name)
    }

    private static func sslType(_ name: ByteView) -> UInt8? {
        if name == "version" { return 0x21 }
        if name == "cn" { return 0x22 }
        if name == "cipher" { return 0x23 }
        if name == "sig_alg" { return 0x24 }
        if name == "key_alg" { return 0x25 }
        return numericType(name)
    }

    /// "0x" and a hexadecimal number up to ff; leading zeros do not matter.
    private static func numericType(_ name: ByteView) -> UInt8? {
        guard name.hasPrefix("0x"), name.count >= 3, name.count <= 16 else { return nil }
        var type: UInt64 = 0
        for index in 2..<name.count {
            let digit = ByteClass.hexadecimal(name[index])
            guard digit < 16 else { return nil }
            type = type << 4 | UInt64(digit)
        }
        return UInt8(exactly: type)
    }

    private static func find(_ type: UInt8, in list: ByteView) -> ByteView? {
        var index = 0
        while index &+ 3 <= list.count {
            let end = index &+ 3 &+ Int(number16(list, index &+ 1))
            guard end <= list.count else { return nil }
            if list[index] == type { return list[index &+ 3..<end] }
            index = end
        }
        return nil
    }
}
