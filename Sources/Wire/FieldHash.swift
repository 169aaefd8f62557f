/// The case-insensitive hash of field names.
public enum FieldHash {
    /// Hash of a name. O(1): it looks at the length and at the first and last eight bytes; equality is always checked
    /// after it. Not for tables an attacker can fill.
    public static func hash(_ name: ByteView) -> UInt32 {
        guard name.count > 0 else { return 0 }
        let first = name.foldedWord(at: 0, length: min(8, name.count))
        let last = name.count > 8 ? name.foldedWord(at: name.count - 8, length: 8) : 0
        return mix(length: name.count, first: first, last: last)
    }

    @inline(__always)
    static func mix(length: Int, first: UInt64, last: UInt64) -> UInt32 {
        let seed = (first ^ UInt64(truncatingIfNeeded: length)) &* 0x9e37_79b9_7f4a_7c15
        let word = (seed ^ last) &* 0xff51_afd7_ed55_8ccd
        return UInt32(truncatingIfNeeded: word >> 32)
    }

    /// Whether a field name is the one a variable means: same length, same letters in any case, "-" for "_".
    public static func matches(variable: ByteView, name: ByteView) -> Bool {
        guard variable.count == name.count else { return false }
        var index = 0
        while index < name.count {
            let byte = asciiLowercase(name[index])
            if asciiLowercase(variable[index]) != (byte == UInt8(ascii: "-") ? UInt8(ascii: "_") : byte) {
                return false
            }
            index &+= 1
        }
        return true
    }
}
