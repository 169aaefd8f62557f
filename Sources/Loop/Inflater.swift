import CZlib
public import Wire

/// One zlib decompressor that reads gzip, one member after the other.
///
/// Thread: one loop.
@safe
public struct Inflater: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>

    /// - Returns: nil if there is no memory.
    public init?() {
        unsafe stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15: the largest window; 16 more: gzip framing only.
        let result = unsafe inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            unsafe stream.deallocate()
            return nil
        }
    }

    deinit {
        _ = unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Starts with the next member, or a new stream.
    public func reset() { _ = unsafe inflateReset(stream) }

    /// Decompresses from the front of `input` into the room of `output`, which is not grown.
    /// - Returns: `.ended` at the end of a member; what is left of `input` belongs to the next.
    public func decompress(_ input: inout ByteView, into output: Ref<Buffer>) -> CompressionStatus {
        // SAFETY: the stream lives as long as this value; `step` keeps zlib inside both buffers.
        unsafe stream.step(&input, into: output) { stream in unsafe inflate(stream, Z_NO_FLUSH) }
    }
}
