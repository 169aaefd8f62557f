/// MD5, for hashes that nginx defines by it; not for security.
package struct MD5: Sendable {
    package init() {}
    package mutating func update(_ bytes: ByteView) {}
    /// The digest's 16 bytes as two little-endian numbers; ends the use of this value.
    package consuming func digest() -> (low: UInt64, high: UInt64) { (0, 0) }
    /// Appends the digest of all bytes as 32 hexadecimal digits.
    @discardableResult
    package static func writeHex(_ bytes: ByteView, into writer: inout ByteWriter) -> Bool { false }
}
