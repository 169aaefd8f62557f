import Loop

/// What a body filter was given and has not worked through yet, in order. The buffers that are still here when it ends, because the client
/// left in the middle, go back to the pool.
struct HeldPieces: ~Copyable {
    struct Entry {
        var piece: Segment?
        let isLast: Bool
        let isFlush: Bool
    }

    private var entries: [Entry] = []
    private let pool: Ref<BufferPool>

    init(_ pool: Ref<BufferPool>) { self.pool = pool }

    deinit {
        for entry in entries { if let buffer = entry.piece?.buffer { pool.value.give(buffer) } }
    }

    var isEmpty: Bool { entries.isEmpty }
    /// The piece under work; there must be one.
    var first: Entry {
        get { entries[0] }
        set { entries[0] = newValue }
    }

    mutating func append(_ piece: Segment?, isLast: Bool, isFlush: Bool) {
        entries.append(Entry(piece: piece, isLast: isLast, isFlush: isFlush))
    }

    /// The first piece, which is the caller's now, with its buffer.
    mutating func takeFirst() -> Entry { entries.removeFirst() }

    /// Ends the first piece: its buffer goes back.
    mutating func dropFirst() {
        if let buffer = takeFirst().piece?.buffer { pool.value.give(buffer) }
    }

    mutating func dropAll() {
        while !isEmpty { dropFirst() }
    }
}
