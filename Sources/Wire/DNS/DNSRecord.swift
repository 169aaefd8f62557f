/// What kind of record is asked for or given.
public struct DNSType: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt16
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let a = DNSType(rawValue: 1)
    public static let cname = DNSType(rawValue: 5)
    public static let soa = DNSType(rawValue: 6)
    public static let aaaa = DNSType(rawValue: 28)
    public static let srv = DNSType(rawValue: 33)
}

/// A record of a message, as far as a gateway needs it.
public struct DNSRecord: Equatable, Sendable {
    /// Whose record it is.
    public let owner: DNSName
    /// Seconds; one with the highest bit set means 0 (RFC 2181 §8).
    public let timeToLive: UInt32
    public let data: Data

    public enum Data: Equatable, Sendable {
        /// In host byte order.
        case ipv4(UInt32)
        case ipv6(high: UInt64, low: UInt64)
        case alias(DNSName)
        case service(priority: UInt16, weight: UInt16, port: UInt16, target: DNSName)
        /// Start of authority; seconds for which a negative answer may be kept.
        case authority(minimum: UInt32)
        case other
    }

    public init(owner: DNSName, timeToLive: UInt32, data: Data) {
        self.owner = owner
        self.timeToLive = timeToLive
        self.data = data
    }

    /// Reads a record.
    /// - Parameter offset: where it begins; moved behind it.
    /// - Returns: nil if it is not well-formed.
    init?(_ message: ByteView, at offset: inout Int) {
        guard let owner = DNSName(message, at: &offset), offset + 10 <= message.count else { return nil }
        let type = DNSType(rawValue: message.word16(offset))
        let isInternet = message.word16(offset + 2) == 1
        let seconds = message.word32(offset + 4)
        let length = Int(message.word16(offset + 8))
        offset += 10
        guard offset + length <= message.count else { return nil }
        guard let data = isInternet ? Self.data(type, message, offset, length) : .other else { return nil }
        offset += length
        self.init(owner: owner, timeToLive: seconds < 1 << 31 ? seconds : 0, data: data)
    }

    private static func data(_ type: DNSType, _ message: ByteView, _ start: Int, _ length: Int) -> Data? {
        var offset = start
        switch type {
        case .a: return length == 4 ? .ipv4(message.word32(start)) : nil
        case .aaaa:
            guard length == 16 else { return nil }
            return .ipv6(
                high: UInt64(message.word32(start)) << 32 | UInt64(message.word32(start + 4)),
                low: UInt64(message.word32(start + 8)) << 32 | UInt64(message.word32(start + 12)))
        case .cname:
            guard let target = DNSName(message, at: &offset), offset <= start + length else { return nil }
            return .alias(target)
        case .srv:
            guard length >= 7 else { return nil }
            offset += 6
            guard let target = DNSName(message, at: &offset), offset <= start + length else { return nil }
            return .service(
                priority: message.word16(start), weight: message.word16(start + 2), port: message.word16(start + 4),
                target: target)
        case .soa: return length >= 22 ? .authority(minimum: message.word32(start + length - 4)) : nil
        default: return .other
        }
    }
}

extension ByteView {
    /// Two bytes in network order. Traps outside the view.
    func word16(_ offset: Int) -> UInt16 { UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) }
    /// Four bytes in network order. Traps outside the view.
    func word32(_ offset: Int) -> UInt32 { UInt32(word16(offset)) << 16 | UInt32(word16(offset + 2)) }
}
