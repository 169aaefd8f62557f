/// The right to write one column. Each worker has its own, the supervisor has column 0.
///
/// Not thread-safe: one writer per column is what makes plain load and store enough (no locked instruction per
/// request).
package struct BoardColumn {
    package let view: BoardView
    package let column: Int

    /// Nil for a column out of range.
    package init?(_ view: BoardView, column: Int) {
        guard column >= 0, column < view.layout.columns else { return nil }
        self.view = view
        self.column = column
    }

    /// Adds to a counter, wrapping. O(1).
    package func add(_ counter: BoardCounter, _ amount: Int = 1) {
        let offset = view.layout.columnStart(column) + counter.rawValue * 8
        view.store(offset, view.load(offset) &+ UInt64(bitPattern: Int64(amount)))
    }

    /// Sets a counter. O(1).
    package func set(_ counter: BoardCounter, _ value: UInt64) {
        view.store(view.layout.columnStart(column) + counter.rawValue * 8, value)
    }
}

extension BoardColumn {
    /// More failures of a peer, now. Ignored when the slot is not the peer's any more. O(1).
    ///
    /// - Parameter second: now in whole seconds of CLOCK_MONOTONIC.
    package func recordFailure(_ slot: PeerSlot, count: Int = 1, second: Int64) {
        guard let cell = ownCell(slot) else { return }
        store(cell, .failures, load(cell, .failures) &+ UInt64(clamping: count))
        store(cell, .accessed, stamp(second))
        store(cell, .checked, stamp(second))
        view.bumpChanges()
    }

    /// A failed peer is being probed now: the others leave it alone for one more window. O(1).
    package func recordProbe(_ slot: PeerSlot, second: Int64) {
        guard let cell = ownCell(slot) else { return }
        store(cell, .checked, stamp(second))
        view.bumpChanges()
    }

    /// The peer is well: all failures so far, of all workers, are forgiven. O(columns).
    package func recordRecovery(_ slot: PeerSlot) {
        guard let cell = ownCell(slot) else { return }
        var failures: UInt64 = 0
        for column in 0..<view.layout.columns {
            let other = view.layout.cellStart(column, slot.index)
            if view.load(other) == slot.generation {
                failures += view.load(other + CellWord.failures.rawValue * 8) & 0xFFFF_FFFF
            }
        }
        store(cell, .forgiven, failures)
        view.bumpChanges()
    }

    /// Sets the number of this worker's running attempts on a peer. O(1).
    package func setConnections(_ slot: PeerSlot, _ count: Int) {
        guard let cell = ownCell(slot) else { return }
        store(cell, .connections, UInt64(max(0, count)))
    }

    /// An attempt on a peer ended: one more in its account, and so many still run. O(1).
    package func recordEnd(_ slot: PeerSlot, isBroken: Bool, running: Int) {
        guard let cell = ownCell(slot) else { return }
        store(cell, .connections, UInt64(max(0, running)))
        bump(cell, .attempts)
        if isBroken { bump(cell, .broken) }
    }

    /// Sets what this process's active checks say of a peer. O(1).
    ///
    /// - Parameter term: the supervisor's number for the time in which this process runs the checks; each new checker
    ///   has a higher one, so that what a former one said last counts no more.
    package func setCheckState(_ slot: PeerSlot, _ state: PeerCheckState, term: UInt32) {
        guard let cell = ownCell(slot) else { return }
        store(cell, .check, UInt64(term) << 8 | state.rawValue)
        view.bumpChanges()
    }

    /// This column's cell for a peer, cleared first when it was last written for another. Nil when the slot is stale.
    private func ownCell(_ slot: PeerSlot) -> Int? {
        guard view.isCurrent(slot) else { return nil }
        let cell = view.layout.cellStart(column, slot.index)
        if view.load(cell) != slot.generation {
            for word in 1..<BoardLayout.cellSize / 8 { view.store(cell + word * 8, 0) }
            view.store(cell, slot.generation)
        }
        return cell
    }

    private func store(_ cell: Int, _ word: CellWord, _ value: UInt64) { view.store(cell + word.rawValue * 8, value) }
    private func load(_ cell: Int, _ word: CellWord) -> UInt64 { view.load(cell + word.rawValue * 8) }
    private func stamp(_ second: Int64) -> UInt64 { UInt64(max(0, second)) + 1 }
}

extension BoardColumn {
    /// Clears a dead worker's column: its running connections and gauges end with it. What only grows (failures not yet
    /// forgiven, counters of requests, health) moves to this column, the supervisor's, so that sums do not jump back. O(slots).
    ///
    /// - Parameter checkTermMax: the highest term in which any worker was named to run the checks; what a worker says of
    ///   health in a later one is a lie.
    package func retire(_ dead: Int, checkTermMax: UInt32 = .max) {
        guard dead != column, dead >= 0, dead < view.layout.columns else { return }
        for counter in BoardCounter.allCases {
            let offset = view.layout.columnStart(dead) + counter.rawValue * 8
            let value = view.load(offset)
            view.store(offset, 0)
            if !counter.isGauge { set(counter, self.view.value(counter, column: column) &+ value) }
        }
        for index in 0..<view.layout.slots {
            let cell = view.layout.cellStart(dead, index)
            let generation = view.load(cell)
            guard generation != 0 else { continue }
            let failures = view.load(cell + CellWord.failures.rawValue * 8) & 0xFFFF_FFFF
            let forgiven = view.load(cell + CellWord.forgiven.rawValue * 8)
            let accessed = view.load(cell + CellWord.accessed.rawValue * 8)
            let checked = view.load(cell + CellWord.checked.rawValue * 8)
            let check = view.load(cell + CellWord.check.rawValue * 8)
            let attempts = view.load(cell + CellWord.attempts.rawValue * 8)
            let broken = view.load(cell + CellWord.broken.rawValue * 8)
            for word in 0..<BoardLayout.cellSize / 8 { view.store(cell + word * 8, 0) }
            guard let own = ownCell(PeerSlot(index: index, generation: generation)) else { continue }
            store(own, .failures, (view.load(own + CellWord.failures.rawValue * 8) &+ failures) & 0xFFFF_FFFF)
            store(own, .attempts, view.load(own + CellWord.attempts.rawValue * 8) &+ attempts)
            store(own, .broken, view.load(own + CellWord.broken.rawValue * 8) &+ broken)
            store(own, .forgiven, max(view.load(own + CellWord.forgiven.rawValue * 8), forgiven))
            store(own, .accessed, max(view.load(own + CellWord.accessed.rawValue * 8), accessed))
            store(own, .checked, max(view.load(own + CellWord.checked.rawValue * 8), checked))
            // Health outlives the worker that found it out, until another one checks.
            if check >> 8 <= UInt64(checkTermMax) {
                store(own, .check, max(view.load(own + CellWord.check.rawValue * 8), check))
            }
        }
        view.bumpChanges()
    }
}

extension BoardCounter {
    /// Whether the counter tells of the present, so that it ends with its worker.
    package var isGauge: Bool {
        switch self {
        case .active, .reading, .writing, .waiting, .parked, .retryBudgetUsed: true
        default: false
        }
    }
}
