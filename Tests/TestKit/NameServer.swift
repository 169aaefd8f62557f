import Foundation
import Synchronization

/// A small DNS server on a loopback port, over UDP and TCP: a closure says how it answers each question.
///
/// It counts what it was asked, and notes ids and source ports, so that a test can hold them against each other.
public final class NameServer: Sendable {
    public typealias Script = @Sendable (Question) -> Answer

    /// What was asked.
    public struct Question: Sendable {
        public let id: UInt16
        /// In lower case, without a dot at its end.
        public let name: String
        /// 1 for an IPv4 address, 28 for an IPv6 address.
        public let type: UInt16
        /// Number of the question among all with its name and type, from 1.
        public let count: Int
        public let isStream: Bool
        public let sourcePort: Int
        fileprivate let bytes: Bytes
    }

    /// How it answers.
    public enum Answer: Sendable {
        /// Addresses, as text, of the kind that was asked for; others are left out. With `alias` the name is one of
        /// that name.
        case addresses([String], ttl: UInt32 = 60, alias: String? = nil)
        case alias(String, ttl: UInt32 = 60)
        /// RCODE 3, with a start of authority that allows to keep this for `negative` seconds.
        case notFound(negative: UInt32? = nil)
        case code(UInt8)
        case truncated
        case silence
        /// The same answer with another id.
        indirect case withID(UInt16, Answer)
        /// Exactly these bytes behind the question's own id.
        case bytes(Bytes)
    }

    fileprivate final class Core: Sendable {
        let questions = Mutex<[Question]>([])
        let script: Script
        init(_ script: @escaping Script) { self.script = script }
    }

    public let port: Int
    private let core: Core
    private let datagrams: Int32
    private let origin: Origin

    public init(_ script: @escaping Script) throws {
        let core = Core(script)
        self.core = core
        origin = try Origin(raw: { client in
            while true {
                let length = try client.readExactly(2)
                let question = try client.readExactly(Int(length[0]) << 8 | Int(length[1]))
                guard let answer = core.answer(question, isStream: true, port: 0) else { continue }
                try client.send([UInt8(answer.count >> 8), UInt8(answer.count & 255)] + answer)
            }
        })
        port = origin.port
        datagrams = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = Socket.loopback(port: port)
        guard datagrams >= 0, withSocketAddress(&address, { bind(datagrams, $0, $1) }) == 0 else {
            throw KitError("bind: \(errnoText())")
        }
        let descriptor = datagrams
        Thread.detachNewThread { Self.serve(descriptor, core) }
    }

    deinit { stop() }

    /// Every question so far.
    public var questions: [Question] { core.questions.withLock { $0 } }
    /// How often a name was asked for, each kind of address counted.
    public func count(_ name: String) -> Int { questions.count { $0.name == name } }

    /// Nobody listens any more.
    public func stop() {
        // Wakes the thread that reads, which then closes it.
        shutdown(datagrams, Int32(SHUT_RDWR))
        origin.stop()
    }

    private static func serve(_ descriptor: Int32, _ core: Core) {
        defer { close(descriptor) }
        var buffer = Bytes(repeating: 0, count: 4096)
        while true {
            var from = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = withUnsafeMutablePointer(to: &from) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(descriptor, &buffer, buffer.count, 0, $0, &length)
                }
            }
            // A datagram of no bytes is what a shut-down socket gives.
            guard count > 0 else { return }
            let port = Int(UInt16(bigEndian: from.sin_port))
            guard let answer = core.answer(Bytes(buffer[..<count]), isStream: false, port: port) else { continue }
            _ = withSocketAddress(&from) { Int32(sendto(descriptor, answer, answer.count, 0, $0, $1)) }
        }
    }
}

extension NameServer.Core {
    func answer(_ bytes: Bytes, isStream: Bool, port: Int) -> Bytes? {
        guard let question = note(bytes, isStream, port) else { return nil }
        return compose(script(question), question)
    }

    private func note(_ bytes: Bytes, _ isStream: Bool, _ port: Int) -> NameServer.Question? {
        guard bytes.count > 16 else { return nil }
        var labels: [String] = []
        var offset = 12
        while offset < bytes.count, bytes[offset] != 0 {
            labels.append(String(decoding: bytes[(offset + 1)...].prefix(Int(bytes[offset])), as: UTF8.self))
            offset += 1 + Int(bytes[offset])
        }
        guard offset + 5 <= bytes.count else { return nil }
        let name = labels.joined(separator: ".").lowercased()
        let type = UInt16(bytes[offset + 1]) << 8 | UInt16(bytes[offset + 2])
        return questions.withLock { list in
            let question = NameServer.Question(
                id: UInt16(bytes[0]) << 8 | UInt16(bytes[1]), name: name, type: type,
                count: list.count { $0.name == name && $0.type == type } + 1, isStream: isStream, sourcePort: port,
                bytes: Bytes(bytes[12..<(offset + 5)]))
            list.append(question)
            return question
        }
    }

    private func compose(_ answer: NameServer.Answer, _ question: NameServer.Question) -> Bytes? {
        switch answer {
        case .silence: return nil
        case .withID(let id, let answer):
            guard let bytes = compose(answer, question) else { return nil }
            return [UInt8(id >> 8), UInt8(id & 255)] + bytes.dropFirst(2)
        case .bytes(let bytes): return [UInt8(question.id >> 8), UInt8(question.id & 255)] + bytes
        case .code(let code): return head(question, code: code) + question.bytes
        case .truncated: return head(question, isTruncated: true) + question.bytes
        case .notFound(let negative):
            guard let negative else { return head(question, code: 3) + question.bytes }
            let authority =
                [0] + word(6) + word(1) + long(negative) + word(22) + [0, 0] + long(1) + long(1) + long(1) + long(1)
                + long(negative)
            return head(question, code: 3, authorities: 1) + question.bytes + authority
        case .alias(let target, let ttl): return head(question, answers: 1) + question.bytes + alias(target, ttl)
        case .addresses(let list, let ttl, let target):
            let records = list.compactMap { address($0, question, ttl, owner: target.map(labels) ?? [0xc0, 12]) }
            let first = target.map { alias($0, ttl) }
            return head(question, answers: records.count + (first == nil ? 0 : 1)) + question.bytes + (first ?? [])
                + records.joined()
        }
    }

    private func head(
        _ question: NameServer.Question, code: UInt8 = 0, isTruncated: Bool = false, answers: Int = 0,
        authorities: Int = 0
    ) -> Bytes {
        word(question.id) + [isTruncated ? 0x83 : 0x81, 0x80 | code] + word(1) + word(UInt16(answers))
            + word(UInt16(authorities)) + word(0)
    }

    private func alias(_ target: String, _ ttl: UInt32) -> Bytes {
        let name = labels(target)
        return [0xc0, 12] + word(5) + word(1) + long(ttl) + word(UInt16(name.count)) + name
    }

    private func address(_ text: String, _ question: NameServer.Question, _ ttl: UInt32, owner: Bytes) -> Bytes? {
        let isIPv6 = text.contains(":")
        guard question.type == (isIPv6 ? 28 : 1) else { return nil }
        var bytes = Bytes(repeating: 0, count: isIPv6 ? 16 : 4)
        guard inet_pton(isIPv6 ? AF_INET6 : AF_INET, text, &bytes) == 1 else { return nil }
        return owner + word(question.type) + word(1) + long(ttl) + word(UInt16(bytes.count)) + bytes
    }

    private func labels(_ name: String) -> Bytes {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    private func word(_ value: UInt16) -> Bytes { [UInt8(value >> 8), UInt8(value & 255)] }
    private func long(_ value: UInt32) -> Bytes { word(UInt16(value >> 16)) + word(UInt16(value & 65_535)) }
}
