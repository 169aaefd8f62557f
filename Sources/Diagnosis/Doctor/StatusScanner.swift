/// Finds the lines of an access log whose status is 502, 503 or 504, without looking at the others more than once in eight bytes.
///
/// The format's text before the status decides (for `combined` the quote and the space that end the request). The scan compares eight
/// positions at a time for its last byte, `5` and `0`; only there it looks closer. O(bytes), no allocation but for the lines found.
package struct StatusScanner: Sendable {
    /// The literal text before the status; at least one byte.
    private let before: [UInt8]

    package init(beforeStatus: String) { before = beforeStatus.isEmpty ? [32] : Array(beforeStatus.utf8) }

    /// Calls back with each line found (without its end) and its status.
    package func scan(_ piece: UnsafeBufferPointer<UInt8>, found: (UnsafeBufferPointer<UInt8>, UInt16) -> Void) {
        guard let base = piece.baseAddress, piece.count > before.count + 3, let last = before.last else { return }
        let count = piece.count
        // Where nothing but a line's end comes before the status, the first line has not even that.
        if before == [10] { _ = unsafe check(base, count, from: 0, to: 1, found) }
        let wantedBefore = Self.spread(last), wantedFive = Self.spread(53), wantedZero = Self.spread(48)
        // `index` is where the `5` would stand.
        var index = before.count
        while index + 40 < count {
            var any: UInt64 = 0
            // SAFETY: the highest byte read is index + 24 + 1 + 7 < index + 40 < count; the lowest is index - 1 >= 0.
            unsafe any = Self.match(base + index, wantedBefore, wantedFive, wantedZero)
            unsafe any |= Self.match(base + index + 8, wantedBefore, wantedFive, wantedZero)
            unsafe any |= Self.match(base + index + 16, wantedBefore, wantedFive, wantedZero)
            unsafe any |= Self.match(base + index + 24, wantedBefore, wantedFive, wantedZero)
            if any == 0 { index += 32; continue }
            index = unsafe check(base, count, from: index, to: index + 32, found)
        }
        _ = unsafe check(base, count, from: index, to: count - 2, found)
    }

    @inline(__always)
    private static func spread(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// Non-zero when one of the eight positions may hold the pattern (no false negatives).
    @inline(__always)
    private static func match(_ p: UnsafePointer<UInt8>, _ before: UInt64, _ five: UInt64, _ zero: UInt64) -> UInt64 {
        let raw = unsafe UnsafeRawPointer(p)
        let a = unsafe raw.loadUnaligned(fromByteOffset: -1, as: UInt64.self) ^ before
        let b = unsafe raw.loadUnaligned(as: UInt64.self) ^ five
        let c = unsafe raw.loadUnaligned(fromByteOffset: 1, as: UInt64.self) ^ zero
        let x = a | b | c
        return (x &- 0x0101_0101_0101_0101) & ~x & 0x8080_8080_8080_8080
    }

    /// Looks at single positions; returns where to go on.
    private func check(
        _ base: UnsafePointer<UInt8>, _ count: Int, from: Int, to end: Int,
        _ found: (UnsafeBufferPointer<UInt8>, UInt16) -> Void
    ) -> Int {
        var index = from
        while index < end {
            guard unsafe base[index] == 53, unsafe base[index + 1] == 48, index + 2 < count else {
                index += 1; continue
            }
            let third = unsafe base[index + 2]
            let next = index + 3 < count ? unsafe base[index + 3] : 10
            guard third >= 50, third <= 52, !(next >= 48 && next <= 57), unsafe endsWithBefore(base, index) else {
                index += 1; continue
            }
            var start = index, stop = index
            while start > 0, unsafe base[start - 1] != 10 { start -= 1 }
            while stop < count, unsafe base[stop] != 10 { stop += 1 }
            // SAFETY: start...stop lies within the piece.
            unsafe found(UnsafeBufferPointer(start: base + start, count: stop - start), UInt16(500 + Int(third) - 48))
            index = stop + 1
        }
        return index
    }

    private func endsWithBefore(_ base: UnsafePointer<UInt8>, _ index: Int) -> Bool {
        guard index >= before.count else { return index == 0 && before == [10] }
        var offset = 0
        while offset < before.count {
            if unsafe base[index - before.count + offset] != before[offset] { return false }
            offset += 1
        }
        return true
    }
}
