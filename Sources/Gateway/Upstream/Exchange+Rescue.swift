import Config
import Loop
import Machine
import Messages

// Attempts whose connection an instance that is gone never accepted. The supervisor holds the listening socket (`listen fd`), took the
// connection out of its queue, and keeps it open while this goes on. A connection is accepted once: so nobody has read, or will read, a
// byte of what was sent, and even a POST may be sent to another instance (decision 0008, c).
extension Ref where Value == Worker {
    /// Takes back the attempts whose own end is among these.
    func take(_ rescued: RescuedConnections) {
        guard let address = SocketAddress(listenKey: rescued.address) else { return }
        let peers = Set(rescued.peers)
        for slot in 0..<UInt32(value.exchanges.capacity) {
            let exchange = value.exchanges[slot]
            guard let connection = exchange.value.connection, let upstream = connection.value.upstream,
                connection.value.peer < upstream.value.peers.count,
                upstream.value.peers[connection.value.peer].address == address,
                let own = Socket.localAddress(connection.value.descriptor), peers.contains(own.text(withPort: true))
            else { continue }
            exchange.takeBack()
        }
    }
}

extension Ref where Value == Exchange {
    private func takeBack() {
        // Nobody can have answered.
        guard let phase = phaseBeforeHead, value.attempt.isRunning, !value.hasHead, value.input?.count ?? 0 == 0 else { return }
        value.isRescued = true
        let generation = value.generation
        let message = "upstream is gone and never accepted the connection"
        failed(ExchangeFailure(kind: .error, level: .error, message: message, reason: .connEndBeforeHead), phase: phase)
        // One that was given up is not rescued.
        if value.generation == generation, value.state != .finished { worker.value.counters.rescued += 1 }
    }
}
