import Messages
import struct TestKit.SeededGenerator
import Testing

private let event: AppEvent = {
    var event = AppEvent(time: 9, kind: .exited, app: "api", level: 4, text: "exited on signal 9 (OOM kill)")
    (event.hasInstance, event.slot, event.serial, event.process) = (true, 1, 7, 4711)
    (event.exitStatus, event.exitSignal, event.outOfMemoryKills, event.milliseconds) = (-1, 9, 1, 12)
    return event
}()
private let instance: InstanceOverview = {
    var instance = InstanceOverview(slot: 1, serial: 7, release: 3, phase: .backingOff, role: .candidate)
    (instance.process, instance.age, instance.next, instance.restarts, instance.failedStarts) = (4711, 1, 2, 3, 4)
    (instance.lines, instance.linesDropped, instance.address) = (5, 6, "127.0.0.1:3000")
    (instance.status, instance.lastExit, instance.lastFailure) = ("warming ü", "exited with code 3", "could not be started")
    return instance
}()
private let app: AppOverview = {
    var app = AppOverview(name: "api", outlook: .implausible)
    (app.isRunning, app.isRolling, app.nextStart, app.release, app.previousRelease) = (true, true, 15_000, 3, 2)
    (app.count, app.blockCount, app.command, app.differences) = (4, 2, ["/usr/bin/node", "server.js"], ["env A"])
    app.refusedBlock = "release 4: given up"
    return app
}()
private let peer = PeerOverview(
    upstream: "back", address: "127.0.0.1:3000", name: "api.0", state: .unproven, isBackup: true, weight: 10, connections: 1, fails: 3,
    attempts: 1 << 40, broken: 2)

private let headline = VerdictHeadline(
    incidents: [.max, 1], title: "Nothing listens there (P01, proven)", cause: "a<b>ü", evidence: ["x", ""], fix: "Start it.",
    commands: Array(repeating: String(repeating: "c", count: VerdictHeadline.textBytesMax), count: VerdictHeadline.commandsMax))

/// The messages between the supervisor and the control process.
@Suite struct ControlMessagesTests {
    static let commands: [ControlCommand] = [
        .hello(
            ControlHello(
                version: "0.1.0", supervisorProcess: 1, user: 33, startedAt: .max, socketPath: "/run/goodgate/control.sock",
                prefix: "/etc/goodgate/", configurationPath: "/etc/goodgate/goodgate.conf")),
        .configuration(generation: 3, boardBytes: 1 << 20),
        .attempt(AttemptRecord(time: 1, upstream: "back", peer: "127.0.0.1:3000", phase: 2, action: 0, reason: 1)),
        .failures(FailureTally(attempts: [], requests: [.init(incident: 1, entered: 2, saved: 1, failed: 1)])),
        .event(event),
        .overview(request: 1, SupervisorOverview(phase: .quitting, generation: 2)),
        .workers(
            request: 2,
            [WorkerOverview(process: 5, generation: 1, index: 0, state: .resting, age: 1, connections: 2, requests: 3)]),
        .app(request: 3, app), .instances(request: 4, app: "api", Array(repeating: instance, count: InstanceOverview.perPacketMax)),
        .peers(request: 5, Array(repeating: peer, count: PeerOverview.perPacketMax)), .peers(request: 5, []),
        .lines(request: 6, AppLines(slot: 0, serial: 1, release: 1, total: 9, lines: ["", "a\u{1b}[2Jb"])),
        .lastLines(app: "api", AppLines(slot: 3, serial: 4, release: 5, total: .max, lines: ["x"])),
        .answer(request: .max, ControlAnswer(.busy, release: 4, text: "a deploy is under way")),
    ]
    static let requests: [ControlRequest] = [
        .ready(process: 3), .failed("in use"), .status(request: 1), .app(request: 2, name: "api", .restart),
        .app(request: 3, name: "api", .scale(4)), .lines(request: 4, name: "api", count: 200, isWhole: true),
        .deploy(request: 5, name: "api", DeployOrder()),
        .deploy(
            request: 6, name: "api",
            DeployOrder(
                command: ["node", "new.js"], directory: "/srv/new", environment: ["A=b"], environmentFiles: ["/etc/api.env"],
                soakMilliseconds: 0)),
        .drain(request: 7, upstream: "", server: "127.0.0.1:3000", isDraining: true), .upgrade(request: 8),
        .verdict(.headline(headline)), .verdict(.closed(incident: .max)), .verdict(.allClosed),
    ]

    @Test(arguments: commands) func aCommandSurvivesTheJourney(command: ControlCommand) throws {
        #expect(try ControlCommand(decoding: command.encode(), descriptorCount: 2) == command)
    }

    @Test(arguments: requests) func aRequestSurvivesTheJourney(request: ControlRequest) throws {
        #expect(try ControlRequest(decoding: request.encode()) == request)
    }

    @Test func everyPrefixIsRefused() throws {
        for packet in try Self.commands.map({ try $0.encode() }) {
            for length in 0..<packet.count {
                #expect(throws: MessageError.self) { try ControlCommand(decoding: Array(packet[..<length]), descriptorCount: 2) }
            }
            #expect(throws: MessageError.trailingBytes) { try ControlCommand(decoding: packet + [0], descriptorCount: 2) }
        }
        for packet in try Self.requests.map({ try $0.encode() }) {
            for length in 0..<packet.count {
                #expect(throws: MessageError.self) { try ControlRequest(decoding: Array(packet[..<length])) }
            }
        }
    }

    @Test func aConfigurationWithoutItsDescriptorsIsRefused() throws {
        let packet = try ControlCommand.configuration(generation: 1, boardBytes: 1).encode()
        #expect(throws: MessageError.outOfRange) { try ControlCommand(decoding: packet, descriptorCount: 1) }
    }

    @Test func messagesOfOneDirectionAreNoneOfTheOther() throws {
        #expect(throws: MessageError.self) { try ControlRequest(decoding: ControlCommand.event(event).encode()) }
        #expect(throws: MessageError.self) { try WorkerReport(decoding: ControlRequest.status(request: 1).encode()) }
        #expect(throws: MessageError.self) {
            try ControlCommand(decoding: ControlRequest.status(request: 1).encode(), descriptorCount: 2)
        }
    }

    @Test func aDeployThatWouldBeCutIsRefusedByTheSender() {
        let long = String(repeating: "x", count: MessageLimits.textBytesMax + 1)
        for order in [
            DeployOrder(command: [long]), DeployOrder(directory: long), DeployOrder(environment: [long]),
            DeployOrder(command: Array(repeating: "x", count: DeployOrder.wordsMax + 1)),
            DeployOrder(environment: Array(repeating: String(repeating: "x", count: 4000), count: 10)),
        ] {
            #expect(throws: MessageError.tooLarge) { try ControlRequest.deploy(request: 1, name: "a", order).encode() }
        }
    }

    @Test func aDeployOfNothingIsRefused() throws {
        let packet = try ControlRequest.deploy(request: 1, name: "a", DeployOrder(command: [])).encode()
        #expect(throws: MessageError.outOfRange) { try ControlRequest(decoding: packet) }
    }

    @Test func aHeadlineIsBoundedOnBothSides() throws {
        var long = headline
        long.cause = String(repeating: "x", count: VerdictHeadline.textBytesMax - 1) + "ü"
        guard case .verdict(.headline(let cut)) = try ControlRequest(decoding: ControlRequest.verdict(.headline(long)).encode()) else {
            Issue.record("no headline")
            return
        }
        #expect(cut.cause == String(repeating: "x", count: VerdictHeadline.textBytesMax - 1))
        for (change, value) in [(\VerdictHeadline.evidence, 4), (\.commands, 5)] {
            var wide = headline
            wide[keyPath: change] = Array(repeating: "x", count: value)
            #expect(throws: MessageError.outOfRange) { try ControlRequest.verdict(.headline(wide)).encode() }
        }
        for count in [0, VerdictHeadline.incidentsMax + 1] {
            var other = headline
            other.incidents = Array(repeating: 1, count: count)
            #expect(throws: MessageError.outOfRange) { try WorkerCommand.verdict(.headline(other)).encode() }
        }
        // What a sender may not send, a reader does not take: the length of the title, made one too large.
        var packet = try ControlRequest.verdict(.headline(headline)).encode()
        let title = 4 + 1 + 2 + 16
        packet[title] = UInt8(truncatingIfNeeded: VerdictHeadline.textBytesMax + 1)
        packet[title + 1] = UInt8((VerdictHeadline.textBytesMax + 1) >> 8)
        #expect(throws: MessageError.outOfRange) { try ControlRequest(decoding: packet) }
    }

    @Test func theTableOfHeadlinesIsBoundedAndKnowsEveryName() {
        func named(_ incidents: UInt64...) -> VerdictHeadline {
            VerdictHeadline(incidents: incidents, title: "\(incidents)", cause: "", fix: "")
        }
        var table = VerdictTable()
        table.take(.headline(named(1, 7)))
        table.take(.headline(named(2)))
        #expect(table.headline(of: 7) == named(1, 7) && table.headline(of: 2) == named(2) && table.headline(of: 3) == nil)
        table.take(.headline(named(1, 8)))
        #expect(table.rows == [named(2), named(1, 8)] && table.headline(of: 7) == nil)
        // An incident's own name is nobody else's, whatever others say.
        table.take(.headline(named(3, 2)))
        #expect(table.headline(of: 2) == named(2))
        table.take(.closed(incident: 8))
        #expect(table.rows.count == 3, "by its own name only")
        table.take(.closed(incident: 1))
        #expect(table.headline(of: 8) == nil)
        for id in 100..<(100 + UInt64(VerdictTable.rowsMax)) { table.take(.headline(named(id))) }
        #expect(table.rows.count == VerdictTable.rowsMax && table.headline(of: 3) == nil && table.headline(of: 100) != nil)
        table.take(.allClosed)
        #expect(table == VerdictTable())
    }

    /// Whatever the bytes are, the decoders answer with a message that encodes again, or with an error.
    @Test(arguments: 0..<20 as Range<UInt64>) func hostileBytesNeverTrap(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let packets = try Self.commands.map { try $0.encode() } + Self.requests.map { try $0.encode() }
        for _ in 0..<300 {
            var packet = packets[random.next(below: packets.count)]
            for _ in 0...random.next(below: 4) {
                packet[2 + random.next(below: packet.count - 2)] = UInt8(truncatingIfNeeded: random.next())
            }
            if let command = try? ControlCommand(decoding: packet, descriptorCount: random.next(below: 3)) {
                #expect(try command.encode().count <= MessageLimits.packetBytesMax)
            }
            if let request = try? ControlRequest(decoding: packet) {
                #expect(try request.encode().count <= MessageLimits.packetBytesMax)
            }
        }
    }
}
