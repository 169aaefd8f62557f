import Config
import Glibc
import Loop
import Machine
import Wire

extension Ref where Value == Exchange {
    /// Sends what is left of the request on the connection; then waits for the answer, unless it is already being relayed.
    func sendRequest() {
        guard let connection = value.connection, let head = value.head else { return }
        if value.state != .relaying { value.state = .sending }
        var budget = Worker.turnBudget
        while true {
            guard budget > 0 else { return worker.postUpstream(connection) }
            budget -= 1
            if value.headSent < head.count {
                guard sendHeadAndBody(connection, head) else { return }
                continue
            }
            switch sendBody(connection) {
            case .complete: return requestSent(connection)
            case .progress: continue
            case .blocked:
                connection.setTimer(after: proxy.value.sendTimeout)
                return
            case .starved:
                // The client has not sent more yet: its timer watches, not ours.
                if value.state == .sending { connection.clearTimer() }
                return
            case .failed: return
            }
        }
    }

    /// Head and, if it is in memory, the start of the body in one call. False: blocked or failed.
    private func sendHeadAndBody(_ connection: UpstreamConnectionRef, _ head: Ref<Buffer>) -> Bool {
        let worker = worker
        let rest = head.view.dropFirst(value.headSent)
        let body = bodyInMemory()
        let n: Int
        if let body, value.bodySent == 0, !body.isEmpty {
            worker.value.outputVector.removeAll()
            worker.value.outputVector.add(rest)
            worker.value.outputVector.add(body)
            n = worker.value.outputVector.send(connection.value.descriptor)
        } else {
            n = Socket.send(connection.value.descriptor, rest, more: isFileNext)
        }
        guard n >= 0 else { return sendFailed(connection, n) }
        let total = n
        withStat { $0.bytesSent += Int64(total) }
        if n > rest.count {
            value.headSent = head.count
            value.bodySent = Int64(n - rest.count)
        } else {
            value.headSent += n
        }
        let wanted = rest.count + (body?.count ?? 0)
        if n < rest.count || (body != nil && n < wanted) {
            connection.value.isWritable = false
            connection.setTimer(after: proxy.value.sendTimeout)
            return false
        }
        return true
    }

    private func sendFailed(_ connection: UpstreamConnectionRef, _ n: Int) -> Bool {
        if n == Socket.wouldBlock {
            connection.value.isWritable = false
            connection.setTimer(after: proxy.value.sendTimeout)
            return false
        }
        // An answer may already be there (413, then close): it is worth more than the write error.
        if value.headSent > 0, connection.value.isReadable || connection.value.isPeerClosed || value.state == .relaying {
            value.isRequestSent = true
            value.isSendBroken = true
            value.wasReset = n == -Int(ECONNRESET)
            connection.value.isReadable = true
            value.isKeepalive = false
            value.state == .relaying ? relay() : readHead()
            return false
        }
        failed(ExchangeFailure(kind: .error, level: .error, message: "send() failed", errno: Int32(-n)), phase: "sending request to upstream")
        return false
    }

    private enum BodyProgress { case complete, progress, blocked, starved, failed }

    /// The body where it lies in one piece in memory.
    private func bodyInMemory() -> ByteView? {
        if let text = value.bodyText { return text }
        guard proxy.value.passesBody, proxy.value.isRequestBuffering || request.value.body.state == .complete else { return nil }
        return request.value.body.inPlace
    }

    /// Whether a file follows the head at once. Nothing else is sure to: what waits for the client would hold the head back as well.
    private var isFileNext: Bool {
        proxy.value.passesBody && value.bodyText == nil && value.bodyQueue == nil && request.value.body.state == .complete
            && request.value.body.file >= 0 && request.value.body.fileLength > value.bodySent
    }

    private func sendBody(_ connection: UpstreamConnectionRef) -> BodyProgress {
        if let body = bodyInMemory() { return sendMemory(connection, body) }
        guard proxy.value.passesBody, value.bodyText == nil else { return .complete }
        if request.value.body.state == .streaming || value.bodyQueue != nil { return streamBody(connection) }
        if request.value.body.file >= 0 { return sendFile(connection) }
        return .complete
    }

    private func sendMemory(_ connection: UpstreamConnectionRef, _ body: ByteView) -> BodyProgress {
        let rest = body.dropFirst(Int(value.bodySent))
        if rest.isEmpty { return .complete }
        let n = Socket.send(connection.value.descriptor, rest)
        return account(connection, n, wanted: rest.count)
    }

    private func sendFile(_ connection: UpstreamConnectionRef) -> BodyProgress {
        let left = request.value.body.fileLength - value.bodySent
        if left == 0 { return .complete }
        let n = File.send(request.value.body.file, offset: value.bodySent, count: Int(min(left, 2 << 20)), to: connection.value.descriptor)
        return account(connection, n == 0 ? -Int(EIO) : n, wanted: n)
    }

    private func account(_ connection: UpstreamConnectionRef, _ n: Int, wanted: Int) -> BodyProgress {
        if n == Socket.wouldBlock {
            connection.value.isWritable = false
            return .blocked
        }
        if n < 0 { return sendFailed(connection, n) ? .progress : .failed }
        value.bodySent += Int64(n)
        withStat { $0.bytesSent += Int64(n) }
        if n < wanted {
            connection.value.isWritable = false
            return .blocked
        }
        return .progress
    }

    // MARK: - proxy_request_buffering off

    /// There is no connection yet that would take the client's body.
    var awaitsPeer: Bool {
        switch value.state {
        case .resolving, .picking, .parked, .connecting: true
        case .idle, .sending, .awaitingHead, .holding, .relaying, .tunnel, .finished: false
        }
    }

    /// In which phase an attempt without an answer fails, in the words of nginx's error log; nil when none is made, or its head was read.
    var phaseBeforeHead: StaticString? {
        switch value.state {
        case .connecting: "connecting to upstream"
        case .sending: "sending request to upstream"
        case .awaitingHead: "reading response header from upstream"
        case .idle, .resolving, .picking, .parked, .holding, .relaying, .tunnel, .finished: nil
        }
    }

    /// What is being done, in the words of nginx's error log; nil when nothing is.
    var action: StaticString? {
        switch value.state {
        case .resolving, .picking, .parked: "waiting for upstream"
        // nginx goes over to reading with the first byte.
        case .awaitingHead where !(value.input.map { $0.count > 0 } ?? false): "sending request to upstream"
        case .connecting, .sending, .awaitingHead: phaseBeforeHead
        case .holding, .relaying: "reading upstream"
        case .tunnel: "proxying upgraded connection"
        case .idle, .finished: nil
        }
    }

    /// More of the client's body may be there.
    func bodyArrived() {
        switch value.state {
        case .sending: sendRequest()
        case .relaying where !value.isRequestSent: sendRequest()
        case .idle, .resolving, .picking, .parked, .connecting, .awaitingHead, .holding, .relaying, .tunnel, .finished: break
        }
    }

    /// Moves body bytes from the client to the peer as they come.
    private func streamBody(_ connection: UpstreamConnectionRef) -> BodyProgress {
        let queue = value.bodyQueue ?? pool.value.take(16384)
        value.bodyQueue = queue
        if queue.count == 0 {
            queue.clear()
            switch request.takeStreamed(into: queue, chunked: value.isBodyChunked) {
            case .data: break
            case .starved: return .starved
            case .ended where queue.count == 0: return .complete
            case .ended: break
            case .failed: return .failed
            }
        }
        value.isBodyLost = true
        request.value.body.isConsumed = true
        let bytes = queue.view
        let n = Socket.send(connection.value.descriptor, bytes)
        if n == Socket.wouldBlock {
            connection.value.isWritable = false
            return .blocked
        }
        if n < 0 { return sendFailed(connection, n) ? .progress : .failed }
        queue.consume(n)
        value.bodySent += Int64(n)
        withStat { $0.bytesSent += Int64(n) }
        if n < bytes.count {
            connection.value.isWritable = false
            return .blocked
        }
        return .progress
    }

    private func requestSent(_ connection: UpstreamConnectionRef) {
        value.isRequestSent = true
        if value.state == .sending { value.state = .awaitingHead }
        // While reading rests, the client's pace is the measure.
        if !value.isPaused, !value.isResting { connection.setTimer(after: proxy.value.readTimeout) }
        if connection.value.isReadable { value.state == .awaitingHead ? readHead() : relay() }
    }
}

extension Ref where Value == Request {
    enum Streamed { case data, starved, ended, failed }

    /// Takes what is there of the body, framed for the upstream.
    func takeStreamed(into queue: Ref<Buffer>, chunked: Bool) -> Streamed {
        guard var input = connection.value.input else { return .failed }
        while true {
            switch value.body.framing {
            case .none: return .ended
            case .length:
                if value.body.remaining == 0 {
                    streamingDone()
                    return .ended
                }
                let n = Int(min(Int64(min(input.count, 16000)), value.body.remaining))
                if n > 0 {
                    remember(input.view.prefix(n))
                    queue.append(input.view.prefix(n))
                    input.consume(n)
                    value.body.received += Int64(n)
                    value.body.remaining -= Int64(n)
                    if value.body.remaining == 0 { streamingDone() }
                    return .data
                }
            case .chunked:
                if value.body.state == .complete { return .ended }
                switch takeStreamedChunk(input, into: queue, chunked: chunked) {
                case .some(let result): return result
                case .none: break
                }
            }
            guard connection.value.isReadable else {
                setBodyTimer()
                return .starved
            }
            input = bodyInput()
            switch connection.receive(into: input) {
            // From here on it is the peer that is waited for, not the client.
            case .data: connection.clearReadTimer()
            case .wouldBlock:
                setBodyTimer()
                return .starved
            case .closed:
                bodyFailed(0)
                return .failed
            }
        }
    }

    /// All chunks that are here become one.
    private func takeStreamedChunk(_ input: Ref<Buffer>, into queue: Ref<Buffer>, chunked: Bool) -> Streamed? {
        // The request may end below, and with it the way to the pool.
        let pool = pool
        let payload = pool.value.take(16384)
        defer { pool.value.give(payload) }
        while payload.count < 16384 {
            switch takeChunkPiece(input) {
            case .payload(let piece):
                remember(piece)
                payload.append(piece)
                continue
            case .needMore: break
            case .end: streamingDone()
            case .failed: return .failed
            }
            break
        }
        appendChunk(payload.view, to: queue, chunked: chunked)
        let isEnded = value.body.state == .complete
        if isEnded, chunked { queue.append("0\r\n\r\n") }
        if queue.count > 0 { return .data }
        return isEnded ? .ended : nil
    }

    private func appendChunk(_ bytes: ByteView, to queue: Ref<Buffer>, chunked: Bool) {
        guard !bytes.isEmpty else { return }
        if chunked {
            queue.append(hexadecimal: UInt64(bytes.count))
            queue.append("\r\n")
        }
        queue.append(bytes)
        if chunked { queue.append("\r\n") }
    }

    /// Keeps streamed bytes for `$request_body`, as far as client_body_buffer_size goes.
    private func remember(_ bytes: ByteView) {
        guard worker.value.http.value.usesRequestBody else { return }
        let kept = value.body.remembered ?? pool.value.take(location.value.bodyBufferSize)
        value.body.remembered = kept
        let room = location.value.bodyBufferSize - kept.count
        if room > 0 { kept.append(bytes.prefix(room)) }
    }

    private func streamingDone() {
        value.body.state = .complete
        connection.clearReadTimer()
    }
}
