import Board
import Testing

@Suite struct IncidentWordTests {
    @Test func `an incident is open for a quiet period, and over midnight of its clock`() {
        for second in [UInt64(0), 100, 0xFF_FFFF, 0x100_0000, 1 << 40] {
            let word = IncidentWord(id: 7, second: second)
            #expect(word.id == 7 && word.isOpen(at: second) && word.isOpen(at: second + 59))
            #expect(!word.isOpen(at: second + 60) && !word.isOpen(at: second + 5_000))
        }
        // Another worker read its clock a moment earlier.
        #expect(IncidentWord(id: 7, second: 100).isOpen(at: 99))
        #expect(!IncidentWord(rawValue: 0).isOpen(at: 0))
    }

    private func board(_ memory: Memory, slots: Int = 4) throws -> (BoardView, BoardAllocator) {
        let layout = try #require(BoardLayout(workers: 2, slots: slots))
        return (try unsafe BoardView(creatingIn: memory.memory, layout: layout), BoardAllocator(layout: layout))
    }

    @Test func `all workers name one incident, until it was quiet`() throws {
        let memory = Memory(1 << 16)
        let (view, made) = try board(memory)
        var allocator = made
        let slotGiven = allocator.slot(for: PeerKey(upstream: "1", address: "1"))
        let slot = try #require(slotGiven)
        allocator.write(to: view)
        #expect(view.openIncident(slot, second: 10) == nil)
        #expect(view.incident(slot, family: 0, second: 10) { 5 } == 5)
        #expect(view.incident(slot, family: 0, second: 60) { 6 } == 5)
        // The failure at 60 kept it open.
        #expect(view.incident(slot, family: 0, second: 119) { 6 } == 5)
        #expect(view.incident(slot, family: 1, second: 119) { 7 } == 7)
        #expect(view.openIncident(slot, second: 120) == 7)
        #expect(view.incident(slot, family: 0, second: 200) { 8 } == 8)
        // Families beyond the table share its last word.
        #expect(view.incident(slot, family: 99, second: 200) { 9 } == 9)
        #expect(view.incident(slot, family: BoardLayout.incidentFamilies - 1, second: 200) { 1 } == 9)
    }

    @Test func `a slot's next peer has no incident of the one before`() throws {
        let memory = Memory(1 << 16)
        let (view, made) = try board(memory, slots: 1)
        var allocator = made
        let slotGiven = allocator.slot(for: PeerKey(upstream: "1", address: "1"))
        let slot = try #require(slotGiven)
        allocator.write(to: view)
        _ = view.incident(slot, family: 0, second: 10) { 5 }
        allocator.retain(only: [])
        let nextGiven = allocator.slot(for: PeerKey(upstream: "1", address: "2"))
        let next = try #require(nextGiven)
        allocator.write(to: view)
        #expect(next.index == slot.index)
        #expect(view.incident(slot, family: 0, second: 10) { 6 } == nil)
        #expect(view.openIncident(next, second: 10) == nil)
        #expect(view.incident(next, family: 0, second: 10) { 7 } == 7)
    }

    @Test func `a word that keeps changing gives no id, not the id of nothing`() throws {
        let memory = Memory(1 << 16)
        let (view, made) = try board(memory)
        var allocator = made
        let slotGiven = allocator.slot(for: PeerKey(upstream: "1", address: "1"))
        let slot = try #require(slotGiven)
        allocator.write(to: view)
        let word = (256 + slot.index * 128) / 8 + 1
        var races = 0
        let id = view.incident(slot, family: 0, second: 5_000) {
            races += 1
            memory.set(word: word, races == 4 ? 0 : IncidentWord(id: 9, second: UInt64(races)).rawValue)
            return 5
        }
        #expect(id == nil && races == 4)
    }

    @Test func `numbers are given out once`() throws {
        let memory = Memory(1 << 16)
        let (view, _) = try board(memory)
        #expect((0..<3).map { _ in view.nextIncidentNumber() } == [0, 1, 2])
    }
}
