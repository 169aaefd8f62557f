/// Foreign text inside an HTML page, whatever the page's charset, and harmless on a terminal that shows the page's bytes: nothing but
/// printable ASCII leaves here.
public enum HTMLText {
    /// Bytes written for one byte of UTF-8 at most.
    public static let growthMax = 6

    /// Appends characters; false if they do not fit, with what fitted. `& < > " '` become entities, characters outside ASCII numeric
    /// references. Control bytes (as `\x1b`) and what changes the direction of text (as `\u{202e}`) are shown, not obeyed. O(n).
    @discardableResult
    public static func write(_ text: String, into writer: inout ByteWriter) -> Bool {
        for scalar in text.unicodeScalars where !write(scalar, into: &writer) { return false }
        return true
    }

    private static func write(_ scalar: Unicode.Scalar, into writer: inout ByteWriter) -> Bool {
        switch scalar.value {
        case 0x26: return writer.append("&amp;")
        case 0x3c: return writer.append("&lt;")
        case 0x3e: return writer.append("&gt;")
        case 0x22: return writer.append("&quot;")
        case 0x27: return writer.append("&#39;")
        case 0..<0x20, 0x7f:
            let byte = UInt8(truncatingIfNeeded: scalar.value)
            return writer.append("\\x") && hexadecimal(UInt32(byte >> 4), into: &writer) && hexadecimal(UInt32(byte & 15), into: &writer)
        case 0x20..<0x7f: return writer.append(byte: UInt8(truncatingIfNeeded: scalar.value))
        // C1 controls, marks and overrides of direction, line separators, the byte order mark.
        case 0x80..<0xa0, 0x61c, 0x200b...0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff:
            return writer.append("\\u{") && hexadecimal(scalar.value, into: &writer) && writer.append("}")
        default: return writer.append("&#x") && hexadecimal(scalar.value, into: &writer) && writer.append(";")
        }
    }

    /// Lower-case digits without leading zeros.
    private static func hexadecimal(_ value: UInt32, into writer: inout ByteWriter) -> Bool {
        if value > 15, !hexadecimal(value >> 4, into: &writer) { return false }
        let digit = UInt8(truncatingIfNeeded: value & 15)
        return writer.append(byte: digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
}
