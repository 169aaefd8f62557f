/// Base64 (RFC 4648), both alphabets.
public enum Base64 {
    /// Appends the encoded bytes, padded unless `urlSafe`; all or nothing, false if they do not fit. O(n).
    @discardableResult
    public static func encode(_ bytes: ByteView, urlSafe: Bool = false, into writer: inout ByteWriter) -> Bool {
        let alphabet: ByteView =
            urlSafe
            ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        let start = writer.count
        var index = 0
        while index < bytes.count {
            let left = bytes.count &- index
            var group = UInt32(bytes[index]) << 16
            if left > 1 { group |= UInt32(bytes[index &+ 1]) << 8 }
            if left > 2 { group |= UInt32(bytes[index &+ 2]) }
            var place = 0
            while place < 4 {
                let digit = alphabet[Int(group >> UInt32(18 &- 6 &* place)) & 63]
                let isPadding = place > left
                if !isPadding || !urlSafe, !writer.append(byte: isPadding ? 0x3d : digit) {
                    writer.count = start
                    return false
                }
                place &+= 1
            }
            index &+= 3
        }
        return true
    }

    /// Appends the decoded bytes, up to "=" or the end; all or nothing. False if they are not Base64 or do not fit. O(n).
    @discardableResult
    public static func decode(_ bytes: ByteView, urlSafe: Bool = false, into writer: inout ByteWriter) -> Bool {
        let start = writer.count
        var group: UInt32 = 0
        var digits = 0
        for index in 0..<bytes.count {
            if bytes[index] == 0x3d { break }
            guard let digit = value(bytes[index], urlSafe) else {
                writer.count = start
                return false
            }
            group = group << 6 | digit
            digits &+= 1
            // Every digit but the first of four completes a byte.
            let bits = UInt32(truncatingIfNeeded: 6 &- 2 &* ((digits &- 1) & 3))
            if digits & 3 != 1, !writer.append(byte: UInt8(truncatingIfNeeded: group >> bits)) {
                writer.count = start
                return false
            }
        }
        if digits & 3 != 1 { return true }
        writer.count = start
        return false
    }

    private static func value(_ byte: UInt8, _ urlSafe: Bool) -> UInt32? {
        switch byte {
        case 0x41...0x5a: UInt32(byte - 0x41)
        case 0x61...0x7a: UInt32(byte - 0x61 + 26)
        case 0x30...0x39: UInt32(byte - 0x30 + 52)
        case 0x2b where !urlSafe, 0x2d where urlSafe: 62
        case 0x2f where !urlSafe, 0x5f where urlSafe: 63
        default: nil
        }
    }
}
