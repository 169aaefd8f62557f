extension URI {
    /// Which bytes `escape` writes as "%XX". All but the last escape controls, bytes from 0x7f, and
    /// `" < > \ ^ \u{60} { | }`.
    public enum EscapeKind: UInt8, Sendable {
        /// Paths in redirects and upstream requests: also space, "#", "%" and "?".
        case uri
        /// Arguments: also "&", "+" and ";".
        case args
        /// All but letters, digits, "-", ".", "_" and "~".
        case uriComponent
        /// URIs in HTML: space, "#", "%" and "'", but not "?".
        case html
        /// URIs in `Refresh`: space and "'", but not "#", "%" and "?".
        case refresh
        /// Targets in a request line, which are escaped already or are to go as they are: controls, space, "#" and DEL only.
        case requestLine

        /// Sets of bytes: 0...63, 64...127, and whether all bytes from 128 are in it.
        @inline(__always)
        fileprivate var set: (low: UInt64, high: UInt64, rest: Bool) {
            switch self {
            case .uri: (0xd000_002d_ffff_ffff, 0xb800_0001_5000_0000, true)
            case .args: (0xd800_086d_ffff_ffff, 0xb800_0001_5000_0000, true)
            case .uriComponent: (0xfc00_9fff_ffff_ffff, 0xb800_0001_7800_0001, true)
            case .html: (0x5000_00ad_ffff_ffff, 0xb800_0001_5000_0000, true)
            case .refresh: (0x5000_0085_ffff_ffff, 0xd800_0001_5000_0000, true)
            case .requestLine: (0x0000_0009_ffff_ffff, 0x8000_0000_0000_0000, false)
            }
        }
    }

    @inline(__always)
    private static func isIn(_ set: (low: UInt64, high: UInt64, rest: Bool), _ byte: UInt8) -> Bool {
        if byte >= 0x80 { return set.rest }
        return (byte < 64 ? set.low : set.high) >> UInt64(byte & 63) & 1 != 0
    }

    /// Number of bytes that `escape` would write as "%XX". O(n).
    public static func escapeCount(_ bytes: ByteView, _ kind: EscapeKind) -> Int {
        let set = kind.set
        var count = 0
        var index = 0
        while index < bytes.count {
            if isIn(set, bytes[index]) { count &+= 1 }
            index &+= 1
        }
        return count
    }

    /// Whether `escape` would change anything. O(n).
    public static func needsEscape(_ bytes: ByteView, _ kind: EscapeKind) -> Bool { escapeCount(bytes, kind) > 0 }

    /// Appends the escaped bytes, all or nothing; false if they do not fit (at most three times as many). O(n).
    @discardableResult
    public static func escape(_ bytes: ByteView, _ kind: EscapeKind, into writer: inout ByteWriter) -> Bool {
        let escaped = escapeCount(bytes, kind)
        if escaped == 0 { return writer.append(bytes) }
        guard let place = unsafe writer.reserve(bytes.count &+ 2 &* escaped) else { return false }
        let set = kind.set
        var at = 0
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            // SAFETY: one byte for each plain byte and three for each escaped one are reserved.
            if isIn(set, byte) {
                unsafe place[at] = 0x25
                unsafe place[at &+ 1] = ByteWriter.upperHexDigit(byte >> 4)
                unsafe place[at &+ 2] = ByteWriter.upperHexDigit(byte & 15)
                at &+= 3
            } else {
                unsafe place[at] = byte
                at &+= 1
            }
            index &+= 1
        }
        return true
    }

    /// Appends bytes with `& < > "` as HTML entities; false if they do not fit, with what fitted.
    @discardableResult
    public static func escapeHTML(_ bytes: ByteView, into writer: inout ByteWriter) -> Bool {
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            let fits =
                switch byte {
                case 0x26: writer.append("&amp;")
                case 0x3c: writer.append("&lt;")
                case 0x3e: writer.append("&gt;")
                case 0x22: writer.append("&quot;")
                default: writer.append(byte: byte)
                }
            if !fits { return false }
            index &+= 1
        }
        return true
    }

    /// Appends bytes as the inside of a JSON string, all or nothing (at most six times as many). Bytes from 0x80 stay.
    @discardableResult
    public static func escapeJSON(_ bytes: ByteView, into writer: inout ByteWriter) -> Bool {
        let start = writer.count
        var index = 0
        var plain = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte < 0x20 || byte == 0x22 || byte == 0x5c {
                guard writer.append(bytes[plain..<index]), escapeJSON(byte, into: &writer) else {
                    writer.count = start
                    return false
                }
                plain = index &+ 1
            }
            index &+= 1
        }
        if writer.append(bytes[plain..<index]) { return true }
        writer.count = start
        return false
    }

    private static func escapeJSON(_ byte: UInt8, into writer: inout ByteWriter) -> Bool {
        switch byte {
        case 0x22: return writer.append("\\\"")
        case 0x5c: return writer.append("\\\\")
        case 0x0a: return writer.append("\\n")
        case 0x0d: return writer.append("\\r")
        case 0x09: return writer.append("\\t")
        case 0x08: return writer.append("\\b")
        case 0x0c: return writer.append("\\f")
        default:
            guard writer.append("\\u00") else { return false }
            guard writer.append(byte: 0x30 &+ byte >> 4) else { return false }
            return writer.append(byte: ByteWriter.upperHexDigit(byte & 15))
        }
    }
}
