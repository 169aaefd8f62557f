/// CRC-32 (IEEE 802.3), as nginx's `hash … consistent` and `least_time` points use it.
public struct CRC32: Sendable {
    private var state: UInt32 = 0xffff_ffff

    public init() {}

    /// Goes on with more bytes. O(n).
    public mutating func update(_ bytes: ByteView) {
        var crc = state
        let table = Self.table
        var index = 0
        while index < bytes.count {
            crc = table[Int((crc ^ UInt32(bytes[index])) & 0xff)] ^ crc >> 8
            index &+= 1
        }
        state = crc
    }

    public mutating func update(byte: UInt8) {
        state = Self.table[Int((state ^ UInt32(byte)) & 0xff)] ^ state >> 8
    }

    /// The checksum of all bytes so far.
    public var value: UInt32 { ~state }

    /// The checksum of all bytes at once.
    public static func of(_ bytes: ByteView) -> UInt32 {
        var crc = CRC32()
        crc.update(bytes)
        return crc.value
    }

    private static let table: InlineArray<256, UInt32> = InlineArray { index in
        var entry = UInt32(index)
        for _ in 0..<8 { entry = entry & 1 == 0 ? entry >> 1 : entry >> 1 ^ 0xedb8_8320 }
        return entry
    }
}
