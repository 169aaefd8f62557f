/// Writes the chunked transfer coding.
public enum Chunked {
    /// The end of a chunk.
    public static var chunkEnd: ByteView { "\r\n" }
    /// The last chunk, without trailers.
    public static var lastChunk: ByteView { "0\r\n\r\n" }
    /// Longest chunk header that `writeHeader` writes, in bytes.
    public static var maxHeaderLength: Int { 18 }

    /// Appends the line before a chunk of `size` > 0 bytes; all or nothing.
    @discardableResult
    public static func writeHeader(size: UInt64, into writer: inout ByteWriter) -> Bool {
        let start = writer.count
        if writer.append(hex: size), writer.appendCRLF() { return true }
        writer.count = start
        return false
    }
}
