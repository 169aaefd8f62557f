import Board
import Machine
import Testing
import Wire

/// A worker's balancer with its column of the board: the glue that the gateway has, in its plainest form.
struct SharedWorker: ~Copyable {
    var balancer: Balancer
    let column: BoardColumn
    let slots: [PeerSlot]
    var seenChanges: UInt64 = 0
    var seenSecond: Int64 = -1
    var random = RandomSource(seed: 3)

    init(
        _ view: BoardView, column: Int, _ policy: BalancingPolicy, _ peers: [PeerSettings], _ slots: [PeerSlot], neverEmpty: Bool = false
    ) {
        var settings = BalancerSettings(policy: policy)
        settings.neverEmpty = neverEmpty
        balancer = Balancer(settings: settings, peers: peers)
        self.column = BoardColumn(view, column: column)!
        self.slots = slots
    }

    mutating func pick(_ attempt: inout AttemptState, now: Milliseconds) -> Pick {
        let view = column.view
        if view.changes != seenChanges || now / 1000 != seenSecond {
            (seenChanges, seenSecond) = (view.changes, now / 1000)
            for (peer, slot) in slots.enumerated() {
                let totals = view.totals(slot)
                balancer.absorb(
                    peer: peer, fails: totals.fails, accessed: totals.accessed, checked: totals.checked, now: now)
            }
        }
        if balancer.usesForeignConnections {
            for (peer, slot) in slots.enumerated() {
                balancer.setForeignConnections(peer: peer, view.totals(slot, without: column.column).connections)
            }
        }
        let pick = balancer.pick(&attempt, key: ByteView(), hint: ByteView(), now: now, random: &random)
        publish(now: now)
        return pick
    }

    mutating func release(_ attempt: inout AttemptState, _ outcome: AttemptOutcome, now: Milliseconds) {
        balancer.release(&attempt, outcome: outcome, now: now, times: AttemptTimes())
        publish(now: now)
    }

    private mutating func publish(now: Milliseconds) {
        while let publication = balancer.takePublication() {
            switch publication {
            case .failed(let peer, let count): column.recordFailure(slots[peer], count: count, second: now / 1000)
            case .probed(let peer): column.recordProbe(slots[peer], second: now / 1000)
            case .recovered(let peer): column.recordRecovery(slots[peer])
            }
        }
        for (peer, slot) in slots.enumerated() { column.setConnections(slot, balancer.connections(of: peer)) }
    }

    /// A whole request of one try; the index of the peer or -1.
    mutating func request(_ outcome: AttemptOutcome = .succeeded, now: Milliseconds) -> Int {
        var attempt = balancer.begin(tryLimit: 1, key: ByteView())
        guard case .peer(let peer) = pick(&attempt, now: now) else { return -1 }
        release(&attempt, outcome, now: now)
        return peer
    }
}

/// A board in ordinary memory, with slots for a few peers.
@safe final class TestBoard {
    let memory: UnsafeMutableRawBufferPointer
    let view: BoardView
    let slots: [PeerSlot]

    init(workers: Int = 4, peers: Int) {
        let layout = BoardLayout(workers: workers, slots: 16)!
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: layout.size, alignment: 4096)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
        view = unsafe try! BoardView(creatingIn: memory, layout: layout)
        var allocator = BoardAllocator(layout: layout)
        slots = (0..<peers).map { allocator.slot(for: PeerKey(upstream: "u", address: "\($0)"))! }
        allocator.write(to: view)
    }

    deinit { unsafe memory.deallocate() }
}

@Suite struct SharedHealthTests {
    static let two = [peer(1), peer(2)]

    @Test func oneWorkersFailedAttemptProtectsAll() {
        let board = TestBoard(peers: 2)
        var first = SharedWorker(board.view, column: 1, .roundRobin, Self.two, board.slots)
        var second = SharedWorker(board.view, column: 2, .roundRobin, Self.two, board.slots)
        let failed = first.request(.failed, now: 5000)
        #expect(failed == 0)
        let others = (0..<5).map { _ in second.request(now: 5001) }
        #expect(others == [1, 1, 1, 1, 1])
    }

    @Test func failuresOfAllWorkersAddUp() {
        let board = TestBoard(peers: 2)
        let peers = [
            peer(1) {
                $0.maxFails = 3; $0.weight = 100
            }, peer(2),
        ]
        var first = SharedWorker(board.view, column: 1, .roundRobin, peers, board.slots)
        var second = SharedWorker(board.view, column: 2, .roundRobin, peers, board.slots)
        var third = SharedWorker(board.view, column: 3, .roundRobin, peers, board.slots)
        let picked = [
            first.request(.failed, now: 5000), second.request(.failed, now: 5000), first.request(.failed, now: 5000),
        ]
        #expect(picked == [0, 0, 0])
        let others = (0..<3).map { _ in third.request(now: 5000) }
        #expect(others == [1, 1, 1])
    }

    @Test func manyServerErrorsPutAPeerOutWhateverItsMaxFails() {
        let board = TestBoard(peers: 2)
        let peers = [peer(1) { $0.maxFails = 12 }, peer(2)]
        var first = SharedWorker(board.view, column: 1, .roundRobin, peers, board.slots, neverEmpty: true)
        var second = SharedWorker(board.view, column: 2, .roundRobin, peers, board.slots, neverEmpty: true)
        var isOut = false
        for _ in 0..<40 where !isOut { isOut = first.balancer.recordAnswer(peer: 0, isServerError: true, now: 5000) }
        #expect(isOut)
        let own = (0..<6).map { _ in first.request(now: 5001) }
        let others = (0..<6).map { _ in second.request(now: 5001) }
        #expect(board.view.totals(board.slots[0]).fails == 12)
        #expect(own.dropFirst() == [1, 1, 1, 1, 1] && others == [1, 1, 1, 1, 1, 1])
    }

    @Test func overAllWorkersOneProbePerWindow() {
        let board = TestBoard(peers: 2)
        var first = SharedWorker(board.view, column: 1, .roundRobin, Self.two, board.slots)
        var second = SharedWorker(board.view, column: 2, .roundRobin, Self.two, board.slots)
        _ = first.request(.failed, now: 5000)
        // Both workers are asked until one of them probes, the probe runs.
        var probe = AttemptState()
        var isProbing = false
        for _ in 0..<4 where !isProbing {
            probe = first.balancer.begin(tryLimit: 1, key: ByteView())
            if case .peer(0) = first.pick(&probe, now: 16_000) {
                isProbing = true
            } else {
                first.release(&probe, .succeeded, now: 16_000)
            }
        }
        #expect(isProbing)
        let meanwhile = (0..<6).map { _ in second.request(now: 16_500) }
        #expect(meanwhile == [1, 1, 1, 1, 1, 1])
        first.release(&probe, .succeeded, now: 17_000)
        let after = Set((0..<6).map { _ in second.request(now: 17_000) })
        #expect(after == [0, 1])
        let totals = board.view.totals(board.slots[0])
        #expect(totals.fails == 0)
    }

    @Test func connectionLimitsHoldOverAllWorkers() {
        let board = TestBoard(peers: 1)
        let peers = [peer(1) { $0.maxConnections = 3 }]
        var first = SharedWorker(board.view, column: 1, .roundRobin, peers, board.slots)
        var second = SharedWorker(board.view, column: 2, .roundRobin, peers, board.slots)
        var attempts = (0..<2).map { _ in first.balancer.begin(tryLimit: 0, key: ByteView()) }
        var picks = [first.pick(&attempts[0], now: 1000), first.pick(&attempts[1], now: 1000)]
        var others = (0..<2).map { _ in second.balancer.begin(tryLimit: 0, key: ByteView()) }
        picks += [second.pick(&others[0], now: 1000), second.pick(&others[1], now: 1000)]
        #expect(picks == [.peer(0), .peer(0), .peer(0), .busy])
        first.release(&attempts[0], .succeeded, now: 1000)
        let after = second.pick(&others[1], now: 1000)
        #expect(after == .peer(0))
    }

    @Test func aDeadWorkersConnectionsEndAndItsFailuresStay() {
        let board = TestBoard(peers: 2)
        var first = SharedWorker(board.view, column: 1, .leastConnections, Self.two, board.slots)
        var second = SharedWorker(board.view, column: 2, .leastConnections, Self.two, board.slots)
        _ = first.request(.failed, now: 5000)
        var attempt = first.balancer.begin(tryLimit: 0, key: ByteView())
        _ = first.pick(&attempt, now: 5000)
        #expect(board.view.totals(board.slots[1]).connections == 1)
        BoardColumn(board.view, column: 0)!.retire(1, second: 5_000)
        #expect(board.view.totals(board.slots[1]).connections == 0)
        #expect(board.view.totals(board.slots[0]).fails == 1)
        let picked = second.request(now: 5001)
        #expect(picked == 1)
    }

    /// One worker with a board behaves as one without, whatever happens.
    @Test(arguments: [BalancingPolicy.roundRobin, .leastConnections, .leastTime(.lastByte, inflight: false)])
    func aLoneWorkerWithABoardIsAsOneWithout(policy: BalancingPolicy) {
        for seed in 0..<150 as Range<UInt64> {
            var random = RandomSource(seed: seed)
            let board = TestBoard(workers: 1, peers: 3)
            let peers = (1...3).map { port in
                peer(port) {
                    $0.weight = Int(random.next(below: 3)) + 1
                    $0.maxFails = Int(random.next(below: 4))
                    $0.failTimeoutSeconds = Int(random.next(below: 4))
                }
            }
            var shared = SharedWorker(board.view, column: 1, policy, peers, board.slots)
            var plain = Balancer(settings: BalancerSettings(policy: policy), peers: peers)
            var unused = RandomSource(seed: 0)
            var now: Milliseconds = 100_000
            for step in 0..<100 {
                now += Milliseconds(random.next(below: 900))
                var a = shared.balancer.begin(tryLimit: 0, key: ByteView())
                var b = plain.begin(tryLimit: 0, key: ByteView())
                let outcome: AttemptOutcome = random.next(below: 3) == 0 ? .failed : .succeeded
                let left = shared.pick(&a, now: now)
                let right = plain.pick(&b, key: ByteView(), hint: ByteView(), now: now, random: &unused)
                if left != right {
                    Issue.record("seed \(seed), step \(step): \(left) instead of \(right)")
                    return
                }
                now += Milliseconds(random.next(below: 50))
                shared.release(&a, outcome, now: now)
                plain.release(&b, outcome: outcome, now: now, times: AttemptTimes())
            }
        }
    }
}
