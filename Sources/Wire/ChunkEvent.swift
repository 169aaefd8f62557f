/// What `ChunkedDecoder.decode` found at the front of the bytes it was given.
public enum ChunkEvent: Equatable, Sendable {
    /// Payload. What is before the range is framing; the bytes up to `upperBound` are consumed. Never empty.
    case data(Range<Int>)
    /// Nothing more to find; the first `consumed` bytes are done, the rest must be given again with more after them.
    case needMore(consumed: Int)
    /// The body is complete.
    ///
    /// - consumed: bytes up to the end of the body.
    /// - trailers: the trailer section in these bytes, field lines without the empty line; empty if there are none.
    case end(consumed: Int, trailers: Range<Int>)
    case failed(ChunkError)
}

public enum ChunkError: UInt8, Error, Sendable, CaseIterable {
    /// Not a hexadecimal number, or followed by something that does not belong there.
    case invalidSize
    /// Larger than Int64.max.
    case sizeOverflow
    /// A line does not end in CR LF.
    case invalidLineEnd
    /// Extensions of one chunk are too long, or hold control bytes.
    case invalidExtension
    /// The trailer section holds something that is not a field line.
    case invalidTrailer
    /// The trailer section is too long, or has too many lines.
    case tooLargeTrailer
}
