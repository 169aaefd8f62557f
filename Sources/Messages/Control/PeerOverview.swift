/// One server of an upstream, as `goodgate status` shows it.
package struct PeerOverview: Equatable, Sendable {
    /// What keeps it from getting requests, if anything does.
    package enum State: UInt8, CaseIterable, Sendable {
        case up
        /// `down` in the configuration.
        case down
        /// Taken out by `drain`.
        case draining
        /// On its way out: an instance that ends.
        case leaving
        /// Its health check fails.
        case unhealthy
        /// Its health check did not pass yet.
        case unproven
        /// It failed lately (max_fails).
        case failing
    }

    /// Name of the upstream.
    package var upstream: String
    /// Address in the form of a listen key, and the name that the configuration or the app gives it.
    package var address: String
    package var name: String
    package var state: State
    package var isBackup: Bool
    package var weight: UInt32
    /// Requests that run now, and failures that nobody forgave yet.
    package var connections: UInt64
    package var fails: UInt64
    /// Attempts since it came, and how many of them had no good answer.
    package var attempts: UInt64
    package var broken: UInt64

    package init(
        upstream: String, address: String, name: String, state: State, isBackup: Bool, weight: UInt32, connections: UInt64,
        fails: UInt64, attempts: UInt64, broken: UInt64
    ) {
        self.upstream = upstream
        self.address = address
        self.name = name
        self.state = state
        self.isBackup = isBackup
        self.weight = weight
        self.connections = connections
        self.fails = fails
        self.attempts = attempts
        self.broken = broken
    }

    /// Most servers in one packet, and upper bound of the size of one in it.
    package static let perPacketMax = 200
    package var encodedBytesMax: Int { upstream.utf8.count + address.utf8.count + name.utf8.count + 44 }
}

extension PeerOverview {
    static func write(_ list: [PeerOverview], to writer: inout PacketWriter) throws(MessageError) {
        guard list.count <= perPacketMax else { throw .tooLarge }
        try writer.count(list.count)
        for peer in list {
            writer.text(peer.upstream)
            writer.text(peer.address)
            writer.text(peer.name)
            writer.integer(peer.state.rawValue)
            writer.flag(peer.isBackup)
            writer.integer(peer.weight)
            writer.integer(peer.connections)
            writer.integer(peer.fails)
            writer.integer(peer.attempts)
            writer.integer(peer.broken)
        }
    }

    static func read(from reader: inout PacketReader) throws(MessageError) -> [PeerOverview] {
        var list: [PeerOverview] = []
        for _ in 0..<(try reader.count(max: perPacketMax, elementBytesMin: 44)) {
            list.append(
                PeerOverview(
                    upstream: try reader.text(), address: try reader.text(), name: try reader.text(), state: try reader.choice(),
                    isBackup: try reader.flag(), weight: try reader.integer(), connections: try reader.integer(),
                    fails: try reader.integer(), attempts: try reader.integer(), broken: try reader.integer()))
        }
        return list
    }
}
