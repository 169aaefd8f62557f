/// Appends bytes to a region of fixed size. Nothing is written beyond it, ever.
///
/// Each append writes all or nothing and says whether it fitted; `isOverflown` stays set after the first that did not,
/// so a chain of appends needs one check at its end.
@safe
package struct ByteWriter: ~Copyable {
    @usableFromInline let base: UnsafeMutablePointer<UInt8>
    /// Size of the region, in bytes.
    package let capacity: Int
    /// Bytes written so far.
    package private(set) var count: Int = 0
    /// Whether an append did not fit.
    package private(set) var isOverflown = false

    /// - Parameter region: memory that outlives the writer; uninitialised is fine.
    package init(_ region: UnsafeMutableRawBufferPointer) {
        if let start = region.baseAddress {
            unsafe base = unsafe start.assumingMemoryBound(to: UInt8.self)
            capacity = region.count
        } else {
            // SAFETY: capacity is 0, so the address is never used.
            unsafe base = unsafe UnsafeMutablePointer(bitPattern: 1).unsafelyUnwrapped
            capacity = 0
        }
    }

    /// Bytes that still fit.
    package var remaining: Int { capacity - count }
    /// What was written. Valid as long as the region and until the next `removeAll` or `truncate`.
    package var written: ByteView { unsafe ByteView(start: UnsafePointer(base), count: count) }
    /// What was written from an offset on. Traps if `start > count`.
    package func written(from start: Int) -> ByteView { written[start..<count] }

    /// Starts again at the front.
    package mutating func removeAll() {
        count = 0
        isOverflown = false
    }

    /// Takes back what was written after the first `count` bytes.
    package mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count)
        self.count = count
        isOverflown = false
    }
}

extension ByteWriter {
    @discardableResult package mutating func append(_ bytes: ByteView) -> Bool { false }
    @discardableResult package mutating func append(byte: UInt8) -> Bool { false }
    /// Two-byte separators are the most frequent of all.
    @discardableResult package mutating func appendCRLF() -> Bool { false }
    /// `name: value CRLF`.
    @discardableResult package mutating func appendField(_ name: ByteView, _ value: ByteView) -> Bool { false }
    /// Decimal digits.
    @discardableResult package mutating func append(decimal value: UInt64) -> Bool { false }
    @discardableResult package mutating func append(signed value: Int64) -> Bool { false }
    /// Decimal digits, with zeros in front up to `width` (1...20).
    @discardableResult package mutating func append(decimal value: UInt64, width: Int) -> Bool { false }
    /// Lower-case hexadecimal digits.
    @discardableResult package mutating func append(hex value: UInt64) -> Bool { false }
    @discardableResult package mutating func append(hex value: UInt64, width: Int) -> Bool { false }
    /// Each byte as two lower-case hexadecimal digits.
    @discardableResult package mutating func append(hexBytes bytes: ByteView) -> Bool { false }
    /// Milliseconds as seconds with three decimals: "0.042", as nginx writes times.
    @discardableResult package mutating func append(secondsFromMilliseconds value: UInt64) -> Bool { false }
    @discardableResult package mutating func append(lowercased bytes: ByteView) -> Bool { false }
}
