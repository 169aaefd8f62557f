import CLinux
public import Wire

/// Memory that lives as long as one request: values of variables, rewritten URIs, composed header values. Freed as a whole.
///
/// Bump allocation from pooled chunks, the first of 512 bytes (a request that waits has little in it), the others of 4 KiB; a larger piece gets
/// a chunk of its own. Views into it stay valid until `release` (nginx's pool).
public struct Arena: ~Copyable {
    private var chunks: [Ref<Buffer>] = []

    public init() {}

    /// Bytes handed out, for limits and tests.
    public var byteCount: Int { chunks.reduce(0) { $0 + $1.value.end } }

    /// Copies bytes.
    public mutating func copy(_ bytes: ByteView, _ pool: Ref<BufferPool>) -> ByteView {
        if bytes.isEmpty { return bytes }
        let chunk = room(for: bytes.count, pool)
        let start = chunk.value.end
        chunk.append(bytes)
        return chunk.whole[start..<chunk.value.end]
    }

    /// A chunk with room for `n` bytes behind its end: append to it, then take the view from the old end to the new one with `piece`.
    public mutating func room(for n: Int, _ pool: Ref<BufferPool>) -> Ref<Buffer> {
        if let last = chunks.last, last.room >= n { return last }
        let chunk = pool.value.take(max(n, chunks.isEmpty ? 512 : 4096))
        chunks.append(chunk)
        return chunk
    }

    /// Composes a value of unknown length: `body` appends to a scratch buffer, the result is copied once if it outgrew the chunk.
    @inline(__always)
    public mutating func compose(reserving n: Int, _ pool: Ref<BufferPool>, _ body: (Ref<Buffer>) -> Void) -> ByteView {
        let scratch = pool.value.take(max(n, 1024))
        body(scratch)
        let result = copy(scratch.view, pool)
        pool.value.give(scratch)
        return result
    }

    /// Gives all chunks back. Every view into the arena is dead after it.
    public mutating func release(_ pool: Ref<BufferPool>) {
        for chunk in chunks { pool.value.give(chunk) }
        chunks.removeAll(keepingCapacity: true)
    }
}
