import Board
import Config
import Loop
import Machine
import Wire

/// Groups of servers: `upstream { }`, and those that a proxy_pass implies.
extension HTTPCompiler {
    mutating func compileUpstreams() throws(Failure) {
        for (index, settings) in configuration.value.http!.upstreams.enumerated() {
            let upstream = Ref.immortal(upstream(index, settings))
            upstreams.append(upstream)
            followNames(of: upstream)
        }
    }

    private func upstream(_ index: Int, _ settings: UpstreamSettings) -> Upstream {
        let (policy, key) = policy(settings.policy)
        var peers = peers(settings)
        let isGuarded = settings.app != nil || settings.isPanicEnabled || !settings.healthChecks.isEmpty
        let provesFirst = settings.healthChecks.contains(where: \.isMandatory)
        let balancer = Balancer(
            settings: BalancerSettings(policy: policy, neverEmpty: isGuarded, provesFirst: provesFirst), peers: peers.settings)
        for peer in peers.runtimes.indices { peers.runtimes[peer].stickyID = text(balancer.id(of: peer)) }
        let keepalive = settings.keepalive ?? UpstreamKeepalive()
        let capacity = settings.keepalive?.connections ?? 0
        let pool = Machine.KeepaliveSettings(
            capacity: capacity, requests: keepalive.requests, time: Int64(keepalive.time), timeout: Int64(keepalive.timeout))
        return Upstream(
            index: index, name: ByteView.immortal(Array(settings.name.utf8)),
            label: ByteView.immortal(Array(settings.label.utf8)), settings: Ref.immortal(settings), balancer: balancer,
            idle: KeepalivePool(settings: pool, peerCapacity: max(1, peers.runtimes.count)), peers: peers.runtimes, hashKey: key,
            usesAddressHash: policy == .addressHash, keepsConnections: capacity > 0,
            isLocal: settings.keepalive?.isLocal ?? false, sticky: settings.sticky.map { Ref.immortal(sticky($0)) },
            boardKeys: peers.boardKeys, implicitPort: settings.isImplicit ? settings.implicitPort : 0, isGuarded: isGuarded, configured: peers.configured,
            parking: ParkingQueue(settings: queue(settings)))
    }

    /// The balancer's policy, and what a hashing one hashes.
    private func policy(_ settings: Config.BalancingPolicy) -> (Machine.BalancingPolicy, CompiledText?) {
        switch settings {
        case .roundRobin: (.roundRobin, nil)
        case .leastConnections: (.leastConnections, nil)
        case .ipHash: (.addressHash, nil)
        case .hash(let template, let isConsistent): (isConsistent ? .consistentHash : .hash, compile(template))
        case .random(.one): (.random, nil)
        case .random(.two(nil)): (.randomTwo(.leastConnections), nil)
        case .random(.two(.some(.header))): (.randomTwo(.leastTime(.header)), nil)
        case .random(.two(.some(.lastByte))): (.randomTwo(.leastTime(.lastByte)), nil)
        case .leastTime(.header(let inflight)): (.leastTime(.header, inflight: inflight), nil)
        case .leastTime(.lastByte(let inflight)): (.leastTime(.lastByte, inflight: inflight), nil)
        }
    }

    private struct Peers {
        var settings: [PeerSettings] = []
        var runtimes: [Upstream.PeerRuntime] = []
        var boardKeys: [PeerKey] = []
        var configured: [ConfiguredPeer] = []
    }

    /// One peer for each address of each server, as nginx does.
    private func peers(_ settings: UpstreamSettings) -> Peers {
        var peers = Peers()
        // As the supervisor counts them.
        var ordinals: [String: Int] = [:]
        for server in settings.servers {
            var addresses = server.resolved
            if case .literal(let address) = server.address { addresses = [address] }
            for address in addresses {
                let ordinal = ordinals[address.listenKey, default: 0]
                ordinals[address.listenKey] = ordinal + 1
                guard let socket = SocketAddress(address) else { continue }
                let name = Array(socket.text(withPort: true).utf8)
                peers.settings.append(PeerSettings(server, name: name))
                peers.runtimes.append(Upstream.PeerRuntime(address: socket, name: ByteView.immortal(name)))
                let key = PeerKey(upstream: settings.label, address: address.listenKey, ordinal: ordinal)
                peers.boardKeys.append(key)
                peers.configured.append(ConfiguredPeer(settings: peers.settings[peers.settings.count - 1], address: socket, boardKey: key))
            }
        }
        return peers
    }

    private func queue(_ settings: UpstreamSettings) -> Machine.QueueSettings {
        guard let queue = settings.queue else { return Machine.QueueSettings(capacity: 0) }
        return Machine.QueueSettings(capacity: queue.length, timeout: Int64(queue.timeout), followsOutlook: settings.app != nil)
    }

    private func text(_ id: (id: PeerID, count: Int)) -> ByteView { ByteView.immortal((0..<id.count).map { id.id[$0] }) }
}
