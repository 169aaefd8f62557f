/// The last lines that one instance wrote, or those of them that fit into a packet, oldest first.
package struct AppLines: Equatable, Sendable {
    /// Which instance, and the release it ran.
    package var slot: UInt32
    package var serial: UInt32
    package var release: UInt32
    /// Lines that the instance ever wrote, with these, modulo 2^32: by the next answer's number one sees which lines are new.
    package var total: UInt32
    package var lines: [String]

    package init(slot: UInt32, serial: UInt32, release: UInt32, total: UInt32, lines: [String]) {
        self.slot = slot
        self.serial = serial
        self.release = release
        self.total = total
        self.lines = lines
    }

    /// Most lines in one packet, and most bytes of them.
    package static let linesMax = 256
    package static let bytesMax = 24 * 1024
}

extension AppLines {
    func write(to writer: inout PacketWriter) throws(MessageError) {
        writer.integer(slot)
        writer.integer(serial)
        writer.integer(release)
        writer.integer(total)
        guard lines.count <= Self.linesMax else { throw .tooLarge }
        try writer.texts(lines)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        slot = try reader.integer()
        serial = try reader.integer()
        release = try reader.integer()
        total = try reader.integer()
        lines = try reader.texts(max: Self.linesMax)
    }
}
