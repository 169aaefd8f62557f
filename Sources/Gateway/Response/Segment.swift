import Loop
import Wire

/// A piece of output: bytes in memory, or a range of an open file.
struct Segment: BitwiseCopyable {
    /// Bytes, for a piece in memory.
    var bytes: ByteView
    /// The buffer to give back when the piece was sent; nil if somebody else keeps the bytes until the end of the request.
    var buffer: Ref<Buffer>?
    /// Descriptor of the file, -1 for a piece in memory. Owned by the request.
    var file: Int32 = -1
    var fileOffset: Int64 = 0
    var fileLength: Int64 = 0

    init(_ bytes: ByteView, owner: Ref<Buffer>? = nil) {
        self.bytes = bytes
        buffer = owner
    }

    init(file: Int32, offset: Int64, length: Int64) {
        bytes = ByteView()
        buffer = nil
        self.file = file
        fileOffset = offset
        fileLength = length
    }

    var isFile: Bool { file >= 0 }
    var count: Int64 { isFile ? fileLength : Int64(bytes.count) }
}

/// What is to be sent to a client, in order. Plain queue: the connection's `flush` sends it.
struct OutputQueue: ~Copyable {
    var segments = Table<Segment>(capacity: 2)
    /// Index of the first segment that is not completely sent.
    var first = 0
    /// Bytes not yet sent.
    var byteCount: Int64 = 0
    /// Memory held by the segments' buffers, for back-pressure.
    var heldMemory = 0

    init() {}

    var isEmpty: Bool { @inline(__always) get { byteCount == 0 } }

    @inline(__always)
    mutating func append(_ segment: Segment) {
        if segment.count == 0, segment.buffer == nil { return }
        byteCount &+= segment.count
        if let buffer = segment.buffer { heldMemory &+= buffer.value.capacity }
        segments.append(segment)
    }
}
