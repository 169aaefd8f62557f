import Synchronization

/// The board as anybody may read it. Every value counts as hostile: numbers of columns and slots are ours from the
/// validated header and never read again, every index is range-checked, and no offset is ever taken from the memory. (A
/// worker that was taken over can lie in its own words; it cannot make another process read or write elsewhere.)
///
/// A cheap value; the mapping must outlive it. Thread-safe: all access is atomic.
@safe
package struct BoardView {
    private let base: UnsafeMutableRawPointer
    package let layout: BoardLayout

    /// Why a mapping is not a board.
    package enum Invalid: Error, Equatable {
        case tooSmall, misaligned, magic, version, geometry, size
    }

    /// Makes a new, empty board in zeroed memory (the supervisor, once).
    ///
    /// - Parameter memory: at least `layout.size` bytes, 4,096-aligned, all zero.
    package init(creatingIn memory: UnsafeMutableRawBufferPointer, layout: BoardLayout) throws(Invalid) {
        guard let base = memory.baseAddress, memory.count >= layout.size else { throw .tooSmall }
        guard UInt(bitPattern: base) % UInt(BoardLayout.pageSize) == 0 else { throw .misaligned }
        unsafe self.base = base
        self.layout = layout
        store(HeaderWord.version.rawValue * 8, BoardLayout.version)
        store(HeaderWord.size.rawValue * 8, UInt64(layout.size))
        store(HeaderWord.workers.rawValue * 8, UInt64(layout.workers))
        store(HeaderWord.slots.rawValue * 8, UInt64(layout.slots))
        store(HeaderWord.changes.rawValue * 8, 1)
        store(0, BoardLayout.magic)
    }

    /// Takes an existing board after checking it whole: magic, version, geometry, size.
    package init(_ memory: UnsafeMutableRawBufferPointer) throws(Invalid) {
        guard let base = memory.baseAddress, memory.count >= BoardLayout.headerSize else { throw .tooSmall }
        guard UInt(bitPattern: base) % UInt(BoardLayout.pageSize) == 0 else { throw .misaligned }
        // SAFETY: the header is inside the memory; only words below headerSize are read before `layout` is known.
        func word(_ word: HeaderWord) -> UInt64 {
            unsafe base.load(fromByteOffset: word.rawValue * 8, as: UInt64.self)
        }
        guard word(.magic) == BoardLayout.magic else { throw .magic }
        guard word(.version) == BoardLayout.version else { throw .version }
        guard let layout = BoardLayout(workers: Int(clamping: word(.workers)), slots: Int(clamping: word(.slots)))
        else { throw .geometry }
        guard word(.size) == UInt64(layout.size) else { throw .size }
        guard memory.count >= layout.size else { throw .tooSmall }
        unsafe self.base = base
        self.layout = layout
    }
}

extension BoardView {
    /// The word at a byte offset. The one place where the memory is touched.
    private func atomic<Result>(_ offset: Int, _ body: (borrowing Atomic<UInt64>) -> Result) -> Result {
        precondition(offset >= 0 && offset & 7 == 0 && offset <= layout.size - 8, "offset outside of the board")
        // SAFETY: inside the mapping, aligned to 8; `Atomic<UInt64>` has the layout of a `UInt64`, and all processes
        // access it atomically.
        return unsafe body(base.advanced(by: offset).assumingMemoryBound(to: Atomic<UInt64>.self).pointee)
    }

    func load(_ offset: Int) -> UInt64 { atomic(offset) { $0.load(ordering: .relaxed) } }
    func store(_ offset: Int, _ value: UInt64) { atomic(offset) { $0.store(value, ordering: .relaxed) } }
    func fetchAdd(_ offset: Int, _ value: UInt64) -> UInt64 {
        atomic(offset) { $0.wrappingAdd(value, ordering: .relaxed).oldValue }
    }
    func exchange(_ offset: Int, expected: UInt64, with value: UInt64) -> (isDone: Bool, found: UInt64) {
        atomic(offset) {
            let result = $0.compareExchange(expected: expected, desired: value, ordering: .relaxed)
            return (result.exchanged, result.original)
        }
    }

    /// The change counter: when it differs from what a reader last saw, some peer's failure state may have changed.
    /// O(1).
    package var changes: UInt64 {
        atomic(HeaderWord.changes.rawValue * 8) { $0.load(ordering: .acquiring) }
    }

    /// Says that something changed. Whoever writes failure state calls it after writing.
    package func bumpChanges() {
        atomic(HeaderWord.changes.rawValue * 8) { _ = $0.wrappingAdd(1, ordering: .releasing) }
    }
}
