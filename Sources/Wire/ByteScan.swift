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
}
