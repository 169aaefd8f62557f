/// A part of a buffer by place: what a parser reports instead of bytes.
///
/// It stays true when the buffer moves or grows, because it holds no address.
public struct ByteRange: Equatable, Sendable {
    /// Offset of the first byte.
    public var offset: UInt32
    /// Number of bytes.
    public var length: UInt32

    @inlinable public init(offset: UInt32, length: UInt32) {
        self.offset = offset
        self.length = length
    }

    /// No bytes, at the start of the buffer.
    @inlinable public init() { self.init(offset: 0, length: 0) }

    /// From `start` up to, but not including, `end`. Both must be in 0...UInt32.max and ordered; else the range is empty.
    @inlinable public init(from start: Int, to end: Int) {
        let inside = start >= 0 && end >= start && end <= Int(UInt32.max)
        self.init(
            offset: inside ? UInt32(truncatingIfNeeded: start) : 0,
            length: inside ? UInt32(truncatingIfNeeded: end &- start) : 0)
    }

    @inlinable public var isEmpty: Bool { length == 0 }
    /// Offset of the first byte.
    @inlinable public var start: Int { Int(offset) }
    /// Offset after the last byte.
    @inlinable public var end: Int { Int(offset) &+ Int(length) }
    @inlinable public var count: Int { Int(length) }

    /// The bytes. Traps if the buffer is not the one that was parsed, but shorter.
    @inlinable public func view(_ base: ByteView) -> ByteView { base[start..<end] }
}
