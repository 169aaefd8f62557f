/// The account of a peer as the sum over all columns.
package struct PeerTotals: Equatable, Sendable {
    /// Failures that nobody forgave yet, >= 0.
    package var fails: Int64 = 0
    /// Whole seconds of CLOCK_MONOTONIC; `Int64.min` = never.
    package var accessed = Int64.min
    package var checked = Int64.min
    /// Attempts that run now in all workers, >= 0, each worker's share clamped to 2^31-1.
    package var connections: Int64 = 0

    package init() {}
}

/// Attempts on a peer that came to an end, since the peer got its slot.
package struct PeerAccount: Equatable, Sendable {
    /// Those that were answered or failed; without those whose client left before.
    package var attempts: UInt64 = 0
    /// Of these, those without a good answer: none, an invalid one, one that broke off, or status 500...599.
    package var broken: UInt64 = 0

    package init() {}
}

/// A slot of the peer table: number and generation. The generation tells a peer from those that had the slot before.
package struct PeerSlot: Equatable, Hashable, Sendable {
    package let index: Int
    package let generation: UInt64

    /// Values may come from a message of another process: readers check the range again.
    package init(index: Int, generation: UInt64) {
        self.index = index
        self.generation = generation
    }
}

extension BoardView {
    /// Whether a slot is in range and still this peer's. O(1).
    package func isCurrent(_ slot: PeerSlot) -> Bool {
        slot.index >= 0 && slot.index < layout.slots && slot.generation != 0
            && load(layout.slotStart(slot.index)) == slot.generation
    }

    /// The peer's sums over all columns; all zero for a slot out of range or of another generation. O(columns).
    ///
    /// - Parameter without: a column left out: `connections` of the others.
    package func totals(_ slot: PeerSlot, without: Int = -1) -> PeerTotals {
        var totals = PeerTotals()
        guard isCurrent(slot) else { return totals }
        var failures: UInt64 = 0
        var forgiven: UInt64 = 0
        for column in 0..<layout.columns {
            let cell = layout.cellStart(column, slot.index)
            guard holds(cell, slot) else { continue }
            // Only the lower half of each counter counts, so that no liar makes the sum overflow.
            failures += load(cell + CellWord.failures.rawValue * 8) & 0xFFFF_FFFF
            forgiven = max(forgiven, load(cell + CellWord.forgiven.rawValue * 8))
            totals.accessed = max(totals.accessed, second(cell, .accessed))
            totals.checked = max(totals.checked, second(cell, .checked))
            if column == without { continue }
            totals.connections += count(cell, .connections)
        }
        totals.fails = failures > forgiven ? Int64(failures - forgiven) : 0
        return totals
    }

    /// What became of all attempts on a peer since it got its slot, over all columns; zero for a slot out of range or of
    /// another generation. Wrapping sums of what the workers say: compare two of them by wrapping subtraction. O(columns).
    package func account(_ slot: PeerSlot) -> PeerAccount {
        var account = PeerAccount()
        guard isCurrent(slot) else { return account }
        for column in 0..<layout.columns {
            let cell = layout.cellStart(column, slot.index)
            guard holds(cell, slot) else { continue }
            account.attempts &+= load(cell + CellWord.attempts.rawValue * 8)
            account.broken &+= load(cell + CellWord.broken.rawValue * 8)
        }
        return account
    }

    /// What active checks say: the word of the highest term, which is that of the last worker named to check. O(columns).
    package func checkState(_ slot: PeerSlot) -> PeerCheckState { PeerCheckState(rawValue: checkWord(slot) & 0xFF) ?? .none }

    /// The term in which the state was found out; 0: no check ever ended. O(columns).
    package func checkTerm(_ slot: PeerSlot) -> UInt32 { UInt32(truncatingIfNeeded: checkWord(slot) >> 8) }

    private func checkWord(_ slot: PeerSlot) -> UInt64 {
        guard isCurrent(slot) else { return 0 }
        var word: UInt64 = 0
        for column in 0..<layout.columns {
            let cell = layout.cellStart(column, slot.index)
            guard holds(cell, slot) else { continue }
            // 32 bits of term and a byte of state: what has more bits is no word of ours.
            let said = load(cell + CellWord.check.rawValue * 8)
            if said > word, said >> 40 == 0 { word = said }
        }
        return word
    }

    private func second(_ cell: Int, _ word: CellWord) -> Int64 {
        let value = load(cell + word.rawValue * 8)
        return value == 0 || value > UInt64(Int64.max) ? Int64.min : Int64(value) - 1
    }

    private func count(_ cell: Int, _ word: CellWord) -> Int64 {
        Int64(min(load(cell + word.rawValue * 8), UInt64(Int32.max)))
    }
}

extension BoardView {
    /// The sum of a counter over all columns, wrapping. O(columns).
    package func total(_ counter: BoardCounter) -> UInt64 {
        var sum: UInt64 = 0
        for column in 0..<layout.columns { sum &+= load(layout.columnStart(column) + counter.rawValue * 8) }
        return sum
    }

    /// One column's counter; 0 for a column out of range.
    package func value(_ counter: BoardCounter, column: Int) -> UInt64 {
        guard column >= 0, column < layout.columns else { return 0 }
        return load(layout.columnStart(column) + counter.rawValue * 8)
    }
}
