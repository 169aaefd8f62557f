/// A DNS message (RFC 1035 §4), as a resolver asks and reads it.
///
/// Its head says what it belongs to and is read first: who is not asked for is dropped before the rest is looked at.
/// Nothing here traps, whatever the bytes are.
public struct DNSMessage: Sendable {
    public let id: UInt16
    public let isResponse: Bool
    /// The answer did not fit: ask again over TCP.
    public let isTruncated: Bool
    /// RCODE: 0 no error, 1 format error, 2 server failure, 3 no such name, 4 not implemented, 5 refused.
    public let code: UInt8
    /// Nil if the message has none; more than one is not read.
    public let question: Question?
    private let answerCount: Int
    private let authorityCount: Int
    private let recordsStart: Int

    public struct Question: Equatable, Sendable {
        public let name: DNSName
        public let type: DNSType

        public init(name: DNSName, type: DNSType) {
            self.name = name
            self.type = type
        }
    }

    /// Records that are read of a message; the rest is ignored.
    public static var recordsMax: Int { 256 }
    static var headSize: Int { 12 }

    /// Reads head and question.
    /// - Returns: nil if they are not well-formed.
    public init?(head bytes: ByteView) {
        guard bytes.count >= Self.headSize else { return nil }
        id = bytes.word16(0)
        let flags = bytes.word16(2)
        isResponse = flags & 0x8000 != 0
        isTruncated = flags & 0x0200 != 0
        code = UInt8(truncatingIfNeeded: flags & 0x000f)
        // Only plain queries have answers (opcode 0), and only to one question.
        guard flags & 0x7800 == 0, bytes.word16(4) <= 1 else { return nil }
        var offset = Self.headSize
        if bytes.word16(4) == 1 {
            guard let name = DNSName(bytes, at: &offset), offset + 4 <= bytes.count, bytes.word16(offset + 2) == 1
            else { return nil }
            question = Question(name: name, type: DNSType(rawValue: bytes.word16(offset)))
            offset += 4
        } else {
            question = nil
        }
        answerCount = Int(bytes.word16(6))
        authorityCount = Int(bytes.word16(8))
        recordsStart = offset
    }

    /// The answers, and the seconds for which "there is none" may be kept (RFC 2308 §5).
    /// - Parameter bytes: those the head was read from.
    /// - Returns: nil if a record is not well-formed.
    public func records(_ bytes: ByteView) -> (answers: [DNSRecord], negativeTimeToLive: UInt32?)? {
        var offset = recordsStart
        var answers: [DNSRecord] = []
        var negative: UInt32?
        let count = min(answerCount + authorityCount, Self.recordsMax)
        answers.reserveCapacity(min(answerCount, count))
        for index in 0..<count {
            guard let record = DNSRecord(bytes, at: &offset) else { return nil }
            if index < answerCount {
                answers.append(record)
            } else if case .authority(let minimum) = record.data {
                negative = min(minimum, record.timeToLive)
            }
        }
        return (answers, negative)
    }

    /// The bytes of a query that asks a server to look further for us.
    public static func query(id: UInt16, _ question: Question) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(id >> 8), UInt8(id & 0xff), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        bytes += question.name.bytes
        bytes += [UInt8(question.type.rawValue >> 8), UInt8(question.type.rawValue & 0xff), 0, 1]
        return bytes
    }
}
