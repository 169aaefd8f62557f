/// What a worker tells the supervisor. The sender never blocks: what finds the channel full is dropped; attempts are counted on the board.
///
/// Kinds 0x0100–0x01FF are those of supervised apps.
package enum WorkerReport: Equatable, Sendable {
    /// The worker accepts connections. The process id is a check only: the supervisor knows whom it spawned.
    case ready(process: Int32)
    /// The worker cannot start with what it was given and exits; the text says why, one line, without a newline.
    case failed(String)
    /// A failed attempt.
    case attempt(AttemptRecord)
    /// Failures that are only counted.
    case failures(FailureTally)
    /// A session of `sticky learn` was learned or prolonged: for the other workers, and those that come.
    case session(StickySession)
    /// To a supervisor that has connected by `WorkerCommand.successor`. With `isOrphan` it is the worker's supervisor from now on, and the
    /// descriptors are the worker's listening sockets; more follow in the next packet until `isComplete`. Without, the worker has another
    /// one, and listens to news of upstreams only.
    case inheritance(isOrphan: Bool, isComplete: Bool)
    /// An instance of an app became healthy or unhealthy, by the checks that this worker runs.
    case health(InstanceHealth)
    /// The check of an instance that has not passed yet failed, for another reason than the last time.
    case complaint(CheckComplaint)
    /// This worker's checks put something new on the board: the others are to look.
    case peersChanged
    /// This worker found a peer by name, which wants a place on the board. Answered by `WorkerCommand.peers`.
    case peerFound(FoundPeer)
}

extension WorkerReport {
    private enum Kind {
        static let health: UInt16 = 0x0100
        static let peersChanged: UInt16 = 0x0101
        static let peerFound: UInt16 = 0x0102
        static let complaint: UInt16 = 0x0103
        static let ready: UInt16 = 1
        static let failed: UInt16 = 2
        static let attempt: UInt16 = 5
        static let session: UInt16 = 6
        static let inheritance: UInt16 = 0x0200
        static let failures: UInt16 = 7
    }

    /// The packet for this message.
    /// - Throws: `.tooLarge` when it does not fit.
    package func encode() throws(MessageError) -> [UInt8] {
        var writer: PacketWriter
        switch self {
        case .ready(let process):
            writer = PacketWriter(kind: Kind.ready)
            writer.integer(process)
        case .failed(let text):
            writer = PacketWriter(kind: Kind.failed)
            writer.text(text)
        case .attempt(let record):
            writer = PacketWriter(kind: Kind.attempt)
            record.write(to: &writer)
        case .failures(let tally):
            writer = PacketWriter(kind: Kind.failures)
            try tally.write(to: &writer)
        case .session(let session):
            writer = PacketWriter(kind: Kind.session)
            try session.write(to: &writer)
        case .inheritance(let isOrphan, let isComplete):
            writer = PacketWriter(kind: Kind.inheritance)
            writer.flag(isOrphan)
            writer.flag(isComplete)
        case .health(let health):
            writer = PacketWriter(kind: Kind.health)
            health.write(to: &writer)
        case .complaint(let complaint):
            writer = PacketWriter(kind: Kind.complaint)
            complaint.write(to: &writer)
        case .peersChanged: writer = PacketWriter(kind: Kind.peersChanged)
        case .peerFound(let found):
            writer = PacketWriter(kind: Kind.peerFound)
            found.write(to: &writer)
        }
        return try writer.finish()
    }

    /// Reads a packet from a worker. Only `inheritance` comes with descriptors; the receiver closes all others.
    /// - Throws: what is wrong with the packet.
    package init(decoding packet: [UInt8]) throws(MessageError) {
        var reader = try PacketReader(packet)
        switch reader.kind {
        case Kind.ready: self = .ready(process: try reader.integer())
        case Kind.failed: self = .failed(try reader.text())
        case Kind.attempt: self = .attempt(try AttemptRecord(from: &reader))
        case Kind.failures: self = .failures(try FailureTally(from: &reader))
        case Kind.session: self = .session(try StickySession(from: &reader))
        case Kind.inheritance:
            let isOrphan = try reader.flag()
            self = .inheritance(isOrphan: isOrphan, isComplete: try reader.flag())
        case Kind.health: self = .health(try InstanceHealth(from: &reader))
        case Kind.complaint: self = .complaint(try CheckComplaint(from: &reader))
        case Kind.peersChanged: self = .peersChanged
        case Kind.peerFound: self = .peerFound(try FoundPeer(from: &reader))
        case let kind: throw .unknownKind(kind)
        }
        try reader.finish()
    }
}
