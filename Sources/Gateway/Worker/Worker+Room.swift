import Config
import Loop

/// What a worker does whose `worker_connections` are all in use (nginx: ngx_drain_connections). Its answers say that they end their
/// connection, and what idles is closed: clients without a request must not keep out those with one.
extension Ref where Value == Worker {
    /// Connections that are closed at once, at most, and an eighth of those that idle.
    private static var roomMax: Int { 32 }
    /// Who has just connected, or got an answer that did not say so, has a request on its way.
    private static var patience: UInt64 { 1000 }
    /// All connections are looked at once in so many milliseconds.
    private static var roomInterval: UInt64 { 100 }

    /// Closes the connections that have idled longest. O(connections).
    /// - Returns: whether there is room now.
    func makeRoom() -> Bool {
        guard now >= value.roomMadeAt + Self.roomInterval else { return false }
        value.roomMadeAt = now
        var oldest: [(since: UInt64, slot: UInt32)] = []
        var idle = 0
        for slot in 0..<UInt32(value.connections.capacity) where value.connections[slot].isIdle(for: Self.patience) {
            idle += 1
            let since = value.connections[slot].value.idleSince
            if oldest.count == Self.roomMax {
                guard since < oldest[Self.roomMax - 1].since else { continue }
                oldest.removeLast()
            }
            let place = oldest.firstIndex { $0.since > since } ?? oldest.count
            oldest.insert((since, slot), at: place)
        }
        let limit = value.connections.limit
        for entry in oldest.prefix(max(1, idle / 8)) { value.connections[entry.slot].closeIfStillIdle() }
        guard value.connections.count < limit else { return false }
        complain("\(limit) worker_connections are not enough, reusing connections", level: .warning)
        return true
    }

    /// No connection is free any more: others are to be woken for those that come. To wait until one comes that there is no room for would
    /// take it from them (EPOLLEXCLUSIVE wakes one worker).
    func leaveListeners() {
        value.isFull = true
        complain("\(value.connections.limit) worker_connections are not enough", level: .alert)
        for listener in value.listeners { value.loop.remove(listener.value.descriptor) }
        lookForRoomLater()
    }

    /// What idles now will have idled long enough.
    func lookForRoomLater() {
        if value.shutdownDeadline == 0, value.acceptPausedUntil == 0 { value.loop.timers.arm(value.workerTimer, at: now + Self.patience) }
    }

    /// A connection is free again, or has idled long enough.
    func returnToListeners() {
        guard value.connections.count < value.connections.limit || makeRoom() else { return }
        value.isFull = false
        guard !value.isDraining, value.acceptPausedUntil == 0 else { return }
        for listener in value.listeners { listenEvents(listener) }
    }
}

extension Ref where Value == ClientConnection {
    fileprivate func isIdle(for patience: UInt64) -> Bool {
        value.state == .idle && value.descriptor >= 0 && (value.input?.count ?? 0) == 0 && value.idleSince + patience <= worker.now
    }

    /// Closes it, unless a request has just come.
    fileprivate func closeIfStillIdle() {
        if Socket.peek(value.descriptor) <= 0 { close() }
    }
}
