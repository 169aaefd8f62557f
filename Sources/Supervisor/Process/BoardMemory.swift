internal import Board
internal import CLinux
internal import Messages

/// The memory that all workers share: per-peer health and load, counters. Sealed against shrinking, growing and other seals.
///
/// It lives as long as the supervisor; only when a reload needs more columns or slots than it has, the new generation gets a larger one,
/// and the peers begin anew there, but for their health.
@safe
final class BoardMemory {
    let descriptor: Descriptor
    private let memory: UnsafeMutableRawPointer
    private let view: BoardView
    private var allocator: BoardAllocator

    /// Size in bytes.
    var size: Int { view.layout.size }

    /// Generations that may live at one time: those that drain, one that serves, one that starts.
    private static let generationsMax = SupervisorMachine.Limits().drainingGenerationsMax + 2

    /// Room for some growth: reloads overlap generations, and upstreams get servers.
    /// - Parameters:
    ///   - workers: workers of one generation.
    ///   - peers: server addresses of all upstreams.
    ///   - old: the board before: workers of larger generations may still have their columns.
    init(workers: Int, peers: Int, after old: BoardMemory? = nil) throws(SystemError) {
        let columns = min(max(16, workers * 8, old?.view.layout.workers ?? 0), BoardLayout.workersMax)
        let slots = min(max(256, peers * 2), BoardLayout.slotsMax)
        guard let layout = BoardLayout(workers: columns, slots: slots) else { throw SystemError(code: 22) }
        descriptor = try System.sharedMemory(named: "goodgate-board", size: layout.size)
        // SAFETY: the mapping has the size of the memfd, which is sealed against shrinking, and lives until deinit.
        guard let memory = unsafe cs_map_shared(descriptor.number, layout.size) else { throw SystemError(code: 12) }
        unsafe self.memory = memory
        do throws(BoardView.Invalid) {
            unsafe view = try BoardView(
                creatingIn: UnsafeMutableRawBufferPointer(start: memory, count: layout.size), layout: layout)
        } catch {
            throw SystemError(code: 22)
        }
        allocator = BoardAllocator(layout: layout)
    }

    deinit { unsafe cs_unmap(memory, size) }

    /// Whether a configuration fits.
    func hasRoom(workers: Int, peers: Int) -> Bool {
        let layout = view.layout
        return (workers * Self.generationsMax <= layout.workers || layout.workers == BoardLayout.workersMax)
            && (peers + allocator.count <= layout.slots || layout.slots == BoardLayout.slotsMax)
    }

    /// The column that a worker is told, for the machine's number of it (from 0): column 0 is the supervisor's.
    static func boardColumn(_ column: Int) -> Int { column + 1 }

    /// Ends the column of a worker that ended: gauges go, what only grows is kept in the supervisor's own.
    /// - Parameter checkTerm: the highest term of health checks so far.
    func release(column: Int, checkTerm: UInt32) {
        BoardColumn(view, column: 0)?.retire(Self.boardColumn(column), checkTermMax: checkTerm, second: Int64(System.now) / 1_000)
    }

    /// Takes over what another board knows of the health of these peers.
    func takeHealth(of peers: [PeerKey], from old: BoardMemory) {
        guard let column = BoardColumn(view, column: 0) else { return }
        for peer in peers {
            guard let known = old.allocator.existingSlot(for: peer), let slot = allocator.existingSlot(for: peer)
            else { continue }
            column.setCheckState(slot, old.view.checkState(known), term: old.view.checkTerm(known))
        }
    }

    /// The slots of the peers of a configuration; those of a peer that is known already stay.
    func places(for peers: [PeerKey]) -> [PeerPlace] {
        let hasNew = peers.contains { allocator.existingSlot(for: $0) == nil }
        let places = peers.compactMap { peer in
            allocator.slot(for: peer).map { slot in
                PeerPlace(
                    upstream: peer.upstream, address: peer.address, ordinal: UInt16(clamping: peer.ordinal),
                    slot: UInt32(clamping: slot.index), slotGeneration: slot.generation)
            }
        }
        if hasNew { allocator.write(to: view) }
        return places
    }

    /// The slot of one more peer; nil when the board is full.
    func place(for peer: PeerKey) -> (slot: UInt32, generation: UInt64)? {
        let isKnown = allocator.existingSlot(for: peer) != nil
        guard let slot = allocator.slot(for: peer) else { return nil }
        if !isKnown { allocator.write(to: view) }
        return (UInt32(clamping: slot.index), slot.generation)
    }

    /// Whether there is room for peers that nobody has counted on.
    var hasSpareSlots: Bool { allocator.count < view.layout.slots / 4 * 3 }

    /// Attempts of all workers that run on a peer now.
    func connections(to peer: PeerKey) -> Int64 {
        allocator.existingSlot(for: peer).map { view.totals($0).connections } ?? 0
    }

    /// What all workers say of a peer.
    func totals(of peer: PeerKey) -> PeerTotals {
        allocator.existingSlot(for: peer).map { view.totals($0) } ?? PeerTotals()
    }

    /// What became of the attempts on a peer.
    func account(of peer: PeerKey) -> PeerAccount {
        allocator.existingSlot(for: peer).map { view.account($0) } ?? PeerAccount()
    }

    /// What active checks say of a peer.
    func checkState(of peer: PeerKey) -> PeerCheckState {
        allocator.existingSlot(for: peer).map { view.checkState($0) } ?? .none
    }

    /// A counter of all workers together, and of one by the machine's number of its column.
    func total(_ counter: BoardCounter) -> UInt64 { view.total(counter) }
    func value(_ counter: BoardCounter, column: Int) -> UInt64 { view.value(counter, column: Self.boardColumn(column)) }

    /// Frees the slots of peers that no living generation knows.
    func keep(only peers: [PeerKey]) {
        allocator.retain(only: Set(peers))
        allocator.write(to: view)
    }
}
