@testable import Board
import CLinux
import struct TestKit.SeededGenerator
import Testing

struct CannotMap: Error {}

/// A mapping of a sealed memfd, as a process has it.
@safe final class Mapping {
    let memory: UnsafeMutableRawBufferPointer

    init(_ descriptor: Int32, _ size: Int) throws {
        guard let address = unsafe cs_map_shared(descriptor, size) else { throw CannotMap() }
        unsafe memory = UnsafeMutableRawBufferPointer(start: address, count: size)
    }

    deinit { unsafe cs_unmap(memory.baseAddress, memory.count) }
}

/// A board in ordinary memory.
@safe final class Memory {
    let memory: UnsafeMutableRawBufferPointer

    init(_ size: Int) {
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { unsafe memory.deallocate() }

    func set(word: Int, _ value: UInt64) {
        unsafe memory.storeBytes(of: value, toByteOffset: word * 8, as: UInt64.self)
    }
}

@Suite struct BoardLayoutTests {
    @Test(arguments: [(0, 0), (257, 0), (1, -1), (1, 65_537), (-5, 10), (Int.max, 1), (1, Int.max)])
    func numbersOutOfRangeMakeNoLayout(workers: Int, slots: Int) {
        #expect(BoardLayout(workers: workers, slots: slots) == nil)
    }

    @Test(arguments: [(1, 0), (1, 1), (4, 64), (16, 1000), (256, 65_536)])
    func columnsDoNotOverlapAndStartOnPages(workers: Int, slots: Int) throws {
        let layout = try #require(BoardLayout(workers: workers, slots: slots))
        #expect(layout.size % 4096 == 0)
        #expect(layout.columns == workers + 1)
        #expect(layout.size >= 256 + slots * 128 + layout.columns * (1024 + slots * 128))
        #expect(layout.size <= 256 + slots * 128 + layout.columns * (1024 + slots * 128) + 4096 * (layout.columns + 1))
    }

    @Test func countersFitIntoAColumnsHeader() {
        #expect(BoardCounter.allCases.count * 8 <= 1024)
    }
}

@Suite struct BoardViewTests {
    static let layout = BoardLayout(workers: 3, slots: 8)!

    @Test func twoMappingsOfOneMemfdSeeEachOther() throws {
        let descriptor = unsafe cs_sealable_memory("board-test")
        try #require(descriptor >= 0)
        defer { _ = cs_close(descriptor) }
        try #require(cs_ftruncate(descriptor, Int64(Self.layout.size)) == 0)
        try #require(cs_seal_size(descriptor) == 0)
        let one = try Mapping(descriptor, Self.layout.size)
        let two = try Mapping(descriptor, Self.layout.size)
        let supervisor = try unsafe BoardView(creatingIn: one.memory, layout: Self.layout)
        let worker = try unsafe BoardView(two.memory)
        #expect(worker.layout == Self.layout)

        var allocator = BoardAllocator(layout: Self.layout)
        let slot = allocator.slot(for: PeerKey(upstream: "1", address: "2"))!
        #expect(!worker.isCurrent(slot))
        let changes = worker.changes
        allocator.write(to: supervisor)
        #expect(worker.isCurrent(slot))
        #expect(worker.changes != changes)

        let column = try #require(BoardColumn(worker, column: 2))
        column.add(.requests, 5)
        column.add(.active)
        column.recordFailure(slot, second: 77)
        column.setConnections(slot, 9)
        #expect(supervisor.total(.requests) == 5)
        #expect(supervisor.value(.requests, column: 2) == 5 && supervisor.value(.requests, column: 1) == 0)
        let totals = supervisor.totals(slot)
        #expect(totals.fails == 1 && totals.accessed == 77 && totals.checked == 77 && totals.connections == 9)

        #expect(cs_ftruncate(descriptor, 0) < 0, "the seals hold")
    }

    @Test func whatIsNoBoardIsRefused() throws {
        let memory = Memory(Self.layout.size + 4096)
        let whole = unsafe memory.memory
        #expect(throws: BoardView.Invalid.magic) { try unsafe BoardView(whole) }
        _ = try unsafe BoardView(creatingIn: whole, layout: Self.layout)
        _ = try unsafe BoardView(whole)
        let part = unsafe UnsafeMutableRawBufferPointer(rebasing: whole[..<(Self.layout.size - 4096)])
        #expect(throws: BoardView.Invalid.tooSmall) { try unsafe BoardView(part) }
        let header = unsafe UnsafeMutableRawBufferPointer(rebasing: whole[..<8])
        #expect(throws: BoardView.Invalid.tooSmall) { try unsafe BoardView(header) }
        let shifted = unsafe UnsafeMutableRawBufferPointer(rebasing: whole[8...])
        #expect(throws: BoardView.Invalid.misaligned) { try unsafe BoardView(shifted) }
        let none = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
        #expect(throws: BoardView.Invalid.tooSmall) { try unsafe BoardView(none) }
    }

    @Test(arguments: [
        (0, UInt64(0), BoardView.Invalid.magic), (1, BoardLayout.version - 1, .version), (1, BoardLayout.version + 1, .version),
        (1, 0, .version), (2, 0, .size), (2, .max, .size), (3, 0, .geometry), (3, 257, .geometry),
        (3, .max, .geometry), (4, 65_537, .geometry), (4, .max, .geometry), (4, 9000, .size),
        (3, 256, .size),
    ])
    func aForgedHeaderIsRefused(word: Int, value: UInt64, expected: BoardView.Invalid) throws {
        let memory = Memory(Self.layout.size)
        _ = try unsafe BoardView(creatingIn: memory.memory, layout: Self.layout)
        memory.set(word: word, value)
        #expect(throws: expected) { try unsafe BoardView(memory.memory) }
    }

    @Test func aHeaderThatChangesLaterMovesNothing() throws {
        let memory = Memory(Self.layout.size)
        let view = try unsafe BoardView(creatingIn: memory.memory, layout: Self.layout)
        for word in 0..<32 { memory.set(word: word, .max) }
        #expect(view.layout == Self.layout)
        #expect(view.total(.requests) == 0)
        #expect(view.totals(PeerSlot(index: 7, generation: 1)) == PeerTotals())
    }

    @Test func ofTwoCheckersTheOneNamedLastCounts() throws {
        let memory = Memory(Self.layout.size)
        let view = try unsafe BoardView(creatingIn: memory.memory, layout: Self.layout)
        var allocator = BoardAllocator(layout: Self.layout)
        let slot = allocator.slot(for: PeerKey(upstream: "1", address: "2"))!
        allocator.write(to: view)
        let first = try #require(BoardColumn(view, column: 2))
        let second = try #require(BoardColumn(view, column: 1))
        #expect(view.checkState(slot) == .none && view.checkTerm(slot) == 0)
        first.setCheckState(slot, .unhealthy, term: 1)
        second.setCheckState(slot, .healthy, term: 2)
        first.setCheckState(slot, .unproven, term: 1)
        #expect(view.checkState(slot) == .healthy && view.checkTerm(slot) == 2)
        let changes = view.changes
        let supervisor = try #require(BoardColumn(view, column: 0))
        supervisor.retire(1, checkTermMax: 2, second: 5_000)
        #expect(view.checkState(slot) == .healthy && view.changes != changes, "it outlives who found it out")
        first.setCheckState(slot, .unhealthy, term: 3)
        #expect(view.checkState(slot) == .unhealthy)
        first.setCheckState(slot, .unhealthy, term: 9)
        supervisor.retire(2, checkTermMax: 3, second: 5_000)
        #expect(view.checkState(slot) == .healthy, "nobody was named for the ninth time")
    }

    @Test func slotsOutOfRangeOrStaleCountAsNothing() throws {
        let memory = Memory(Self.layout.size)
        let view = try unsafe BoardView(creatingIn: memory.memory, layout: Self.layout)
        let column = try #require(BoardColumn(view, column: 1))
        for index in [-1, 8, 65_536, Int.max, Int.min, 0] {
            for generation in [UInt64(0), 1, .max] {
                let slot = PeerSlot(index: index, generation: generation)
                column.recordFailure(slot, second: 5)
                column.recordProbe(slot, second: .max - 1)
                column.recordRecovery(slot)
                column.setConnections(slot, 3)
                column.recordEnd(slot, isBroken: true, running: 1)
                #expect(view.account(slot) == PeerAccount())
                column.setCheckState(slot, .unhealthy, term: 1)
                #expect(view.totals(slot) == PeerTotals())
                #expect(view.checkState(slot) == .none)
            }
        }
        #expect(BoardColumn(view, column: 4) == nil && BoardColumn(view, column: -1) == nil)
        #expect(view.value(.requests, column: 99) == 0 && view.value(.requests, column: -1) == 0)
    }

    /// Any bytes at all behind a good header: nothing traps, everything stays in range.
    @Test func hostileValuesAreHarmless() throws {
        for seed in 0..<200 as Range<UInt64> {
            let memory = Memory(Self.layout.size)
            let view = try unsafe BoardView(creatingIn: memory.memory, layout: Self.layout)
            var allocator = BoardAllocator(layout: Self.layout)
            let slots = (0..<8).compactMap { allocator.slot(for: PeerKey(upstream: "u", address: "\($0)")) }
            allocator.write(to: view)
            var random = SeededGenerator(seed: seed)
            let extremes: [UInt64] = [0, 1, .max, UInt64(Int64.max), UInt64(Int64.max) + 1, UInt64(UInt32.max), 1]
            // From the first column on; the slot table is the supervisor's.
            for word in 4096 / 8..<Self.layout.size / 8 where random.next(below: 3) == 0 {
                memory.set(word: word, random.next(below: 2) == 0 ? extremes[random.next(below: 7)] : random.next())
            }
            for slot in slots {
                let totals = view.totals(slot)
                #expect(totals.fails >= 0 && totals.connections >= 0)
                #expect(totals.connections <= 4 * Int64(Int32.max))
                _ = view.checkState(slot)
                _ = view.account(slot)
                let column = try #require(BoardColumn(view, column: 1 + random.next(below: 3)))
                column.recordFailure(slot, second: Int64(bitPattern: random.next()) / 2)
                column.recordRecovery(slot)
                #expect(view.totals(slot).fails >= 0)
            }
            for counter in BoardCounter.allCases {
                _ = view.total(counter)
                BoardColumn(view, column: 2)!.add(counter, -1)
            }
            BoardColumn(view, column: 0)!.retire(2, second: 5_000)
            BoardColumn(view, column: 0)!.retire(99, second: 5_000)
            for counter in BoardCounter.allCases { #expect(view.value(counter, column: 2) == 0) }
        }
    }

    /// What a worker that was taken over said of a peer ends with it: later failures count, and times do not lie ahead.
    @Test(arguments: [UInt64.max, UInt64(UInt32.max), 1 << 63, 1 << 40])
    func aLiarsForgivenessEndsWithIt(lie: UInt64) throws {
        let memory = Memory(Self.layout.size)
        let view = try unsafe BoardView(creatingIn: memory.memory, layout: Self.layout)
        var allocator = BoardAllocator(layout: Self.layout)
        let slot = allocator.slot(for: PeerKey(upstream: "1", address: "2"))!
        allocator.write(to: view)
        let honest = try #require(BoardColumn(view, column: 1)), liar = try #require(BoardColumn(view, column: 2))
        liar.recordFailure(slot, second: 10)
        // Failures, forgiven, accessed and checked are the words after the generation.
        let cell = view.layout.cellStart(2, slot.index) / 8
        for word in 1...4 { memory.set(word: cell + word, lie) }
        BoardColumn(view, column: 0)!.retire(2, second: 20)
        let before = view.totals(slot)
        #expect(before.accessed <= 20 && before.checked <= 20)
        honest.recordRecovery(slot)
        #expect(view.totals(slot).fails == 0)
        honest.recordFailure(slot, second: 21)
        #expect(view.totals(slot).fails == 1 && view.totals(slot).checked == 21)
    }

    @Test func recoveryForgivesTheFailuresOfAllColumns() throws {
        let memory = Memory(Self.layout.size)
        let view = try unsafe BoardView(creatingIn: memory.memory, layout: Self.layout)
        var allocator = BoardAllocator(layout: Self.layout)
        let slot = allocator.slot(for: PeerKey(upstream: "1", address: "1"))!
        allocator.write(to: view)
        let columns = (0...3).map { BoardColumn(view, column: $0)! }
        columns[1].recordFailure(slot, second: 10)
        columns[2].recordFailure(slot, second: 11)
        columns[2].recordFailure(slot, second: 12)
        #expect(view.totals(slot).fails == 3)
        columns[3].recordRecovery(slot)
        #expect(view.totals(slot).fails == 0)
        columns[1].recordFailure(slot, second: 20)
        #expect(view.totals(slot).fails == 1)
        #expect(view.totals(slot).accessed == 20)
        // The end of workers changes nothing about the sum.
        for dead in 1...3 {
            columns[0].retire(dead, second: 5_000)
            #expect(view.totals(slot).fails == 1)
        }
    }

    @Test func theAccountOfAPeerOutlivesItsWorkers() throws {
        let memory = Memory(Self.layout.size)
        let view = try unsafe BoardView(creatingIn: memory.memory, layout: Self.layout)
        var allocator = BoardAllocator(layout: Self.layout)
        let slot = allocator.slot(for: PeerKey(upstream: "1", address: "1"))!
        allocator.write(to: view)
        let changes = view.changes
        let columns = (0...3).map { BoardColumn(view, column: $0)! }
        for column in 1...3 {
            for attempt in 0..<10 { columns[column].recordEnd(slot, isBroken: attempt < column, running: 1) }
        }
        #expect(view.account(slot).attempts == 30 && view.account(slot).broken == 6)
        #expect(view.totals(slot).connections == 3 && view.totals(slot).fails == 0)
        #expect(view.changes == changes, "an end that changes no pick wakes nobody")
        for dead in 1...3 {
            columns[0].retire(dead, second: 5_000)
            #expect(view.account(slot).attempts == 30 && view.account(slot).broken == 6)
        }
        #expect(view.totals(slot).connections == 0)
        allocator.retain(only: [])
        let other = allocator.slot(for: PeerKey(upstream: "1", address: "2"))!
        allocator.write(to: view)
        #expect(view.account(other) == PeerAccount() && view.account(slot) == PeerAccount())
    }

    @Test func retiringKeepsTotalsAndEndsGauges() throws {
        let memory = Memory(Self.layout.size)
        let view = try unsafe BoardView(creatingIn: memory.memory, layout: Self.layout)
        let column = BoardColumn(view, column: 3)!
        column.add(.requests, 100)
        column.add(.active, 7)
        column.set(.waiting, 4)
        BoardColumn(view, column: 0)!.retire(3, second: 5_000)
        #expect(view.total(.requests) == 100)
        #expect(view.total(.active) == 0 && view.total(.waiting) == 0)
    }
}

@Suite struct BoardAllocatorTests {
    static func key(_ number: Int) -> PeerKey {
        PeerKey(upstream: "u", address: "\(number)")
    }

    @Test func aPeerKeepsItsSlotAndTheBoardFillsUp() {
        var allocator = BoardAllocator(layout: BoardLayout(workers: 1, slots: 3)!)
        let slots = (1...3).map { allocator.slot(for: Self.key($0)) }
        #expect(Set(slots.map { $0?.index }) == [0, 1, 2])
        #expect(allocator.slot(for: Self.key(4)) == nil)
        #expect(allocator.slot(for: Self.key(2)) == slots[1])
        #expect(allocator.count == 3)
    }

    @Test func aFreedSlotComesBackWithAHigherGeneration() {
        var allocator = BoardAllocator(layout: BoardLayout(workers: 1, slots: 1)!)
        let old = allocator.slot(for: Self.key(1))!
        let freed = allocator.retain(only: [])
        #expect(freed == [old])
        let new = allocator.slot(for: Self.key(2))!
        #expect(new.index == old.index && new.generation > old.generation)
    }

    @Test func whatAnOldPeerLeftInItsSlotIsNotTheNewOnes() throws {
        let layout = BoardLayout(workers: 2, slots: 1)!
        let memory = Memory(layout.size)
        let view = try unsafe BoardView(creatingIn: memory.memory, layout: layout)
        var allocator = BoardAllocator(layout: layout)
        let old = allocator.slot(for: Self.key(1))!
        allocator.write(to: view)
        let column = BoardColumn(view, column: 1)!
        column.recordFailure(old, second: 9)
        column.setConnections(old, 5)
        allocator.retain(only: [])
        let new = allocator.slot(for: Self.key(2))!
        allocator.write(to: view)
        #expect(view.totals(new) == PeerTotals())
        column.recordFailure(old, second: 10)
        #expect(view.totals(new) == PeerTotals())
        column.recordFailure(new, second: 11)
        #expect(view.totals(new).fails == 1 && view.totals(new).connections == 0)
    }
}
