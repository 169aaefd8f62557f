/// The Swift side of Sources/Launch/protocol.h. A test compares the numbers with those of the compiled keeper.
enum KeeperProtocol {
    static let magic: UInt32 = 0x4b50_4747
    static let version: UInt16 = 1
    static let packetMax = 1024
    static let headerSize = 16
    static let stateSize = 304
    static let launchKind: UInt16 = 1
    static let linesKind: UInt16 = 5
    static let listenersKind: UInt16 = 9
    static let releasedKind: UInt16 = 65
    static let stateKind: UInt16 = 64
    static let listenersMax = 32
    static let instructionsMax = 4 << 20

    /// `gg_entry.tag`.
    enum Tag: UInt16 {
        case name = 1, slot, argument, environment, directory, identity, creationMask, limit, cgroup, socketPath
        case logPath, logRotation, listenerName, watchdog, stopDefault, orphanTime
    }

    /// A header in front of a body.
    static func packet(kind: UInt16, body: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendHost(magic)
        bytes.appendHost(version)
        bytes.appendHost(kind)
        bytes.appendHost(UInt32(body.count))
        bytes.appendHost(UInt32(0))
        return bytes + body
    }

    /// Kind and body of a packet; nil if it is none of this version.
    static func open(_ packet: [UInt8]) -> (kind: UInt16, body: ArraySlice<UInt8>)? {
        guard packet.count >= headerSize, packet.host(at: 0) == magic, packet.host(at: 4) == version,
            packet.host(at: 8, UInt32.self) == UInt32(packet.count - headerSize)
        else { return nil }
        return (packet.host(at: 6), packet[headerSize...])
    }
}

extension [UInt8] {
    /// Appends a number in host order. All our hosts (x86-64, arm64) are little-endian.
    mutating func appendHost<Value: FixedWidthInteger>(_ value: Value) {
        for index in 0..<MemoryLayout<Value>.size { append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
    }

    /// The number at an offset in host order; 0 where the bytes end before it does.
    func host<Value: FixedWidthInteger>(at offset: Int, _ type: Value.Type = Value.self) -> Value {
        let size = MemoryLayout<Value>.size
        guard offset >= 0, offset + size <= count else { return 0 }
        var value: Value = 0
        for index in 0..<size { value |= Value(truncatingIfNeeded: self[offset + index]) << (8 * index) }
        return value
    }
}
