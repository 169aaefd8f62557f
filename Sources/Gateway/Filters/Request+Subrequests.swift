import Config
import Loop
import Wire

/// Subrequests: other URIs of this server whose answers become part of a request's own (nginx: ngx_http_subrequest).
extension Ref where Value == Request {
    /// Starts a subrequest; it begins to run before the loop waits again.
    /// - Parameters:
    ///   - uri: decoded path, in memory that lives as long as the main request.
    /// - Returns: nil if there are too many already, after an error line.
    func startSubrequest(_ uri: ByteView, arguments: ByteView, purpose: SubrequestPurpose) -> RequestRef? {
        guard value.subrequests.depth < SubrequestState.depthMax else {
            log(.error, "subrequests cycle while processing \"\(uri.string)\"")
            return nil
        }
        guard value.subrequests.captured == nil else {
            log(.error, "nested in-memory subrequest \"\(uri.string)\"")
            return nil
        }
        let main = main
        // Clients that are slow to read hold all subrequests of their pages: a slot for each connection is kept for plain requests.
        let hasRoom = worker.value.requests.count < worker.value.requests.limit - worker.value.connections.limit
        guard main.value.subrequests.all.count < SubrequestState.countMax, hasRoom, let child = worker.value.requests.take() else {
            if !main.value.subrequests.isRefusing { log(.critical, "too many subrequests while processing \"\(uri.string)\"") }
            main.value.subrequests.isRefusing = true
            return nil
        }
        child.inherit(from: self, uri: uri, arguments: arguments)
        child.value.subrequests.purpose = purpose
        if purpose == .capture {
            child.value.subrequests.captured = pool.value.take(4096)
        }
        main.value.subrequests.all.append(child)
        value.pendingSubrequests += 1
        if purpose == .include {
            if activeRequest == self, value.subrequests.postponed.isEmpty { main.value.subrequests.active = child }
            value.subrequests.postponed.append(.request(child))
        }
        child.value.resumption = .runPhases
        worker.post(child)
        return child
    }

    private func inherit(from parent: RequestRef, uri: ByteView, arguments: ByteView) {
        value.connection = parent.value.connection
        value.parent = parent
        value.main = parent.value.main
        value.subrequests.depth = parent.value.subrequests.depth + 1
        value.startedAt = worker.now
        value.server = parent.value.server
        value.location = parent.server.value.location
        value.versionMinor = parent.value.versionMinor
        value.requestLine = parent.value.requestLine
        value.unparsedURI = parent.value.unparsedURI
        value.host = parent.value.host
        value.schemeFromLine = parent.value.schemeFromLine
        value.method = .get
        value.methodName = "GET"
        value.uri = uri
        value.arguments = arguments
        value.isInternal = true
        value.isURIComplex = true
        value.body.state = .complete
        value.phase = .serverRewrite
    }

    /// Whose pieces go to the client now.
    var activeRequest: RequestRef { main.value.subrequests.active ?? main }

    // MARK: - Order of the pieces

    /// Takes a piece that has passed the filters of its own request: to the client if it is this request's turn.
    func postpone(_ piece: Segment?, isLast: Bool, isFlush: Bool) {
        if !isMain {
            if let piece, piece.count > 0 { value.subrequests.hasOutput = true }
            if value.subrequests.purpose == .capture { return capture(piece) }
        }
        if activeRequest == self, value.subrequests.postponed.isEmpty {
            return main.deliver(piece, isLast: isLast && isMain, isFlush: isFlush)
        }
        if piece == nil, !isLast { return }
        value.subrequests.postponed.append(.data(piece, isLast: isLast && isMain, isFlush: isFlush))
        value.subrequests.postponedBytes += piece?.heldMemory ?? 0
    }

    /// Sends on what has become due, and gives the turn to the next request. On the main request.
    func advanceSubrequests() {
        while true {
            let current = activeRequest
            if let first = current.value.subrequests.postponed.first {
                switch first {
                case .data(let piece, let isLast, let isFlush):
                    current.value.subrequests.postponed.removeFirst()
                    current.value.subrequests.postponedBytes -= piece?.heldMemory ?? 0
                    deliver(piece, isLast: isLast, isFlush: isFlush)
                case .request(let child):
                    value.subrequests.active = child
                    // It may have rested because others were before it.
                    worker.postConnection(connection)
                }
                continue
            }
            guard current != self, current.value.subrequests.isSettled, let parent = current.value.parent else { return }
            if !parent.value.subrequests.postponed.isEmpty { parent.value.subrequests.postponed.removeFirst() }
            value.subrequests.active = parent == self ? nil : parent
        }
    }

    /// Keeps the body of a captured subrequest, as far as its location allows (subrequest_output_buffer_size).
    private func capture(_ piece: Segment?) {
        guard let piece else { return }
        defer { if let buffer = piece.buffer { pool.value.give(buffer) } }
        guard let captured = value.subrequests.captured, piece.count > 0, !value.isTruncated else { return }
        let limit = location.value.settings.value.core.subrequestOutputBufferSize
        guard Int64(captured.count) + piece.count <= Int64(limit) else {
            value.isTruncated = true
            // An answer with a hole is worse than none.
            if main.value.bytesSent == 0 { main.dropOutput() }
            return breakAnswer("too big subrequest response")
        }
        guard piece.isFile else { return captured.append(piece.bytes) }
        if captured.room < Int(piece.count) { captured.grow(by: Int(piece.count)) }
        _ = captured.read(from: piece.file, at: piece.fileOffset, limit: Int(piece.count))
    }

    // MARK: - Ends

    /// A subrequest with a stub ends without a body: the stub is its body, whatever its status. False if it had one.
    func finishWithStub(_ completion: Completion) -> Bool {
        guard let stub = value.subrequests.stub, !value.subrequests.hasOutput else { return false }
        if case .done = completion, isHeldBack { return false }
        value.subrequests.stub = nil
        if !value.isHeaderSent {
            value.response.contentType = value.parent?.value.response.contentType
            value.response.contentTypeBare = value.parent?.value.response.contentTypeBare
            value.response.contentLength = -1
            if value.response.status == 0 { value.response.status = 200 }
            value.isErrorPage = true
            sendHeader()
        }
        emit(Segment(stub), isLast: true)
        finish(.done)
        return true
    }

    /// A filter or a subrequest is not done yet: the answer cannot end.
    var isHeldBack: Bool {
        if value.pendingSubrequests > 0 { return true }
        if isMain, !value.subrequests.postponed.isEmpty { return true }
        for filter in value.filters where filter.isHolding { return true }
        return false
    }

    /// The handler of a subrequest is done, its filters too.
    func subrequestDone() {
        guard !value.subrequests.isSettled, let parent = value.parent else { return }
        value.subrequests.isSettled = true
        value.phase = .finished
        value.isLogged = true
        writeAccessLog()
        releaseLimits()
        let main = main
        let generation = main.value.generation
        parent.value.pendingSubrequests -= 1
        for (index, filter) in parent.value.filters.enumerated() {
            filter.subrequestEnded(self, request: parent, index: index)
            guard main.value.generation == generation else { return }
        }
        main.advanceSubrequests()
        parent.finishIfReleased()
        guard main.value.generation == generation else { return }
        if parent != main { main.finishIfReleased() }
        guard main.value.generation == generation else { return }
        main.flush()
    }

    /// The handler was done before; now the filters are, too.
    func finishIfReleased() {
        guard value.subrequests.isFinishing, !isHeldBack else { return }
        value.subrequests.isFinishing = false
        finish(.done)
    }

    /// Gives all subrequests back. On a main request that ends.
    func releaseSubrequests() {
        guard !value.subrequests.all.isEmpty else { return }
        for child in value.subrequests.all {
            child.reset()
            worker.value.requests.give(child)
        }
        value.subrequests.all = []
    }

    /// Gives back the pieces that were never sent.
    func releasePostponed() {
        for piece in value.subrequests.postponed {
            if case .data(let segment, _, _) = piece, let buffer = segment?.buffer { pool.value.give(buffer) }
        }
        if let captured = value.subrequests.captured { pool.value.give(captured) }
        value.subrequests.captured = nil
        value.subrequests.reset()
    }
}

extension Segment {
    /// Memory that is not free before the piece is sent.
    var heldMemory: Int { buffer?.value.capacity ?? 0 }
}
