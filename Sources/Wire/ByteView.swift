#if canImport(Glibc)
public import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Bytes that somebody else owns: a start and a length, copied freely, never counted.
///
/// Every access is bounds-checked. Lifetime is by rule instead of by type: a view points into a request's head buffer or arena, which are
/// freed only when the request ends, into a buffer its holder keeps, or into configuration, which is never freed. A view is never stored
/// in something that outlives these. (nginx's `ngx_str_t`, with bounds.)
@safe
public struct ByteView: BitwiseCopyable {
    public let start: UnsafePointer<UInt8>
    /// Number of bytes, >= 0.
    public let count: Int

    /// - Parameters:
    ///   - start: the first byte; may dangle only if `count` is 0.
    ///   - count: the number of bytes, >= 0.
    @inlinable public init(start: UnsafePointer<UInt8>, count: Int) {
        precondition(count >= 0)
        unsafe self.start = unsafe start
        self.count = count
    }

    /// No bytes.
    @inlinable public init() {
        // SAFETY: count is 0, so the address is never read.
        unsafe start = unsafe UnsafePointer(bitPattern: 1).unsafelyUnwrapped
        count = 0
    }

    /// The bytes of a string literal. Immortal, no copy.
    @inlinable public init(_ literal: StaticString) {
        // SAFETY: a static string lives as long as the program.
        unsafe start = unsafe literal.utf8Start
        count = literal.utf8CodeUnitCount
    }

    /// Copies bytes to memory that is never freed. For configuration only.
    public static func immortal(_ bytes: some Collection<UInt8>) -> ByteView {
        let n = bytes.count
        if n == 0 { return ByteView() }
        let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: n)
        _ = unsafe memory.initialize(from: bytes)
        return unsafe ByteView(start: UnsafePointer(memory.baseAddress!), count: n)
    }
}

extension ByteView {
    @inlinable public var isEmpty: Bool { count == 0 }

    @inlinable public subscript(index: Int) -> UInt8 {
        @inline(__always) get {
            precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "ByteView index out of range")
            return unsafe start[index]
        }
    }

    /// A part of the view. Traps if the range is not inside it.
    @inlinable public subscript(range: Range<Int>) -> ByteView {
        @inline(__always) get {
            precondition(range.lowerBound >= 0 && range.upperBound <= count, "ByteView range out of bounds")
            return unsafe ByteView(start: start + range.lowerBound, count: range.count)
        }
    }

    @inlinable public func prefix(_ n: Int) -> ByteView { self[0..<Swift.min(n, count)] }
    @inlinable public func dropFirst(_ n: Int = 1) -> ByteView { self[Swift.min(n, count)..<count] }
    @inlinable public func dropLast(_ n: Int = 1) -> ByteView { self[0..<Swift.max(0, count - n)] }
    @inlinable public var first: UInt8? { count > 0 ? unsafe start[0] : nil }
    @inlinable public var last: UInt8? { count > 0 ? unsafe start[count - 1] : nil }

    /// The bytes as a span for parsers.
    @inlinable public var span: Span<UInt8> {
        @_lifetime(borrow self)
        @inline(__always) get {
            // SAFETY: the rule of this type says that the memory outlives the view.
            let span = unsafe Span(_unsafeStart: start, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The bytes as an untyped buffer, for C calls.
    @inlinable public var rawBuffer: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: start, count: count)
    }

    /// Offset of the first `byte` at or after `from`, by memchr. O(n).
    @inlinable public func firstIndex(of byte: UInt8, from: Int = 0) -> Int? {
        guard from < count else { return nil }
        // SAFETY: from < count, so the range is inside the view.
        guard let hit = unsafe memchr(start + from, Int32(byte), count - from) else { return nil }
        return unsafe UnsafePointer(hit.assumingMemoryBound(to: UInt8.self)) - start
    }

    /// Offset of the last `byte`. O(n).
    @inlinable public func lastIndex(of byte: UInt8) -> Int? {
        var index = count
        while index > 0 {
            index &-= 1
            if unsafe start[index] == byte { return index }
        }
        return nil
    }

    @inlinable public func contains(_ byte: UInt8) -> Bool { firstIndex(of: byte) != nil }

    @inlinable public func hasPrefix(_ other: ByteView) -> Bool {
        guard count >= other.count else { return false }
        return unsafe memcmp(start, other.start, other.count) == 0
    }

    @inlinable public func hasSuffix(_ other: ByteView) -> Bool {
        guard count >= other.count else { return false }
        return unsafe memcmp(start + (count - other.count), other.start, other.count) == 0
    }

    /// Whether both are the same but for ASCII case. O(n).
    @inlinable public func equalsIgnoringCase(_ other: ByteView) -> Bool {
        guard count == other.count else { return false }
        var index = 0
        while index < count {
            // SAFETY: index < count, and both counts are equal.
            let (a, b) = unsafe (start[index], other.start[index])
            if a != b, asciiLowercase(a) != asciiLowercase(b) { return false }
            index &+= 1
        }
        return true
    }

    /// A copy as a string, for messages and admin output only. Invalid UTF-8 is repaired.
    public var string: String {
        unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// A copy as an array, for tests and configuration.
    public var array: [UInt8] { unsafe Array(UnsafeBufferPointer(start: start, count: count)) }
}

extension ByteView: Equatable {
    @inlinable public static func == (left: ByteView, right: ByteView) -> Bool {
        guard left.count == right.count else { return false }
        return unsafe memcmp(left.start, right.start, left.count) == 0
    }
}

extension ByteView: ExpressibleByStringLiteral {
    @inlinable public init(stringLiteral value: StaticString) { self.init(value) }
}

/// The lower-case form of an ASCII letter; any other byte as it is.
@inlinable public func asciiLowercase(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
