/// A session of `sticky learn`, as the workers tell each other through the supervisor: it is bound to a peer.
///
/// Only the MD5 of the session's id travels, never the id itself.
package struct StickySession: Equatable, Sendable {
    /// Name of the zone.
    package var zone: String
    /// MD5 of the session's id.
    package var digestHigh: UInt64
    package var digestLow: UInt64
    /// Sticky id of the peer, 1...32 bytes.
    package var peer: [UInt8]
    /// For how long the session has not been used.
    package var idleMilliseconds: UInt64

    package init(zone: String, digestHigh: UInt64, digestLow: UInt64, peer: [UInt8], idleMilliseconds: UInt64) {
        self.zone = zone
        self.digestHigh = digestHigh
        self.digestLow = digestLow
        self.peer = peer
        self.idleMilliseconds = idleMilliseconds
    }

    /// Longest sticky id in bytes.
    package static let peerBytesMax = 32
    /// Most sessions in one packet, while the zone's name is not longer than `zoneBytesMax`.
    package static let perPacketMax = 100
    /// Longest name of a zone that is told of.
    package static let zoneBytesMax = 255
}

extension StickySession {
    func write(to writer: inout PacketWriter) throws(MessageError) {
        guard (1...Self.peerBytesMax).contains(peer.count), zone.utf8.count <= Self.zoneBytesMax else { throw .outOfRange }
        writer.text(zone)
        writer.integer(digestHigh)
        writer.integer(digestLow)
        writer.integer(UInt8(peer.count))
        for byte in peer { writer.integer(byte) }
        writer.integer(idleMilliseconds)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        zone = try reader.text()
        digestHigh = try reader.integer()
        digestLow = try reader.integer()
        let count: UInt8 = try reader.integer()
        guard (1...Self.peerBytesMax).contains(Int(count)), zone.utf8.count <= Self.zoneBytesMax else { throw .outOfRange }
        peer = []
        for _ in 0..<count { peer.append(try reader.integer()) }
        idleMilliseconds = try reader.integer()
    }

    static func write(_ list: [StickySession], to writer: inout PacketWriter) throws(MessageError) {
        guard list.count <= perPacketMax else { throw .tooLarge }
        try writer.count(list.count)
        for session in list { try session.write(to: &writer) }
    }

    static func read(from reader: inout PacketReader) throws(MessageError) -> [StickySession] {
        var list: [StickySession] = []
        for _ in 0..<(try reader.count(max: perPacketMax, elementBytesMin: 28)) { list.append(try StickySession(from: &reader)) }
        return list
    }
}
