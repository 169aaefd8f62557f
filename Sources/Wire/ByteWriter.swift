/// Appends bytes to a region of fixed size. Nothing is written beyond it, ever.
///
/// Each append writes all or nothing and says whether it fitted; `isOverflown` stays set after the first that did not,
/// so a chain of appends needs one check at its end.
@safe
public struct ByteWriter: ~Copyable {
    @usableFromInline let base: UnsafeMutablePointer<UInt8>
    /// Size of the region, in bytes.
    public let capacity: Int
    /// Bytes written so far.
    public internal(set) var count: Int = 0
    /// Whether an append did not fit.
    public internal(set) var isOverflown = false

    /// - Parameter region: memory that outlives the writer; uninitialised is fine.
    public init(_ region: UnsafeMutableRawBufferPointer) {
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
    @inlinable public var remaining: Int { capacity - count }
    /// What was written. Valid as long as the region and until the next `removeAll` or `truncate`.
    public var written: ByteView { unsafe ByteView(start: UnsafePointer(base), count: count) }
    /// What was written from an offset on. Traps if `start > count`.
    public func written(from start: Int) -> ByteView { written[start..<count] }

    /// Starts again at the front.
    public mutating func removeAll() {
        count = 0
        isOverflown = false
    }

    /// Takes back what was written after the first `count` bytes.
    public mutating func truncate(to count: Int) {
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
