import Machine
import Wire

/// The bytes of a string that lives as long as the tests.
func bytes(_ text: String) -> ByteView { ByteView.immortal(Array(text.utf8)) }

/// A peer "127.0.0.1:PORT" with the given deviations from the defaults.
func peer(_ port: Int, _ change: (inout PeerSettings) -> Void = { _ in }) -> PeerSettings {
    var settings = PeerSettings(name: Array("127.0.0.1:\(port)".utf8))
    change(&settings)
    return settings
}

/// Drives a balancer as the gateway would, with a clock of its own.
struct BalancerHarness: ~Copyable {
    var balancer: Balancer
    var slots: [Int]
    var now: Milliseconds = 1_000_000
    var random = RandomSource(seed: 1)
    let ports: [Int]

    init(
        _ policy: BalancingPolicy = .roundRobin, _ peers: [PeerSettings], capacity: Int = 0, neverEmpty: Bool = false,
        provesFirst: Bool = false
    ) {
        balancer = Balancer(
            settings: BalancerSettings(
                policy: policy, capacity: capacity, neverEmpty: neverEmpty, provesFirst: provesFirst), peers: [])
        slots = balancer.update(peers: peers)
        ports = peers.map { Int(String(decoding: $0.name, as: UTF8.self).split(separator: ":")[1])! }
    }

    func port(_ slot: Int) -> Int { slots.firstIndex(of: slot).map { ports[$0] } ?? -1 }

    mutating func begin(key: ByteView = ByteView(), tries: Int = 0) -> AttemptState {
        balancer.begin(tryLimit: tries, key: key)
    }

    /// One pick; the port, 0 for no live peer, -1 for busy.
    mutating func pick(_ attempt: inout AttemptState, key: ByteView = ByteView(), hint: String = "") -> Int {
        switch balancer.pick(&attempt, key: key, hint: bytes(hint), now: now, random: &random) {
        case .peer(let slot): port(slot)
        case .noLivePeer: 0
        case .busy: -1
        }
    }

    mutating func release(
        _ attempt: inout AttemptState, _ outcome: AttemptOutcome = .succeeded, header: Milliseconds = -1,
        response: Milliseconds = -1
    ) {
        balancer.release(&attempt, outcome: outcome, now: now, times: AttemptTimes(header: header, response: response))
    }

    /// A request whose attempts fail on the ports in `bad`; the ports tried, in order; 0 at the end when no peer was
    /// left.
    mutating func request(
        key: String = "", hint: String = "", tries: Int = 0, bad: Set<Int> = [], as failure: AttemptOutcome = .failed
    ) -> [Int] {
        let key = bytes(key)
        var attempt = begin(key: key, tries: tries)
        var tried: [Int] = []
        while true {
            let port = pick(&attempt, key: key, hint: hint)
            tried.append(port)
            if port <= 0 { break }
            release(&attempt, bad.contains(port) ? failure : .succeeded)
            if !bad.contains(port) || attempt.triesLeft == 0 { break }
        }
        balancer.finish(&attempt, now: now)
        return tried
    }

    /// A request that is left running.
    mutating func open(key: String = "", hint: String = "") -> (port: Int, attempt: AttemptState) {
        var attempt = begin(key: bytes(key))
        let port = pick(&attempt, key: bytes(key), hint: hint)
        return (port, attempt)
    }

    /// The last digits of the ports of so many good requests.
    mutating func run(_ count: Int, hint: String = "") -> [Int] {
        (0..<count).map { _ in request(hint: hint)[0] % 10 }
    }
}
