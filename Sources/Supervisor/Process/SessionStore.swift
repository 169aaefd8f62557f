internal import Machine
internal import Messages

/// A zone of `sticky learn` of a configuration.
struct SessionZone: Hashable {
    var name: String
    /// Most sessions.
    var capacity: Int
    /// Milliseconds after which an unused session is forgotten.
    var timeout: Int64
}

/// All sessions of `sticky learn`, as the workers reported them: so that a session outlives its worker, and a reload.
final class SessionStore {
    private final class Table {
        let zone: SessionZone
        var sessions: StickySessions

        init(_ zone: SessionZone) {
            self.zone = zone
            sessions = StickySessions(capacity: zone.capacity, timeout: zone.timeout)
        }
    }

    private var tables: [String: Table] = [:]

    /// Sees to it that these zones are there. A zone whose size or timeout changed keeps its sessions as far as they fit.
    func prepare(_ zones: [SessionZone], now: UInt64) {
        for zone in zones where tables[zone.name]?.zone != zone {
            let table = Table(zone)
            if let old = tables[zone.name] {
                old.sessions.forEach { digest, id, count, lastUse in
                    table.sessions.learn(digest: digest, id: id, idCount: count, creates: true, now: lastUse)
                }
            }
            tables[zone.name] = table
        }
    }

    /// Forgets all zones but these.
    func keep(only zones: [SessionZone]) {
        let names = Set(zones.map(\.name))
        tables = tables.filter { names.contains($0.key) }
    }

    /// Notes what a worker learned. False: nobody knows the zone.
    func learn(_ session: StickySession, now: UInt64) -> Bool {
        guard let table = tables[session.zone] else { return false }
        let idle = min(session.idleMilliseconds, now)
        table.sessions.learn(
            digest: SessionDigest(high: session.digestHigh, low: session.digestLow), id: PeerID(bytes: session.peer),
            idCount: session.peer.count, creates: true, now: Int64(clamping: now - idle))
        return true
    }

    /// Calls `body` with the sessions of these zones, the longest unused ones first, in parts that fit into a packet.
    func forEachPart(of zones: [SessionZone], now: UInt64, _ body: ([StickySession]) -> Void) {
        var part: [StickySession] = []
        for zone in zones {
            tables[zone.name]?.sessions.forEach { digest, id, count, lastUse in
                guard count > 0 else { return }
                part.append(
                    StickySession(
                        zone: zone.name, digestHigh: digest.high, digestLow: digest.low, peer: (0..<count).map { id[$0] },
                        idleMilliseconds: UInt64(clamping: Int64(clamping: now) - lastUse)))
                if part.count == StickySession.perPacketMax {
                    body(part)
                    part = []
                }
            }
        }
        if !part.isEmpty { body(part) }
    }
}
