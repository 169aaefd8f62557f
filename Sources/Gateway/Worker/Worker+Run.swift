import Glibc
import Loop
import Machine
import Wire

extension Ref where Value == Worker {
    /// The event loop. Ends when the worker is done.
    func run() {
        while tick() {}
        finishLogs()
    }

    /// One turn (nginx: ngx_process_events_and_timers): wait, events, timers, what was posted, logs.
    /// - Returns: false when the worker is done.
    @inline(__always)
    func tick() -> Bool {
        let count = value.loop.wait(limit: sleepLimit)
        takeSignal()
        for index in 0..<count {
            let (token, mask) = value.loop.event(index)
            if token.kind == EventKind.upstream { value.upstreamConnections.find(token)?.handleIfIdle(mask) }
        }
        var acceptsSome = false
        for index in 0..<count {
            let (token, mask) = value.loop.event(index)
            if token.kind == EventKind.listener { acceptsSome = true } else { dispatch(token, mask) }
        }
        if acceptsSome { acceptNew(count) }
        expireTimers()
        runPosted()
        value.log.flush(now: now)
        closeSockets()
        if value.isFull { returnToListeners() }
        publishCounters()
        tellHealthNews()
        return !value.isStopping && !(value.isDraining && value.connections.count == 0)
    }

    /// New clients come last. Their requests are read at once, and whoever left before them must be gone then: his place in limit_conn is
    /// free. A level-triggered listener stands before him in the kernel's list when it was there in the turn before.
    private func acceptNew(_ count: Int) {
        for index in 0..<count {
            let (token, _) = value.loop.event(index)
            guard token.kind == EventKind.listener, Int(token.slot) < value.listeners.count else { continue }
            accept(from: value.listeners[Int(token.slot)])
        }
    }

    /// TERM and QUIT sent to the worker itself mean what they mean to nginx's workers.
    private func takeSignal() {
        switch ProcessRights.takeSignal() {
        case SIGTERM: value.isStopping = true
        case SIGQUIT: drain(deadline: value.shutdownTimeout)
        default: break
        }
    }

    /// The longest sleep in milliseconds, -1 for none: what was posted or is to be closed waits for nobody, and buffered log lines have
    /// their own time.
    private var sleepLimit: Int32 { value.posted.isEmpty && value.closing.isEmpty ? value.log.sleepLimit(now: now) : 0 }

    /// Closes a client's socket at the end of this tick, after its log line.
    /// - Parameter holdsBytes: the kernel holds back its last bytes for this end.
    func closeAfterLogs(_ descriptor: Int32, holdsBytes: Bool) {
        value.closing.append(ClosingSocket(descriptor: descriptor, holdsBytes: holdsBytes))
    }

    private func closeSockets() {
        if value.closing.isEmpty { return }
        for index in value.closing.indices {
            let socket = value.closing[index]
            // close() alone would answer with RST, and throw the held bytes away, when something unread came meanwhile.
            if socket.holdsBytes { Socket.shutdownWrite(socket.descriptor) }
            Socket.close(socket.descriptor)
        }
        value.closing.removeAll()
    }

    private func finishLogs() {
        value.log.finish(now: now)
        tellFailures()
        closeSockets()
    }

    @inline(__always)
    private func dispatch(_ token: Token, _ mask: EventMask) {
        switch token.kind {
        case EventKind.client: value.connections.find(token)?.handle(mask)
        case EventKind.upstream: value.upstreamConnections.find(token)?.handle(mask)
        case EventKind.channel: serveSupervisor(token)
        case EventKind.resolver: value.resolverConversations.find(token)?.handle(mask)
        case EventKind.health: value.health.targets.find(token)?.handle(mask)
        default: break
        }
    }

    private func expireTimers() {
        while let token = value.loop.timers.expire(now: now) {
            switch token.kind {
            case EventKind.client: value.connections.find(token)?.readTimedOut()
            case EventKind.clientWrite: value.connections.find(token)?.writeTimedOut()
            case EventKind.upstream: value.upstreamConnections.find(token)?.timedOut()
            case EventKind.request: value.requests.find(token)?.resume()
            case EventKind.worker: token.slot == 0 ? workerTimer() : tellFailures()
            case EventKind.resolver: value.resolverConversations.find(token)?.timedOut()
            case EventKind.followedServer:
                if Int(token.slot) < value.followedServers.count { value.followedServers[Int(token.slot)].ask() }
            case EventKind.health: value.health.targets.find(token)?.timerFired()
            default: break
            }
        }
    }

    private func workerTimer() {
        resumeAccepting()
        if value.isFull { lookForRoomLater() }
        if value.shutdownDeadline != 0, value.shutdownDeadline <= now { closeEverything() }
    }

    /// What was posted during this tick. What it posts itself waits for the next round, so that no one can keep the loop from its events.
    private func runPosted() {
        let count = value.posted.count
        if count == 0 { return }
        for index in 0..<count {
            let token = value.posted[index]
            switch token.kind {
            case EventKind.request: value.requests.find(token)?.resume()
            case EventKind.client:
                guard let connection = value.connections.find(token) else { break }
                connection.value.isPosted = false
                connection.process()
            case EventKind.upstream:
                guard let connection = value.upstreamConnections.find(token) else { break }
                connection.value.isPosted = false
                connection.handle([])
            default: break
            }
        }
        value.posted.removeFirst(count)
    }

    /// Comes back to a connection in the next round.
    func postConnection(_ connection: ConnectionRef) {
        guard !connection.value.isPosted else { return }
        connection.value.isPosted = true
        value.posted.append(connection.token)
    }

    /// Comes back to a connection to a peer in the next round.
    func postUpstream(_ connection: UpstreamConnectionRef) {
        guard !connection.value.isPosted else { return }
        connection.value.isPosted = true
        value.posted.append(connection.token)
    }

    // MARK: - Drain

    /// QUIT: no new connections, idle ones are closed unless a request has just come, others after their request.
    /// - Parameter deadline: milliseconds after which everything is closed (worker_shutdown_timeout); it may be told later than the order.
    func drain(deadline: UInt64?) {
        if let deadline, deadline > 0, value.shutdownDeadline == 0 {
            value.shutdownDeadline = now + deadline
            value.loop.timers.arm(value.workerTimer, at: value.shutdownDeadline)
        }
        guard !value.isDraining else { return }
        value.isDraining = true
        for listener in value.listeners where listener.value.descriptor >= 0 {
            value.loop.remove(listener.value.descriptor)
            if listener.value.isShared { acceptRest(of: listener) }
            Socket.close(listener.value.descriptor)
            listener.value.descriptor = -1
        }
        retireIdle()
        closePooled()
    }

    private func retireIdle() {
        for slot in 0..<UInt32(value.connections.capacity) {
            let connection = value.connections[slot]
            // One that has not asked anything yet has a request on its way: it is served (nginx closes only what waits after a request).
            if connection.value.state == .idle, connection.value.requestCount > 0, connection.value.descriptor >= 0 {
                connection.retireIdle()
            }
        }
    }

    /// Idle connections to upstreams: an app that is shut down at the same time need not wait for them.
    private func closePooled() {
        let upstreams = value.http.value.upstreams
        for index in upstreams.indices {
            while let number = upstreams[index].value.idle.takeAny() {
                let connection = value.upstreamConnections[UInt32(number)]
                connection.value.ticket = nil
                connection.close()
            }
        }
    }

    private func closeEverything() {
        value.shutdownDeadline = 0
        value.isOverdue = true
        for slot in 0..<UInt32(value.connections.capacity) {
            let connection = value.connections[slot]
            guard connection.value.state != .closed else { continue }
            if let request = connection.value.request {
                connection.value.isBroken = true
                if connection.value.state == .readingHead, let input = connection.value.input { request.takeUnfinishedHead(input) }
                request.abort(status: request.value.response.status)
            } else {
                connection.close()
            }
        }
    }
}
