/// Writes the chunked transfer coding.
package enum Chunked {
    /// The end of a chunk.
    package static var chunkEnd: ByteView { "\r\n" }
    /// The last chunk, without trailers.
    package static var lastChunk: ByteView { "0\r\n\r\n" }
    /// Longest chunk header that `writeHeader` writes, in bytes.
    package static var maxHeaderLength: Int { 18 }

    /// Appends the line before a chunk of `size` > 0 bytes; all or nothing.
    @discardableResult
    package static func writeHeader(size: UInt64, into writer: inout ByteWriter) -> Bool {
        let start = writer.count
        if writer.append(hex: size), writer.appendCRLF() { return true }
        writer.count = start
        return false
    }
}
