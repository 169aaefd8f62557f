import Synchronization

/// The board as anybody may read it. Every value counts as hostile: numbers of columns and slots are ours from the
/// validated header and never read again, every index is range-checked, and no offset is ever taken from the memory. (A
/// worker that was taken over can lie in its own words; it cannot make another process read or write elsewhere.)
///
/// A cheap value; the mapping must outlive it. Thread-safe: all access is atomic.
@safe
package struct BoardView {
    private let words: SharedWords
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
        guard let words = unsafe SharedWords(memory, size: layout.size) else { throw .tooSmall }
        self.words = words
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
        guard let words = unsafe SharedWords(memory, size: layout.size) else { throw .tooSmall }
        self.words = words
        self.layout = layout
    }
}

extension BoardView {
    func load(_ offset: Int) -> UInt64 { words.load(offset) }
    func store(_ offset: Int, _ value: UInt64) { words.store(offset, value) }
    func fetchAdd(_ offset: Int, _ value: UInt64) -> UInt64 { words.fetchAdd(offset, value) }
    func exchange(_ offset: Int, expected: UInt64, with value: UInt64) -> (isDone: Bool, found: UInt64) {
        words.exchange(offset, expected: expected, with: value)
    }

    /// Whether a cell was last written for a peer: then what stands in it is the peer's.
    func holds(_ cell: Int, _ slot: PeerSlot) -> Bool { words.loadAcquiring(cell) == slot.generation }
    /// Says whose a cell is from now on, after it was cleared.
    func give(_ cell: Int, to slot: PeerSlot) { words.storeReleasing(cell, slot.generation) }

    /// The change counter: when it differs from what a reader last saw, some peer's failure state may have changed.
    /// O(1).
    package var changes: UInt64 { words.loadAcquiring(HeaderWord.changes.rawValue * 8) }

    /// Says that something changed. Whoever writes failure state calls it after writing.
    package func bumpChanges() { words.fetchAdd(HeaderWord.changes.rawValue * 8, 1) }
}
