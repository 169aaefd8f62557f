import Machine

/// A server behind the gateway: listens at an address, reads requests strictly, and answers as its habits are.
final class SimulatedOrigin {
    enum ConnectAnswer { case atOnce, later, refusedAtOnce, refusedLater, never }

    let index: Int
    let name: String
    let simulation: Simulation
    /// It never goes wrong.
    let isHealthy: Bool
    /// Requests of a hundred that go wrong.
    let faultPercent: UInt64
    /// Idle connections are closed after so many nanoseconds, 0 never.
    let idleTime: UInt64
    private var connections: [OriginConnection] = []

    init(index: Int, isHealthy: Bool, _ simulation: Simulation) {
        self.index = index
        self.isHealthy = isHealthy
        self.simulation = simulation
        name = "origin \(index)"
        faultPercent = isHealthy ? 0 : [10, 40, 100][Int(simulation.random.next(below: 3))]
        idleTime = simulation.chance(simulation.plan.isCalm ? 0 : 30) ? 1_000_000 + simulation.random.next(below: 300_000_000) : 0
    }

    func answerConnect() -> ConnectAnswer {
        let goesWell = simulation.chance(30) ? ConnectAnswer.atOnce : .later
        guard !isHealthy, simulation.chance(faultPercent / 2) else { return goesWell }
        simulation.ledger.connectFaults += 1
        return [.refusedAtOnce, .refusedLater, .never][Int(simulation.random.next(below: 3))]
    }

    func accept(_ connection: SimulatedConnection) {
        let accepted = OriginConnection(self, connection)
        connections.append(accepted)
        connection.peer = accepted
    }
}

/// One connection of the gateway to an origin.
final class OriginConnection: NetworkPeer {
    let origin: SimulatedOrigin
    let connection: SimulatedConnection
    private var reader = MessageReader(requests: true)
    private var current: Current?
    private var served = 0
    private var isOver = false

    /// The request being read or answered.
    private struct Current {
        var number: Int
        var method: String
        var version: String
        var framing: MessageReader.Framing
        var received = 0
        var attempt: Int
        var fault: OriginFault?
        var isRead = false
        var answersEarly = false
        var isAnswered = false
        var closes = false
    }

    init(_ origin: SimulatedOrigin, _ connection: SimulatedConnection) {
        self.origin = origin
        self.connection = connection
    }

    private var simulation: Simulation { origin.simulation }
    private var network: SimulatedNetwork { origin.simulation.network }

    func received(_ connection: SimulatedConnection) {
        guard !isOver else { return }
        reader.append(network.read(connection))
        while !isOver, current?.isRead != true, let event = reader.next() { take(event) }
        if connection.toPeer.isReset || connection.toPeer.isEnded, !isOver {
            isOver = true
            network.close(connection)
        }
    }

    private func take(_ event: MessageReader.Event) {
        switch event {
        case .head(let lines, let framing): begin(lines, framing)
        case .body(let bytes):
            guard let request = current else { return }
            if !SimulatedBody.matches(bytes[...], request.number, offset: request.received) {
                network.fault("the body of request \(request.number) came changed to \(origin.name)")
            }
            current?.received += bytes.count
        case .end: requestIsRead()
        case .wrong(let why): network.fault("\(origin.name) got a bad request: \(why)")
        }
    }

    private func begin(_ lines: [String], _ framing: MessageReader.Framing) {
        let words = lines[0].split(separator: " ")
        guard words.count == 3, let number = Int(words[1].split(separator: "/").last ?? ""),
            let plan = simulation.plan.requests[safe: number]
        else { return network.fault("\(origin.name) got \(lines[0])") }
        if String(words[0]) != plan.method || lines.values("x-id") != ["\(number)"] || lines.values("host").count != 1 {
            network.fault("request \(number) came changed: \(lines)")
        }
        let fault = simulation.chance(origin.faultPercent) ? OriginFault.allCases.randomElement(using: &simulation.random) : nil
        let attempt = simulation.ledger.attempts[number, default: []].count
        simulation.ledger.attempts[number, default: []].append(Ledger.Attempt(origin: origin.index, fault: fault))
        network.note("\(origin.name) has the head of request \(number), attempt \(attempt): \(fault.map { "\($0)" } ?? "well")")
        current = Current(number: number, method: plan.method, version: String(words[2]), framing: framing, attempt: attempt, fault: fault)
        if attempt > 0, !plan.isIdempotent { network.fault("request \(number), a \(plan.method), reached origins twice") }
        current?.closes = words[2] == "HTTP/1.0" || lines.values("connection") == ["close"]
        if simulation.chance(fault == nil ? 5 : 50), framing != .none {
            current?.answersEarly = true
            answer()
        }
    }

    private func requestIsRead() {
        guard let request = current else { return }
        if let plan = simulation.plan.requests[safe: request.number], request.received != plan.bodyCount {
            network.fault("\(request.received) of \(plan.bodyCount) body bytes of request \(request.number) came to \(origin.name)")
        }
        current?.isRead = true
        if request.answersEarly { return endIfDone() }
        network.after(simulation.pause()) { [self] in if !isOver { answer() } }
    }

    // MARK: - Answers

    private func answer() {
        guard let request = current else { return }
        switch request.fault {
        case .closes?: return end(hard: false)
        case .resets?: return end(hard: true)
        case .saysNothing?: return
        default: break
        }
        var script = AnswerScript(request: request.number, attempt: request.attempt, method: request.method, fault: request.fault)
        script.closes = request.closes || simulation.chance(10) || request.answersEarly
        let bytes = script.write(&simulation.random, isOldVersion: request.version == "HTTP/1.0")
        simulation.ledger.attempts[request.number]?[request.attempt].answer = script.answer
        if script.closes { current?.closes = true }
        play(bytes) { [self] in
            switch request.fault {
            case .cutsHead?, .cutsBody?: end(hard: false)
            case .resetsBody?: end(hard: true)
            // An answer to HEAD has no body that could be wrong.
            case .stopsInBody? where request.method != "HEAD", .badChunk? where request.method != "HEAD": break
            case .badHead?, .twoLengths?, .hugeHead?: break
            default:
                current?.isAnswered = true
                endIfDone()
            }
        }
    }

    /// Sends bytes in pieces, with pauses.
    private func play(_ bytes: [UInt8], then: @escaping () -> Void) {
        guard !isOver else { return }
        let isWhole = simulation.chance(50)
        let count = isWhole ? bytes.count : min(bytes.count, 1 + Int(simulation.random.next(below: UInt64(bytes.count / 2 + 20))))
        network.send(connection, Array(bytes[..<count]))
        if count == bytes.count { return then() }
        let rest = Array(bytes[count...])
        network.after(simulation.pause()) { [self] in play(rest, then: then) }
    }

    private func endIfDone() {
        guard let request = current, request.isAnswered else { return }
        if request.closes {
            // Read on what may still come, as a good server does; then it is over.
            return network.after(request.isRead ? 0 : 2_000_000_000) { [self] in end(hard: false) }
        }
        guard request.isRead else { return }
        current = nil
        served += 1
        startIdling()
        received(connection)
    }

    private func end(hard: Bool) {
        guard !isOver else { return }
        isOver = true
        network.note("\(origin.name) \(hard ? "resets" : "closes") \(connection.name)")
        if hard { network.reset(connection) } else { network.close(connection) }
    }

    /// What has answered once may be closed when it waits too long.
    private func startIdling() {
        guard origin.idleTime > 0 else { return }
        let before = served
        network.after(origin.idleTime) { [self] in
            guard !isOver, current == nil, served == before, reader.isBetweenMessages else { return }
            simulation.ledger.lateCloses += 1
            end(hard: false)
        }
    }
}
