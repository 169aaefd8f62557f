import Board
import Config
import Loop
import Machine
import Messages
import Wire

/// A server of the configuration: what stays in an upstream whatever instances come and go beside it.
struct ConfiguredPeer {
    var settings: PeerSettings
    var address: SocketAddress
    var boardKey: PeerKey
}

extension Ref where Value == Worker {
    /// The supervisor said what instances an upstream has.
    func take(_ news: UpstreamNews) {
        let upstreams = value.http.value.upstreams
        for index in upstreams.indices where upstreams[index].value.settings.value.app != nil {
            let upstream = upstreams[index]
            guard upstream.value.settings.value.label == news.upstream else { continue }
            upstream.take(news, self)
        }
    }
}

extension Ref where Value == Upstream {
    /// Brings the peers up to date and lets requests go on that waited for it. Control path: allocates.
    func take(_ part: UpstreamNews, _ worker: WorkerRef) {
        guard let news = value.newsParts.take(part) else { return }
        value.outlook = UpstreamOutlook(
            failedStarts: Int(news.failedStarts), starting: Int(news.starting),
            nextStart: news.nextStart.map { Machine.Milliseconds(clamping: worker.now &+ min($0, 1 << 40)) })
        value.isRouted = news.instances.contains { !$0.isLeaving }
        if value.isRouted { value.wasRouted = true }
        if news.instances != value.instances {
            value.instances = news.instances
            replacePeers(worker)
        }
        wakeParked(worker)
        worker.leaveUnresponsive(self)
    }

    /// Makes the peers those that are configured, found by name, and running. Control path: allocates.
    func replacePeers(_ worker: WorkerRef) {
        var settings = value.configured.map(\.settings)
        var runtimes = value.configured.map { PeerRuntime(address: $0.address, name: worker.intern($0.settings.name)) }
        var keys = value.configured.map(\.boardKey)
        var slots = [PeerSlot?](repeating: nil, count: keys.count)
        for server in value.followed {
            for address in server.value.addresses {
                guard let socket = SocketAddress(address) else { continue }
                let name = Array(socket.text(withPort: true).utf8)
                settings.append(PeerSettings(server.value.server, name: name))
                runtimes.append(PeerRuntime(address: socket, name: worker.intern(name)))
                keys.append(PeerKey(upstream: value.settings.value.label, address: address.listenKey))
                slots.append(nil)
            }
        }
        for instance in value.instances {
            guard let address = SocketAddress(listenKey: instance.address) else {
                worker.log(.alert, "the address \"\(instance.address)\" of \(instance.name) is not understood")
                continue
            }
            let name = Array(address.text(withPort: true).utf8)
            settings.append(
                PeerSettings(
                    name: name, server: Array(instance.name.utf8), weight: Int(instance.weight),
                    maxFails: instance.isOnTrial ? 0 : 1, slowStart: Int64(value.settings.value.appSlowStart), isDown: instance.isLeaving))
            runtimes.append(PeerRuntime(address: address, name: worker.intern(name)))
            keys.append(PeerKey(upstream: value.settings.value.label, address: instance.address))
            slots.append(instance.slot.map { PeerSlot(index: Int($0), generation: instance.slotGeneration) })
        }
        value.markDrained(&settings, keys)
        value.isAllDrained = settings.contains(where: \.isDraining) && settings.allSatisfy { $0.isDraining || $0.isDown }
        let indices = value.balancer.update(peers: settings, now: Machine.Milliseconds(worker.now))
        let capacity = value.balancer.capacity
        value.idle.growPeers(to: capacity)
        let known = value.sharing.slots
        var shared = (0..<capacity).map { $0 < known.count ? known[$0] : nil }
        var isOffered = [Bool](repeating: false, count: capacity)
        if let filler = runtimes.first?.address {
            while value.peers.count < capacity { value.peers.append(PeerRuntime(address: filler, name: ByteView())) }
        }
        while value.boardKeys.count < capacity { value.boardKeys.append(PeerKey(upstream: "", address: "")) }
        for (place, peer) in indices.enumerated() {
            isOffered[peer] = !settings[place].isDown
            if value.peers[peer].name != runtimes[place].name {
                closeIdle(to: peer, worker)
                value.peers[peer] = runtimes[place]
                let id = value.balancer.id(of: peer)
                value.peers[peer].stickyID = worker.intern((0..<id.count).map { id.id[$0] })
                shared[peer] = nil
            }
            value.boardKeys[peer] = keys[place]
            if let slot = slots[place] { shared[peer] = slot }
        }
        value.sharing.slots = FixedList(shared)
        value.sharing.seenSecond = .max
        for peer in 0..<capacity where !isOffered[peer] { closeIdle(to: peer, worker) }
        worker.syncHealthChecks()
        worker.publishHealth(of: self)
        askForPlaces(worker)
    }

    /// Addresses that this worker found by a name want places on the board. Once for each that has none.
    private func askForPlaces(_ worker: WorkerRef) {
        guard worker.value.board != nil else { return }
        for address in value.followed.flatMap({ $0.value.addresses }) {
            let peer = value.boardKeys.firstIndex { $0.address == address.listenKey && $0.ordinal == 0 }
            guard let peer, value.sharing.slots[peer] == nil else { continue }
            worker.report(.peerFound(FoundPeer(upstream: value.settings.value.label, address: address.listenKey)))
        }
    }

    /// Nothing is sent over idle connections to an instance that is gone or goes.
    private func closeIdle(to peer: Int, _ worker: WorkerRef) {
        while let number = value.idle.takeAny(peer: peer) {
            let connection = worker.value.upstreamConnections[UInt32(number)]
            connection.value.ticket = nil
            connection.close()
        }
    }
}

extension PeerSettings {
    /// One address of a `server` line.
    init(_ server: UpstreamServer, name: [UInt8]) {
        self.init(
            name: name, server: server.text, route: server.route ?? [], weight: server.weight,
            maxConnections: server.maxConnections, maxFails: server.maxFails, failTimeoutSeconds: server.failTimeout / 1000,
            slowStart: Int64(server.slowStart), isBackup: server.isBackup, isDown: server.isDown,
            isDraining: server.isDraining)
    }
}

private typealias PeerRuntime = Upstream.PeerRuntime

extension SocketAddress {
    /// Reads `127.0.0.1:3000`, `[::1]:3000`, `unix:/path`; nil for anything else.
    init?(listenKey text: String) {
        guard let address = NetworkAddress(listenKey: text) else { return nil }
        self.init(address)
    }
}
