/// Base64 (RFC 4648), both alphabets.
package enum Base64 {
    /// Bytes that `encode` writes for `count` bytes.
    package static func encodedLength(_ count: Int) -> Int { (count + 2) / 3 * 4 }
    /// Appends the encoded bytes, padded unless `urlSafe`; false if they do not fit.
    @discardableResult
    package static func encode(_ bytes: ByteView, urlSafe: Bool = false, into writer: inout ByteWriter) -> Bool { false }
    /// Appends the decoded bytes; nil result if they are not Base64 or do not fit.
    package static func decode(_ bytes: ByteView, urlSafe: Bool = false, into writer: inout ByteWriter) -> Bool { false }
}
