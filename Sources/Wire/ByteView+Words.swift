extension ByteView {
    /// Eight bytes as a little-endian number. Traps unless `offset + 8 <= count`.
    @inlinable @inline(__always)
    public func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset <= count &- 8, "ByteView word out of range")
        // SAFETY: the eight bytes are inside the view, by the line above.
        return unsafe UInt64(littleEndian: UnsafeRawPointer(start + offset).loadUnaligned(as: UInt64.self))
    }

    /// Up to eight bytes as a little-endian number, padded with zero bytes. Traps if the bytes are outside the view.
    ///
    /// - Parameter length: 1...8
    @inlinable @inline(__always)
    public func exactWord(at offset: Int, length: Int) -> UInt64 {
        precondition(offset >= 0 && length > 0 && length <= 8 && offset <= count &- length)
        let mask = UInt64.max >> UInt64(truncatingIfNeeded: 64 &- 8 &* length)
        if offset <= count &- 8 { return word(at: offset) & mask }
        var word: UInt64 = 0
        var index = length
        while index > 0 {
            index &-= 1
            word = word << 8 | UInt64(self[offset &+ index])
        }
        return word
    }

    /// As `exactWord`, with 0x20 set in each byte that was read: letters become lower case, digits and "-" stay as they
    /// are.
    ///
    /// - Parameter length: 1...8
    @inlinable @inline(__always)
    public func foldedWord(at offset: Int, length: Int) -> UInt64 {
        let mask = UInt64.max >> UInt64(truncatingIfNeeded: 64 &- 8 &* length)
        return exactWord(at: offset, length: length) | 0x2020_2020_2020_2020 & mask
    }
}
