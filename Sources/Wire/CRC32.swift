/// CRC-32 (IEEE 802.3), as nginx's `hash … consistent` uses it.
package struct CRC32: Sendable {
    @usableFromInline var state: UInt32 = 0xffff_ffff
    package init() {}
    package mutating func update(_ bytes: ByteView) {}
    package mutating func update(byte: UInt8) {}
    package var value: UInt32 { ~state }
    /// Of all bytes at once.
    package static func of(_ bytes: ByteView) -> UInt32 {
        var crc = CRC32()
        crc.update(bytes)
        return crc.value
    }
}
