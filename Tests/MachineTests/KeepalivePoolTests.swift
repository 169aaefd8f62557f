import Machine
import Testing

@Suite struct KeepalivePoolTests {
    /// Keeps a connection; what had to go, -1 for nothing, -2 when it was refused.
    static func store(
        _ pool: inout KeepalivePool, _ connection: Int32, peer: Int, tag: Int = 0, served: Int = 1,
        openedAt: Milliseconds = 0, idleMax: Milliseconds = .max, now: Milliseconds = 0
    ) -> Int32 {
        switch pool.store(
            connection, peer: peer, tag: tag, requestsServed: served, openedAt: openedAt, idleMax: idleMax, now: now)
        {
        case .kept(_, let evicted): evicted ?? -1
        case .refused: -2
        }
    }

    @Test func theMostRecentlyUsedConnectionOfThePeerIsTaken() {
        var pool = KeepalivePool(settings: KeepaliveSettings(capacity: 4), peerCapacity: 2)
        for (connection, peer) in [(10, 0), (11, 1), (12, 0)] as [(Int32, Int)] {
            #expect(Self.store(&pool, connection, peer: peer) == -1)
        }
        var got = [pool.take(peer: 0, now: 1), pool.take(peer: 0, now: 1), pool.take(peer: 0, now: 1)]
        #expect(got == [12, 10, nil])
        got = [pool.take(peer: 1, now: 1), pool.take(peer: 7, now: 1), pool.take(peer: -1, now: 1)]
        #expect(got == [11, nil, nil])
        let count = pool.count
        #expect(count == 0)
    }

    @Test func aFullPoolClosesTheLeastRecentlyUsedOne() {
        var pool = KeepalivePool(settings: KeepaliveSettings(capacity: 2), peerCapacity: 3)
        let evicted = [(1, 0), (2, 1), (3, 2), (4, 0)].map { Self.store(&pool, $0.0, peer: $0.1) }
        #expect(evicted == [-1, -1, 1, 2])
    }

    @Test func limitsOfRequestsAgeAndIdleTimeRefuse() {
        var pool = KeepalivePool(
            settings: KeepaliveSettings(capacity: 2, requests: 3, time: 2000, timeout: 1000), peerCapacity: 1)
        #expect(Self.store(&pool, 1, peer: 0, served: 2) == -1)
        #expect(Self.store(&pool, 2, peer: 0, served: 3) == -2)
        #expect(Self.store(&pool, 3, peer: 0, openedAt: 0, now: 2001) == -2)
        #expect(Self.store(&pool, 4, peer: 0, idleMax: 0) == -2)
        var none = KeepalivePool(settings: KeepaliveSettings(capacity: 0), peerCapacity: 1)
        #expect(Self.store(&none, 1, peer: 0) == -2)
    }

    @Test func aConnectionPastItsTimeIsNotTaken() {
        var pool = KeepalivePool(settings: KeepaliveSettings(capacity: 4, timeout: 1000), peerCapacity: 2)
        _ = Self.store(&pool, 1, peer: 0, now: 0)
        _ = Self.store(&pool, 2, peer: 0, idleMax: 300, now: 100)
        // The younger one has the shorter time.
        var taken = [pool.take(peer: 0, now: 400), pool.take(peer: 0, now: 400)]
        #expect(taken == [1, nil])
        _ = Self.store(&pool, 3, peer: 1, now: 0)
        taken = [pool.take(peer: 1, now: 1000), pool.take(peer: 1, now: 999)]
        #expect(taken == [nil, 3])
        let count = pool.count
        #expect(count == 1, "who is past its time stays until it is removed")
    }

    @Test func onlyTheSameTagFindsAConnection() {
        var pool = KeepalivePool(settings: KeepaliveSettings(capacity: 4), peerCapacity: 1)
        _ = Self.store(&pool, 1, peer: 0, tag: 5)
        _ = Self.store(&pool, 2, peer: 0, tag: 6)
        let got = [
            pool.take(peer: 0, tag: 7, now: 1), pool.take(peer: 0, tag: 5, now: 1), pool.take(peer: 0, tag: 5, now: 1),
        ]
        #expect(got == [nil, 1, nil])
    }

    @Test func aStaleTicketRemovesNothing() {
        var pool = KeepalivePool(settings: KeepaliveSettings(capacity: 1), peerCapacity: 1)
        guard case .kept(let ticket, _) = pool.store(1, peer: 0, requestsServed: 1, openedAt: 0, now: 0) else {
            Issue.record("refused")
            return
        }
        _ = pool.take(peer: 0, now: 0)
        _ = Self.store(&pool, 2, peer: 0)
        let isRemoved = pool.remove(ticket)
        let count = pool.count
        #expect(!isRemoved && count == 1)
    }

    /// Against a plain list, most recently used first.
    @Test func randomWalksAgreeWithAPlainList() {
        for seed in 0..<1000 as Range<UInt64> {
            var random = RandomSource(seed: seed)
            let capacity = Int(random.next(below: 5)) + 1
            var pool = KeepalivePool(settings: KeepaliveSettings(capacity: capacity, timeout: 50), peerCapacity: 3)
            var model: [(connection: Int32, peer: Int, tag: Int, deadline: Milliseconds, ticket: KeepaliveTicket)] = []
            var now: Milliseconds = 0
            var next: Int32 = 0
            for step in 0..<60 {
                now += Milliseconds(random.next(below: 12))
                let peer = Int(random.next(below: 3))
                let tag = Int(random.next(below: 2))
                var isRight = true
                switch random.next(below: 6) {
                case 0, 1, 2:
                    next += 1
                    guard
                        case .kept(let ticket, let evicted) = pool.store(
                            next, peer: peer, tag: tag, requestsServed: 1, openedAt: now, now: now)
                    else { isRight = false; break }
                    isRight = evicted == (model.count == capacity ? model.removeLast().connection : nil)
                    model.insert((next, peer, tag, now + 50, ticket), at: 0)
                case 3:
                    let found = model.firstIndex { $0.peer == peer && $0.tag == tag && $0.deadline > now }
                    isRight = pool.take(peer: peer, tag: tag, now: now) == found.map { model.remove(at: $0).connection }
                case 4 where !model.isEmpty:
                    let entry = model.remove(at: Int(random.next(below: UInt64(model.count))))
                    isRight = pool.remove(entry.ticket) && !pool.remove(entry.ticket)
                default:
                    // Its timer fires.
                    if let entry = model.last, entry.deadline <= now {
                        isRight = pool.remove(entry.ticket)
                        model.removeLast()
                    }
                }
                if !isRight || pool.count != model.count {
                    Issue.record("seed \(seed), step \(step)")
                    return
                }
            }
            while let entry = model.popLast() {
                let got = pool.takeAny()
                #expect(got == entry.connection)
            }
        }
    }
}
