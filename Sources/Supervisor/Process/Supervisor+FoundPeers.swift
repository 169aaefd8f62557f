internal import Board
internal import Config
internal import Messages

// Peers that workers find while they run (`server NAME resolve`) get places on the board as those of the configuration,
// so that what one worker finds out is known to all.
extension Supervisor {
    /// Most found peers of one configuration that get a place. What is found beyond has only each worker's own state.
    private static let foundPeersMax = 1024

    /// Tells the worker the place of an address that it found. All workers ask, and get the same one.
    func take(_ found: FoundPeer, from worker: WorkerProcess) {
        guard let configuration = configurations[worker.generation], let board = configuration.board,
            configuration.settings.resolvingUpstreams.contains(found.upstream), NetworkAddress(listenKey: found.address) != nil
        else { return }
        let peer = PeerKey(upstream: found.upstream, address: found.address)
        let isKnown = configuration.foundPeers.contains(peer)
        // A worker that lies must not take the places of all others.
        guard isKnown || configuration.foundPeers.count < Self.foundPeersMax && board.hasSpareSlots else { return }
        configuration.foundPeers.insert(peer)
        worker.send(board.places(for: [peer]))
        watch(worker)
    }
}
