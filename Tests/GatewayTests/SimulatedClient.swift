import Machine

/// A client of the gateway: sends its requests, reads the answers strictly, and judges them.
final class SimulatedClient: NetworkPeer {
    let index: Int
    let plan: ClientPlan
    let simulation: Simulation
    private var connection: SimulatedConnection?
    private var reader = MessageReader(requests: false)
    /// Requests not sent yet.
    private var waiting: [Int]
    /// Requests sent on this connection and not answered yet.
    private var pending: [Int] = []
    private var answered = 0
    private var isSending = false
    private var answer: Answer?
    private var closeWasAnnounced = false
    private var hasLeft = false
    private var startedAt: UInt64 = 0
    private var isReadNoted = false
    private(set) var isDone = false

    /// The answer being read.
    private struct Answer {
        let status: Int
        /// What the origin sent; nil: an answer of the gateway itself.
        let origin: OriginAnswer?
        let fault: OriginFault?
        let framing: MessageReader.Framing
        var received = 0
    }

    init(_ index: Int, _ plan: ClientPlan, _ simulation: Simulation) {
        self.index = index
        self.plan = plan
        self.simulation = simulation
        waiting = plan.requests
    }

    private var network: SimulatedNetwork { simulation.network }
    private func plan(of request: Int) -> RequestPlan { simulation.plan.requests[request] }
    private var name: String { "client \(index)" }
    /// What waits for what, when nothing goes on any more.
    var summary: String { "\(name): not sent \(waiting), not answered \(pending)" }

    func begin() {
        startedAt = network.now
        open()
        guard plan.leaving != .never else { return }
        network.after(plan.leavesAfter) { [self] in leave() }
    }

    private func open() {
        reader = MessageReader(requests: false)
        answer = nil
        closeWasAnnounced = false
        answered = 0
        pending = []
        let made = network.makeConnection(name)
        connection = made
        network.connect(made, self)
        sendNext()
    }

    private func leave() {
        guard !isDone, let connection else { return }
        network.note("\(name) leaves: \(plan.leaving)")
        hasLeft = true
        switch plan.leaving {
        case .shutsDown: network.finish(connection)
        case .closes: network.close(connection)
        case .resets, .never: network.reset(connection)
        }
        if plan.leaving != .shutsDown { finish() }
    }

    private func finish() {
        isDone = true
        if let connection { network.close(connection) }
        connection = nil
    }

    // MARK: - Sending

    private func sendNext() {
        guard !isSending, !isDone, !hasLeft, !closeWasAnnounced, plan.isPipelining || pending.isEmpty else { return }
        guard let next = waiting.first else {
            if pending.isEmpty { finish() }
            return
        }
        waiting.removeFirst()
        pending.append(next)
        simulation.sent[next] += 1
        isSending = true
        network.note("\(name) sends request \(next): \(plan(of: next).method)")
        send(plan(of: next).bytes(&simulation.random), on: connection!)
    }

    private func send(_ bytes: [UInt8], on sending: SimulatedConnection) {
        guard sending === connection, !hasLeft else { return }
        let isWhole = simulation.chance(60)
        let count = isWhole ? bytes.count : min(bytes.count, 1 + Int(simulation.random.next(below: UInt64(bytes.count / 3 + 30))))
        network.send(sending, Array(bytes[..<count]))
        if count == bytes.count {
            isSending = false
            return sendNext()
        }
        network.after(simulation.pause()) { [self] in send(Array(bytes[count...]), on: sending) }
    }

    // MARK: - Reading

    func received(_ connection: SimulatedConnection) {
        guard connection === self.connection, !isDone else { return }
        if connection.isElsewhere {
            self.connection = nil
            return isDone = true
        }
        guard plan.readsSlowly else { return read(connection, .max) }
        guard !isReadNoted else { return }
        isReadNoted = true
        network.after(1_000_000 + simulation.random.next(below: 10_000_000)) { [self] in
            isReadNoted = false
            guard connection === self.connection, !isDone else { return }
            read(connection, 1 + Int(simulation.random.next(below: 9000)))
            if connection === self.connection, connection.toPeer.count > 0 { received(connection) }
        }
    }

    private func read(_ connection: SimulatedConnection, _ limit: Int) {
        reader.append(network.read(connection, limit: limit))
        while let event = reader.next(hasNoBody: pending.first.map { plan(of: $0).method == "HEAD" } ?? false) {
            take(event)
            if isDone || connection !== self.connection { return }
        }
        guard connection.toPeer.count == 0, connection.toPeer.isEnded || connection.toPeer.isReset else { return }
        connectionEnded(connection)
    }

    private func take(_ event: MessageReader.Event) {
        switch event {
        case .wrong(let why):
            network.fault("\(name) got a bad answer: \(why)")
            finish()
        case .head(let lines, let framing): begin(lines, framing)
        case .body(let bytes): body(bytes)
        case .end: endOfAnswer()
        }
    }

    private func begin(_ lines: [String], _ framing: MessageReader.Framing) {
        guard let request = pending.first, let status = lines.status else {
            network.fault("\(name) got an answer that it has not asked for: \(lines)")
            return finish()
        }
        if status == 100 {
            if !plan(of: request).expectsContinue { network.fault("\(name) got a 100 for request \(request)") }
            answer = Answer(status: 100, origin: nil, fault: nil, framing: .none)
            return
        }
        network.note("\(name): answer \(status) to request \(request)")
        closeWasAnnounced = lines.values("connection") == ["close"] || plan(of: request).version == "HTTP/1.0"
            && lines.values("connection") != ["keep-alive"]
        if framing == .chunked, plan(of: request).version == "HTTP/1.0" { network.fault("chunks for HTTP/1.0, request \(request)") }
        var origin: OriginAnswer?
        var fault: OriginFault?
        if let id = lines.values("x-id").first {
            let attempt = lines.values("x-attempt").first.flatMap { Int($0) }.flatMap { simulation.ledger.attempts[request]?[safe: $0] }
            origin = attempt?.answer
            fault = attempt?.fault
            if id != "\(request)" || origin == nil { network.fault("request \(request) got the answer to \(id)") }
            if origin?.status != status { network.fault("request \(request) got status \(status) instead of \(origin?.status ?? 0)") }
            if let fault, !fault.isAfterHead, fault != .unavailable { network.fault("request \(request) got an answer that \(fault)") }
            if fault == .unavailable { simulation.judgeOwnStatus(503, request) }
        } else {
            simulation.judgeOwnStatus(status, request)
        }
        answer = Answer(status: status, origin: origin, fault: fault, framing: framing)
    }

    private func body(_ bytes: [UInt8]) {
        guard let origin = answer?.origin, let received = answer?.received else { return }
        if !SimulatedBody.matches(bytes[...], origin.number, offset: received) {
            network.fault("the body of answer \(pending) came changed, at \(received)")
        }
        answer?.received += bytes.count
    }

    private func endOfAnswer() {
        guard let done = answer, done.status != 100 else { return }
        answer = nil
        let request = pending.removeFirst()
        answered += 1
        simulation.answers[request] += 1
        if let origin = done.origin, plan(of: request).method != "HEAD" {
            if done.received != origin.count { network.fault("\(done.received) of \(origin.count) body bytes for request \(request)") }
            if let fault = done.fault, fault.isAfterHead { network.fault("request \(request) took for whole what \(fault)") }
        }
        // After an answer that says close the connection ends.
        if !closeWasAnnounced { sendNext() }
    }

    private func connectionEnded(_ connection: SimulatedConnection) {
        network.note("\(name): the connection ended\(connection.toPeer.isReset ? " with a reset" : "")")
        network.close(connection)
        self.connection = nil
        isSending = false
        if reader.isUntilEnd, let done = answer {
            if !connection.toPeer.isReset { endAtEnd(done) } else { judgeCut(done) }
        } else if let done = answer, done.status != 100 {
            judgeCut(done)
        }
        guard !hasLeft else { return isDone = true }
        if !pending.isEmpty { judgeSilence(connection) }
        guard !isDone, !waiting.isEmpty else { return isDone = true }
        network.after(simulation.pause()) { [self] in open() }
    }

    /// A body that ends with the connection.
    private func endAtEnd(_ done: Answer) {
        let isCut = done.fault?.isAfterHead == true
        if let origin = done.origin, done.received != origin.count, !isCut, !hasLeft {
            network.fault("\(done.received) of \(origin.count) body bytes for \(pending), until the end")
        }
        answer = nil
        simulation.answers[pending.removeFirst()] += 1
        closeWasAnnounced = true
    }

    /// The connection ended inside an answer.
    private func judgeCut(_ done: Answer) {
        answer = nil
        let request = pending.removeFirst()
        closeWasAnnounced = true
        guard !hasLeft else { return }
        simulation.answers[request] += 1
        if done.fault?.isAfterHead != true { network.fault("the answer to request \(request) was cut at \(done.received)") }
    }

    /// The connection ended with requests on it that had no byte of an answer.
    private func judgeSilence(_ connection: SimulatedConnection) {
        if !closeWasAnnounced, let first = pending.first, simulation.ledger.attempts[first]?.last?.fault?.isAfterHead == true {
            // Cut before its first byte was sent.
            pending.removeFirst()
            simulation.answers[first] += 1
            closeWasAnnounced = true
        }
        let lost = pending
        pending = []
        if closeWasAnnounced || answered > 0 && simulation.mayCloseIdle {
            // Said beforehand, or idle: none of them may have been carried out; they are sent again.
            for request in lost where simulation.ledger.attempts[request] != nil && closeWasAnnounced {
                network.fault("request \(request) was carried out after an answer that said close")
            }
            waiting = lost.filter { simulation.ledger.attempts[$0] == nil } + waiting
            return
        }
        // Bytes that come after the last answer was sent are met with a reset, which may destroy it on its way (RFC 9112, 9.6).
        if connection.toPeer.isReset, lost.count > 1 || plan(of: lost[0]).badHead != nil { return }
        network.fault("\(name): no answer to \(lost), and the connection is closed")
    }
}
