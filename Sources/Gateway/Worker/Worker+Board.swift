import Board
import Config
import Loop
import Machine
import Messages

/// Connections and requests over all workers, as `stub_status` shows them.
struct WorkerTotals {
    var accepted: UInt64 = 0
    var handled: UInt64 = 0
    var requests: UInt64 = 0
    /// Open client connections: reading a head, writing an answer, or waiting for a request.
    var active: UInt64 = 0
    var reading: UInt64 = 0
    var writing: UInt64 = 0
    var waiting: UInt64 = 0
}

extension Ref where Value == Worker {
    /// Writes this worker's counters to its column. Once per tick of the loop: the others see what was true when it went to sleep.
    func publishCounters() {
        guard let column = value.board else { return }
        let own = ownTotals
        publish(.accepted, own.accepted, column)
        publish(.handled, own.handled, column)
        publish(.requests, own.requests, column)
        publish(.active, own.active, column)
        publish(.reading, own.reading, column)
        publish(.writing, own.writing, column)
        publish(.waiting, own.waiting, column)
        publish(.retried, value.counters.retried, column)
        publish(.rescued, value.counters.rescued, column)
        publish(.failed, value.counters.failed, column)
        publish(.parked, UInt64(max(0, value.counters.parked)), column)
        publish(.parkedTotal, value.counters.parkedTotal, column)
    }

    /// What did not change since it was last written stays: few counters move in one tick, and the cache line is read by others.
    @inline(__always)
    private func publish(_ counter: BoardCounter, _ number: UInt64, _ column: BoardColumn) {
        if value.published[counter.rawValue] == number { return }
        value.published[counter.rawValue] = number
        column.set(counter, number)
    }

    /// The sums over all workers, those of ended ones included. Without a board, this worker's own.
    func totals() -> WorkerTotals {
        guard let column = value.board else { return ownTotals }
        publishCounters()
        let view = column.view
        return WorkerTotals(
            accepted: view.total(.accepted), handled: view.total(.handled), requests: view.total(.requests), active: view.total(.active),
            reading: view.total(.reading), writing: view.total(.writing), waiting: view.total(.waiting))
    }

    private var ownTotals: WorkerTotals {
        let active = max(0, value.connections.count)
        let reading = min(active, max(0, value.counters.reading))
        let writing = min(active - reading, max(0, value.counters.writing))
        return WorkerTotals(
            accepted: value.counters.accepted, handled: value.counters.handled, requests: value.counters.requests, active: UInt64(active),
            reading: UInt64(reading), writing: UInt64(writing), waiting: UInt64(active - reading - writing))
    }

    /// Other workers learned sessions.
    func take(_ sessions: [StickySession]) {
        let upstreams = value.http.value.upstreams
        for session in sessions {
            for index in upstreams.indices {
                guard let sticky = upstreams[index].value.sticky, sticky.value.method == .learn, sticky.value.zone == session.zone
                else { continue }
                let idle = min(session.idleMilliseconds, now)
                sticky.value.sessions.learn(
                    digest: SessionDigest(high: session.digestHigh, low: session.digestLow), id: PeerID(bytes: session.peer),
                    idCount: session.peer.count, creates: true, now: Machine.Milliseconds(now - idle))
            }
        }
    }

    /// The supervisor said where peers are on the board.
    func take(_ places: [PeerPlace]) {
        guard let board = value.board else { return }
        var slots: [PeerKey: PeerSlot] = [:]
        for place in places {
            let key = PeerKey(upstream: place.upstream, address: place.address, ordinal: Int(place.ordinal))
            slots[key] = PeerSlot(index: Int(place.slot), generation: place.slotGeneration)
        }
        let upstreams = value.http.value.upstreams
        let named = Set(places.map(\.upstream))
        for index in upstreams.indices {
            let upstream = upstreams[index]
            if upstream.value.sharing.column == nil || named.contains(upstream.value.settings.value.label) {
                upstream.share(slots, on: board)
                publishHealth(of: upstream)
            }
        }
    }
}
