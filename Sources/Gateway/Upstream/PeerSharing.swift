import Board
import Config
import Loop
import Machine

/// What the workers know of an upstream's peers together: failures always; with `zone` also running connections.
///
/// nginx shares failures only in a `zone`. We always do: the failed attempt of one worker then spares the others theirs.
struct PeerSharing {
    /// Nil without a board.
    var column: BoardColumn?
    /// By peer; nil for a peer that has no place on the board.
    var slots = FixedList<PeerSlot?>()
    /// Where each worker says how many requests wait in it for this upstream (`queue`); nil without a place on the board.
    var queueSlot: PeerSlot?
    /// Whether limits and balancing count the other workers' connections (`zone`).
    var sharesConnections = false
    var seenChanges: UInt64 = 0
    var seenSecond: UInt64 = .max
}

extension Ref where Value == Upstream {
    /// Notes where the peers are on the board. Places that were known stay.
    func share(_ slots: [PeerKey: PeerSlot], on column: BoardColumn) {
        let known = value.sharing.slots
        value.sharing.slots = FixedList(value.boardKeys.enumerated().map { peer, key in
            slots[key] ?? (peer < known.count ? known[peer] : nil)
        })
        if let slot = slots[.queue(of: value.settings.value.label)] { value.sharing.queueSlot = slot }
        value.sharing.column = column
        value.sharing.seenSecond = .max
        value.sharing.sharesConnections = value.settings.value.zone != nil && value.balancer.usesForeignConnections
    }

    /// Takes over what the other workers found out. Before each pick.
    func absorbNews(now: UInt64) {
        guard let column = value.sharing.column else { return }
        let view = column.view
        let slots = value.sharing.slots
        let changes = view.changes
        if changes != value.sharing.seenChanges || now / 1000 != value.sharing.seenSecond {
            value.sharing.seenChanges = changes
            value.sharing.seenSecond = now / 1000
            for peer in slots.indices {
                guard let slot = slots[peer], view.isCurrent(slot) else { continue }
                let totals = view.totals(slot)
                value.balancer.absorb(
                    peer: peer, fails: totals.fails, accessed: totals.accessed, checked: totals.checked,
                    now: Machine.Milliseconds(now))
                if value.isChecked { absorbHealth(of: peer, view.checkState(slot), now: now) }
            }
        }
        guard value.sharing.sharesConnections else { return }
        for peer in slots.indices {
            guard let slot = slots[peer] else { continue }
            value.balancer.setForeignConnections(peer: peer, view.totals(slot, without: column.column).connections)
        }
    }

    /// Tells the other workers what became of an attempt on `peer`. After each pick and release.
    ///
    /// - Parameter isBroken: whether an attempt that ended now had no good answer; nil: none ended, or it says nothing.
    func publishNews(of peer: Int, isBroken: Bool? = nil, now: UInt64) {
        guard let column = value.sharing.column else { return }
        let slots = value.sharing.slots
        let second = Int64(now / 1000)
        while let publication = value.balancer.takePublication() {
            switch publication {
            case .failed(let peer, let count): if let slot = slots.at(peer) { column.recordFailure(slot, count: count, second: second) }
            case .probed(let peer): if let slot = slots.at(peer) { column.recordProbe(slot, second: second) }
            case .recovered(let peer): if let slot = slots.at(peer) { column.recordRecovery(slot) }
            }
        }
        guard let slot = slots.at(peer) else { return }
        let running = value.balancer.connections(of: peer)
        guard let isBroken else { return column.setConnections(slot, running) }
        column.recordEnd(slot, isBroken: isBroken, running: running)
    }
}

extension FixedList where Element == PeerSlot? {
    /// A peer's slot; nil for a peer without one.
    fileprivate func at(_ peer: Int) -> PeerSlot? { peer >= 0 && peer < count ? self[peer] : nil }
}
