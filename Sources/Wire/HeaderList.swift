/// Comma-separated lists in field values.
public enum HeaderList {
    /// Whether a list holds a token, in any case. A member with parameters (";…") is compared as a whole. O(n).
    public static func contains(_ token: ByteView, in list: ByteView) -> Bool {
        var offset = 0
        while let member = next(list, &offset) {
            if member.equalsIgnoringCase(token) { return true }
        }
        return false
    }

    /// The next member at or after an offset, without white space around it; nil at the end. Empty members are skipped.
    /// Commas in quoted strings do not split.
    ///
    /// - Parameter offset: 0 at first; then what the last call left.
    public static func next(_ list: ByteView, _ offset: inout Int) -> ByteView? {
        var index = offset
        while index < list.count {
            while index < list.count, isSeparator(list[index]) { index &+= 1 }
            let start = index
            var quoted = false
            while index < list.count {
                let byte = list[index]
                if byte == 0x22 {
                    quoted.toggle()
                } else if quoted, byte == 0x5c, index &+ 1 < list.count {
                    index &+= 1
                } else if !quoted, byte == 0x2c {
                    break
                }
                index &+= 1
            }
            var end = index
            while end > start, isSeparator(list[end &- 1]) { end &-= 1 }
            offset = index
            if end > start { return list[start..<end] }
        }
        offset = list.count
        return nil
    }

    @inline(__always)
    private static func isSeparator(_ byte: UInt8) -> Bool { byte == 0x2c || byte == 0x20 || byte == 0x09 }
}
