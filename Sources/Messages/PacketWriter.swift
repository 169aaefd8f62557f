/// Builds one packet: mark, version, kind, then fields; integers are little-endian, texts have a 16-bit length.
struct PacketWriter {
    /// First byte of every packet.
    static let mark: UInt8 = 0x47

    private(set) var bytes: [UInt8]

    init(kind: UInt16) {
        bytes = [Self.mark, MessageLimits.version]
        bytes.reserveCapacity(256)
        integer(kind)
    }

    mutating func integer(_ value: some FixedWidthInteger) {
        var rest = value
        for _ in 0..<(value.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

    /// A text of at most `bytesMax` bytes; what is longer is cut at a character boundary.
    mutating func text(_ value: String, bytesMax: Int = MessageLimits.textBytesMax) {
        var utf8 = Array(value.utf8)
        if utf8.count > bytesMax {
            var end = bytesMax
            while end > 0, utf8[end] & 0xC0 == 0x80 { end -= 1 }
            utf8.removeSubrange(end...)
        }
        integer(UInt16(utf8.count))
        bytes.append(contentsOf: utf8)
    }

    /// A value that may be missing: one byte that says so, then the value.
    mutating func optional(_ value: UInt64?) {
        flag(value != nil)
        if let value { integer(value) }
    }

    mutating func count(_ value: Int) throws(MessageError) {
        guard let short = UInt16(exactly: value) else { throw .tooLarge }
        integer(short)
    }

    /// The finished packet.
    consuming func finish() throws(MessageError) -> [UInt8] {
        guard bytes.count <= MessageLimits.packetBytesMax else { throw .tooLarge }
        return bytes
    }
}

extension PacketWriter {
    /// Begins a packet that belongs to a request.
    init(kind: UInt16, request: UInt32) {
        self.init(kind: kind)
        integer(request)
    }

    /// A list of texts.
    mutating func texts(_ list: [String]) throws(MessageError) {
        try count(list.count)
        for text in list { self.text(text) }
    }

    /// A list of texts that may be missing.
    mutating func optionalTexts(_ list: [String]?) throws(MessageError) {
        flag(list != nil)
        if let list { try texts(list) }
    }

    /// A text that may be missing.
    mutating func optionalText(_ value: String?) {
        flag(value != nil)
        if let value { text(value) }
    }
}
