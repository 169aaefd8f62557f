import Config
import Loop

/// What a worker does whose `worker_connections` are all in use (nginx: ngx_drain_connections). Its answers say that they end their
/// connection, and what idles is closed: clients without a request must not keep out those with one.
extension Ref where Value == Worker {
    /// Connections that are closed at once, at most, and an eighth of those that idle.
    private static var roomMax: Int { 32 }
    /// Who has just connected, or got an answer that did not say so, has a request on its way.
    private static var patience: UInt64 { 1000 }
    /// Where all idle ones were closed, or none, the connections are looked at again after so many milliseconds at the earliest.
    private static var roomInterval: UInt64 { 100 }

    /// Closes the connections that have idled longest. O(connections), which is paid for by what it closes.
    /// - Returns: whether there is room now.
    func makeRoom() -> Bool {
        guard now >= value.roomWanted else { return false }
        var oldest: [(since: UInt64, slot: UInt32)] = []
        var idle = 0
        var next = now + Self.patience
        for slot in 0..<UInt32(value.connections.capacity) where value.connections[slot].isIdle {
            let since = value.connections[slot].value.idleSince
            guard since + Self.patience <= now else {
                next = min(next, since + Self.patience)
                continue
            }
            idle += 1
            if oldest.count == Self.roomMax {
                guard since < oldest[Self.roomMax - 1].since else { continue }
                oldest.removeLast()
            }
            let place = oldest.firstIndex { $0.since > since } ?? oldest.count
            oldest.insert((since, slot), at: place)
        }
        let limit = value.connections.limit
        let before = value.connections.count
        for entry in oldest.prefix(max(1, idle / 8)) { value.connections[entry.slot].closeIfStillIdle() }
        let closed = before - value.connections.count
        value.roomWanted = closed > 0 && closed < idle ? now : max(next, now + Self.roomInterval)
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
        if value.shutdownDeadline == 0, value.acceptPausedUntil == 0 {
            value.loop.timers.arm(value.workerTimer, at: max(now + 1, value.roomWanted))
        }
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
    /// Nothing of a request has come, or only what is thrown away (nginx: ngx_reusable_connection).
    fileprivate var isIdle: Bool {
        guard value.descriptor >= 0 else { return false }
        switch value.state {
        case .idle, .readingProxyHeader: return (value.input?.count ?? 0) == 0
        case .lingering: return true
        default: return false
        }
    }

    /// Closes it, unless a request has just come.
    fileprivate func closeIfStillIdle() {
        if value.state == .lingering || Socket.peek(value.descriptor) <= 0 { close() }
    }
}
