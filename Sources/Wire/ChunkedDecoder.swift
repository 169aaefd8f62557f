/// Decodes the chunked transfer coding (RFC 9112, 7.1), strictly: CR LF only, sizes checked, extensions and trailers
/// bounded.
///
/// The caller gives the bytes that follow what was consumed, and calls until `needMore`, `end` or `failed`:
/// ```
/// read → decode → data → pass on → decode → needMore → read …
/// ```
package struct ChunkedDecoder: Sendable {
    /// Payload bytes found so far.
    package private(set) var payloadLength: UInt64 = 0
    /// Payload bytes of the current chunk that are still to come.
    package private(set) var remainingInChunk: UInt64 = 0

    /// - Parameters:
    ///   - keepsTrailers: whether `end` must report the trailer section; then its bytes are consumed only when it is
    ///     complete, so the buffer must hold `maxTrailerLength` bytes.
    ///   - maxTrailerLength: longest trailer section in bytes.
    ///   - maxExtensionLength: longest extension of one chunk in bytes.
    package init(keepsTrailers: Bool = false, maxTrailerLength: UInt32 = 8192, maxExtensionLength: UInt32 = 1024) {}

    /// Looks for the next event at the front of `bytes`. O(framing bytes); payload is not touched.
    package mutating func decode(_ bytes: ByteView) -> ChunkEvent { .needMore(consumed: 0) }

    /// Fewest bytes that must still arrive: how much to read without reading beyond the body.
    package var minimumRemaining: UInt64 { 0 }

    /// Parses the lines of a trailer section that `end` reported. Invalid names are dropped; framing, routing and
    /// hop-by-hop names are too (RFC 9110, 6.5.1). Ranges are in `bytes`.
    ///
    /// - Returns: false if there are more than `maxFields`.
    package static func parseTrailers(_ bytes: ByteView, in range: Range<Int>, fields: inout FieldTable, maxFields: Int) -> Bool {
        false
    }
}
