/// Searches that look at eight bytes at a time.
enum ByteScan {
    private static var high: UInt64 { 0x8080_8080_8080_8080 }
    private static var ones: UInt64 { 0x0101_0101_0101_0101 }

    /// Offset of the first control byte (below 0x20, or DEL) at or after `start`; `bytes.count` if there is none.
    @inline(__always)
    static func firstControl(_ bytes: ByteView, from start: Int) -> Int {
        var index = start
        let last = bytes.count &- 8
        while index <= last {
            let word = bytes.word(at: index)
            let delete = word ^ 0x7f7f_7f7f_7f7f_7f7f
            // A byte's top bit is set in the first term if it is below 0x20, in the second if it is 0x7f. A borrow may
            // set the bit of a byte behind a real hit, never before it.
            let hits = ((word &- 0x2020_2020_2020_2020) & ~word | (delete &- ones) & ~delete) & high
            if hits != 0 { return index &+ hits.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < bytes.count {
            let byte = bytes[index]
            if byte < 0x20 || byte == 0x7f { return index }
            index &+= 1
        }
        return index
    }

    /// Offset of the first byte that a query may not hold, or "#": space, controls, DEL; `bytes.count` if there is none.
    @inline(__always)
    static func endOfQuery(_ bytes: ByteView, from start: Int) -> Int {
        var index = start
        let last = bytes.count &- 8
        while index <= last {
            let word = bytes.word(at: index)
            let delete = word ^ 0x7f7f_7f7f_7f7f_7f7f
            let hash = word ^ 0x2323_2323_2323_2323
            let hits =
                ((word &- 0x2121_2121_2121_2121) & ~word
                    | (delete &- ones) & ~delete | (hash &- ones) & ~hash) & high
            if hits != 0 { return index &+ hits.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < bytes.count {
            let byte = bytes[index]
            if byte <= 0x20 || byte == 0x7f || byte == 0x23 { return index }
            index &+= 1
        }
        return index
    }

    /// Offset of the first byte at or after `start` that is no letter, no digit and no "-"; at most the last seven bytes
    /// are not looked at, then it is the first of these.
    @inline(__always)
    static func endOfPlainName(_ bytes: ByteView, from start: Int) -> Int {
        var index = start
        let last = bytes.count &- 8
        while index <= last {
            let word = bytes.word(at: index)
            // Sums of bytes below 0x80 do not carry into the next byte; a byte from 0x80 on is a stop by its top bit.
            let low = word & ~high
            let folded = low | ones &* 0x20
            let letters = (folded &+ ones &* 0x1f) & ~(folded &+ ones &* 0x05)
            let digits = (low &+ ones &* 0x50) & ~(low &+ ones &* 0x46)
            let dashes = ~((low ^ ones &* 0x2d) &+ ones &* 0x7f)
            let stops = (~(letters | digits | dashes) | word) & high
            if stops != 0 { return index &+ stops.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        return index
    }

    /// Offset of the first byte that `LogEscape.default` escapes; `bytes.count` if there is none.
    @inline(__always)
    static func endOfPlainText(_ bytes: ByteView) -> Int {
        var index = 0
        let last = bytes.count &- 8
        while index <= last {
            let word = bytes.word(at: index)
            let delete = word ^ ones &* 0x7f
            let quote = word ^ ones &* 0x22
            let slash = word ^ ones &* 0x5c
            // Bits behind the first hit may be wrong, see `firstControl`.
            let special = (delete &- ones) & ~delete | (quote &- ones) & ~quote | (slash &- ones) & ~slash
            let hits = (word | (word &- ones &* 0x20) & ~word | special) & high
            if hits != 0 { return index &+ hits.trailingZeroBitCount >> 3 }
            index &+= 8
        }
        while index < bytes.count, !LogEscape.needsEscape(bytes[index]) { index &+= 1 }
        return index
    }
}
