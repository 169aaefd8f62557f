/// A descriptor beside a packet, and what it is.
package struct NamedDescriptor: Equatable, Sendable {
    /// For a listener its listen key, the normalised address (`127.0.0.1:8080`, `[::1]:80`, `unix:/path`); for a log its full path.
    package var name: String
    /// Index into the descriptors of the packet, 0 ..< `MessageLimits.descriptorsMax`.
    package var descriptorIndex: Int

    package init(name: String, descriptorIndex: Int) {
        self.name = name
        self.descriptorIndex = descriptorIndex
    }
}

extension NamedDescriptor {
    static func write(_ list: [NamedDescriptor], to writer: inout PacketWriter) throws(MessageError) {
        guard list.count <= MessageLimits.descriptorsMax else { throw .tooLarge }
        try writer.count(list.count)
        for entry in list {
            guard (0..<MessageLimits.descriptorsMax).contains(entry.descriptorIndex) else { throw .outOfRange }
            guard entry.name.utf8.count <= MessageLimits.textBytesMax else { throw .tooLarge }
            writer.text(entry.name)
            writer.integer(UInt16(entry.descriptorIndex))
        }
    }

    static func read(from reader: inout PacketReader, descriptorCount: Int) throws(MessageError) -> [NamedDescriptor] {
        var list: [NamedDescriptor] = []
        for _ in 0..<(try reader.count(max: MessageLimits.descriptorsMax, elementBytesMin: 4)) {
            let name = try reader.text()
            list.append(NamedDescriptor(name: name, descriptorIndex: try reader.descriptorIndex(of: descriptorCount)))
        }
        return list
    }
}
