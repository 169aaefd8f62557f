/// Gives out the peer slots of a board; the machine numbers the columns. Pure bookkeeping of the supervisor; `write` makes it
/// visible.
///
/// A peer keeps its slot over reloads and worker generations: failures, checks and drain states survive. A slot freed
/// is given out again with a higher generation, so that what is left in it of the old peer counts as nothing.
package struct BoardAllocator {
    package let layout: BoardLayout
    private var slots: [PeerKey: PeerSlot] = [:]
    /// Generation last given to each slot; 0 = never used.
    private var generations: [UInt64]
    private var freeSlots: [Int]

    package init(layout: BoardLayout) {
        self.layout = layout
        generations = Array(repeating: 0, count: layout.slots)
        freeSlots = Array((0..<layout.slots).reversed())
    }

    /// Slots in use.
    package var count: Int { slots.count }

    /// The slot of a peer, a new one if it has none. Nil when the board is full: the peer then has only process-local
    /// state. O(1).
    package mutating func slot(for key: PeerKey) -> PeerSlot? {
        if let slot = slots[key] { return slot }
        guard let index = freeSlots.popLast() else { return nil }
        generations[index] += 1
        let slot = PeerSlot(index: index, generation: generations[index])
        slots[key] = slot
        return slot
    }

    /// The slot of a peer; nil when it has none. O(1).
    package func existingSlot(for key: PeerKey) -> PeerSlot? { slots[key] }

    /// Frees the slots of all peers that are not in `keys` (those of all living generations of workers). Returns the
    /// freed slots.
    @discardableResult
    package mutating func retain(only keys: Set<PeerKey>) -> [PeerSlot] {
        var freed: [PeerSlot] = []
        for (key, slot) in slots where !keys.contains(key) {
            slots[key] = nil
            freed.append(slot)
        }
        for slot in freed.sorted(by: { $0.index < $1.index }) { freeSlots.insert(slot.index, at: 0) }
        return freed
    }

    /// Writes all slots' generations to the board: slots in use get theirs, the others none.
    package func write(to view: BoardView) {
        var wanted = [UInt64](repeating: 0, count: view.layout.slots)
        for slot in slots.values where slot.index < wanted.count { wanted[slot.index] = slot.generation }
        for (index, generation) in wanted.enumerated() {
            let offset = view.layout.slotStart(index)
            if view.load(offset) != generation {
                view.clearIncidents(index)
                view.store(offset, generation)
            }
        }
        view.bumpChanges()
    }
}
