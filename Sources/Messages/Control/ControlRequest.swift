/// What the control process tells the supervisor. A request has a number, which comes back in each part of its answer.
package enum ControlRequest: Equatable, Sendable {
    /// The control socket listens. The process id is a check only.
    case ready(process: Int32)
    /// A line for the error log: something keeps the control process from its work.
    case failed(String)
    /// Everything that `goodgate status` shows: answered by `overview`, `workers`, `app`, `instances` and `peers`.
    case status(request: UInt32)
    /// Something is to be done with an app.
    case app(request: UInt32, name: String, AppOrder)
    /// A new release.
    case deploy(request: UInt32, name: String, DeployOrder)
    /// The last lines of the instances of an app: answered by `lines`, one for each instance, or as many as it takes for all of them.
    case lines(request: UInt32, name: String, count: UInt32, isWhole: Bool)
    /// Takes a server of the upstreams out of the choice, or back. An empty upstream means all that have it.
    case drain(request: UInt32, upstream: String, server: String, isDraining: Bool)
    /// Starts the program's file again beside this one (USR2), and ends the old one when the new one serves.
    case upgrade(request: UInt32)
    /// What the pages of open incidents say to whom `verdict_to` names; has no answer.
    case verdict(VerdictNews)

    /// News of verdicts that the supervisor takes in a second.
    package static let verdictsPerSecondMax = 100
}

/// What can be done with an app.
package enum AppOrder: Equatable, Sendable {
    case start, stop, restart, rollback
    /// A number of instances, 1 or more.
    case scale(UInt32)
}

extension ControlRequest {
    private enum Kind {
        static let ready: UInt16 = 0x0301
        static let failed: UInt16 = 0x0302
        static let status: UInt16 = 0x0310
        static let app: UInt16 = 0x0311
        static let deploy: UInt16 = 0x0312
        static let lines: UInt16 = 0x0313
        static let drain: UInt16 = 0x0314
        static let upgrade: UInt16 = 0x0315
        static let verdict: UInt16 = 0x0303
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
        case .status(let request): writer = PacketWriter(kind: Kind.status, request: request)
        case .app(let request, let name, let order):
            writer = PacketWriter(kind: Kind.app, request: request)
            writer.text(name)
            order.write(to: &writer)
        case .deploy(let request, let name, let order):
            writer = PacketWriter(kind: Kind.deploy, request: request)
            writer.text(name)
            try order.write(to: &writer)
        case .lines(let request, let name, let count, let isWhole):
            writer = PacketWriter(kind: Kind.lines, request: request)
            writer.text(name)
            writer.integer(count)
            writer.flag(isWhole)
        case .drain(let request, let upstream, let server, let isDraining):
            writer = PacketWriter(kind: Kind.drain, request: request)
            writer.text(upstream)
            writer.text(server)
            writer.flag(isDraining)
        case .upgrade(let request): writer = PacketWriter(kind: Kind.upgrade, request: request)
        case .verdict(let news):
            writer = PacketWriter(kind: Kind.verdict)
            try news.write(to: &writer)
        }
        return try writer.finish()
    }

    /// Reads a packet from the control process, which sends no descriptors.
    /// - Throws: what is wrong with the packet.
    package init(decoding packet: [UInt8]) throws(MessageError) {
        var reader = try PacketReader(packet)
        switch reader.kind {
        case Kind.ready: self = .ready(process: try reader.integer())
        case Kind.failed: self = .failed(try reader.text())
        case Kind.status: self = .status(request: try reader.integer())
        case Kind.app: self = .app(request: try reader.integer(), name: try reader.text(), try AppOrder(from: &reader))
        case Kind.deploy: self = .deploy(request: try reader.integer(), name: try reader.text(), try DeployOrder(from: &reader))
        case Kind.lines:
            self = .lines(
                request: try reader.integer(), name: try reader.text(), count: try reader.integer(), isWhole: try reader.flag())
        case Kind.drain:
            self = .drain(
                request: try reader.integer(), upstream: try reader.text(), server: try reader.text(), isDraining: try reader.flag())
        case Kind.upgrade: self = .upgrade(request: try reader.integer())
        case Kind.verdict: self = .verdict(try VerdictNews(from: &reader))
        case let kind: throw .unknownKind(kind)
        }
        try reader.finish()
    }
}

extension AppOrder {
    func write(to writer: inout PacketWriter) {
        switch self {
        case .start: writer.integer(0 as UInt8)
        case .stop: writer.integer(1 as UInt8)
        case .restart: writer.integer(2 as UInt8)
        case .rollback: writer.integer(3 as UInt8)
        case .scale(let count):
            writer.integer(4 as UInt8)
            writer.integer(count)
        }
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        switch try reader.integer(UInt8.self) {
        case 0: self = .start
        case 1: self = .stop
        case 2: self = .restart
        case 3: self = .rollback
        case 4: self = .scale(try reader.integer())
        default: throw .outOfRange
        }
    }
}
