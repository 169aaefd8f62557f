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
        bump(cell, .failures, by: count)
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
        store(cell, .forgiven, failuresOfAll(slot))
        view.bumpChanges()
    }

    private func failuresOfAll(_ slot: PeerSlot) -> UInt64 {
        var failures: UInt64 = 0
        for column in 0..<view.layout.columns {
            let other = view.layout.cellStart(column, slot.index)
            if view.holds(other, slot) { failures += load(other, .failures) & 0xFFFF_FFFF }
        }
        return failures
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
        if !view.holds(cell, slot) {
            for word in 1..<BoardLayout.cellSize / 8 { view.store(cell + word * 8, 0) }
            view.give(cell, to: slot)
        }
        return cell
    }

    private func store(_ cell: Int, _ word: CellWord, _ value: UInt64) { view.store(cell + word.rawValue * 8, value) }
    private func bump(_ cell: Int, _ word: CellWord, by count: Int = 1) {
        store(cell, word, load(cell, word) &+ UInt64(clamping: count))
    }
    private func load(_ cell: Int, _ word: CellWord) -> UInt64 { view.load(cell + word.rawValue * 8) }
    private func stamp(_ second: Int64) -> UInt64 { UInt64(max(0, second)) + 1 }
}

extension BoardColumn {
    /// Clears a dead worker's column: its running connections and gauges end with it. What only grows (failures not yet
    /// forgiven, counters of requests, health) moves to this column, the supervisor's, so that sums do not jump back. O(slots).
    ///
    /// Nothing a worker that was taken over wrote outlives it in a way that honest ones could not undo.
    /// - Parameters:
    ///   - checkTermMax: the highest term in which any worker was named to run the checks; what a worker says of health in a
    ///     later one is a lie.
    ///   - second: now in whole seconds of CLOCK_MONOTONIC: what is said of later is a lie.
    package func retire(_ dead: Int, checkTermMax: UInt32 = .max, second: Int64) {
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
            let failures = load(cell, .failures) & 0xFFFF_FFFF, forgiven = load(cell, .forgiven)
            let accessed = load(cell, .accessed), checked = load(cell, .checked), check = load(cell, .check)
            let attempts = load(cell, .attempts), broken = load(cell, .broken)
            for word in 0..<BoardLayout.cellSize / 8 { view.store(cell + word * 8, 0) }
            let slot = PeerSlot(index: index, generation: generation)
            guard let own = ownCell(slot) else { continue }
            store(own, .failures, min((load(own, .failures) & 0xFFFF_FFFF) + failures, 0xFFFF_FFFF))
            store(own, .attempts, load(own, .attempts) &+ attempts)
            store(own, .broken, load(own, .broken) &+ broken)
            store(own, .forgiven, max(load(own, .forgiven), min(forgiven, failuresOfAll(slot))))
            store(own, .accessed, max(load(own, .accessed), min(accessed, stamp(second))))
            store(own, .checked, max(load(own, .checked), min(checked, stamp(second))))
            // Health outlives the worker that found it out, until another one checks.
            if check >> 8 <= UInt64(checkTermMax) {
                store(own, .check, max(load(own, .check), check))
            }
        }
        view.bumpChanges()
    }
}

extension BoardCounter {
    /// Whether the counter tells of the present, so that it ends with its worker.
    package var isGauge: Bool {
        switch self {
        case .active, .reading, .writing, .waiting, .parked: true
        default: false
        }
    }
}
