import Config
import Loop
import Machine
import Wire

extension Ref where Value == Request {
    /// The buffer at the end of the output that heads and small pieces are copied into.
    func outputBuffer() -> Ref<Buffer> {
        if let tail = value.outputTail { return tail }
        let tail = pool.value.take(4096)
        value.outputTail = tail
        return tail
    }

    /// Frames a piece and puts it into the output queue. Main requests only.
    func write(_ piece: Segment?, isLast: Bool) {
        guard !value.isHeaderOnly else {
            if let buffer = piece?.buffer { pool.value.give(buffer) }
            return
        }
        if let piece, piece.count > 0 {
            if value.isChunked { writeChunkHeader(piece.count) }
            queue(piece)
            if value.isChunked { outputBuffer().append("\r\n") }
        } else if let buffer = piece?.buffer {
            pool.value.give(buffer)
        }
        if isLast, value.isChunked {
            if let settings = location.value.headers { addConfiguredTrailers(settings) }
            writeLastChunk()
        }
    }

    private func writeChunkHeader(_ size: Int64) {
        let tail = outputBuffer()
        tail.append(hexadecimal: UInt64(size))
        tail.append("\r\n")
    }

    private func writeLastChunk() {
        let tail = outputBuffer()
        tail.append("0\r\n")
        for index in value.response.trailers.indices {
            let field = value.response.trailers[index]
            tail.append(field.name)
            tail.append(": ")
            tail.append(field.value)
            tail.append("\r\n")
        }
        tail.append("\r\n")
        value.isChunked = false
    }

    /// Small pieces are copied behind the head, so that one send carries all; large ones are sent from where they are.
    @inline(__always)
    func queue(_ piece: Segment) {
        if !piece.isFile, piece.bytes.count <= 2048, value.outputTail.map({ $0.count + piece.bytes.count <= 16384 }) ?? true {
            outputBuffer().append(piece.bytes)
            if let buffer = piece.buffer { pool.value.give(buffer) }
            return
        }
        sealTail()
        value.output.append(piece)
    }

    /// Turns the buffer being filled into a piece of the queue.
    private func sealTail() {
        guard let tail = value.outputTail else { return }
        value.outputTail = nil
        if tail.count == 0 { return pool.value.give(tail) }
        value.output.append(Segment(tail.view, owner: tail))
    }

    /// Bytes that wait to be sent.
    var pendingOutput: Int64 { value.output.byteCount + Int64(value.outputTail?.count ?? 0) }

    /// Whether the client's socket may take something now.
    var canSend: Bool { connection.value.isWritable && !value.isDelayed && !isPostponed }

    /// Sends what the socket takes. At the end of a complete answer it ends the request.
    func flush() {
        let connection = connection
        guard isMain else { return main.flush() }
        guard !value.isDelayed else { return }
        // Nothing goes out, but room may have come all the same: a filter has gone on, or it is another subrequest's turn.
        if isPostponed { return resumeExchanges() }
        if connection.value.isBroken { return abort(status: 499) }
        if let tail = value.outputTail, value.output.isEmpty, !location.value.hasLimitRate, value.limitRate == nil {
            // The common case: head and body in one buffer, one send, no vector.
            let bytes = tail.view
            guard connection.value.isWritable else { return waitForRoom() }
            let n = Socket.send(connection.value.descriptor, bytes, more: holdsEnd())
            if n == bytes.count {
                sent(n)
                pool.value.give(tail)
                value.outputTail = nil
                return drained()
            }
            if n < 0, n != Socket.wouldBlock { return sendFailed(n) }
            if n > 0 {
                sent(n)
                tail.consume(n)
            }
            connection.value.isWritable = false
            return waitForRoom()
        }
        sealTail()
        sendQueue()
    }

    /// Whether nothing but the end of the connection follows what is sent now: then the last bytes and the FIN leave in one packet
    /// (MSG_MORE, and a shutdown at the end of the turn), which saves both sides a packet and the client a wake-up.
    private func holdsEnd() -> Bool {
        guard !value.isKeepalive, value.isResponseComplete, value.body.state == .complete,
            location.value.settings.value.core.postAction == nil
        else { return false }
        connection.value.holdsBytes = true
        return true
    }

    /// The first bytes of an answer wait for subrequests under way: a few more may fill a packet, or the answer may fail as a whole
    /// (nginx: postpone_output).
    private var isPostponed: Bool {
        value.pendingSubrequests > 0 && value.bytesSent == 0 && !value.isTruncated && !connection.value.isBroken
            && pendingOutput < Int64(location.value.settings.value.core.postponeOutput)
    }

    private func sendQueue() {
        let connection = connection
        var budget = Worker.turnBudget
        var left = Worker.turnBytes
        while !value.output.isEmpty {
            guard connection.value.isWritable else { return waitForRoom() }
            guard budget > 0, left > 0 else { return worker.postConnection(connection) }
            budget -= 1
            var allowed = Int64.max
            if let limited = rateAllowance() {
                if limited <= 0 { return }
                allowed = limited
            }
            let n = sendSome(limit: allowed)
            if n < 0 {
                if n == Socket.wouldBlock {
                    connection.value.isWritable = false
                    return waitForRoom()
                }
                return sendFailed(n)
            }
            sent(n)
            left -= n
            advance(Int64(n))
        }
        drained()
    }

    /// Instead of -errno: the file has fewer bytes than were promised.
    private static var fileEnded: Int { .min }

    /// One system call: a vector of memory pieces, or a range of a file.
    private func sendSome(limit: Int64) -> Int {
        let descriptor = connection.value.descriptor
        let head = value.output.segments[value.output.first]
        if head.isFile {
            let chunkMax = location.value.settings.value.core.sendfileChunkMax
            let wanted = min(head.fileLength, limit, chunkMax > 0 ? Int64(chunkMax) : .max)
            let n = File.send(head.file, offset: head.fileOffset, count: Int(wanted), to: descriptor)
            // A file that became shorter: the promised length cannot be kept, so the connection must be cut.
            return n == 0 ? Self.fileEnded : n
        }
        let worker = worker
        worker.value.outputVector.removeAll()
        var left = limit
        var index = value.output.first
        var isFileNext = false
        while index < value.output.segments.count, !worker.value.outputVector.isFull, left > 0 {
            let segment = value.output.segments[index]
            if segment.isFile {
                isFileNext = true
                break
            }
            let bytes = Int64(segment.bytes.count) > left ? segment.bytes.prefix(Int(left)) : segment.bytes
            worker.value.outputVector.add(bytes)
            left -= Int64(bytes.count)
            index += 1
        }
        let expected = worker.value.outputVector.byteCount
        let isLast = Int64(expected) == value.output.byteCount
        let n = worker.value.outputVector.send(descriptor, more: isFileNext || isLast && holdsEnd())
        if n >= 0, n < expected { connection.value.isWritable = false }
        return n
    }

    /// Takes sent bytes off the queue and gives their buffers back.
    private func advance(_ n: Int64) {
        var left = n
        value.output.byteCount -= n
        while left > 0 {
            let index = value.output.first
            let size = value.output.segments[index].count
            if size > left {
                if value.output.segments[index].isFile {
                    value.output.segments[index].fileOffset += left
                    value.output.segments[index].fileLength -= left
                } else {
                    value.output.segments[index].bytes = value.output.segments[index].bytes.dropFirst(Int(left))
                }
                return
            }
            left -= size
            if let buffer = value.output.segments[index].buffer {
                value.output.heldMemory -= buffer.value.capacity
                pool.value.give(buffer)
            }
            value.output.first += 1
        }
        if value.output.first == value.output.segments.count {
            value.output.segments.removeAll()
            value.output.first = 0
        } else if value.output.first >= 64 {
            value.output.segments.removeFirst(value.output.first)
            value.output.first = 0
        }
    }

    private func sent(_ n: Int) { value.bytesSent += Int64(n) }

    private func waitForRoom() { connection.setWriteTimer(after: location.value.sendTimeout) }

    private func drained() {
        connection.clearWriteTimer()
        if value.isTruncated { return abort(status: value.response.status) }
        if value.isResponseComplete { return end(closing: false) }
        if !value.filters.isEmpty { return drainedWithFilters() }
        value.exchange?.clientDrained()
    }

    /// Filters go on in the loop's next round, so that a fast client does not keep the worker from all others.
    private func drainedWithFilters() {
        if hasResumableInput { worker.postConnection(connection) }
        resumeExchanges()
    }

    /// Exchanges that rest because of what waited go on, those of subrequests too.
    private func resumeExchanges() {
        let generation = value.generation
        let count = value.subrequests.all.count
        value.exchange?.clientDrained()
        for index in 0..<count where value.generation == generation && index < value.subrequests.all.count {
            value.subrequests.all[index].value.exchange?.clientDrained()
        }
    }

    private func sendFailed(_ n: Int) {
        let isFileEnd = n == Self.fileEnded
        log(.info, isFileEnd ? "file was truncated while sending" : "send() failed", errno: isFileEnd ? 0 : Int32(-n))
        connection.value.isBroken = true
        abort(status: 499)
    }

    // MARK: - limit_rate

    /// Bytes that may be sent now, nil without a limit; when it is 0 or less a timer was set.
    private func rateAllowance() -> Int64? {
        if value.limitRate == nil {
            guard location.value.hasLimitRate else { return nil }
            value.limitRate = evaluate(location.value.settings.value.core.limitRate)
        }
        // The rate may also come from an upstream or from `set`.
        let after = value.limitRateAfter ?? evaluate(location.value.settings.value.core.limitRateAfter)
        value.limitRateAfter = after
        guard let rate = value.limitRate, let limit = RateLimit(rate: rate, after: after) else { return nil }
        let elapsed = worker.now &- value.startedAt
        let allowed = limit.allowance(passed: value.bytesSent, elapsed: elapsed)
        if allowed <= 0 {
            // It is we who wait now, not the client (nginx has one timer for both).
            connection.clearWriteTimer()
            value.isDelayed = true
            value.resumption = .flush
            setTimer(after: limit.wait(allowed, elapsed: elapsed))
        }
        return allowed
    }
}
