/// Connections that the supervisor took out of the accept queue of an instance that is gone: nobody read what was sent over them.
package struct RescuedConnections: Equatable, Sendable {
    /// Address of the instance, in the form of a listen key.
    package var address: String
    /// The other ends, in the form of listen keys: sockets of the workers.
    package var peers: [String]

    package init(address: String, peers: [String]) {
        self.address = address
        self.peers = peers
    }

    /// Most ends in one packet: each has at most 47 bytes (`[ipv6]:port`) and a length.
    package static let peersMax = 500
}

extension RescuedConnections {
    func write(to writer: inout PacketWriter) throws(MessageError) {
        guard peers.count <= Self.peersMax else { throw .tooLarge }
        writer.text(address)
        try writer.count(peers.count)
        for peer in peers { writer.text(peer) }
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        address = try reader.text()
        peers = []
        for _ in 0..<(try reader.count(max: Self.peersMax, elementBytesMin: 2)) { peers.append(try reader.text()) }
    }
}
