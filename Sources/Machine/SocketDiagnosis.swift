package import Config

/// What is asked of the kernel's socket diagnosis (sock_diag(7)), and its answer: the listening sockets, as `ss -l` shows them. Pure.
///
/// The kernel walks through those that listen only. /proc/net/tcp6 costs milliseconds even where nobody uses IPv6: all connections are
/// walked through twice, those that are long closed too.
///
/// Numbers are in the byte order of the host, which is little-endian wherever Swift runs on Linux.
package enum SocketDiagnosis {
    /// A listening socket.
    package struct Listener: Sendable, Hashable {
        /// As in `/proc/net/tcp` and `/proc/net/unix`.
        package var inode: UInt64
        /// Connections that wait to be accepted, and how many may.
        package var length: Int
        package var max: Int
        /// Where a TCP socket listens; nil for others.
        package var address: NetworkAddress?

        package init(inode: UInt64, length: Int, max: Int, address: NetworkAddress? = nil) {
            (self.inode, self.length, self.max, self.address) = (inode, length, max, address)
        }
    }

    private static let listening: UInt32 = 1 << 10
    private static let byFamily: UInt16 = 20, end: UInt16 = 3

    /// Whether an answer goes on, is whole, or is none.
    package enum Progress: Sendable { case more, whole, failed }

    /// Listening TCP sockets of both families.
    package static let tcp: [[UInt8]] = [2, 10].map { message([$0, 6, 0, 0] + bytes(listening) + [UInt8](repeating: 0, count: 48)) }

    /// Unix sockets, and of their attributes only the length of the queue.
    package static let unix = message([1, 0, 0, 0] + bytes(listening) + bytes(0) + bytes(0x10) + [UInt8](repeating: 0, count: 8))

    /// Takes in a part of an answer. O(length).
    package static func read(_ answer: ArraySlice<UInt8>, into listeners: inout [Listener]) -> Progress {
        var rest = answer
        while let length = number(rest, at: 0), length >= 16, length <= rest.count, let type = number(rest, at: 4) {
            let type = UInt16(truncatingIfNeeded: type)
            guard type == byFamily else { return type == end ? .whole : .failed }
            if let found = listener(rest.prefix(Int(length)).dropFirst(16)) { listeners.append(found) }
            rest = rest.dropFirst(aligned(Int(length)))
        }
        return rest.isEmpty && !answer.isEmpty ? .more : .failed
    }

    /// `inet_diag_msg` or `unix_diag_msg` with its attributes.
    private static func listener(_ body: ArraySlice<UInt8>) -> Listener? {
        if body.first == 1 {
            guard let inode = number(body, at: 4) else { return nil }
            var attributes = body.dropFirst(16)
            while let head = number(attributes, at: 0), head & 0xffff >= 4 {
                if head >> 16 == 4, let length = number(attributes, at: 4), let max = number(attributes, at: 8) {
                    return Listener(inode: UInt64(inode), length: Int(length), max: Int(max))
                }
                attributes = attributes.dropFirst(aligned(Int(head & 0xffff)))
            }
            return nil
        }
        guard let length = number(body, at: 56), let max = number(body, at: 60), let inode = number(body, at: 68) else { return nil }
        // Port and address are in network order.
        func big<Value: FixedWidthInteger>(_ offset: Int, _: Value.Type) -> Value {
            body.dropFirst(offset).prefix(Value.bitWidth / 8).reduce(0) { $0 << 8 | Value($1) }
        }
        let port = big(4, UInt16.self)
        let address: NetworkAddress =
            body.first == 10
            ? .ipv6(high: big(8, UInt64.self), low: big(16, UInt64.self), port: port) : .ipv4(big(8, UInt32.self), port: port)
        return Listener(inode: UInt64(inode), length: Int(length), max: Int(max), address: address)
    }

    /// A request for all that fits: with a header of type, flags (a dump), number and sender.
    private static func message(_ body: [UInt8]) -> [UInt8] {
        bytes(UInt32(16 + body.count)) + bytes(UInt32(byFamily) | 0x301 << 16) + bytes(1) + bytes(0) + body
    }

    /// Where the next one begins.
    private static func aligned(_ length: Int) -> Int { (length + 3) & ~3 }

    private static func bytes(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) } }

    private static func number(_ bytes: ArraySlice<UInt8>, at offset: Int) -> UInt32? {
        guard bytes.count >= offset + 4 else { return nil }
        return bytes.dropFirst(offset).prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}
