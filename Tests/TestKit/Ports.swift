import Foundation
import Synchronization

/// Hands out TCP ports that nobody listens on, each once per test process.
///
/// They lie below the kernel's ephemeral range, so no outgoing connection can take one between the hand-out and the
/// listen, and below the ports that Goodgate gives to its apps; processes that run tests at the same time start at different places.
public enum Ports {
    private static let lowest = 10_000
    private static let count: Int = {
        let bytes = FileManager.default.contents(atPath: "/proc/sys/net/ipv4/ip_local_port_range") ?? Data()
        let firstEphemeral = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
        // Where clients get these ports as well, nothing is left but to share.
        guard let firstEphemeral, firstEphemeral >= lowest + 1_000 else { return 9_900 }
        return min(9_900, firstEphemeral - lowest)
    }()
    private static let next = Mutex(Int(getpid()) &* 97 % count)

    /// Whether ::1 is there.
    public static let haveIPv6: Bool = {
        let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_addr = in6addr_loopback
        return withSocketAddress(&address) { bind(descriptor, $0, $1) } == 0
    }()

    /// A free port on 127.0.0.1.
    public static func free() -> Int { range(1) }

    /// The first of `length` free ports in a row.
    public static func range(_ length: Int) -> Int {
        for _ in 0..<count {
            let first = next.withLock { offset in
                if offset + length > count { offset = 0 }
                defer { offset += length }
                return lowest + offset
            }
            if (first..<(first + length)).allSatisfy(isFree) { return first }
        }
        fatalError("no free port")
    }

    /// Whether a listener could be bound now.
    public static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = Socket.loopback(port: port, address: "0.0.0.0")
        return withSocketAddress(&address) { bind(descriptor, $0, $1) } == 0
    }
}
