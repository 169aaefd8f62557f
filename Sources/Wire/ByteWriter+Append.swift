#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension ByteWriter {
    @discardableResult
    public mutating func append(_ bytes: ByteView) -> Bool {
        guard let place = unsafe reserve(bytes.count) else { return false }
        // SAFETY: reserve made room for bytes.count bytes, which the view holds.
        unsafe memcpy(place, bytes.start, bytes.count)
        return true
    }

    @discardableResult
    public mutating func append(byte: UInt8) -> Bool {
        guard let place = unsafe reserve(1) else { return false }
        // SAFETY: room for one byte.
        unsafe place.pointee = byte
        return true
    }

    /// The end of a line.
    @discardableResult
    public mutating func appendCRLF() -> Bool { append2(0x0d, 0x0a) }

    @inline(__always)
    private mutating func append2(_ first: UInt8, _ second: UInt8) -> Bool {
        guard let place = unsafe reserve(2) else { return false }
        // SAFETY: room for two bytes.
        unsafe place[0] = first
        unsafe place[1] = second
        return true
    }

    /// Bytes with ASCII letters in lower case.
    @discardableResult
    public mutating func append(lowercased bytes: ByteView) -> Bool {
        guard let place = unsafe reserve(bytes.count) else { return false }
        var index = 0
        while index < bytes.count {
            // SAFETY: room for bytes.count bytes.
            unsafe place[index] = asciiLowercase(bytes[index])
            index &+= 1
        }
        return true
    }
}

extension ByteWriter {
    /// Decimal digits, with zeros in front up to `width` (1...20).
    @discardableResult
    public mutating func append(decimal value: UInt64, width: Int = 1) -> Bool {
        // Most numbers of a log line are short: compare instead of dividing.
        var length = 1
        var limit: UInt64 = 10
        while length < 20, value >= limit {
            length &+= 1
            limit = length == 20 ? .max : limit &* 10
        }
        length = max(length, min(width, 20))
        guard let place = unsafe reserve(length) else { return false }
        var digits = value
        var index = length
        while index > 0 {
            index &-= 1
            // SAFETY: index < length.
            unsafe place[index] = 0x30 &+ UInt8(truncatingIfNeeded: digits % 10)
            digits /= 10
        }
        return true
    }

    /// Decimal digits, with "-" if below zero.
    @discardableResult
    public mutating func append(signed value: Int64) -> Bool {
        let start = count
        if value < 0, !append(byte: 0x2d) { return false }
        if append(decimal: value.magnitude) { return true }
        count = start
        return false
    }

    /// Lower-case hexadecimal digits, with zeros in front up to `width` (1...16).
    @discardableResult
    public mutating func append(hex value: UInt64, width: Int = 1) -> Bool {
        let needed = (64 &- value.leadingZeroBitCount &+ 3) / 4
        let length = max(needed, 1, min(width, 16))
        guard let place = unsafe reserve(length) else { return false }
        var digits = value
        var index = length
        while index > 0 {
            index &-= 1
            // SAFETY: index < length.
            unsafe place[index] = Self.hexDigit(UInt8(truncatingIfNeeded: digits & 15))
            digits >>= 4
        }
        return true
    }

    /// Each byte as two lower-case hexadecimal digits.
    @discardableResult
    public mutating func append(hexBytes bytes: ByteView) -> Bool {
        guard let place = unsafe reserve(bytes.count &* 2) else { return false }
        var index = 0
        while index < bytes.count {
            // SAFETY: 2 * index + 1 < 2 * bytes.count.
            unsafe place[2 &* index] = Self.hexDigit(bytes[index] >> 4)
            unsafe place[2 &* index &+ 1] = Self.hexDigit(bytes[index] & 15)
            index &+= 1
        }
        return true
    }

    /// Milliseconds as seconds with three decimals, "0.042": how nginx writes times.
    @discardableResult
    public mutating func append(secondsFromMilliseconds value: UInt64) -> Bool {
        let start = count
        if append(decimal: value / 1000), append(byte: 0x2e), append(decimal: value % 1000, width: 3) { return true }
        count = start
        return false
    }

    @inline(__always)
    static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x57 &+ value }

    @inline(__always)
    static func upperHexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 &+ value : 0x37 &+ value }
}
