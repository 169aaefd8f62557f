/// Lengths and prefixes in characters.
package enum UTF8Text {
    /// Number of characters; nil if the bytes are not UTF-8 (overlong forms count as UTF-8, as nothing is decoded). O(n).
    package static func characterCount(_ bytes: ByteView) -> Int? {
        var count = 0
        var index = 0
        while index < bytes.count {
            guard let length = sequenceLength(bytes, at: index) else { return nil }
            index += length
            count += 1
        }
        return count
    }

    /// The first `count` characters, or all there are; it ends before bytes that are not UTF-8. O(n).
    package static func prefix(_ count: Int, of bytes: ByteView) -> ByteView {
        var index = 0
        var left = count
        while left > 0, index < bytes.count, let length = sequenceLength(bytes, at: index) {
            index += length
            left -= 1
        }
        return bytes.prefix(index)
    }

    private static func sequenceLength(_ bytes: ByteView, at index: Int) -> Int? {
        let length: Int
        switch bytes[index] {
        case 0..<0x80: return 1
        case 0xc0..<0xe0: length = 2
        case 0xe0..<0xf0: length = 3
        case 0xf0..<0xf8: length = 4
        default: return nil
        }
        guard index + length <= bytes.count else { return nil }
        for next in (index + 1)..<(index + length) where bytes[next] & 0xc0 != 0x80 { return nil }
        return length
    }
}
