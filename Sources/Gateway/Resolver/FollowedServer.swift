import Config
import Loop
import Machine
import Wire

/// A `server NAME resolve` of an upstream: its name is asked for again and again, and its addresses are peers (nginx:
/// ngx_http_upstream_zone_resolve_timer). Immortal. Each worker follows for itself.
struct FollowedServer: ~Copyable {
    /// Number among the worker's, the slot of its timer and of its look-ups.
    let number: UInt32
    let upstream: Ref<Upstream>
    let server: UpstreamServer
    let resolver: Ref<ResolverRuntime>
    /// As written, and as it is asked for; nil if it cannot be a name.
    let host: String
    let name: DNSName?
    let port: UInt16
    let timeout: UInt64
    var worker: WorkerRef?
    var timer = TimerID.none
    /// Its addresses now, those that stay first.
    var addresses: [NetworkAddress] = []
    /// The first answer, or the first failure, is there.
    var isAnswered = false
}

extension Ref where Value == FollowedServer {
    private var token: Token { Token(kind: EventKind.followedServer, slot: value.number, generation: 0) }

    /// The worker begins.
    func start(_ worker: WorkerRef) {
        value.worker = worker
        value.timer = worker.value.loop.timers.make(token)
        ask()
    }

    /// Looks the name up; also when the time of the last answer is over.
    func ask() {
        guard let worker = value.worker else { return }
        guard let name = value.name else { return take(.failed(.notFound)) }
        if case .known(let outcome) = value.resolver.lookUp(name, waiter: token, timeout: value.timeout, worker) {
            take(outcome)
        }
    }

    /// The name was resolved, or could not be. A name that is gone takes its peers along; a server that cannot tell
    /// changes nothing.
    func take(_ outcome: ResolverOutcome) {
        guard let worker = value.worker else { return }
        var next = max(value.timeout, 1_000)
        var found = value.addresses
        switch outcome {
        case .addresses(let name):
            next = max(1_000, UInt64(clamping: name.validUntil - Machine.Milliseconds(worker.now)) &+ 1)
            found = name.addresses.map { $0.with(port: value.port) }
        case .failed(let why):
            worker.log(.error, "\(value.host) could not be resolved (\(why.number): \(why.text))")
            if why == .notFound { found = [] }
            // Nothing to serve with: the next try is not far.
            if why == .notFound || value.addresses.isEmpty { next = 1_000 }
        }
        worker.value.loop.timers.arm(value.timer, at: worker.now &+ next)
        // Peers that stay keep their place.
        let ordered = value.addresses.filter(found.contains) + found.filter { !value.addresses.contains($0) }
        let isNew = !value.isAnswered
        value.isAnswered = true
        if ordered != value.addresses {
            value.addresses = ordered
            value.upstream.replacePeers(worker)
        }
        if isNew { value.upstream.wakeThoseWaitingForNames(worker) }
    }
}

extension Ref where Value == Upstream {
    /// Whether names of it have not been looked up yet: the worker has just started.
    var isAwaitingNames: Bool { value.followed.contains { !$0.value.isAnswered } }

    fileprivate func wakeThoseWaitingForNames(_ worker: WorkerRef) {
        guard !isAwaitingNames || value.balancer.peerCount > 0 else { return }
        let waiting = value.waitingForNames
        value.waitingForNames = []
        for token in waiting { if let request = worker.value.requests.find(token) { worker.post(request) } }
    }
}

extension Ref where Value == Exchange {
    /// In the first moments of a worker, requests to an upstream whose names are still being looked up wait for that.
    /// nginx answers 502.
    /// - Returns: false if there is nothing to wait for.
    func waitForNames() -> Bool {
        guard !value.hasWaitedForNames, upstream.isAwaitingNames else { return false }
        value.hasWaitedForNames = true
        if value.parkedAt == 0 { value.parkedAt = max(1, worker.now) }
        endBalancing()
        value.state = .parked
        worker.value.counters.parked += 1
        worker.value.counters.parkedTotal += 1
        request.value.resumption = .upstream
        upstream.value.waitingForNames.append(request.token)
        request.setTimer(after: upstream.value.followed.map { $0.value.timeout }.max() ?? 0)
        return true
    }
}
