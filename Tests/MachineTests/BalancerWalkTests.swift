import Machine
import Testing
import Wire

/// Seeded random walks: a balancer against a plain second implementation (round robin and least_conn: the very peer)
/// and against rules that hold for every policy.
@Suite struct BalancerWalkTests {
    /// A peer of the model: nginx's account in its plainest form.
    final class ModelPeer {
        let port: Int
        var (weight, effective, current) = (1, 1, 0)
        var (fails, maxFails, timeout) = (0, 1, Int64(10))
        var (accessed, checked) = (Int64.min / 2, Int64.min / 2)
        var (running, limit) = (0, 0)
        var (isDown, isBackup) = (false, false)

        init(port: Int) { self.port = port }

        func isLive(_ second: Int64) -> Bool {
            if isDown || limit > 0 && running >= limit { return false }
            return !(maxFails > 0 && fails >= maxFails && second - checked <= timeout)
        }
    }

    struct Model {
        var peers: [ModelPeer]
        let isLeastConnections: Bool
        var isSingle: Bool { peers.count == 1 && !peers[0].isBackup }

        func choose(_ tried: Set<Int>, tier isBackup: Bool, _ second: Int64) -> ModelPeer? {
            var candidates = peers.filter { $0.isBackup == isBackup && !tried.contains($0.port) && $0.isLive(second) }
            if isLeastConnections, let first = candidates.first {
                let best = candidates.dropFirst().reduce(first) {
                    $1.running * $0.weight < $0.running * $1.weight ? $1 : $0
                }
                let equal = candidates.filter { $0.running * best.weight == best.running * $0.weight }
                if equal.count == 1 { return best }
                candidates = equal
            }
            var best: ModelPeer?
            for peer in candidates {
                peer.current += peer.effective
                if best == nil || peer.current > best!.current { best = peer }
            }
            best?.current -= candidates.reduce(0) { $0 + $1.effective }
            for peer in candidates { peer.effective = min(peer.weight, peer.effective + 1) }
            return best
        }

        func pick(_ tried: Set<Int>, _ isBackup: inout Bool, _ second: Int64) -> ModelPeer? {
            if isSingle {
                return peers[0].isDown || peers[0].limit > 0 && peers[0].running >= peers[0].limit ? nil : peers[0]
            }
            var found = choose(tried, tier: isBackup, second)
            if found == nil, !isBackup, peers.contains(where: \.isBackup) {
                isBackup = true
                found = choose(tried, tier: true, second)
            }
            if let found, second - found.checked > found.timeout { found.checked = second }
            return found
        }

        func release(_ peer: ModelPeer, _ outcome: AttemptOutcome, _ second: Int64) {
            peer.running -= 1
            if isSingle {
                peer.fails = 0
            } else if outcome == .failed {
                peer.fails += 1
                (peer.accessed, peer.checked) = (second, second)
                if peer.maxFails > 0 { peer.effective = max(0, peer.effective - peer.weight / peer.maxFails) }
            } else if peer.accessed < peer.checked {
                peer.fails = 0
            }
        }
    }

    struct Running {
        var attempt: AttemptState
        var tried: Set<Int> = []
        var isBackup = false
        var peer: ModelPeer?
        var key: ByteView
    }

    /// Random peers and the same in the model.
    static func upstream(_ random: inout RandomSource, withBackup: Bool) -> ([PeerSettings], [ModelPeer]) {
        let count = Int(random.next(below: 6)) + 1
        var settings: [PeerSettings] = []
        var model: [ModelPeer] = []
        for port in 1...count {
            let peer = ModelPeer(port: port)
            peer.weight = Int(random.next(below: 4)) + 1
            peer.effective = peer.weight
            peer.maxFails = Int(random.next(below: 4))
            peer.timeout = Int64(random.next(below: 5))
            peer.limit = random.next(below: 3) == 0 ? Int(random.next(below: 3)) + 1 : 0
            peer.isDown = random.next(below: 8) == 0
            peer.isBackup = withBackup && random.next(below: 4) == 0
            model.append(peer)
            settings.append(
                PeerSettings(
                    name: Array("127.0.0.1:\(port)".utf8), weight: peer.weight, maxConnections: peer.limit,
                    maxFails: peer.maxFails,
                    failTimeoutSeconds: Int(peer.timeout), isBackup: peer.isBackup, isDown: peer.isDown))
        }
        return (settings, model)
    }

    /// Walks one seed; a description of the first disagreement, or nil.
    static func walk(seed: UInt64, policy: BalancingPolicy, keys: [ByteView]) -> String? {
        var random = RandomSource(seed: seed)
        let isExact = policy == .roundRobin || policy == .leastConnections
        let (settings, peers) = upstream(&random, withBackup: policy == .roundRobin || policy == .leastConnections)
        var harness = BalancerHarness(policy, settings)
        let model = Model(peers: peers, isLeastConnections: policy == .leastConnections)
        var running: [Running] = []
        for step in 0..<60 {
            let second = harness.now / 1000
            switch random.next(below: 10) {
            case 0: harness.now += Milliseconds(random.next(below: 4000))
            case 1...4 where running.count < 8:
                let key = keys[Int(random.next(below: 32))]
                running.append(Running(attempt: harness.begin(key: key), key: key))
                fallthrough
            default:
                guard !running.isEmpty else { continue }
                let index = Int(random.next(below: UInt64(running.count)))
                var request = running.remove(at: index)
                if let peer = request.peer {
                    let outcome: AttemptOutcome = [.succeeded, .failed, .failed, .neutral][Int(random.next(below: 4))]
                    harness.release(&request.attempt, outcome)
                    model.release(peer, outcome, second)
                    request.peer = nil
                    if harness.balancer.fails(of: harness.slots[peer.port - 1]) != peer.fails {
                        return "step \(step): fails of \(peer.port)"
                    }
                    if harness.balancer.connections(of: harness.slots[peer.port - 1]) != peer.running {
                        return "step \(step): running"
                    }
                    if outcome != .succeeded, request.attempt.triesLeft > 0 { running.append(request) }
                    continue
                }
                let live = Set(peers.filter { $0.isLive(second) && !request.tried.contains($0.port) }.map(\.port))
                let port = harness.pick(&request.attempt, key: request.key)
                if isExact {
                    let expected = model.pick(request.tried, &request.isBackup, second)
                    if expected.map(\.port) ?? 0 != max(port, 0) {
                        return "step \(step): \(port) instead of \(expected?.port ?? 0)"
                    }
                } else if !model.isSingle {
                    if port > 0, !live.contains(port) { return "step \(step): \(port) is not eligible" }
                    if port <= 0, !live.isEmpty { return "step \(step): none although \(live) live" }
                    if port > 0, second - peers[port - 1].checked > peers[port - 1].timeout {
                        peers[port - 1].checked = second
                    }
                }
                guard port > 0 else { continue }
                peers[port - 1].running += 1
                request.peer = peers[port - 1]
                if !model.isSingle { request.tried.insert(port) }
                running.append(request)
            }
        }
        return nil
    }

    @Test(arguments: [
        BalancingPolicy.roundRobin, .leastConnections, .leastTime(.lastByte, inflight: true), .hash, .consistentHash,
        .random,
        .randomTwo(.leastConnections),
    ])
    func randomWalksAgreeWithTheModel(policy: BalancingPolicy) {
        var disagreements: [String] = []
        let keys = (0..<32).map { bytes("key\($0)") }
        // A ring costs much to build in a debug build.
        let seeds: UInt64 = policy == .consistentHash ? 200 : 1000
        for seed in 0..<seeds {
            if let disagreement = Self.walk(seed: seed, policy: policy, keys: keys) {
                disagreements.append("seed \(seed), \(disagreement)")
            }
        }
        #expect(disagreements.isEmpty, "\(disagreements.count): \(disagreements.prefix(3))")
    }

    @Test func updatesAtRandomTimesNeverLoseAConnection() {
        for seed in 0..<300 as Range<UInt64> {
            var random = RandomSource(seed: seed)
            var balancer = Balancer(settings: BalancerSettings(policy: .leastConnections), peers: [peer(1), peer(2)])
            var open: [AttemptState] = []
            var now: Milliseconds = 1_000_000
            for _ in 0..<80 {
                now += Milliseconds(random.next(below: 500))
                switch random.next(below: 5) {
                case 0:
                    let ports = (1...8).filter { _ in random.next(below: 2) == 0 }
                    _ = balancer.update(peers: ports.map { peer($0) })
                case 1...3:
                    var attempt = balancer.begin(tryLimit: 0, key: ByteView())
                    if case .peer = balancer.pick(
                        &attempt, key: ByteView(), hint: ByteView(), now: now, random: &random)
                    {
                        open.append(attempt)
                    }
                default:
                    guard !open.isEmpty else { continue }
                    var attempt = open.remove(at: Int(random.next(below: UInt64(open.count))))
                    balancer.finish(&attempt, now: now)
                }
                let sum = (0..<balancer.capacity).reduce(0) { $0 + balancer.connections(of: $1) }
                if sum != open.count {
                    Issue.record("seed \(seed): \(sum) connections instead of \(open.count)")
                    return
                }
            }
        }
    }
}
