import Config
import Glibc
import Loop
import Machine
import Wire

/// After 101: bytes go both ways until one side ends (nginx: ngx_http_upstream_upgrade).
extension Ref where Value == Exchange {
    func startTunnel() {
        guard let input = value.input, request.wantsUpgrade, proxy.value.setsUpgrade, request.isMain, !request.value.isPostAction,
            value.isRequestSent, !value.isSendBroken, switchesAsAsked(input.whole)
        else {
            return failed(ExchangeFailure(kind: .invalidHeader, level: .error, message: "upstream sent unexpected 101 response",
                                          reason: .responseInvalid),
                          phase: "reading response header from upstream")
        }
        value.isKeepalive = false
        input.consume(value.headLength)
        request.value.isKeepalive = false
        request.takeHeaders(self)
        request.sendHeader()
        value.state = .tunnel
        request.connection.clearReadTimer()
        let toClient = pool.value.take(16384)
        toClient.append(input.view)
        value.toClient = toClient
        let toPeer = pool.value.take(16384)
        if let early = request.connection.value.input {
            toPeer.append(early.view)
            early.consume(early.count)
        }
        value.toPeer = toPeer
        request.flush()
        if value.state == .tunnel { pumpTunnel() }
    }

    /// Whether the protocol of a 101 is among those that the client asked for (RFC 9110, 7.8). One that names none is believed.
    private func switchesAsAsked(_ head: ByteView) -> Bool {
        guard let chosen = value.fields.value(.upgrade, head), let asked = request.field(.upgrade) else { return true }
        var offset = 0
        while let protocolName = HeaderList.next(chosen, &offset) {
            guard HeaderList.contains(protocolName, in: asked) else { return false }
        }
        return true
    }

    func clientIsReadable() { pumpTunnel() }

    /// Moves what can be moved in both directions.
    func pumpTunnel() {
        guard value.state == .tunnel, let connection = value.connection, let toClient = value.toClient, let toPeer = value.toPeer else { return }
        let client = request.connection
        guard request.pendingOutput == 0 else { return }
        var moved = true
        var budget = Worker.turnBudget
        while moved {
            guard budget > 0 else {
                worker.postUpstream(connection)
                break
            }
            budget -= 1
            moved = false
            let down = move(from: connection.value.descriptor, &connection.value.isReadable, isPeerClosed: connection.value.isPeerClosed,
                            through: toClient, to: client.value.descriptor, &client.value.isWritable)
            let up = move(from: client.value.descriptor, &client.value.isReadable, isPeerClosed: client.value.isPeerClosed,
                          through: toPeer, to: connection.value.descriptor, &connection.value.isWritable)
            if down.received > 0 { withStat { $0.bytesReceived += Int64(down.received); $0.responseLength += Int64(down.received) } }
            request.value.bytesSent += Int64(down.sent)
            withStat { $0.bytesSent += Int64(up.sent) }
            if down.isEnded || up.isEnded { return endTunnel() }
            moved = down.sent > 0 || up.sent > 0
        }
        connection.setTimer(after: proxy.value.readTimeout)
    }

    private struct Moved { var received = 0, sent = 0, isEnded = false }

    private func move(
        from source: Int32, _ isReadable: inout Bool, isPeerClosed: Bool, through buffer: Ref<Buffer>, to target: Int32,
        _ isWritable: inout Bool
    ) -> Moved {
        var moved = Moved()
        var isClosed = false
        if buffer.count == 0 {
            buffer.clear()
            if isReadable {
                let room = buffer.room
                let n = buffer.receive(from: source)
                if n == Socket.wouldBlock {
                    isReadable = false
                } else if n <= 0 {
                    isReadable = false
                    isClosed = true
                } else {
                    moved.received = n
                    // The socket is empty now, unless its end is still to be read.
                    if n < room, !isPeerClosed { isReadable = false }
                }
            }
        }
        if buffer.count > 0, isWritable {
            let n = Socket.send(target, buffer.view)
            if n == Socket.wouldBlock {
                isWritable = false
            } else if n < 0 {
                moved.isEnded = true
            } else {
                moved.sent = n
                buffer.consume(n)
                if buffer.count > 0 { isWritable = false }
            }
        }
        if isClosed, buffer.count == 0 { moved.isEnded = true }
        return moved
    }

    func tunnelTimedOut() {
        request.log(.info, "upstream timed out", errno: ETIMEDOUT, while: "proxying upgraded connection")
        endTunnel()
    }

    private func endTunnel() {
        finishAttempt(outcome: .succeeded)
        dropConnection()
        endBalancing()
        value.state = .finished
        request.value.isKeepalive = false
        request.finish(.done)
    }
}
