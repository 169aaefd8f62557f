/// The incident that the failures of one peer belong to, as one word of shared memory: the id in the upper 40 bits, the second of the last
/// failure (modulo 2^24, of CLOCK_MONOTONIC) in the lower 24. Zero: none.
package struct IncidentWord: Equatable, Sendable {
    /// Seconds without a failure after which an incident is over; who collects incidents waits a little longer.
    package static let quietPeriod: UInt64 = 60

    /// As it stands on the board.
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// - Parameters:
    ///   - id: only the low 40 bits are used.
    ///   - second: whole seconds of CLOCK_MONOTONIC.
    package init(id: UInt64, second: UInt64) { rawValue = id << 24 | second & 0xFF_FFFF }

    /// 0: no incident.
    package var id: UInt64 { rawValue >> 24 }

    /// Whether a failure at this second belongs to the incident. Another worker's clock reading may be a moment ahead.
    package func isOpen(at second: UInt64) -> Bool {
        let age = (second &- rawValue) & 0xFF_FFFF
        return id != 0 && (age < Self.quietPeriod || age > 0xFF_FFFF - Self.quietPeriod)
    }
}

extension BoardView {
    /// The incident of a peer's failures of one family: the one that is open, else a new one. All workers get the same. O(1).
    ///
    /// - Parameters:
    ///   - family: 0..<`BoardLayout.incidentFamilies`; others count as the last.
    ///   - second: now in whole seconds of CLOCK_MONOTONIC.
    ///   - propose: an id for a new incident, of 40 bits, not 0.
    /// - Returns: nil when the slot is not the peer's any more, or when others kept changing the word: the caller then has an id of its
    ///   own.
    package func incident(_ slot: PeerSlot, family: Int, second: UInt64, propose: () -> UInt64) -> UInt64? {
        guard isCurrent(slot) else { return nil }
        let offset = layout.incidentStart(slot.index, family)
        var seen = load(offset)
        for _ in 0..<4 {
            let word = IncidentWord(rawValue: seen)
            if word.isOpen(at: second) {
                let fresh = IncidentWord(id: word.id, second: second)
                // Who loses this race loses to one that says the same.
                if fresh != word { _ = exchange(offset, expected: seen, with: fresh.rawValue) }
                return word.id
            }
            let mine = IncidentWord(id: propose(), second: second)
            let (isDone, found) = exchange(offset, expected: seen, with: mine.rawValue)
            if isDone { return mine.id }
            seen = found
        }
        let word = IncidentWord(rawValue: seen)
        return word.isOpen(at: second) ? word.id : nil
    }

    /// The newest open incident of a peer, of any family; nil when it has none. O(families).
    package func openIncident(_ slot: PeerSlot, second: UInt64) -> UInt64? {
        guard isCurrent(slot) else { return nil }
        var newest: UInt64 = 0
        for family in 0..<BoardLayout.incidentFamilies {
            let word = IncidentWord(rawValue: load(layout.incidentStart(slot.index, family)))
            if word.isOpen(at: second) { newest = max(newest, word.id) }
        }
        return newest == 0 ? nil : newest
    }

    /// A number that no other worker gets: keeps ids of one second apart. O(1).
    package func nextIncidentNumber() -> UInt64 { fetchAdd(HeaderWord.incidents.rawValue * 8, 1) }

    /// A slot has a new peer: the incidents were those of the old one.
    func clearIncidents(_ slot: Int) {
        for family in 0..<BoardLayout.incidentFamilies { store(layout.incidentStart(slot, family), 0) }
    }
}
