import Board
import Config
import Loop
import Machine
import Messages
import Wire

/// The health checks of all upstreams and apps, in the one worker that the supervisor has named for them.
struct HealthChecks: ~Copyable {
    /// The number of this worker's naming, > 0; 0: another one runs the checks.
    var term: UInt32 = 0
    var targets: Slab<HealthTarget>
    var running: [HealthSubject: Ref<HealthTarget>] = [:]
    /// The board says something new, and the other workers were not told yet.
    var hasNews = false
    /// Instances of apps that are to be checked.
    var instances: [InstanceName: InstanceCheck] = [:]
    /// How they are checked: few ways, for ever, since they are immortal.
    var instanceChecks: [InstanceCheck.Settings: Ref<HealthCheckRuntime>] = [:]

    /// - Parameter limit: the most targets.
    init(limit: Int) { targets = Slab(limit: limit) }
}

// Control path: all of this allocates.
extension Ref where Value == Worker {
    /// The supervisor named this worker.
    func beginHealthChecks(term: UInt32) {
        endHealthChecks()
        value.health.term = term
        syncHealthChecks()
        // What is known is this worker's word from now on; what nobody checks any more is forgotten.
        let upstreams = value.http.value.upstreams
        for index in upstreams.indices { publishHealth(of: upstreams[index]) }
    }

    /// It named another.
    func endHealthChecks() {
        for target in value.health.running.values { target.release() }
        value.health.running = [:]
        value.health.instances = [:]
        value.health.term = 0
    }

    func checkInstance(_ check: InstanceCheck) {
        guard value.health.term != 0 else { return }
        if let known = value.health.instances[check.instance], known.settings != check.settings {
            value.health.running.removeValue(forKey: .instance(check.instance))?.release()
        }
        value.health.instances[check.instance] = check
        if check.state == .healthy { value.health.running[.instance(check.instance)]?.believe() }
        syncHealthChecks()
        if let target = value.health.running[.instance(check.instance)] { publishHealth(of: target) }
    }

    func uncheckInstance(_ instance: InstanceName) {
        value.health.instances[instance] = nil
        syncHealthChecks()
    }

    /// Brings the targets in line with what is to be checked: after each change of peers or instances.
    func syncHealthChecks() {
        guard value.health.term != 0 else { return }
        var wanted = Set<HealthSubject>()
        let upstreams = value.http.value.upstreams
        for index in upstreams.indices { wantPeers(of: upstreams[index], &wanted) }
        for check in value.health.instances.values { wantInstance(check, &wanted) }
        for (subject, target) in value.health.running where !wanted.contains(subject) {
            target.release()
            value.health.running[subject] = nil
        }
    }

    private func wantPeers(of upstream: Ref<Upstream>, _ wanted: inout Set<HealthSubject>) {
        let checks = upstream.value.checks
        guard !checks.isEmpty else { return }
        for peer in 0..<upstream.value.balancer.capacity where upstream.value.balancer.isListed(peer) {
            if upstream.value.balancer.flags(of: peer).contains(.down) { continue }
            for (number, check) in checks.enumerated() {
                let key = upstream.value.boardKeys[peer]
                let subject = HealthSubject.peer(upstream: upstream.value.index, key: key, check: number)
                wanted.insert(subject)
                guard value.health.running[subject] == nil else { continue }
                var address = upstream.value.peers[peer].address
                if let port = check.value.port { address.port = port }
                let name = "peer \(upstream.value.peers[peer].name.string) of upstream \"\(upstream.value.label.string)\""
                add(subject, check, address, name: name, known: upstream.knownHealth(of: peer),
                    hasPassed: upstream.boardState(of: peer) != .refused)
            }
        }
    }

    private func wantInstance(_ check: InstanceCheck, _ wanted: inout Set<HealthSubject>) {
        guard let address = SocketAddress(listenKey: check.address) else { return }
        let subject = HealthSubject.instance(check.instance)
        wanted.insert(subject)
        guard value.health.running[subject] == nil else { return }
        let known: HealthState =
            switch check.state {
            case .unproven: .unproven
            case .healthy: .healthy
            case .unhealthy: .unhealthy
            }
        let name = "app \(check.instance.app).\(check.instance.slot)#\(check.instance.serial) at \(check.address)"
        add(subject, runtime(of: check.settings), address, name: name, known: known)
    }

    private func runtime(of settings: InstanceCheck.Settings) -> Ref<HealthCheckRuntime> {
        if let known = value.health.instanceChecks[settings] { return known }
        let new = Ref<HealthCheckRuntime>.immortal(HealthCheckRuntime(settings, matches: value.http.value.matches))
        value.health.instanceChecks[settings] = new
        return new
    }

    private func add(
        _ subject: HealthSubject, _ check: Ref<HealthCheckRuntime>, _ address: SocketAddress, name: String, known: HealthState?,
        hasPassed: Bool = true
    ) {
        guard let target = value.health.targets.take() else {
            return log(.alert, "\(value.health.targets.limit) health checks are not enough, \(name) is not checked")
        }
        target.value.worker = self
        target.value.subject = subject
        target.value.check = check
        target.value.address = address
        target.value.name = name
        value.health.running[subject] = target
        target.start(known: known, hasPassed: hasPassed)
    }

    // MARK: - Results

    /// A target's state changed: says so of all peers that it is about.
    func publishHealth(of target: Ref<HealthTarget>) {
        let upstreams = value.http.value.upstreams
        switch target.value.subject {
        case .peer(let index, let key, _):
            guard let peer = upstreams[index].value.boardKeys.firstIndex(of: key) else { return }
            publishHealth(of: upstreams[index], peer: peer)
        case .instance(let name):
            guard let address = value.health.instances[name]?.address else { return }
            for index in upstreams.indices where appName(of: upstreams[index]) == name.app {
                let peer = upstreams[index].value.boardKeys.firstIndex { $0.address == address }
                if let peer { publishHealth(of: upstreams[index], peer: peer) }
            }
        case nil: break
        }
    }

    /// Says again what is known of a group's peers, which may have come or got other places on the board.
    func publishHealth(of upstream: Ref<Upstream>) {
        guard value.health.term != 0 else { return }
        for peer in 0..<upstream.value.balancer.capacity { publishHealth(of: upstream, peer: peer) }
    }

    private func appName(of upstream: Ref<Upstream>) -> String? {
        upstream.value.settings.value.app.map { value.http.value.configuration.value.main.apps[$0].name }
    }

    /// The targets that are about a peer: its own, and that of the instance that it is.
    private func states(of upstream: Ref<Upstream>, peer: Int) -> [PeerCheckState] {
        let key = upstream.value.boardKeys[peer]
        var subjects = upstream.value.checks.indices.map {
            HealthSubject.peer(upstream: upstream.value.index, key: key, check: $0)
        }
        if let app = appName(of: upstream) {
            for check in value.health.instances.values where check.address == key.address && check.instance.app == app {
                subjects.append(.instance(check.instance))
            }
        }
        return subjects.compactMap { value.health.running[$0]?.checkState }
    }

    /// Puts a peer's health on the board: the worst that any of its checks says.
    func publishHealth(of upstream: Ref<Upstream>, peer: Int) {
        guard upstream.value.balancer.isListed(peer) else { return }
        let states = states(of: upstream, peer: peer)
        // An instance that the supervisor has not told of yet: what the board says stays.
        if states.isEmpty, upstream.value.isChecked { return }
        let order: [PeerCheckState] = [.refused, .unresponsive, .unhealthy, .unproven, .healthy]
        let state = order.first { states.contains($0) } ?? .none
        let slots = upstream.value.sharing.slots
        guard let column = value.board, peer < slots.count, let slot = slots[peer], column.view.isCurrent(slot) else {
            // Nobody else can know.
            return upstream.absorbHealth(of: peer, state, now: now)
        }
        let known = column.view.checkState(slot)
        if state == known, state == .none || column.view.checkTerm(slot) == value.health.term { return }
        column.setCheckState(slot, state, term: value.health.term)
        value.health.hasNews = true
    }

    /// Once per tick: the others look at the board now and not before their next pick, so that requests leave a peer that hangs.
    @inline(__always)
    func tellHealthNews() { if value.health.hasNews { sendHealthNews() } }

    private func sendHealthNews() {
        value.health.hasNews = false
        lookAtPeers()
        report(.peersChanged)
    }
}

extension Ref where Value == Upstream {
    /// What the board says of a peer, in the machine's words.
    func knownHealth(of peer: Int) -> HealthState? {
        switch boardState(of: peer) {
        case .healthy: .healthy
        case .unhealthy, .unresponsive, .refused: .unhealthy
        case .none, .unproven: nil
        }
    }

    func boardState(of peer: Int) -> PeerCheckState {
        let slots = value.sharing.slots
        guard let column = value.sharing.column, peer < slots.count, let slot = slots[peer] else { return .none }
        return column.view.checkState(slot)
    }

    /// Takes over what checks say of a peer. Of an upstream that this worker's configuration does not check, nothing counts.
    func absorbHealth(of peer: Int, _ state: PeerCheckState, now: UInt64) {
        let wanted: PeerFlags =
            switch state {
            case .none: value.checks.isEmpty ? [] : .unproven
            case .unproven: .unproven
            case .healthy: []
            case .unhealthy: .unhealthy
            case .unresponsive: [.unhealthy, .unresponsive]
            case .refused: [.unhealthy, .unproven]
            }
        let present = value.balancer.flags(of: peer).intersection([.unproven, .unhealthy, .unresponsive])
        guard wanted != present else { return }
        let now = Machine.Milliseconds(now)
        // The new reason first, so that the peer is not offered in between.
        if !wanted.subtracting(present).isEmpty { value.balancer.setFlag(wanted, true, peer: peer, now: now) }
        let gone = present.subtracting(wanted)
        if !gone.isEmpty { value.balancer.setFlag(gone, false, peer: peer, now: now) }
    }
}
