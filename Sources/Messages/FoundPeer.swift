/// An address that a worker found by the name of a server (`resolve`): it has no place on the board yet, and wants one.
package struct FoundPeer: Hashable, Sendable {
    /// Name of the upstream.
    package var upstream: String
    /// Address as text, in the form of a listen key: `127.0.0.1:3000`.
    package var address: String

    package init(upstream: String, address: String) {
        self.upstream = upstream
        self.address = address
    }
}

extension FoundPeer {
    func write(to writer: inout PacketWriter) {
        writer.text(upstream)
        writer.text(address)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        upstream = try reader.text()
        address = try reader.text()
    }
}
