/// Where everything stands in the shared memory (docs/decisions/0002-four-executables.md).
///
/// ```
/// 0      header: magic, layout version, size, workers, slots, change counter, incident numbers        256 bytes
/// 256    slot table: per slot the generation, written by the supervisor, and 15 incident words         128 × slots
/// …      columns, 4,096-aligned: per column a header with counters (1,024 bytes), then 128 × slots of peer cells
/// ```
/// Column 0 is the supervisor's, the others are one worker's each. A peer cell is two cache lines, so workers
/// do not disturb each other; what a pick looks at is in the first. All values are
/// 64-bit little-endian words (the machine's own order: the memory never leaves the host), accessed atomically.
package struct BoardLayout: Equatable, Sendable {
    /// "GOODGATE" in ASCII.
    package static let magic: UInt64 = 0x474F_4F44_4741_5445
    /// Raised with every change of the layout: a process refuses a board of another version.
    package static let version: UInt64 = 4
    package static let workersMax = 256
    package static let slotsMax = 65_536

    static let headerSize = 256
    static let slotSize = 128
    /// Incident words of a slot: one per family of reasons, so that a slow peer that also crashes has two incidents.
    package static let incidentFamilies = 15
    static let columnHeaderSize = 1024
    static let cellSize = 128
    static let pageSize = 4096

    /// Columns of workers, 1...256; one more is the supervisor's.
    package let workers: Int
    /// Peer slots, 0...65,536.
    package let slots: Int

    /// Bytes from one column to the next.
    let columnStride: Int
    /// Where the supervisor's column begins.
    let columnsStart: Int

    /// Nil when a number is out of range.
    package init?(workers: Int, slots: Int) {
        guard (1...BoardLayout.workersMax).contains(workers), (0...BoardLayout.slotsMax).contains(slots) else {
            return nil
        }
        self.workers = workers
        self.slots = slots
        columnsStart = BoardLayout.roundUp(BoardLayout.headerSize + slots * BoardLayout.slotSize)
        columnStride = BoardLayout.roundUp(BoardLayout.columnHeaderSize + slots * BoardLayout.cellSize)
    }

    /// All columns, with the supervisor's.
    package var columns: Int { workers + 1 }
    /// Bytes of the whole board; a multiple of 4,096.
    package var size: Int { columnStart(columns) }

    func slotStart(_ slot: Int) -> Int { BoardLayout.headerSize &+ slot &* BoardLayout.slotSize }
    func incidentStart(_ slot: Int, _ family: Int) -> Int {
        slotStart(slot) &+ (1 &+ (family < 0 ? 0 : min(family, BoardLayout.incidentFamilies - 1))) &* 8
    }
    func columnStart(_ column: Int) -> Int { columnsStart &+ column &* columnStride }
    func cellStart(_ column: Int, _ slot: Int) -> Int {
        columnStart(column) &+ BoardLayout.columnHeaderSize &+ slot &* BoardLayout.cellSize
    }

    private static func roundUp(_ size: Int) -> Int { (size + pageSize - 1) / pageSize * pageSize }
}

/// Words of the header.
enum HeaderWord: Int {
    case magic = 0, version, size, workers, slots
    /// Bumped by whoever changes a peer's failure state or the slot table. A hint to read anew, nothing is decided from
    /// it.
    case changes = 8
    /// Numbers for new incidents.
    case incidents = 9
}

/// Words of a peer cell.
enum CellWord: Int {
    /// Generation of the slot this cell was written for; a cell of another generation counts as empty.
    case generation = 0
    /// Failures since the slot's generation began; only grows.
    case failures
    /// The sum of `failures` over all columns when this column last saw the peer recover.
    case forgiven
    /// Whole seconds of CLOCK_MONOTONIC plus 1; 0 = never.
    case accessed
    case checked
    /// Attempts that run now.
    case connections
    /// Result of active checks, written by the worker that runs them: `PeerCheckState` in the low byte, above it the
    /// term in which the worker runs them. What the highest term says counts.
    case check
    /// Attempts that came to an answer or failed; only grows, as does `broken`.
    case attempts
    /// Of these, those without a good answer: none, an invalid one, one that broke off, or status 500...599.
    case broken
}

/// A worker's counters. Most only grow; those marked with (now) go up and down.
package enum BoardCounter: Int, CaseIterable, Sendable {
    case accepted, handled, requests
    /// (now) Connections, of which reading a head, writing an answer, waiting for a request.
    case active, reading, writing, waiting
    /// (now) Requests parked in queues.
    case parked
    /// Requests that were parked at all, that were retried, and that got a 502, 503 or 504 of ours.
    case parkedTotal, retried, failed
    /// Attempt records thrown away because a buffer was full.
    case recordsDropped
    /// Attempts that were taken back from the accept queue of an instance that was gone.
    case rescued
}

/// What active health checks say of a peer.
package enum PeerCheckState: UInt64, Sendable {
    /// No check is configured or nothing is known yet.
    case none = 0
    case unproven = 1
    case healthy = 2
    case unhealthy = 3
    /// As `unhealthy`, and it does not even answer in time.
    case unresponsive = 4
    /// As `unhealthy`, and it has never passed although it must before it gets anything (`mandatory`).
    case refused = 5
}
