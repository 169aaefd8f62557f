import Messages
import struct TestKit.SeededGenerator
import Testing

private let hello = WorkerHello(
    workerIndex: 1, workerCount: 2, boardColumn: 7, boardBytes: 1 << 20, generation: 3, supervisorProcess: 4711, startedAsNginx: true,
    prefix: "/etc/nginx/", configurationPath: "/etc/nginx/nginx.conf", globals: "daemon off;", errorLogPath: "/var/log/ü.log")
private let attempt = AttemptRecord(
    time: 1, upstream: "backend", peer: "127.0.0.1:3000", phase: 2, action: 1, reason: 5, errno: 111, bytesWritten: 2,
    bytesAcknowledged: 1, bytesRead: 3, connectionAgeMilliseconds: 4, idleMilliseconds: 5, isReused: true, durationMilliseconds: 6,
    connection: 7, requestID: "0123456789abcdef0123456789abcdef", method: "GET", detail: "d", incident: .max, status: 502)
private let tally = FailureTally(
    attempts: [.init(incident: 1, reason: 2, phase: 3, count: .max, first: -4, last: .max, upstream: "back", peer: "unix:/run/a")],
    requests: [.init(incident: 1, entered: 2, saved: 3, failed: .max)])
private let fullTally = FailureTally(
    attempts: Array(
        repeating: .init(
            incident: .max, reason: 2, phase: 3, count: 1, first: 4, last: 5,
            upstream: String(repeating: "u", count: FailureTally.nameBytesMax),
            peer: String(repeating: "p", count: FailureTally.nameBytesMax)), count: FailureTally.rowsMax),
    requests: Array(repeating: .init(incident: 1, entered: 2, saved: 3, failed: 4), count: FailureTally.rowsMax))

private let session = StickySession(
    zone: "z", digestHigh: .max, digestLow: 7, peer: Array("df2b80dc43705d28db9be6f29fe58da3".utf8), idleMilliseconds: 5)

private let instance = InstanceName(app: "api", slot: 1, serial: .max)

@Suite struct MessagesTests {
    static let commands: [WorkerCommand] = [
        .hello(hello),
        .listeners([]),
        .listeners((0..<60).map { NamedDescriptor(name: "127.0.0.1:\(8000 + $0)", descriptorIndex: $0) }),
        .logs([NamedDescriptor(name: "/var/log/nginx/access.log", descriptorIndex: 0)]),
        .zones([NamedDescriptor(name: ZoneName.requests("one"), descriptorIndex: 1)]),
        .peers([PeerPlace(upstream: "backend", address: "127.0.0.1:3000", ordinal: 0, slot: 7, slotGeneration: .max)]),
        .run(WorkerIdentity(changesUser: true, userName: "www-data", user: 33, group: 33, groups: [33, 4])),
        .drain(deadlineMilliseconds: nil), .drain(deadlineMilliseconds: 0), .drain(deadlineMilliseconds: .max),
        .stop, .reopenLogs, .successor, .sessions(Array(repeating: session, count: StickySession.perPacketMax)),
        .drainServer(ServerDrain(upstream: "back", server: "127.0.0.1:3000", isDraining: true)),
        .upstream(UpstreamNews(upstream: "back", starting: 2)),
        .upstream(
            UpstreamNews(
                upstream: "back",
                instances: [
                    .init(address: "127.0.0.1:3000", name: "api.0", weight: 10, slot: 7, slotGeneration: 1 << 40),
                    .init(address: "unix:/run/a", name: "api.1", isLeaving: true),
                    .init(address: "127.0.0.1:3001", name: "api.2", isOnTrial: true),
                ], failedStarts: 3, nextStart: 15_000)),
        .beginChecks(term: .max), .endChecks, .check(
            InstanceCheck(
                instance: instance, address: "unix:/run/a", state: .unhealthy,
                settings: .init(uri: "/up?now", interval: .max, timeout: 500, passes: 2, fails: .max, match: "well"))),
        .check(
            InstanceCheck(
                instance: instance, address: "127.0.0.1:3000", state: .unproven,
                settings: .init(uri: "/", interval: 1000, timeout: 1000, passes: 1, fails: 3))),
        .uncheck(instance), .lookAtPeers, .rescued(RescuedConnections(address: "127.0.0.1:1", peers: [])),
        .rescued(
            RescuedConnections(
                address: "127.0.0.1:3000", peers: Array(repeating: "127.0.0.1:65535", count: RescuedConnections.peersMax))),
        .verdict(.headline(VerdictHeadline(incidents: [1], title: "t", cause: "c", evidence: ["e"], fix: "f", commands: ["x"]))),
        .verdict(.closed(incident: 1)), .verdict(.allClosed),
    ]
    static let reports: [WorkerReport] = [
        .ready(process: 42), .failed(""), .failed("bind() failed"),
        .attempt(attempt), .failures(tally),
        .failures(fullTally), .session(session),
        .inheritance(isOrphan: true, isComplete: false), .inheritance(isOrphan: false, isComplete: true),
        .health(InstanceHealth(instance: instance, isHealthy: true, term: 7)), .peersChanged,
        .complaint(CheckComplaint(instance: instance, text: "it answered with status 500", term: 7)),
        .peerFound(FoundPeer(upstream: "back", address: "[::1]:80")),
    ]

    @Test(arguments: commands) func aCommandSurvivesTheJourney(command: WorkerCommand) throws {
        #expect(try WorkerCommand(decoding: command.encode(), descriptorCount: 60) == command)
    }

    @Test(arguments: reports) func aReportSurvivesTheJourney(report: WorkerReport) throws {
        #expect(try WorkerReport(decoding: report.encode()) == report)
    }

    @Test(arguments: commands) func everyPrefixOfACommandIsRefused(command: WorkerCommand) throws {
        let packet = try command.encode()
        for length in 0..<packet.count {
            #expect(throws: MessageError.self) { try WorkerCommand(decoding: Array(packet[..<length]), descriptorCount: 60) }
        }
        #expect(throws: MessageError.trailingBytes) { try WorkerCommand(decoding: packet + [0], descriptorCount: 60) }
    }

    @Test func anIndexBeyondTheDescriptorsThatCameIsRefused() throws {
        let packet = try WorkerCommand.listeners([NamedDescriptor(name: "a", descriptorIndex: 1)]).encode()
        #expect(throws: MessageError.outOfRange) { try WorkerCommand(decoding: packet, descriptorCount: 1) }
        #expect(throws: MessageError.outOfRange) { try WorkerCommand(decoding: WorkerCommand.hello(hello).encode(), descriptorCount: 1) }
        #expect(throws: MessageError.outOfRange) { try WorkerCommand(decoding: WorkerCommand.successor.encode(), descriptorCount: 0) }
    }

    @Test func aSessionWithoutAPeerIsRefused() {
        var empty = session
        empty.peer = []
        #expect(throws: MessageError.outOfRange) { try WorkerReport.session(empty).encode() }
    }

    @Test func anotherVersionAndForeignBytesAreNamed() throws {
        var packet = try WorkerCommand.stop.encode()
        packet[1] = 9
        #expect(throws: MessageError.version(9)) { try WorkerCommand(decoding: packet, descriptorCount: 0) }
        #expect(throws: MessageError.foreign) { try WorkerReport(decoding: Array("GET / HTTP/1.1".utf8.dropFirst())) }
        packet[1] = MessageLimits.version
        packet[3] = 9
        #expect(throws: MessageError.unknownKind(0x0906)) { try WorkerCommand(decoding: packet, descriptorCount: 0) }
    }

    @Test func aLongTextIsCutAtACharacter() throws {
        let report = WorkerReport.failed(String(repeating: "x", count: 4095) + "üü")
        #expect(try WorkerReport(decoding: report.encode()) == .failed(String(repeating: "x", count: 4095)))
    }

    @Test func aListThatDoesNotFitIsRefusedByTheSender() {
        let long = (0..<60).map { NamedDescriptor(name: String(repeating: "p", count: 4000), descriptorIndex: $0) }
        #expect(throws: MessageError.tooLarge) { try WorkerCommand.logs(long).encode() }
        let many = (0..<61).map { NamedDescriptor(name: "p", descriptorIndex: $0) }
        #expect(throws: MessageError.tooLarge) { try WorkerCommand.logs(many).encode() }
    }

    /// Bytes from a taken-over worker: whatever they are, the decoder answers with a message that encodes again, or with an error.
    @Test(arguments: 0..<40 as Range<UInt64>) func hostileBytesNeverTrap(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let packets = try Self.commands.map { try $0.encode() } + Self.reports.map { try $0.encode() }
        for _ in 0..<400 {
            var packet = packets[random.next(below: packets.count)]
            for _ in 0...random.next(below: 4) {
                packet[2 + random.next(below: packet.count - 2)] = UInt8(truncatingIfNeeded: random.next())
            }
            if let command = try? WorkerCommand(decoding: packet, descriptorCount: random.next(below: 61)) {
                #expect(try command.encode().count <= MessageLimits.packetBytesMax)
            }
            if let report = try? WorkerReport(decoding: packet) { #expect(try report.encode().count <= MessageLimits.packetBytesMax) }
        }
    }
}
