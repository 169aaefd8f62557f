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
    package internal(set) var count: Int = 0
    /// Whether an append did not fit.
    package internal(set) var isOverflown = false

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
    @inlinable package var remaining: Int { capacity - count }
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

    /// Makes room for `length` bytes; nil, and `isOverflown`, if they do not fit.
    @inline(__always)
    mutating func reserve(_ length: Int) -> UnsafeMutablePointer<UInt8>? {
        guard length <= capacity &- count else {
            isOverflown = true
            return nil
        }
        // SAFETY: count + length <= capacity.
        let place = unsafe base + count
        count &+= length
        return unsafe place
    }
}
