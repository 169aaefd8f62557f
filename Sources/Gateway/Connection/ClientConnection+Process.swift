import Config
import Glibc
import Loop
import Wire

extension Ref where Value == ClientConnection {
    /// Epoll's news.
    func handle(_ mask: EventMask) {
        if mask.contains(.readable) || mask.contains(.peerClosed) { value.isReadable = true }
        if mask.contains(.peerClosed) { value.isPeerClosed = true }
        if mask.contains(.failed) {
            value.isReadable = true
            value.isPeerClosed = true
        }
        if mask.contains(.writable) { value.isWritable = true }
        process()
    }

    /// Does what can be done now, in the state the connection is in.
    func process() {
        switch value.state {
        case .closed: return
        case .readingProxyHeader: readProxyHeader()
        case .idle, .readingHead: readHead()
        case .processing: continueRequest()
        case .lingering: linger()
        }
    }

    /// Something happened while a request is worked on: more body, room to write, or the client went away.
    private func continueRequest() {
        guard let request = value.request else { return }
        let generation = request.value.generation
        let hasFilters = !request.value.filters.isEmpty
        if hasFilters { request.resumeFilters() }
        guard request.value.generation == generation, value.state == .processing else { return }
        if value.isWritable, request.pendingOutput > 0 || hasFilters { request.flush() }
        guard request.value.generation == generation, value.state == .processing else { return }
        if value.isReadable { request.clientIsReadable() }
    }

    /// Reads and parses until a head is complete, then starts the request; then the next one that is already here.
    ///
    /// A request that is answered at once ends in here, and the loop goes on; were the next one begun from its end, each would lie deeper
    /// in the stack. After a number of them it is the other connections' turn.
    func readHead() {
        guard !value.isInHeadLoop else { return }
        value.isInHeadLoop = true
        defer { value.isInHeadLoop = false }
        var budget = 32
        while value.state == .idle || value.state == .readingHead {
            let isPipelined = (value.input?.count ?? 0) > 0 && value.requestCount > 0
            if value.state == .readingHead || (value.input?.count ?? 0) == 0 {
                guard value.isReadable else { return waitForHead() }
                switch value.state == .readingHead ? receiveMore() : receiveFirst() {
                case .data: break
                case .wouldBlock: return waitForHead()
                case .closed: return closedWhileReadingHead()
                }
            }
            guard let input = value.input else { return }
            if value.state == .idle { beginHead(input, isPipelined: isPipelined) }
            guard let request = value.request else { return }
            guard parseHead(request, input) else { return }
            value.state = .processing
            clearReadTimer()
            request.begin()
            budget -= 1
            if budget == 0, value.state == .idle { return worker.postConnection(self) }
        }
    }

    /// Receives the first bytes of what may be several requests. Before it is here nobody knows how much it is, and a request that waits
    /// keeps its head: so it is received into one buffer for all connections, and copied into one of its size. What is no mere head
    /// keeps the large buffer, without a copy.
    private func receiveFirst() -> Received {
        let inbox = worker.value.inbox
        inbox.clear()
        let received = receive(into: inbox)
        guard received == .data else { return received }
        let kept: Ref<Buffer>
        if inbox.count <= 4096 {
            kept = pool.value.take(inbox.count)
            kept.append(inbox.view)
        } else {
            kept = inbox
            worker.value.inbox = pool.value.take(16384)
        }
        if let old = value.input { pool.value.give(old) }
        value.input = kept
        return received
    }

    /// Receives the rest of a head.
    private func receiveMore() -> Received {
        guard let input = value.input else { return .closed }
        // What is parsed so far is offsets: nothing points into the buffer before its head is complete.
        guard input.value.capacity < 16384 else { return receive(into: input) }
        let larger = pool.value.take(16384)
        larger.append(input.view)
        pool.value.give(input)
        value.input = larger
        return receive(into: larger)
    }

    enum Received { case data, wouldBlock, closed }

    /// One receive into a buffer. A short read means the socket is empty, unless the peer closed its side.
    func receive(into buffer: Ref<Buffer>, limit: Int = .max) -> Received {
        if buffer.room == 0 { buffer.grow(by: 8192) }
        let room = min(buffer.room, limit)
        let n = buffer.receive(from: value.descriptor, limit: room)
        if n > 0 {
            if n < room, !value.isPeerClosed { value.isReadable = false }
            return .data
        }
        if n == Socket.wouldBlock {
            value.isReadable = false
            return .wouldBlock
        }
        value.isReadable = false
        value.isPeerClosed = true
        if n < 0 { value.isBroken = true }
        return .closed
    }

    /// First bytes of a request: it gets a slot, and its own time limit starts.
    private func beginHead(_ input: Ref<Buffer>, isPipelined: Bool) {
        guard let request = worker.value.requests.take() else {
            worker.log(.alert, "out of request slots")
            return close()
        }
        // There is one for each connection.
        let reader = worker.value.headReaders.take()!
        input.compact()
        value.state = .readingHead
        value.request = request
        value.requestCount += 1
        request.value.connection = self
        request.value.main = request
        request.value.modules.isPipelined = isPipelined
        request.value.startedAt = worker.now
        let server = value.listener!.value.defaultServer
        request.value.server = server
        request.value.location = server.value.location
        reader.value.parser = RequestHeadParser(
            options: server.value.headOptions, pausesAtName: value.listener!.value.hasHeadOptions)
        request.value.headReader = reader
        worker.value.counters.reading += 1
        setReadTimer(after: server.value.clientHeaderTimeout)
    }

    /// - Returns: true when the head is complete; false if it waits or was refused.
    private func parseHead(_ request: RequestRef, _ input: Ref<Buffer>) -> Bool {
        let reader = request.value.headReader!
        switch reader.value.parser.parse(input.whole, fields: &reader.value.fields) {
        case .complete(let headLength):
            worker.value.counters.reading -= 1
            request.value.headLength = headLength
            input.consume(headLength)
            return true
        case .needMore:
            if reader.value.parser.isPaused {
                reader.value.parser.proceed(request.headOptions(reader.value.parser.head, input.whole))
                return parseHead(request, input)
            }
            if value.isReadable { return retryHead(request) }
            return false
        case .failed(let error):
            worker.value.counters.reading -= 1
            value.state = .processing
            clearReadTimer()
            request.refuseHead(error, input)
            return false
        }
    }

    private func retryHead(_ request: RequestRef) -> Bool {
        switch receiveMore() {
        case .data: return value.input.map { parseHead(request, $0) } ?? false
        case .wouldBlock: return false
        case .closed:
            closedWhileReadingHead()
            return false
        }
    }

    /// Nothing to read for now: an idle connection gives its buffer back.
    private func waitForHead() {
        guard value.state == .idle, let input = value.input, input.count == 0 else { return }
        pool.value.give(input)
        value.input = nil
    }

    private func closedWhileReadingHead() {
        if let request = value.request {
            worker.value.counters.reading -= 1
            if let input = value.input { request.takeUnfinishedHead(input) }
            request.log(.info, "client prematurely closed connection while reading client request headers")
            request.value.response.status = 400
            return request.end(closing: true)
        }
        if value.requestCount == 0 {
            let key = value.listener?.value.key ?? ""
            worker.log(
                .info, "client closed connection while waiting for request, client: \(peerText.string), server: \(key)",
                connection: value.serial)
        } else {
            worker.log(.info, "client \(peerText.string) closed keepalive connection", connection: value.serial)
        }
        close()
    }

    /// The read timer has expired.
    func readTimedOut() {
        switch value.state {
        case .closed: return
        case .idle: closeIdle()
        case .readingProxyHeader: close()
        case .readingHead:
            guard let request = value.request else { return close() }
            worker.value.counters.reading -= 1
            if let input = value.input { request.takeUnfinishedHead(input) }
            request.log(.info, "client timed out (110: Connection timed out) while reading client request headers")
            request.value.response.status = 408
            request.resetIfConfigured()
            request.end(closing: true)
        case .processing: value.request?.bodyTimedOut()
        case .lingering: close()
        }
    }

    /// The write timer has expired: the client takes nothing any more.
    func writeTimedOut() {
        guard let request = value.request else { return }
        request.log(.info, "client timed out (110: Connection timed out) while sending to client")
        request.resetIfConfigured()
        value.isBroken = true
        request.abort(status: 408)
    }

    // MARK: - Between requests

    /// The request was logged and its slot freed: next one, lingering, or close.
    /// - Parameter location: the request's last one, whose times hold.
    func requestEnded(keepalive: Bool, lingering: Bool, location: Ref<Location>) {
        clearWriteTimer()
        value.request = nil
        if value.isBroken { return close() }
        if !keepalive {
            if lingering { return beginLingering(location) }
            return close()
        }
        value.state = .idle
        value.idleSince = worker.now
        if let input = value.input, input.count > 0 { return } // pipelined: `readHead` or the caller goes on
        let least = location.value.keepaliveMinTimeout
        value.keptUntil = least == 0 ? 0 : worker.now &+ least
        if !value.isReadable { waitForHead() }
        if worker.value.isDraining { return retireIdle() }
        setReadTimer(after: location.value.keepaliveTimeout)
    }

    /// The worker leaves: closes an idle connection when `keepalive_min_timeout` has passed, and when it has idled for a moment, at the
    /// earliest in the next turn. A request that has come by then is served, and its answer says that the connection ends.
    func retireIdle() {
        let now = worker.now, until = max(value.keptUntil, value.idleSince + Self.nextRequestTime)
        setReadTimer(after: until > now ? until - now : 0)
    }

    /// Milliseconds after an answer within which a busy client's next request comes: it is on its way while the worker leaves.
    private static var nextRequestTime: UInt64 { 100 }

    /// The time of an idle connection has passed.
    private func closeIdle() {
        // A worker that leaves ends it without any fault of the client, whose next request may be here and not yet reported.
        if worker.value.isDraining, value.requestCount > 0 {
            value.isReadable = true
            readHead()
            guard value.state == .idle else { return }
        }
        close()
    }

    /// The answer is sent, and the rest of the request's body is thrown away before the next request: lingering_time in all.
    func beginDraining(_ location: Ref<Location>) {
        value.lingerUntil = worker.now + location.value.lingeringTime
        value.lingerTimeout = location.value.lingeringTimeout
        goOnLingering()
    }

    /// Bytes came: lingering_timeout begins anew.
    func goOnLingering() {
        let now = worker.now
        setReadTimer(after: value.lingerUntil > now ? min(value.lingerUntil - now, value.lingerTimeout) : 0)
    }

    private func beginLingering(_ location: Ref<Location>) {
        value.state = .lingering
        value.idleSince = worker.now
        Socket.shutdownWrite(value.descriptor)
        if let input = value.input { pool.value.give(input) }
        value.input = nil
        beginDraining(location)
        linger()
    }

    /// Reads and throws away, so that the kernel does not answer unread data with RST, which would lose our answer on its way.
    private func linger() {
        let scratch = worker.value.inbox
        var rounds = 16
        while value.isReadable, rounds > 0 {
            rounds -= 1
            scratch.clear()
            switch receive(into: scratch) {
            case .data: continue
            case .wouldBlock: break
            case .closed: return close()
            }
        }
        guard worker.now < value.lingerUntil else { return close() }
        if value.isReadable { return worker.postConnection(self) }
        goOnLingering()
    }
}
