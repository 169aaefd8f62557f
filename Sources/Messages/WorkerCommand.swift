/// What the supervisor tells a worker.
///
/// Order at the start: `hello`, any number of `listeners`, `logs` and `peers`, then `run`. The worker parses the bundle, takes the
/// listeners that its configuration names, drops its ids, and answers `WorkerReport.ready` before its first accept. A listener
/// may be sent twice under one key (`reuseport`: one socket per worker, or a share of the sockets of another worker count).
///
/// Kinds 0x0100–0x01FF are those of supervised apps, from 0x0200 those of taking over.
package enum WorkerCommand: Equatable, Sendable {
    /// Descriptors: 0 the configuration bundle, 1 the board.
    case hello(WorkerHello)
    /// Listening sockets, at most `MessageLimits.descriptorsMax` in a packet.
    case listeners([NamedDescriptor])
    /// Open log files, by full path. After a `reopenLogs` the same paths come again with new descriptors.
    case logs([NamedDescriptor])
    /// Slots of the board for the addresses of upstreams. May come again at any time; then it adds to what was told.
    case peers([PeerPlace])
    /// Sessions of `sticky learn` that other workers learned. Before `run` those of the workers before, later each as it comes.
    case sessions([StickySession])
    /// Memory of the zones of limit_req and limit_conn, as `ZoneName` names them. Before `run`.
    case zones([NamedDescriptor])
    /// All is said: become this user, start accepting, report `ready`.
    case run(WorkerIdentity)
    /// Graceful end (QUIT, old generation): stop accepting, close idle connections, let active requests end, exit 0. With a deadline, in
    /// milliseconds from now, cut what is left then (`worker_shutdown_timeout`).
    case drain(deadlineMilliseconds: UInt64?)
    /// Fast end (TERM, INT): close everything, exit 0.
    case stop
    /// New descriptors for the log files follow in `logs` messages; write what is buffered to the old ones first.
    case reopenLogs
    /// A server is taken out of the choice, or given back. Before `run`, and when it is ordered.
    case drainServer(ServerDrain)
    /// The instances of an upstream with `app`, and what is coming. Before `run`, and at each change.
    case upstream(UpstreamNews)
    /// Before `run`. Descriptor 0: a listening packet socket. When the supervisor is gone, the next one connects to it, and the connection
    /// takes the place of the channel; the worker begins it with `WorkerReport.inheritance`.
    case successor
    /// This worker runs the health checks from now on, of all upstreams; the instances to check follow. One worker does at a time; each
    /// that is named has a higher term than those before.
    case beginChecks(term: UInt32)
    /// Another worker runs the checks.
    case endChecks
    /// One more instance to check, or what is known of it changed. To the worker that runs the checks only, as the next.
    case check(InstanceCheck)
    /// An instance is not to be checked any more.
    case uncheck(InstanceName)
    /// The board has news of the health of peers, found out by another worker.
    case lookAtPeers
    /// Connections of this or other workers were taken back from the accept queue of an instance that is gone. After the `upstream`
    /// that says that it is.
    case rescued(RescuedConnections)
    /// What the pages of open incidents say to whom `verdict_to` names. Before `run`, and at each change.
    case verdict(VerdictNews)
}

extension WorkerCommand {
    private enum Kind {
        static let hello: UInt16 = 1
        static let listeners: UInt16 = 2
        static let logs: UInt16 = 3
        static let run: UInt16 = 4
        static let drain: UInt16 = 5
        static let stop: UInt16 = 6
        static let reopenLogs: UInt16 = 7
        static let verdict: UInt16 = 13
        static let peers: UInt16 = 9
        static let sessions: UInt16 = 10
        static let drainServer: UInt16 = 11
        static let zones: UInt16 = 12
        static let upstream: UInt16 = 0x0100
        static let successor: UInt16 = 0x0200
        static let beginChecks: UInt16 = 0x0101
        static let endChecks: UInt16 = 0x0102
        static let check: UInt16 = 0x0103
        static let uncheck: UInt16 = 0x0104
        static let lookAtPeers: UInt16 = 0x0105
        static let rescued: UInt16 = 0x0106
    }

    /// The packet for this message.
    /// - Throws: `.tooLarge` or `.outOfRange` when it does not fit; the caller splits lists, so this is a bug of the sender.
    package func encode() throws(MessageError) -> [UInt8] {
        var writer: PacketWriter
        switch self {
        case .hello(let hello):
            writer = PacketWriter(kind: Kind.hello)
            try hello.write(to: &writer)
        case .listeners(let list):
            writer = PacketWriter(kind: Kind.listeners)
            try NamedDescriptor.write(list, to: &writer)
        case .logs(let list):
            writer = PacketWriter(kind: Kind.logs)
            try NamedDescriptor.write(list, to: &writer)
        case .peers(let list):
            writer = PacketWriter(kind: Kind.peers)
            try PeerPlace.write(list, to: &writer)
        case .sessions(let list):
            writer = PacketWriter(kind: Kind.sessions)
            try StickySession.write(list, to: &writer)
        case .zones(let list):
            writer = PacketWriter(kind: Kind.zones)
            try NamedDescriptor.write(list, to: &writer)
        case .run(let identity):
            writer = PacketWriter(kind: Kind.run)
            try identity.write(to: &writer)
        case .drain(let deadline):
            writer = PacketWriter(kind: Kind.drain)
            writer.optional(deadline)
        case .stop: writer = PacketWriter(kind: Kind.stop)
        case .reopenLogs: writer = PacketWriter(kind: Kind.reopenLogs)
        case .drainServer(let drain):
            writer = PacketWriter(kind: Kind.drainServer)
            drain.write(to: &writer)
        case .upstream(let news):
            writer = PacketWriter(kind: Kind.upstream)
            try news.write(to: &writer)
        case .successor: writer = PacketWriter(kind: Kind.successor)
        case .beginChecks(let term):
            writer = PacketWriter(kind: Kind.beginChecks)
            writer.integer(term)
        case .endChecks: writer = PacketWriter(kind: Kind.endChecks)
        case .check(let check):
            writer = PacketWriter(kind: Kind.check)
            check.write(to: &writer)
        case .uncheck(let instance):
            writer = PacketWriter(kind: Kind.uncheck)
            instance.write(to: &writer)
        case .lookAtPeers: writer = PacketWriter(kind: Kind.lookAtPeers)
        case .rescued(let connections):
            writer = PacketWriter(kind: Kind.rescued)
            try connections.write(to: &writer)
        case .verdict(let news):
            writer = PacketWriter(kind: Kind.verdict)
            try news.write(to: &writer)
        }
        return try writer.finish()
    }

    /// Reads a packet from the supervisor.
    /// - Parameters:
    ///   - packet: the bytes of one packet.
    ///   - descriptorCount: how many descriptors came with it; every index in the message is below it.
    /// - Throws: what is wrong with the packet. The receiver closes the descriptors then.
    package init(decoding packet: [UInt8], descriptorCount: Int) throws(MessageError) {
        var reader = try PacketReader(packet)
        switch reader.kind {
        case Kind.hello:
            guard descriptorCount >= 2 else { throw .outOfRange }
            self = .hello(try WorkerHello(from: &reader))
        case Kind.listeners: self = .listeners(try NamedDescriptor.read(from: &reader, descriptorCount: descriptorCount))
        case Kind.logs: self = .logs(try NamedDescriptor.read(from: &reader, descriptorCount: descriptorCount))
        case Kind.peers: self = .peers(try PeerPlace.read(from: &reader))
        case Kind.sessions: self = .sessions(try StickySession.read(from: &reader))
        case Kind.zones: self = .zones(try NamedDescriptor.read(from: &reader, descriptorCount: descriptorCount))
        case Kind.run: self = .run(try WorkerIdentity(from: &reader))
        case Kind.drain: self = .drain(deadlineMilliseconds: try reader.optional())
        case Kind.stop: self = .stop
        case Kind.reopenLogs: self = .reopenLogs
        case Kind.drainServer: self = .drainServer(try ServerDrain(from: &reader))
        case Kind.upstream: self = .upstream(try UpstreamNews(from: &reader))
        case Kind.successor:
            guard descriptorCount >= 1 else { throw .outOfRange }
            self = .successor
        case Kind.beginChecks: self = .beginChecks(term: try reader.integer())
        case Kind.endChecks: self = .endChecks
        case Kind.check: self = .check(try InstanceCheck(from: &reader))
        case Kind.uncheck: self = .uncheck(try InstanceName(from: &reader))
        case Kind.lookAtPeers: self = .lookAtPeers
        case Kind.rescued: self = .rescued(try RescuedConnections(from: &reader))
        case Kind.verdict: self = .verdict(try VerdictNews(from: &reader))
        case let kind: throw .unknownKind(kind)
        }
        try reader.finish()
    }
}
