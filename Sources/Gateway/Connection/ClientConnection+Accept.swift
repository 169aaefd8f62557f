import CLinux
import Config
import Glibc
import Loop
import Machine
import Wire

extension Ref where Value == Worker {
    /// Takes connections from a listening socket, as many as its pace allows: what is left is reported again.
    func accept(from listener: Ref<Listener>) {
        // A drain in the same tick has closed it.
        guard listener.value.descriptor >= 0 else { return }
        accept(from: listener, most: listener.value.pace.budget)
    }

    /// Takes what waits on a socket that this worker is about to leave and has taken out of its event loop.
    ///
    /// The kernel woke this worker alone for a connection (EPOLLEXCLUSIVE). One that it left in the queue would wait there until the next
    /// connection wakes somebody else. Those that came while this worker was awake have woken others: there is an end to it.
    func acceptRest(of listener: Ref<Listener>) { accept(from: listener, most: AcceptPace.most) }

    private func accept(from listener: Ref<Listener>, most: Int) {
        for count in 0..<most {
            guard value.acceptPausedUntil == 0, let connection = value.connections.take() else { return }
            var peer = SocketAddress()
            let descriptor = Socket.accept(listener.value.descriptor, address: &peer)
            if descriptor < 0 {
                value.connections.give(connection)
                acceptFailed(errno: -descriptor)
                listener.value.pace.ranDry(after: count)
                return
            }
            connection.value.peer = peer
            open(connection, descriptor, listener)
            if value.connections.count == value.connections.limit, !value.isDraining, !makeRoom() { return leaveListeners() }
        }
        listener.value.pace.tookAll()
    }

    /// Once a second at most.
    func complain(_ reason: String, level: LogLevel) {
        guard now >= value.acceptComplainedAt + 1000 else { return }
        value.acceptComplainedAt = now
        log(level, reason)
    }

    private func open(_ connection: ConnectionRef, _ descriptor: Int32, _ listener: Ref<Listener>) {
        value.connectionSerial += 1
        value.counters.accepted += 1
        value.counters.handled += 1
        connection.value.worker = self
        connection.value.listener = listener
        connection.value.descriptor = descriptor
        connection.value.serial = value.connectionSerial
        connection.value.acceptedAt = now
        connection.value.idleSince = now
        connection.value.state = .idle
        connection.value.isReadable = false
        connection.value.isWritable = true
        connection.value.isPeerClosed = false
        connection.value.isBroken = false
        connection.value.holdsBytes = false
        connection.value.isNoDelay = true
        connection.value.isInHeadLoop = false
        connection.value.isPosted = false
        connection.value.local = nil
        connection.value.peerTextCount = 0
        connection.value.requestCount = 0
        connection.value.request = nil
        connection.value.proxyHeader = nil
        connection.bindTimers()
        let added = value.loop.add(descriptor, .connection, connection.token)
        if added < 0 {
            log(.alert, "epoll_ctl(1, \(descriptor)) failed", errno: -added)
            connection.close()
            return
        }
        if listener.value.hasProxyProtocol { connection.value.state = .readingProxyHeader }
        connection.setReadTimer(after: listener.value.defaultServer.value.clientHeaderTimeout)
        // Data often came with the connection (deferred accept, or a busy loop): look at once instead of after another wait.
        connection.value.isReadable = true
        connection.process()
    }

    /// ECONNABORTED and the like concern one connection; running out of descriptors concerns all: rest, say so once a second.
    private func acceptFailed(errno code: Int32) {
        switch code {
        case EAGAIN: return
        case ECONNABORTED, EPROTO, EPERM, ENETDOWN, EHOSTDOWN, ENONET, EHOSTUNREACH, ENETUNREACH:
            log(code == ECONNABORTED ? .error : .alert, "accept4() failed", errno: code)
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            pauseAccepting("accept4() failed (\(code): \(Socket.errorText(code)))", level: .critical)
        default: pauseAccepting("accept4() failed (\(code): \(Socket.errorText(code)))")
        }
    }

    private func pauseAccepting(_ reason: String, level: LogLevel = .alert) {
        guard value.acceptPausedUntil == 0 else { return }
        complain(reason, level: level)
        value.acceptPausedUntil = now + 500
        for listener in value.listeners { value.loop.remove(listener.value.descriptor) }
        value.loop.timers.arm(value.workerTimer, at: value.acceptPausedUntil)
    }

    /// Accepts again after a rest.
    func resumeAccepting() {
        guard value.acceptPausedUntil != 0, value.acceptPausedUntil <= now else { return }
        value.acceptPausedUntil = 0
        guard !value.isDraining, !value.isFull else { return }
        for listener in value.listeners { listenEvents(listener) }
    }

    /// Registers a listening socket: level-triggered, so that a budget or a rest loses nothing.
    func listenEvents(_ listener: Ref<Listener>) {
        let token = Token(kind: EventKind.listener, slot: listener.value.slot, generation: 0)
        let mask: EventMask = listener.value.isShared ? [.readable, .exclusive] : .readable
        let result = value.loop.add(listener.value.descriptor, mask, token)
        if result < 0, -result != EEXIST { log(.emergency, "epoll_ctl() failed", errno: -result) }
    }
}

extension Ref where Value == ClientConnection {
    fileprivate func bindTimers() {
        if value.readTimer != .none { worker.value.loop.timers.rebind(value.readTimer, to: token) }
        if value.writeTimer != .none {
            worker.value.loop.timers.rebind(
                value.writeTimer, to: Token(kind: EventKind.clientWrite, slot: value.slot, generation: value.generation))
        }
    }

    /// Closes the socket and frees the slot. A request must have been ended before.
    func close() {
        clearReadTimer()
        clearWriteTimer()
        if let input = value.input {
            pool.value.give(input)
            value.input = nil
        }
        if let header = value.proxyHeader {
            header.release()
            value.proxyHeader = nil
        }
        if value.descriptor >= 0 { worker.closeAfterLogs(value.descriptor, holdsBytes: value.holdsBytes) }
        value.descriptor = -1
        value.state = .closed
        let worker = worker
        worker.value.connections.give(self)
    }

    /// The address the client connected to; asked from the kernel once, and only if needed.
    var localAddress: SocketAddress {
        if let known = value.local { return known.socketAddress }
        let address = Socket.localAddress(value.descriptor) ?? SocketAddress()
        if !address.isUnix { value.local = CompactAddress(address) }
        return address
    }
}
