/// What the supervisor tells the control process.
///
/// Order at the start: `hello`, `configuration`. Later `configuration` at each reload, `attempt` and `event` as they come, and for each
/// request any number of parts and then one `answer`, all with the request's number. The supervisor never waits for the control process:
/// what does not fit into the channel is kept up to a limit, attempts and events beyond it are dropped and counted.
package enum ControlCommand: Equatable, Sendable {
    /// The first message.
    case hello(ControlHello)
    /// A configuration is in force. Descriptors: 0 the configuration bundle, 1 the board.
    case configuration(generation: UInt32, boardBytes: UInt64)
    /// A failed attempt, as a worker told it.
    case attempt(AttemptRecord)
    /// Counts of a worker's failures. What is in none of the records is only here, so it is kept until there is room.
    case failures(FailureTally)
    /// Something happened in the life of an app.
    case event(AppEvent)
    /// What an instance that ended wrote last.
    case lastLines(app: String, AppLines)
    /// Parts of an answer to `ControlRequest.status`.
    case overview(request: UInt32, SupervisorOverview)
    case workers(request: UInt32, [WorkerOverview])
    case app(request: UInt32, AppOverview)
    case instances(request: UInt32, app: String, [InstanceOverview])
    case peers(request: UInt32, [PeerOverview])
    /// The last lines of one instance.
    case lines(request: UInt32, AppLines)
    /// A request is answered; nothing more comes for it.
    case answer(request: UInt32, ControlAnswer)
}

extension ControlCommand {
    private enum Kind {
        static let hello: UInt16 = 0x0201
        static let configuration: UInt16 = 0x0202
        static let attempt: UInt16 = 0x0203
        static let event: UInt16 = 0x0204
        static let lastLines: UInt16 = 0x0205
        static let overview: UInt16 = 0x0210
        static let workers: UInt16 = 0x0211
        static let app: UInt16 = 0x0212
        static let instances: UInt16 = 0x0213
        static let peers: UInt16 = 0x0214
        static let lines: UInt16 = 0x0215
        static let answer: UInt16 = 0x0216
        static let failures: UInt16 = 0x0217
    }

    /// The packet for this message.
    /// - Throws: `.tooLarge` when it does not fit; the sender splits lists.
    package func encode() throws(MessageError) -> [UInt8] {
        var writer: PacketWriter
        switch self {
        case .hello(let hello):
            writer = PacketWriter(kind: Kind.hello)
            hello.write(to: &writer)
        case .configuration(let generation, let boardBytes):
            writer = PacketWriter(kind: Kind.configuration)
            writer.integer(generation)
            writer.integer(boardBytes)
        case .attempt(let record):
            writer = PacketWriter(kind: Kind.attempt)
            record.write(to: &writer)
        case .failures(let tally):
            writer = PacketWriter(kind: Kind.failures)
            try tally.write(to: &writer)
        case .event(let event):
            writer = PacketWriter(kind: Kind.event)
            event.write(to: &writer)
        case .lastLines(let app, let lines):
            writer = PacketWriter(kind: Kind.lastLines)
            writer.text(app)
            try lines.write(to: &writer)
        case .overview(let request, let overview):
            writer = PacketWriter(kind: Kind.overview, request: request)
            overview.write(to: &writer)
        case .workers(let request, let list):
            writer = PacketWriter(kind: Kind.workers, request: request)
            try WorkerOverview.write(list, to: &writer)
        case .app(let request, let overview):
            writer = PacketWriter(kind: Kind.app, request: request)
            try overview.write(to: &writer)
        case .instances(let request, let app, let list):
            writer = PacketWriter(kind: Kind.instances, request: request)
            writer.text(app)
            try InstanceOverview.write(list, to: &writer)
        case .peers(let request, let list):
            writer = PacketWriter(kind: Kind.peers, request: request)
            try PeerOverview.write(list, to: &writer)
        case .lines(let request, let lines):
            writer = PacketWriter(kind: Kind.lines, request: request)
            try lines.write(to: &writer)
        case .answer(let request, let answer):
            writer = PacketWriter(kind: Kind.answer, request: request)
            answer.write(to: &writer)
        }
        return try writer.finish()
    }

    /// Reads a packet from the supervisor.
    /// - Throws: what is wrong with the packet. The receiver closes the descriptors then.
    package init(decoding packet: [UInt8], descriptorCount: Int) throws(MessageError) {
        var reader = try PacketReader(packet)
        switch reader.kind {
        case Kind.hello: self = .hello(try ControlHello(from: &reader))
        case Kind.configuration:
            guard descriptorCount >= 2 else { throw .outOfRange }
            self = .configuration(generation: try reader.integer(), boardBytes: try reader.integer())
        case Kind.attempt: self = .attempt(try AttemptRecord(from: &reader))
        case Kind.failures: self = .failures(try FailureTally(from: &reader))
        case Kind.event: self = .event(try AppEvent(from: &reader))
        case Kind.lastLines: self = .lastLines(app: try reader.text(), try AppLines(from: &reader))
        case Kind.overview: self = .overview(request: try reader.integer(), try SupervisorOverview(from: &reader))
        case Kind.workers: self = .workers(request: try reader.integer(), try WorkerOverview.read(from: &reader))
        case Kind.app: self = .app(request: try reader.integer(), try AppOverview(from: &reader))
        case Kind.instances:
            self = .instances(request: try reader.integer(), app: try reader.text(), try InstanceOverview.read(from: &reader))
        case Kind.peers: self = .peers(request: try reader.integer(), try PeerOverview.read(from: &reader))
        case Kind.lines: self = .lines(request: try reader.integer(), try AppLines(from: &reader))
        case Kind.answer: self = .answer(request: try reader.integer(), try ControlAnswer(from: &reader))
        case let kind: throw .unknownKind(kind)
        }
        try reader.finish()
    }
}
