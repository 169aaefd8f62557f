/// Reads one packet, field by field. Everything in it is hostile: every length, count, index and enumeration is checked, nothing traps,
/// and no count makes the reader reserve memory before its bytes were seen.
struct PacketReader {
    private let bytes: [UInt8]
    private var offset: Int
    /// What the packet says it is.
    let kind: UInt16

    init(_ packet: [UInt8]) throws(MessageError) {
        guard packet.count <= MessageLimits.packetBytesMax else { throw .tooLarge }
        guard packet.count >= 4 else { throw .truncated }
        guard packet[0] == PacketWriter.mark else { throw .foreign }
        guard packet[1] == MessageLimits.version else { throw .version(packet[1]) }
        kind = UInt16(packet[2]) | UInt16(packet[3]) << 8
        bytes = packet
        offset = 4
    }

    mutating func integer<Value: FixedWidthInteger>(_: Value.Type = Value.self) throws(MessageError) -> Value {
        let size = Value.bitWidth / 8
        guard bytes.count - offset >= size else { throw .truncated }
        var value: Value = 0
        for index in 0..<size { value |= Value(truncatingIfNeeded: bytes[offset + index]) << (8 * index) }
        offset += size
        return value
    }

    mutating func flag() throws(MessageError) -> Bool {
        let value: UInt8 = try integer()
        guard value <= 1 else { throw .outOfRange }
        return value == 1
    }

    mutating func text(bytesMax: Int = MessageLimits.textBytesMax) throws(MessageError) -> String {
        let count = Int(try integer(UInt16.self))
        guard count <= bytesMax else { throw .outOfRange }
        guard bytes.count - offset >= count else { throw .truncated }
        defer { offset += count }
        return String(decoding: bytes[offset..<(offset + count)], as: UTF8.self)
    }

    mutating func optional() throws(MessageError) -> UInt64? { try flag() ? try integer() : nil }

    /// A number of elements, each of which takes at least `elementBytesMin` bytes.
    mutating func count(max: Int, elementBytesMin: Int) throws(MessageError) -> Int {
        let count = Int(try integer(UInt16.self))
        guard count <= max else { throw .outOfRange }
        guard bytes.count - offset >= count * elementBytesMin else { throw .truncated }
        return count
    }

    /// The index of a descriptor that came with the packet.
    mutating func descriptorIndex(of descriptorCount: Int) throws(MessageError) -> Int {
        let index = Int(try integer(UInt16.self))
        guard index < descriptorCount else { throw .outOfRange }
        return index
    }

    /// Checks that nothing is left.
    func finish() throws(MessageError) { if offset != bytes.count { throw .trailingBytes } }
}

extension PacketReader {
    /// Reads what `texts` wrote.
    mutating func texts(max: Int) throws(MessageError) -> [String] {
        var list: [String] = []
        for _ in 0..<(try count(max: max, elementBytesMin: 2)) { list.append(try text()) }
        return list
    }

    /// Reads what `optionalTexts` wrote.
    mutating func optionalTexts(max: Int) throws(MessageError) -> [String]? { try flag() ? try texts(max: max) : nil }

    /// Reads what `optionalText` wrote.
    mutating func optionalText() throws(MessageError) -> String? { try flag() ? try text() : nil }

    /// One of an enumeration's values.
    mutating func choice<Value: RawRepresentable>(_: Value.Type = Value.self) throws(MessageError) -> Value
    where Value.RawValue == UInt8 {
        guard let value = Value(rawValue: try integer()) else { throw .outOfRange }
        return value
    }
}
