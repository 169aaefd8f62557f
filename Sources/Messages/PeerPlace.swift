/// Where on the board the shared state of an upstream's server address is.
///
/// The supervisor gives out the slots, so that a peer keeps its state over reloads; a worker without a place for a peer keeps that peer's
/// state to itself.
package struct PeerPlace: Equatable, Sendable {
    /// Name of the upstream.
    package var upstream: String
    /// Address as text, in the form of a listen key: `127.0.0.1:3000`, `unix:/path`.
    package var address: String
    /// Which of several equal addresses of the upstream, from 0, in the order of the configuration.
    package var ordinal: UInt16
    /// Slot of the board and its generation; the worker checks the range.
    package var slot: UInt32
    package var slotGeneration: UInt64

    package init(upstream: String, address: String, ordinal: UInt16, slot: UInt32, slotGeneration: UInt64) {
        self.upstream = upstream
        self.address = address
        self.ordinal = ordinal
        self.slot = slot
        self.slotGeneration = slotGeneration
    }

    /// Upper bound of its size in a packet, in bytes, while its texts are not longer than `MessageLimits.textBytesMax`.
    package var encodedBytesMax: Int { upstream.utf8.count + address.utf8.count + 18 }
    /// Most places in one packet.
    package static let perPacketMax = 1000
}

extension PeerPlace {
    static func write(_ list: [PeerPlace], to writer: inout PacketWriter) throws(MessageError) {
        guard list.count <= perPacketMax else { throw .tooLarge }
        try writer.count(list.count)
        for place in list {
            writer.text(place.upstream)
            writer.text(place.address)
            writer.integer(place.ordinal)
            writer.integer(place.slot)
            writer.integer(place.slotGeneration)
        }
    }

    static func read(from reader: inout PacketReader) throws(MessageError) -> [PeerPlace] {
        var list: [PeerPlace] = []
        for _ in 0..<(try reader.count(max: perPacketMax, elementBytesMin: 18)) {
            let upstream = try reader.text()
            let address = try reader.text()
            let ordinal: UInt16 = try reader.integer()
            let slot: UInt32 = try reader.integer()
            list.append(
                PeerPlace(
                    upstream: upstream, address: address, ordinal: ordinal, slot: slot, slotGeneration: try reader.integer()))
        }
        return list
    }
}
