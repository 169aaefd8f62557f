/// A domain name in DNS's own form: labels with their length before them, in lower case, ended by an empty one (RFC
/// 1035 §3.1).
public struct DNSName: Hashable, Sendable {
    /// 1...255 bytes, never compressed.
    public let bytes: [UInt8]

    /// Longest name in this form.
    public static var bytesMax: Int { 255 }
    /// Compressed parts that one name may consist of. Real names have one or two.
    static var jumpsMax: Int { 16 }

    /// A host name as text; one dot at its end is allowed.
    /// - Returns: nil if a label is empty or longer than 63 bytes, or the whole too long.
    public init?(host: some Sequence<UInt8>) {
        var bytes: [UInt8] = [0]
        var label = 0
        for byte in host {
            if byte == 0x2e {
                guard bytes[label] > 0 else { return nil }
                label = bytes.count
                bytes.append(0)
            } else {
                guard bytes[label] < 63 else { return nil }
                bytes[label] += 1
                bytes.append(asciiLowercase(byte))
            }
            guard bytes.count <= Self.bytesMax else { return nil }
        }
        // A final dot has left the empty label there already.
        if bytes[label] != 0 { bytes.append(0) }
        guard bytes.count > 1, bytes.count <= Self.bytesMax else { return nil }
        self.bytes = bytes
    }

    /// Reads a name from a message, following compression. A part may only point to what stands before it, so there
    /// are no loops.
    /// - Parameter offset: where the name begins; moved behind it.
    /// - Returns: nil if the name is not well-formed.
    public init?(_ message: ByteView, at offset: inout Int) {
        var bytes: [UInt8] = []
        var (position, limit, jumps) = (offset, offset, 0)
        var end: Int?
        while true {
            guard position >= 0, position < message.count else { return nil }
            let length = Int(message[position])
            switch length & 0xc0 {
            case 0 where length == 0:
                bytes.append(0)
                offset = end ?? position + 1
                self.bytes = bytes
                return
            case 0:
                guard position + length < message.count, bytes.count + 1 + length < Self.bytesMax else { return nil }
                bytes.append(UInt8(length))
                for index in position + 1...position + length { bytes.append(asciiLowercase(message[index])) }
                position += 1 + length
            case 0xc0:
                guard position + 1 < message.count, jumps < Self.jumpsMax else { return nil }
                let target = (length & 0x3f) << 8 | Int(message[position + 1])
                guard target < limit else { return nil }
                if end == nil { end = position + 2 }
                (position, limit, jumps) = (target, target, jumps + 1)
            default: return nil
            }
        }
    }

    /// The name as text for messages, without a dot at its end. Bytes that do not print are shown as `?`.
    public var text: String {
        var text: [UInt8] = []
        var index = 0
        while index < bytes.count, bytes[index] != 0 {
            if index > 0 { text.append(0x2e) }
            let length = Int(bytes[index])
            for byte in bytes[(index + 1)...].prefix(length) { text.append(byte > 0x20 && byte < 0x7f ? byte : 0x3f) }
            index += 1 + length
        }
        return String(decoding: text, as: UTF8.self)
    }
}
