import Config
import Glibc
import Loop
import Wire

/// The body of a request: how it is framed, how much was read, and where it is kept.
struct RequestBody: ~Copyable {
    enum Framing: UInt8 { case none, length, chunked }
    enum State: UInt8 {
        /// Nobody asked for it yet.
        case unread
        /// Being collected into memory, then a file.
        case collecting
        /// Passed on piece by piece as it comes (proxy_request_buffering off).
        case streaming
        /// Read and thrown away.
        case discarding
        /// All of it was read.
        case complete
        /// It broke off, timed out or was wrong: the connection cannot be used again.
        case failed
    }

    var framing = Framing.none
    var state = State.complete
    /// Bytes still to come, with a length.
    var remaining: Int64 = 0
    /// Content-Length, or -1 for chunked.
    var declaredLength: Int64 = 0
    var decoder = ChunkedDecoder()
    /// Body bytes seen so far.
    var received: Int64 = 0
    /// Bytes of chunk sizes, line ends and trailers seen so far: `$request_length` counts what came.
    var framingLength: Int64 = 0
    /// The whole body, where it lies in one piece in memory (the head buffer or `memory`).
    var inPlace: ByteView?
    var memory: Ref<Buffer>?
    /// A streamed body, kept only for `$request_body`.
    var remembered: Ref<Buffer>?
    var file: Int32 = -1
    var filePath = ByteView()
    var fileLength: Int64 = 0
    var expectsContinue = false
    /// Some of it was passed on as it came and is nowhere any more.
    var isConsumed = false
    /// The file stays when the request ends (`client_body_in_file_only on` where it was made).
    var keepsFile = false
    var isTooLarge = false
    /// The head was refused: what follows is not looked at.
    var discardsNothing = false

    init() {}

    var isUnread: Bool { state == .unread }
    /// Length of the collected body.
    var collectedLength: Int64 { inPlace.map { Int64($0.count) } ?? fileLength + Int64(memory?.count ?? 0) }
    /// What of it lies in memory.
    var memoryLength: Int { inPlace?.count ?? memory?.count ?? 0 }

    /// Sets the framing from a head. False if it makes no sense.
    mutating func begin(head: RequestHead) -> Bool {
        received = 0
        expectsContinue = head.flags.contains(.expectContinue)
        if head.isChunked {
            framing = .chunked
            decoder = ChunkedDecoder()
            declaredLength = -1
            remaining = 0
            state = .unread
        } else {
            let length = head.contentLength ?? 0
            guard length <= UInt64(Int64.max) else { return false }
            framing = length > 0 ? .length : .none
            declaredLength = Int64(length)
            remaining = declaredLength
            state = length > 0 ? .unread : .complete
        }
        return true
    }

    mutating func release(_ pool: Ref<BufferPool>) {
        giveUp(pool)
        if file >= 0 {
            Socket.close(file)
            file = -1
        }
        filePath = ByteView()
        framing = .none
        state = .complete
        remaining = 0
        declaredLength = 0
        received = 0
        framingLength = 0
        keepsFile = false
        isTooLarge = false
        discardsNothing = false
    }

    /// Gives up what came of a body that is not complete: nobody is sent a part of it, and nobody is told its length.
    mutating func giveUp(_ pool: Ref<BufferPool>) {
        if let memory { pool.value.give(memory) }
        memory = nil
        if let remembered { pool.value.give(remembered) }
        remembered = nil
        inPlace = nil
        fileLength = 0
        isConsumed = false
        expectsContinue = false
    }
}

extension Ref where Value == Request {
    /// Collects the whole body, then calls `proxyBodyReady` (nginx: ngx_http_read_client_request_body).
    func collectBody() {
        guard value.body.state == .unread else { return bodyDone() }
        value.body.state = .collecting
        sendContinueIfExpected()
        readBody()
    }

    /// Reads on, in whatever mode the body is in.
    func readBody() {
        switch value.body.state {
        case .collecting: collect()
        case .streaming: value.exchange?.bodyArrived()
        case .discarding: discard()
        case .unread, .complete, .failed: break
        }
    }

    /// The client's socket has news: body bytes, a close, or early pipelined bytes.
    func clientIsReadable() {
        switch value.body.state {
        case .collecting: readBody()
        case .discarding:
            let isAnswered = value.phase == .finished
            readBody()
            // It was read to its end, or to the client's: nobody else will hear of that.
            if !isAnswered, value.body.state != .discarding, connection.value.isPeerClosed { clientWentAway() }
        case .streaming:
            readBody()
            // Nobody has read: the end of the client is to be noticed all the same.
            if value.body.state == .streaming, let exchange = value.exchange, exchange.awaitsPeer { clientWentAway() }
        case .unread, .complete, .failed:
            if let exchange = value.exchange, exchange.value.state == .tunnel { return exchange.clientIsReadable() }
            if connection.value.isPeerClosed { clientWentAway() }
        }
    }

    /// While the answer is being made the client closed its side. nginx: 499 unless *_ignore_client_abort.
    func clientWentAway() {
        guard connection.value.isPeerClosed, value.phase != .finished else { return }
        if connection.value.state != .processing { return }
        if let exchange = value.exchange, exchange.value.ignoresClientAbort { return }
        // Bytes may precede the end of file: a pipelined request before a half-close is no abort.
        let peeked = Socket.peek(connection.value.descriptor)
        if peeked > 0 || peeked == Socket.wouldBlock {
            return
        }
        guard value.exchange != nil || value.isDelayed || value.pendingSubrequests > 0 else { return }
        logAbort(errno: peeked < 0 ? Int32(-peeked) : 0)
        connection.value.isBroken = true
        abort(status: 499)
    }

    /// In nginx's words, which name what was waited for.
    private func logAbort(errno code: Int32) {
        guard let action = value.exchange?.action else {
            return log(.info, code == 0 ? "client prematurely closed connection" : "client closed connection", errno: code)
        }
        let text = "epoll_wait() reported that client prematurely closed connection, so upstream connection is closed too"
        log(.info, text, errno: code, while: action)
    }

    func sendContinueIfExpected() {
        guard value.body.expectsContinue, value.versionMinor >= 1, value.body.received == 0 else { return }
        value.body.expectsContinue = false
        let answer: ByteView = "HTTP/1.1 100 Continue\r\n\r\n"
        let sent = max(0, Socket.send(connection.value.descriptor, answer))
        guard sent < answer.count else { return }
        // The client is behind with what it was sent before: the rest goes first when it takes more.
        connection.value.isWritable = false
        outputBuffer().append(answer.dropFirst(sent))
    }

    /// A body that is larger than client_max_body_size: what is here of it is thrown away, and an error page that comes from an upstream
    /// gets nothing of it (nginx: ngx_http_core_find_config_phase).
    func refuseBody() {
        value.body.isTooLarge = true
        value.body.expectsContinue = false
        value.isKeepalive = false
        if value.body.state == .unread { discard() }
    }

    /// For answers that are certain by now and want no body: 100 if it is waited for, and what is already here of it is read and thrown
    /// away. Not before: an index or an error page may pass the request on, with its body.
    /// - Returns: false if the body is broken; the request was answered then.
    func ignoreBody() -> Bool {
        sendContinueIfExpected()
        guard value.body.state == .unread else { return true }
        discard()
        guard value.body.state == .failed, !connection.value.isPeerClosed else { return true }
        value.isKeepalive = false
        finish(.status(400))
        return false
    }

    /// An answer begins, and nobody has asked for the body: what is here of it is thrown away. One that waits for 100 may never come: the
    /// connection ends then (nginx: ngx_http_special_response_handler, ngx_http_send_response).
    func discardUnwantedBody() {
        guard !value.body.discardsNothing else { return }
        if !value.body.expectsContinue || value.body.received > 0 { discard() }
        if value.body.expectsContinue || value.body.state == .failed { value.isKeepalive = false }
    }

    private func collect() {
        switch value.body.framing {
        case .none: return bodyDone()
        case .length: collectWithLength()
        case .chunked: collectChunked()
        }
    }

    private func collectWithLength() {
        let input = connection.value.input!
        if value.body.memory == nil {
            let isInMemory = location.value.settings.value.core.clientBodyInFile == .off
                && (value.body.remaining <= Int64(location.value.bodyBufferSize) || !worker.value.http.value.usesRequestBodyFile)
            // A body that fits behind its head is read there, and sent from there: no copy, no file.
            while isInMemory, Int64(input.count) < value.body.remaining, Int64(input.count + input.room) >= value.body.remaining {
                guard connection.value.isReadable else { return waitForBody() }
                switch connection.receive(into: input, limit: Int(value.body.remaining) - input.count) {
                case .data: setBodyTimer()
                case .wouldBlock: return waitForBody()
                case .closed: return bodyFailed(0)
                }
            }
            if Int64(input.count) >= value.body.remaining, isInMemory {
                let n = Int(value.body.remaining)
                value.body.inPlace = input.view.prefix(n)
                input.consume(n)
                value.body.received += Int64(n)
                value.body.remaining = 0
                return bodyDone()
            }
            value.body.memory = pool.value.take(max(1, Int(min(value.body.remaining, Int64(location.value.bodyBufferSize)))))
        }
        let memory = value.body.memory!
        var budget = Worker.turnBudget
        while value.body.remaining > 0 {
            if memory.room == 0, !spillBody() { return bodyFailed(500) }
            if input.count > 0 {
                let n = Int(min(Int64(min(input.count, memory.room)), value.body.remaining))
                memory.append(input.view.prefix(n))
                input.consume(n)
                value.body.received += Int64(n)
                value.body.remaining -= Int64(n)
                continue
            }
            guard connection.value.isReadable else { return waitForBody() }
            guard budget > 0 else { return worker.postConnection(connection) }
            budget -= 1
            let before = memory.count
            switch connection.receive(into: memory, limit: Int(min(value.body.remaining, Int64(memory.room)))) {
            case .data:
                let n = Int64(memory.count - before)
                value.body.received += n
                value.body.remaining -= n
                setBodyTimer()
            case .wouldBlock: return waitForBody()
            case .closed: return bodyFailed(0)
            }
        }
        bodyCollected()
    }

    private func collectChunked() {
        var input = connection.value.input!
        if value.body.memory == nil { value.body.memory = pool.value.take(location.value.bodyBufferSize) }
        let memory = value.body.memory!
        var budget = Worker.turnBudget
        while true {
            switch takeChunkPiece(input) {
            case .payload(var piece):
                while !piece.isEmpty {
                    if memory.room == 0, !spillBody() { return bodyFailed(500) }
                    let n = min(piece.count, memory.room)
                    memory.append(piece.prefix(n))
                    piece = piece.dropFirst(n)
                }
            case .needMore:
                guard connection.value.isReadable else { return waitForBody() }
                guard budget > 0 else { return worker.postConnection(connection) }
                budget -= 1
                input = bodyInput()
                switch connection.receive(into: input) {
                case .data: setBodyTimer()
                case .wouldBlock: return waitForBody()
                case .closed: return bodyFailed(0)
                }
            case .end: return bodyCollected()
            case .failed: return
            }
        }
    }

    enum ChunkPiece { case payload(ByteView), needMore, end, failed }

    /// Takes the next piece of a chunked body from its input. A chunk that would make the body too large is refused as
    /// soon as its size is known (nginx: ngx_http_request_body_chunked_filter).
    /// - Returns: payload, valid until the input receives more; `failed` when the request was answered.
    func takeChunkPiece(_ input: Ref<Buffer>) -> ChunkPiece {
        let event = value.body.decoder.decode(input.view)
        var payload = 0..<0
        if case .data(let range) = event { payload = range }
        let size = Int64(payload.count) + Int64(clamping: value.body.decoder.remainingInChunk)
        let limit = location.value.bodySizeMax
        if limit > 0, size > limit - value.body.received {
            log(.error, "client intended to send too large chunked body: \(value.body.received)+\(size) bytes")
            bodyFailed(413)
            return .failed
        }
        switch event {
        case .data:
            let piece = input.view[payload]
            value.body.received += Int64(payload.count)
            value.body.framingLength += Int64(payload.lowerBound)
            input.consume(payload.upperBound)
            return .payload(piece)
        case .needMore(let consumed):
            value.body.framingLength += Int64(consumed)
            input.consume(consumed)
            return .needMore
        case .end(let consumed, _):
            value.body.framingLength += Int64(consumed)
            input.consume(consumed)
            return .end
        case .failed:
            log(.error, "client sent invalid chunked body")
            bodyFailed(400)
            return .failed
        }
    }

    /// The connection's input buffer, with room to receive into. The head's views must stay valid while the request lives, so a buffer that
    /// holds the head neither moves it nor grows: when it is full, it hangs on the request, and the body goes on in another one.
    func bodyInput() -> Ref<Buffer> {
        let input = connection.value.input!
        let holdsHead = input.holds(value.headBytes)
        if input.count == 0 {
            input.value.start = holdsHead ? value.headLength : 0
            input.value.end = input.value.start
        }
        // A head's buffer is of the head's size.
        if input.room >= (holdsHead ? 4096 : 1) { return input }
        let fresh = pool.value.take(max(16384, 2 * input.count))
        fresh.append(input.view)
        if holdsHead { value.modules.keepUntilEnd(input) } else { pool.value.give(input) }
        connection.value.input = fresh
        return fresh
    }

    private func bodyCollected() {
        if let memory = value.body.memory, value.body.file < 0 {
            if location.value.settings.value.core.clientBodyInFile != .off {
                if !spillBody() { return bodyFailed(500) }
            } else {
                value.body.inPlace = memory.view
            }
        } else if value.body.file >= 0, let memory = value.body.memory, memory.count > 0, !spillBody() {
            return bodyFailed(500)
        }
        bodyDone()
    }

    /// Writes what is in memory behind the body's file, making it if need be.
    private func spillBody() -> Bool {
        guard let memory = value.body.memory else { return true }
        if value.body.file < 0 {
            guard let made = worker.makeTempFile(location.value.settings.value.core.clientBodyTempPath, for: self) else { return false }
            value.body.file = made.descriptor
            value.body.filePath = keep(made.path)
            let isAsked = location.value.settings.value.core.clientBodyInFile
            value.body.keepsFile = isAsked == .on
            log(isAsked == .off ? .warning : .notice, "a client request body is buffered to a temporary file \(made.path.string)")
        }
        let written = File.write(memory.view, to: value.body.file, at: value.body.fileLength)
        guard written == 0 else {
            log(.critical, "pwrite() \"\(value.body.filePath.string)\" failed", errno: -written)
            return false
        }
        value.body.fileLength += Int64(memory.count)
        memory.clear()
        return true
    }

    func setBodyTimer() { connection.setReadTimer(after: location.value.bodyTimeout) }

    private func waitForBody() {
        setBodyTimer()
        if connection.value.isPeerClosed, !connection.value.isReadable { bodyFailed(0) }
    }

    func bodyTimedOut() {
        switch value.body.state {
        case .collecting, .streaming:
            log(.info, "client timed out (110: Connection timed out) while reading client request body")
            bodyFailed(408)
        case .discarding:
            // It had its lingering_time: it does not get another one.
            resetIfConfigured()
            connection.value.isBroken = true
            end(closing: true)
        default: break
        }
    }

    /// - Parameter status: what to answer; 0: the client is gone.
    func bodyFailed(_ status: Int) {
        value.body.state = .failed
        connection.clearReadTimer()
        value.isKeepalive = false
        if status == 0 {
            log(.info, "client prematurely closed connection")
            connection.value.isBroken = true
            return abort(status: 400)
        }
        if value.isHeaderSent { return abort(status: status) }
        if let exchange = value.exchange { exchange.detach() }
        // The page for this status may come from an upstream.
        value.body.giveUp(pool)
        finish(.status(status))
    }

    private func bodyDone() {
        value.body.state = .complete
        connection.clearReadTimer()
        proxyBodyReady()
    }

    /// Reads what is left of a body nobody wanted, so that the next request on the connection starts at its head.
    /// - Returns: true when it is gone.
    @discardableResult
    func discard() -> Bool {
        value.body.state = .discarding
        guard var input = connection.value.input else { return false }
        var budget = Worker.turnBudget
        while true {
            switch value.body.framing {
            case .none:
                value.body.state = .complete
            case .length:
                let n = Int(min(Int64(input.count), value.body.remaining))
                input.consume(n)
                value.body.remaining -= Int64(n)
                if value.body.remaining == 0 { value.body.state = .complete }
            case .chunked: discardChunked(input)
            }
            if value.body.state == .failed {
                endAfterDiscard()
                return false
            }
            if value.body.state == .complete {
                endAfterDiscard()
                return true
            }
            guard connection.value.isReadable else { return false }
            guard budget > 0 else {
                worker.postConnection(connection)
                return false
            }
            budget -= 1
            input = bodyInput()
            switch connection.receive(into: input) {
            case .data: if value.phase == .finished { connection.goOnLingering() }
            case .wouldBlock: return false
            case .closed:
                value.body.state = .failed
                endAfterDiscard()
                return false
            }
        }
    }

    private func discardChunked(_ input: Ref<Buffer>) {
        while true {
            switch value.body.decoder.decode(input.view) {
            case .data(let range): input.consume(range.upperBound)
            case .needMore(let consumed): return input.consume(consumed)
            case .end(let consumed, _):
                input.consume(consumed)
                value.body.state = .complete
                return
            case .failed:
                value.body.state = .failed
                value.isKeepalive = false
                return
            }
        }
    }

    private func endAfterDiscard() {
        if value.phase == .finished { end(closing: false) }
    }
}
