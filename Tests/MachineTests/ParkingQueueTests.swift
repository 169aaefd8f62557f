import Machine
import Testing

@Suite struct UpstreamOutlookTests {
    @Test(arguments: [
        (UpstreamOutlook.nothing, false), (UpstreamOutlook(starting: 1), true),
        (UpstreamOutlook(failedStarts: 2, starting: 1), true),
        (UpstreamOutlook(failedStarts: 3, starting: 1), false),
        (UpstreamOutlook(failedStarts: 3, nextStart: 100), false),
        (UpstreamOutlook(nextStart: 999), true), (UpstreamOutlook(nextStart: 1000), false),
        (UpstreamOutlook(nextStart: 5000), false),
    ])
    func aPeerIsPlausibleWhenItCanComeInTime(outlook: UpstreamOutlook, expected: Bool) {
        #expect(outlook.isPlausible(before: 1000) == expected)
    }

    @Test(arguments: [
        (UpstreamOutlook(nextStart: 15_000), 15), (UpstreamOutlook(nextStart: 1), 1),
        (UpstreamOutlook(nextStart: 14_001), 15),
        (UpstreamOutlook(starting: 1), 1), (UpstreamOutlook.nothing, 5), (UpstreamOutlook(nextStart: .max), 3600),
    ])
    func retryAfterIsTheTimeToTheNextStart(outlook: UpstreamOutlook, seconds: Int) {
        #expect(outlook.retryAfter(now: 0) == seconds)
    }
}

@Suite struct ParkingQueueTests {
    static let coming = UpstreamOutlook(starting: 1)

    static func park(
        _ queue: inout ParkingQueue, _ request: Int32, bytes: Int = 10, others: Int = 0,
        outlook: UpstreamOutlook = coming, now: Milliseconds = 0
    ) -> Parked {
        queue.park(request, bytes: bytes, othersWaiting: others, outlook: outlook, now: now)
    }

    static func isWaiting(_ parked: Parked) -> Bool { if case .waits = parked { true } else { false } }

    @Test func requestsWakeInTheOrderOfTheirArrival() {
        var queue = ParkingQueue(settings: .app)
        for request in 1...40 as ClosedRange<Int32> {
            #expect(Self.isWaiting(Self.park(&queue, request, now: Milliseconds(request))))
        }
        let woken = (0..<41).map { _ in queue.takeNext(now: 100) }
        #expect(woken == (1...40).map { Optional($0) } + [nil])
        #expect(queue.bytes == 0 && queue.count == 0)
    }

    @Test func whoWasTakenOutInVainGetsItsPlaceBack() {
        var queue = ParkingQueue(settings: QueueSettings(capacity: 10, timeout: 100))
        for request in 1...5 as ClosedRange<Int32> { _ = Self.park(&queue, request, now: Milliseconds(request)) }
        let taken = (0..<3).compactMap { _ in queue.takeNext(now: 6) }
        #expect(taken == [1, 2, 3])
        // In another order than before, and one that comes meanwhile.
        _ = Self.park(&queue, 6, now: 6)
        for request in [2, 1, 3] as [Int32] {
            let parked = queue.park(request, bytes: 10, outlook: Self.coming, deadline: 100 + Milliseconds(request), now: 50)
            #expect(Self.isWaiting(parked))
        }
        var deadlines: [Milliseconds] = []
        queue.forEach { deadlines.append($1) }
        #expect(deadlines == [101, 102, 103, 104, 105, 106])
        #expect((0..<7).map { _ in queue.takeNext(now: 60) } == [1, 2, 3, 4, 5, 6, nil])
    }

    @Test func thoseThatStayAreSeenInTheOrderOfTheirArrival() {
        var queue = ParkingQueue(settings: .app)
        for request in 1...4 as ClosedRange<Int32> { _ = Self.park(&queue, request, now: Milliseconds(request)) }
        _ = queue.takeNext(now: 5)
        var seen: [Int32] = [], deadlines: [Milliseconds] = []
        queue.forEach { request, deadline in
            seen.append(request)
            deadlines.append(deadline)
        }
        #expect(seen == [2, 3, 4] && deadlines == [30_002, 30_003, 30_004])
    }

    @Test(arguments: [(1, 20), (4, 20), (5, 40), (8, 40), (9, 60), (1000, 5000)])
    func byTheClockAFewGoOnInEachInterval(place: Int, delay: Milliseconds) {
        #expect(WakePace.delay(of: place) == delay)
    }

    @Test(arguments: [(0, 2), (31, 2), (32, 1), (1000, 1)])
    func answersDoubleThoseUnderWayUntilTheyAreACrowd(underWay: Int, count: Int) {
        #expect(WakePace.perAnswer(underWay: underWay) == count)
    }

    @Test func capsHold() {
        var queue = ParkingQueue(
            settings: QueueSettings(capacity: 3, timeout: 1000, memoryMax: 100, followsOutlook: true))
        #expect(Self.isWaiting(Self.park(&queue, 1, bytes: 60)))
        #expect(Self.park(&queue, 2, bytes: 41) == .refused(.memory, retryAfter: 1))
        #expect(Self.isWaiting(Self.park(&queue, 2, bytes: 40)))
        #expect(Self.park(&queue, 3, bytes: 0, others: 1) == .refused(.full, retryAfter: 1))
        #expect(Self.isWaiting(Self.park(&queue, 3, bytes: 0)))
        #expect(Self.park(&queue, 4, bytes: 0) == .refused(.full, retryAfter: 1))
        let woken = queue.takeNext(now: 0)
        #expect(woken == 1)
        #expect(Self.isWaiting(Self.park(&queue, 4, bytes: 60)))
    }

    @Test func withNothingPlausibleTheAnswerComesAtOnce() {
        var queue = ParkingQueue(settings: .app)
        #expect(
            Self.park(&queue, 1, outlook: UpstreamOutlook(failedStarts: 3, nextStart: 8000))
                == .refused(.notPlausible, retryAfter: 8))
        #expect(
            Self.park(&queue, 1, outlook: UpstreamOutlook(nextStart: 31_000)) == .refused(.notPlausible, retryAfter: 31)
        )
        #expect(Self.isWaiting(Self.park(&queue, 1, outlook: UpstreamOutlook(nextStart: 29_000))))
    }

    @Test func aPlainQueueWaitsInAnyCaseAndRefusesWithoutRetryAfter() {
        var queue = ParkingQueue(settings: QueueSettings(capacity: 1, timeout: 1000))
        #expect(Self.isWaiting(Self.park(&queue, 1, outlook: .nothing)))
        #expect(Self.park(&queue, 2, outlook: .nothing) == .refused(.full, retryAfter: nil))
        var none = ParkingQueue(settings: QueueSettings(capacity: 0))
        #expect(Self.park(&none, 1) == .refused(.noQueue, retryAfter: nil))
    }

    @Test func aRequestPastItsTimeIsNotServed() {
        var queue = ParkingQueue(settings: QueueSettings(capacity: 10, timeout: 100))
        var tickets: [ParkingTicket] = []
        for request in 1...3 as ClosedRange<Int32> {
            guard case .waits(let ticket, let deadline) = Self.park(&queue, request, now: Milliseconds(request) * 10) else { continue }
            #expect(deadline == 100 + Milliseconds(request) * 10)
            tickets.append(ticket)
        }
        #expect(tickets.count == 3)
        let late = queue.takeNext(now: 110)
        #expect(late == nil)
        // Its timer fires.
        let isRemoved = queue.remove(tickets[0])
        let next = queue.takeNext(now: 110)
        #expect(isRemoved && next == 2)
    }

    @Test func aWorseOutlookEmptiesTheQueue() {
        var queue = ParkingQueue(settings: QueueSettings(capacity: 10, timeout: 100, followsOutlook: true))
        _ = Self.park(&queue, 1, now: 0)
        _ = Self.park(&queue, 2, now: 50)
        let later = UpstreamOutlook(nextStart: 120)
        var taken = [
            queue.takeImplausible(outlook: Self.coming), queue.takeImplausible(outlook: later),
            queue.takeImplausible(outlook: later),
        ]
        #expect(taken == [nil, 1, nil])
        taken = [queue.takeImplausible(outlook: UpstreamOutlook(failedStarts: 3, starting: 1))]
        #expect(taken == [2])
    }

    @Test func randomWalksAgreeWithAPlainList() {
        for seed in 0..<1000 as Range<UInt64> {
            var random = RandomSource(seed: seed)
            let capacity = Int(random.next(below: 40)) + 1
            var queue = ParkingQueue(settings: QueueSettings(capacity: capacity, timeout: 100, memoryMax: 300))
            var model: [(request: Int32, bytes: Int, deadline: Milliseconds, ticket: ParkingTicket)] = []
            var now: Milliseconds = 0
            for step in 0..<80 {
                now += Milliseconds(random.next(below: 15))
                var isRight = true
                switch random.next(below: 6) {
                case 0...3:
                    let bytes = Int(random.next(below: 30))
                    let fits = model.count < capacity && model.reduce(0) { $0 + $1.bytes } + bytes <= 300
                    if case .waits(let ticket, let deadline) = queue.park(
                        Int32(step), bytes: bytes, outlook: .nothing, now: now)
                    {
                        isRight = fits && deadline == now + 100
                        model.append((Int32(step), bytes, deadline, ticket))
                    } else {
                        isRight = !fits
                    }
                case 4 where !model.isEmpty:
                    let entry = model.remove(at: Int(random.next(below: UInt64(model.count))))
                    isRight = queue.remove(entry.ticket) && !queue.remove(entry.ticket)
                default:
                    if let first = model.first, first.deadline <= now {
                        isRight = queue.takeNext(now: now) == nil && queue.remove(first.ticket)
                        model.removeFirst()
                    } else {
                        isRight = queue.takeNext(now: now) == model.first?.request
                        if !model.isEmpty { model.removeFirst() }
                    }
                }
                if !isRight || queue.count != model.count || queue.bytes != model.reduce(0, { $0 + $1.bytes }) {
                    Issue.record("seed \(seed), step \(step)")
                    return
                }
            }
        }
    }
}
