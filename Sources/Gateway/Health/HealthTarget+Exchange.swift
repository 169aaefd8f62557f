import Config
import Glibc
import Loop
import Machine
import Wire

// The exchange of one check: the loop, sockets and parsers of the traffic, and nothing of a request.
extension Ref where Value == HealthTarget {
    /// Starts a check, on a connection that is kept or a new one.
    func begin() {
        value.sent = 0
        value.interimCount = 0
        value.parser = ResponseHeadParser(options: worker.value.responseHeadOptions)
        if value.descriptor >= 0 {
            let isUsable = worker.now &- value.openedAt < check.value.keepaliveTime ?? 0
                && Socket.peek(value.descriptor) == Socket.wouldBlock
            if isUsable {
                value.isReused = true
                return send()
            }
            close()
        }
        connect()
    }

    private func connect() {
        value.isReused = false
        value.isReadable = false
        let (descriptor, _, status) = Socket.connect(to: value.address, from: nil)
        value.descriptor = descriptor
        guard descriptor >= 0 else { return finish("socket() failed (\(-descriptor): \(Socket.errorText(-descriptor)))") }
        guard status == 0 || status == -EINPROGRESS else { return finish(connectComplaint(-status)) }
        value.openedAt = worker.now
        if !value.address.isUnix { Socket.setNoDelay(descriptor, true) }
        let added = worker.value.loop.add(descriptor, .connection, token)
        guard added >= 0 else { return finish("epoll_ctl() failed (\(-added): \(Socket.errorText(-added)))") }
        if status == 0 { return send() }
        value.phase = .connecting
        setTimer(after: check.value.connectTimeout)
    }

    private func connectComplaint(_ code: Int32) -> String { "connect() failed (\(code): \(Socket.errorText(code)))" }

    /// Epoll's news.
    func handle(_ mask: EventMask) {
        let isReadable = mask.contains(.readable) || mask.contains(.peerClosed) || mask.contains(.failed)
        if isReadable { value.isReadable = true }
        switch value.phase {
        case .connecting:
            guard mask.contains(.writable) || mask.contains(.failed) else { return }
            let code = Socket.error(value.descriptor)
            if code != 0 { return finish(connectComplaint(code)) }
            send()
        case .sending: send()
        case .readingHead, .readingBody: if value.isReadable { read() }
        // A kept connection ended, or says what nobody asked for.
        case .resting: if isReadable { close() }
        }
    }

    private func send() {
        value.phase = .sending
        let request = check.value.request
        while value.sent < request.count {
            let n = Socket.send(value.descriptor, request.dropFirst(value.sent))
            if n == Socket.wouldBlock { return setTimer(after: check.value.sendTimeout) }
            guard n >= 0 else { return broken("send() failed (\(-n): \(Socket.errorText(Int32(-n))))") }
            value.sent += n
        }
        value.phase = .readingHead
        value.input = value.input ?? worker.value.pool.value.take(HealthCheckRuntime.headBytesMax)
        setTimer(after: check.value.readTimeout)
        if value.isReadable { read() }
    }

    /// The connection broke. One that was kept may have ended while nobody looked: that is no fault.
    private func broken(_ complaint: String) {
        guard value.isReused, value.phase != .readingBody, value.input?.count ?? 0 == 0 else { return finish(complaint) }
        close()
        value.sent = 0
        value.interimCount = 0
        connect()
    }

    private func read() {
        guard let input = value.input else { return }
        while value.isReadable {
            let n = input.receive(from: value.descriptor)
            if n == Socket.wouldBlock {
                value.isReadable = false
                return setTimer(after: check.value.readTimeout)
            }
            if n < 0 { return broken("recv() failed (\(-n): \(Socket.errorText(Int32(-n))))") }
            if n == 0 { return ended() }
            let isDone = value.phase == .readingHead ? takeHead(input) : takeBody(input)
            if isDone { return }
        }
    }

    /// The peer closed.
    private func ended() {
        guard value.phase == .readingBody, value.framing == .untilClose else {
            return broken("it closed the connection before its answer was complete")
        }
        judgeBody(isComplete: false)
    }

    /// - Returns: whether the check ended.
    private func takeHead(_ input: Ref<Buffer>) -> Bool {
        while true {
            switch value.parser.parse(input.view, fields: &value.fields) {
            case .needMore:
                guard input.room == 0 else { return false }
                finish("the head of its answer is too long")
                return true
            case .failed(let error):
                finish("its answer is invalid: \(error.message(input.view, isUpstream: true, worker.value.pool))")
                return true
            case .complete(let length):
                guard value.parser.head.isInterim else { return takeHead(input, length) }
                value.interimCount += 1
                if value.interimCount > ResponseHead.interimMax {
                    finish("it sent too many interim responses")
                    return true
                }
                input.consume(length)
                input.compact()
                value.parser = ResponseHeadParser(options: worker.value.responseHeadOptions)
                if input.count == 0 { return false }
            }
        }
    }

    private func takeHead(_ input: Ref<Buffer>, _ length: Int) -> Bool {
        let head = value.parser.head
        let match = check.value.match
        if let complaint = match.complaint(status: Int(head.status), value.fields, input.view) {
            finish(complaint)
            return true
        }
        setFraming(head)
        let isEmpty = value.framing == .none || value.framing == .length && value.remaining == 0
        guard match.needsBody || check.value.keepaliveTime != nil, !isEmpty else {
            finish(match.complaint(body: ByteView()), keeps: isEmpty && head.keepAlive && input.count == length)
            return true
        }
        value.phase = .readingBody
        value.body = worker.value.pool.value.take(4096)
        input.consume(length)
        return takeBody(input)
    }

    private func setFraming(_ head: ResponseHead) {
        value.decoder = ChunkedDecoder()
        value.framing = head.framing(answersHead: false)
        value.remaining = head.contentLength ?? 0
    }

    /// Adds what came to the body. - Returns: whether the check ended.
    private func takeBody(_ input: Ref<Buffer>) -> Bool {
        guard let body = value.body else { return true }
        var isComplete = false
        switch value.framing {
        case .none: isComplete = true
        case .untilClose: keep(input.view, in: body)
        case .length:
            let part = input.view.prefix(Int(clamping: min(value.remaining, UInt64(input.count))))
            value.remaining -= UInt64(part.count)
            keep(part, in: body)
            isComplete = value.remaining == 0
        case .chunked:
            var rest = input.view
            decoding: while true {
                switch value.decoder.decode(rest) {
                case .data(let range):
                    keep(rest[range], in: body)
                    rest = rest.dropFirst(range.upperBound)
                case .needMore: break decoding
                case .end:
                    isComplete = true
                    break decoding
                case .failed:
                    finish("its answer is not chunked as it says")
                    return true
                }
            }
        }
        input.clear()
        if isComplete {
            judgeBody(isComplete: true)
            return true
        }
        return judgeIfFull(body)
    }

    private func keep(_ bytes: ByteView, in body: Ref<Buffer>) {
        let part = bytes.prefix(HealthCheckRuntime.bodyBytesMax - body.count)
        if !part.isEmpty { body.append(part) }
    }

    /// What lies behind the part that is looked at is of no interest.
    private func judgeIfFull(_ body: Ref<Buffer>) -> Bool {
        guard body.count >= HealthCheckRuntime.bodyBytesMax else { return false }
        judgeBody(isComplete: false)
        return true
    }

    private func judgeBody(isComplete: Bool) {
        guard let body = value.body else { return }
        finish(check.value.match.complaint(body: body.view), keeps: isComplete && value.parser.head.keepAlive)
    }

    /// Ends the exchange, whatever state it is in.
    func endExchange(keeps: Bool) {
        if !keeps || check.value.keepaliveTime == nil { close() }
        if let input = value.input { worker.value.pool.value.give(input) }
        if let body = value.body { worker.value.pool.value.give(body) }
        value.input = nil
        value.body = nil
        value.phase = .resting
    }

    private func close() {
        if value.descriptor >= 0 { Socket.close(value.descriptor) }
        value.descriptor = -1
    }
}
