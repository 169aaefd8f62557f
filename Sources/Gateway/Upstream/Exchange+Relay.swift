import Config
import Glibc
import Loop
import Machine
import Wire

extension Ref where Value == Exchange {
    /// The head is on its way; now the body, first what came with the head.
    func beginRelay() {
        value.limitRate = request.evaluate(request.location.value.settings.value.proxy.limitRate)
        value.answerStart = worker.now
        value.answerBytes = Int64(value.input?.count ?? 0)
        value.lastModified = request.value.response.lastModified
        if request.location.value.settings.value.proxy.store != .off { beginStore() }
        value.isBuffering = proxy.value.isBuffering && request.buffersAnswer
        // What is passed on as it comes has no limit_rate (as nginx).
        if !value.isBuffering, request.location.value.hasLimitRate || request.value.limitRate != nil { request.value.limitRate = 0 }
        guard let input = value.input else { return }
        if value.framing == .none || (value.framing == .length && value.remaining == 0) {
            if input.count > 0 { noteExtraData() }
            return answerComplete()
        }
        if request.value.isHeaderOnly, value.storePath == nil { return headOnly() }
        if input.count > 0 {
            // These bytes share the buffer with the head, which stays until the end of the request: not given away.
            switch take(input.view, owner: nil) {
            case .more: break
            case .complete: return answerComplete()
            case .failed: return
            }
        }
        guard let connection = value.connection else { return }
        if connection.value.isReadable { return relay() }
        connection.setTimer(after: proxy.value.readTimeout)
        request.flush()
    }

    /// HEAD, 304 made by us: the body is of no interest to the client.
    private func headOnly() {
        value.isKeepalive = false
        answerComplete()
    }

    /// Reads body bytes while there are some and the client keeps up. What the client takes at once is sent before more is read, so that
    /// only what it does not take is kept; after a while it is the others' turn.
    func relay() {
        guard let connection = value.connection else { return }
        let request = request
        value.isResting = false
        var isProgress = false
        var sends = Worker.turnBudget
        while connection.value.isReadable, value.state == .relaying {
            if holdsMuch, request.main.canSend {
                guard sends > 0 else {
                    worker.postUpstream(connection)
                    break
                }
                sends -= 1
                let generation = value.generation
                request.flush()
                // The request may have ended, and with it this exchange.
                guard value.generation == generation, value.state == .relaying, value.connection == connection else { return }
            }
            if mustPause() {
                value.isPaused = true
                connection.clearTimer()
                break
            }
            let buffer = value.spare ?? pool.value.take(value.framing == .length && value.remaining < 16384 ? 16384 : 65536)
            value.spare = nil
            guard let allowed = rateAllowance() else {
                value.spare = buffer
                break
            }
            let room = min(buffer.room, allowed)
            let n = buffer.receive(from: connection.value.descriptor, limit: room)
            if n == Socket.wouldBlock {
                connection.value.isReadable = false
                value.spare = buffer
                break
            }
            value.answerBytes += Int64(max(0, n))
            if n <= 0 {
                connection.value.isReadable = false
                value.spare = buffer
                return upstreamEnded(errno: Int32(-n))
            }
            if n < room, !connection.value.isPeerClosed { connection.value.isReadable = false }
            withStat { $0.bytesReceived += Int64(n) }
            isProgress = true
            switch take(buffer.view, owner: buffer) {
            case .more: break
            case .complete: return answerComplete()
            case .failed: return
            }
        }
        if isProgress, !value.isPaused, !value.isResting { connection.setTimer(after: proxy.value.readTimeout) }
        request.flush()
    }

    /// Reads on after a time, in milliseconds. By the connection's own timer: that of the request is for what goes to the client.
    private func rest(_ connection: UpstreamConnectionRef, for time: UInt64) {
        value.isResting = true
        connection.setTimer(after: time)
    }

    /// Whether so much waits for the client that it has to take some before more is read into memory.
    private var holdsMuch: Bool {
        request.main.value.output.heldMemory + request.value.subrequests.postponedBytes >= max(proxy.value.buffersTotal, 65536)
    }

    /// Bytes that proxy_limit_rate lets be read now; nil after a timer was set.
    private func rateAllowance() -> Int? {
        guard let limit = RateLimit(rate: value.limitRate) else { return .max }
        let elapsed = worker.now &- value.answerStart
        let allowed = limit.allowance(passed: value.answerBytes, elapsed: elapsed)
        if allowed > 0 { return Int(allowed) }
        if let connection = value.connection { rest(connection, for: limit.wait(allowed, elapsed: elapsed)) }
        return nil
    }

    /// Whether reading must rest: too much waits for the client and no file may take it.
    private func mustPause() -> Bool {
        let request = request
        for filter in request.value.filters where filter.isHolding { return true }
        guard holdsMuch else { return false }
        if !request.value.filters.isEmpty || !request.isMain { return true }
        return !value.isBuffering || value.isSpillBroken || value.spillLength >= proxy.value.tempFileSizeMax
    }

    /// The client has taken all that waited.
    func clientDrained() {
        guard value.state == .relaying else {
            if value.state == .tunnel { pumpTunnel() }
            return
        }
        guard value.isPaused, !mustPause() else { return }
        value.isPaused = false
        value.connection?.setTimer(after: proxy.value.readTimeout)
        relay()
    }

    private enum Taken { case more, complete, failed }

    /// Body bytes in the answer's framing become pieces for the client. `owner` is given away, or kept for the next read.
    private func take(_ bytes: ByteView, owner: Ref<Buffer>?) -> Taken {
        switch value.framing {
        case .none: return .complete
        case .untilClose:
            deliver(bytes, owner: owner)
            return .more
        case .length:
            let n = min(Int64(bytes.count), value.remaining)
            value.remaining -= n
            if n < bytes.count { noteExtraData() }
            deliver(bytes.prefix(Int(n)), owner: owner)
            return value.remaining == 0 ? .complete : .more
        case .chunked: return takeChunked(bytes, owner)
        }
    }

    private func takeChunked(_ bytes: ByteView, _ owner: Ref<Buffer>?) -> Taken {
        var rest = bytes
        var carried = owner
        defer { if let carried { keepSpare(carried) } }
        while true {
            switch value.decoder.decode(rest) {
            case .data(let range):
                let payload = rest[range]
                rest = rest.dropFirst(range.upperBound)
                if rest.isEmpty {
                    deliver(payload, owner: carried)
                    carried = nil
                    return .more
                }
                deliver(payload, owner: nil, mustCopy: carried != nil)
            case .needMore: return .more
            case .end(let consumed, _):
                if consumed < rest.count { noteExtraData() }
                return .complete
            case .failed:
                // The exchange may end below: nothing may be left to it.
                if let carried { pool.value.give(carried) }
                carried = nil
                let mark = mark(.responseIllegalFraming)
                let message = Self.badChunks
                request.log(.error, message, while: "reading upstream", mark: mark)
                tell(mark, request.value.isHeaderSent ? .cut : .failedToClient, status: 502, detail: message)
                finishAttempt(outcome: brokenOutcome())
                giveUp(502)
                return .failed
            }
        }
    }

    private func keepSpare(_ buffer: Ref<Buffer>) {
        if value.spare == nil {
            buffer.clear()
            value.spare = buffer
        } else {
            pool.value.give(buffer)
        }
    }

    /// Gives payload to the request: copied if small, else with its buffer, or through a file if the client is far behind.
    private func deliver(_ bytes: ByteView, owner: Ref<Buffer>?, mustCopy: Bool = false) {
        withStat { $0.responseLength += Int64(bytes.count) }
        if value.storeFile >= 0 { store(bytes) }
        if bytes.isEmpty {
            if let owner { keepSpare(owner) }
            return
        }
        let request = request
        if value.isBuffering, request.value.filters.isEmpty, request.isMain,
            request.value.output.heldMemory >= max(proxy.value.buffersTotal, 65536), spill(bytes) {
            if let owner { keepSpare(owner) }
            return
        }
        // What came with the head stays where it is until the request ends; a buffer is too good for a few bytes.
        if mustCopy || owner != nil && bytes.count <= 2048 {
            let copy = pool.value.take(bytes.count)
            copy.append(bytes)
            request.emit(Segment(copy.view, owner: copy), isFlush: !value.isBuffering)
            if let owner { keepSpare(owner) }
            return
        }
        request.emit(Segment(bytes, owner: owner), isFlush: !value.isBuffering)
    }

    /// Writes to the temporary file and queues the range. False if there is none to be had.
    private func spill(_ bytes: ByteView) -> Bool {
        guard proxy.value.tempFileSizeMax > value.spillLength, !value.isSpillBroken else { return false }
        if value.spillFile < 0 {
            guard let made = worker.makeTempFile(request.location.value.settings.value.proxy.tempPath, for: request) else {
                value.isSpillBroken = true
                return false
            }
            _ = File.remove(made.path)
            value.spillFile = made.descriptor
            request.log(.warning, "an upstream response is buffered to a temporary file \(made.path.string)", while: "reading upstream")
        }
        let written = File.write(bytes, to: value.spillFile, at: value.spillLength)
        guard written == 0 else {
            let folder = request.location.value.settings.value.proxy.tempPath.path
            request.log(.critical, "pwrite() of a temporary file in \"\(folder)\" failed", errno: -written, while: "reading upstream")
            value.isSpillBroken = true
            return false
        }
        request.emit(Segment(file: value.spillFile, offset: value.spillLength, length: Int64(bytes.count)))
        value.spillLength += Int64(bytes.count)
        return true
    }

    /// What came would be taken for the next answer.
    private func noteExtraData() {
        value.isKeepalive = false
        switch value.framing {
        // A body for HEAD, 204 or 304: nginx does not even look.
        case .none: break
        case .chunked: request.log(.warning, "upstream sent data after final chunk", while: "reading upstream")
        case .length, .untilClose:
            request.log(.warning, "upstream sent more data than specified in \"Content-Length\" header", while: "reading upstream")
        }
    }

    /// End of file or an error from the peer.
    private func upstreamEnded(errno seen: Int32) {
        let code = seen == 0 && value.wasReset ? ECONNRESET : seen
        if code == 0, value.framing == .untilClose { return answerComplete() }
        let message = code == 0 ? "upstream prematurely closed connection" : "recv() failed"
        brokenAnswer(message, errno: code, status: 502)
    }

    func relayTimedOut() {
        if value.isResting { return relay() }
        brokenAnswer("upstream timed out", errno: ETIMEDOUT, status: 504)
    }

    /// nginx does not blame a peer for an answer that broke after its head; guarded upstreams do (D9).
    private func brokenOutcome() -> AttemptOutcome {
        guard upstream.value.isGuarded, value.attempt.isRunning else { return .succeeded }
        recordAnswer(Int(value.attempt.peer), isServerError: true)
        return .failed
    }

    /// The answer ends too early: what came is sent, then the connection is cut, so that nobody takes it for complete.
    private func brokenAnswer(_ message: String, errno code: Int32, status: Int) {
        let mark = mark(errno: code)
        request.log(.error, message, errno: code, while: "reading upstream", mark: mark)
        let isSent = request.value.isHeaderSent
        tell(mark, isSent ? .cut : .failedToClient, status: isSent ? request.value.response.status : status)
        finishAttempt(outcome: brokenOutcome())
        dropConnection()
        endBalancing()
        value.state = .finished
        let request = request
        request.value.isKeepalive = false
        if request.value.isHeaderSent, request.isMain {
            request.value.isTruncated = true
            request.value.isResponseComplete = true
            return request.flush()
        }
        request.finish(.status(status))
    }

    /// Whether the connection may serve another request: nothing is left on it, and nobody wants it closed.
    var canPark: Bool {
        guard value.isKeepalive, value.isRequestSent, upstream.value.keepsConnections, let connection = value.connection else {
            return false
        }
        // What the peer still waits for, it would take from the next request.
        if let length = value.announcedLength, length != value.bodySent { return false }
        return !connection.value.isReadable && !connection.value.isPeerClosed
    }

    /// All of the answer was read: the connection goes back to the pool, the request to its end.
    func answerComplete() {
        finishAttempt(outcome: .succeeded)
        if let connection = value.connection {
            let canPark = canPark
            value.connection = nil
            if canPark { connection.park() } else { connection.close() }
        }
        endBalancing()
        value.state = .finished
        if value.storePath != nil { endStore() }
        let request = request
        request.emit(nil, isLast: true)
        request.finish(.done)
    }
}
