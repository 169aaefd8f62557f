import CZlib
public import Wire

/// What a compressor gives back besides bytes.
public enum CompressionStatus: Equatable, Sendable {
    /// All input is used up; more may come.
    case needsInput
    /// The output is full; call again with room.
    case needsRoom
    /// The stream ended.
    case ended
    /// The input is not what it should be, or zlib is out of memory.
    case failed
}

/// One zlib compressor that writes gzip: header, blocks, checksum. Costly to make (256 KiB at the default settings), cheap to `reset`.
///
/// Thread: one loop.
@safe
public struct Deflater: ~Copyable {
    /// What must be the same for a compressor to be used again.
    public struct Settings: Equatable, Sendable {
        /// 1...9.
        public var level: Int32
        /// Exponent of the window, 9...15.
        public var windowBits: Int32
        /// zlib's memory level, 1...9.
        public var memoryLevel: Int32

        public init(level: Int, windowBits: Int, memoryLevel: Int) {
            self.level = Int32(min(9, max(1, level)))
            self.windowBits = Int32(min(15, max(9, windowBits)))
            self.memoryLevel = Int32(min(9, max(1, memoryLevel)))
        }
    }

    public enum Flush: Sendable { case none, sync, finish }

    public let settings: Settings
    // SAFETY: made in `init`, freed in `deinit`, never given away: all between have a stream that zlib has initialised. zlib takes its
    // size and version to see that both sides mean the same structure.
    private let stream: UnsafeMutablePointer<z_stream>

    /// - Returns: nil if there is no memory.
    public init?(_ settings: Settings) {
        self.settings = settings
        unsafe stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 16 more than the window: gzip framing instead of zlib's.
        let result = unsafe deflateInit2_(
            stream, settings.level, Z_DEFLATED, settings.windowBits + 16, settings.memoryLevel, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            unsafe stream.deallocate()
            return nil
        }
    }

    deinit {
        _ = unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Starts a new stream with the memory of the old one.
    public func reset() { _ = unsafe deflateReset(stream) }

    /// Compresses from the front of `input` into the room of `output`, which is not grown.
    public func compress(_ input: inout ByteView, into output: Ref<Buffer>, _ flush: Flush) -> CompressionStatus {
        let mode = switch flush {
        case .none: Z_NO_FLUSH
        case .sync: Z_SYNC_FLUSH
        case .finish: Z_FINISH
        }
        return unsafe stream.step(&input, into: output) { stream in unsafe deflate(stream, mode) }
    }
}

extension UnsafeMutablePointer<z_stream> {
    /// One call of `run` (deflate or inflate) from the front of `input` into the room of `output`, which is not grown.
    func step(
        _ input: inout ByteView, into output: Ref<Buffer>, _ run: (UnsafeMutablePointer<z_stream>) -> Int32
    ) -> CompressionStatus {
        let room = UInt32(clamping: output.room)
        let given = UInt32(clamping: input.count)
        // SAFETY: zlib reads `given` bytes of the view and writes at most `room` bytes behind the buffer's end, inside
        // its memory.
        unsafe pointee.next_in = UnsafeMutablePointer<UInt8>(mutating: input.start)
        unsafe pointee.avail_in = given
        unsafe pointee.next_out = output.value.memory + output.value.end
        unsafe pointee.avail_out = room
        let result = unsafe run(self)
        let left = unsafe pointee.avail_in
        let free = unsafe pointee.avail_out
        input = input.dropFirst(Int(given - left))
        output.value.end += Int(room - free)
        switch result {
        case Z_STREAM_END: return .ended
        case Z_OK, Z_BUF_ERROR: return free == 0 ? .needsRoom : .needsInput
        default: return .failed
        }
    }
}

extension Ref where Value == Deflater {
    /// A compressor that is reached by reference and freed by `destroy`. nil without memory.
    public static func make(_ settings: Deflater.Settings) -> Ref<Deflater>? {
        guard let made = Deflater(settings) else { return nil }
        return .immortal(made)
    }
}
