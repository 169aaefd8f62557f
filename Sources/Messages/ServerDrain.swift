/// A server of an upstream that an operator takes out of the choice, or gives back: no new client goes there, requests with its sticky
/// session still do, and what runs is finished.
package struct ServerDrain: Hashable, Sendable {
    /// Name of the upstream.
    package var upstream: String
    /// An address in the form of a listen key, a server as the configuration writes it, or an instance (`api.0`).
    package var server: String
    /// false: it is given back.
    package var isDraining: Bool

    package init(upstream: String, server: String, isDraining: Bool) {
        self.upstream = upstream
        self.server = server
        self.isDraining = isDraining
    }
}

extension ServerDrain {
    func write(to writer: inout PacketWriter) {
        writer.text(upstream)
        writer.text(server)
        writer.flag(isDraining)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        upstream = try reader.text()
        server = try reader.text()
        isDraining = try reader.flag()
    }
}
