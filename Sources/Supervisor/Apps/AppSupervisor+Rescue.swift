internal import CLinux
internal import Config
internal import Machine

// What waits in the accept queue of `listen fd` when an instance is gone with its whole group. The socket is the gateway's, so
// nothing in its queue is lost; it would wait for the next instance of this slot, however long that takes. Taken out here, each
// request goes to another instance, or waits where its client's going, its time and a hopeless start are noticed (decision 0008, c).
extension AppSupervisor {
    /// Connections of one queue that are taken out at a time.
    private static let rescueMax = 1024
    /// A worker that is told needs that long at most to let go of its end.
    private static let rescueHold: Duration = .seconds(5)
    /// A worker may have connected before it read that the instance is gone.
    private static let rescueDelay: Duration = .milliseconds(100)

    /// An instance is gone, and so is everything that it started: takes out what it did not accept.
    func rescueQueue(of instance: AppInstance, app: ManagedApp) {
        let slot = instance.key.slot
        guard let index = app.listeners[slot]?.firstIndex(where: { $0.user == instance.key }) else { return }
        app.listeners[slot]?[index].lookAt = host.now + Self.rescueDelay
        rescue(slot, index, app)
    }

    /// Looks at queues once more, unless they have an instance again.
    func lookAtQueues(of app: ManagedApp) {
        for (slot, listeners) in app.listeners {
            for (index, listener) in listeners.enumerated() {
                guard let time = listener.lookAt, time <= host.now else { continue }
                app.listeners[slot]?[index].lookAt = nil
                if listener.user == nil { rescue(slot, index, app) }
            }
        }
    }

    private func rescue(_ slot: Int, _ index: Int, _ app: ManagedApp) {
        guard let listener = app.listeners[slot]?[index] else { return }
        // The mode belongs to the socket: whoever gets it next may want it blocking.
        _ = cs_set_nonblocking(listener.socket.number, 1)
        defer { _ = cs_set_nonblocking(listener.socket.number, 0) }
        var sockets: [Descriptor] = []
        var peers: [NetworkAddress] = []
        // The lowest free number is what a descriptor gets: from half of the limit on, the rest is for starting apps and workers.
        var isFull = false
        while !isFull, sockets.count < Self.rescueMax, let (socket, peer) = System.accept(from: listener.socket.number) {
            isFull = Int(socket.number) >= descriptorsMax / 2
            sockets.append(socket)
            peers.append(peer)
        }
        guard !sockets.isEmpty else { return }
        rescued.append((host.now + Self.rescueHold, sockets))
        // What is left waits for the next instance, or until there is room again.
        if isFull {
            app.listeners[slot]?[index].lookAt = rescued.first?.until
        } else if sockets.count == Self.rescueMax {
            app.listeners[slot]?[index].lookAt = host.now + Self.rescueDelay
        }
        host.rescued(app: app.name, address: listener.address, peers: peers)
    }
}
