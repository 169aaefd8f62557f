import Foundation
import Synchronization

/// A connected stream socket with blocking calls that all end by a deadline. One thread uses it at a time.
public final class Socket: @unchecked Sendable {
    private let descriptor: Mutex<Int32>

    /// Takes ownership of a connected descriptor.
    public init(adopting descriptor: Int32) { self.descriptor = Mutex(descriptor) }

    deinit { close() }

    /// Connects to an IPv4 loopback port. Throws `KitError` with errno's text.
    public convenience init(port: Int, receiveBuffer: Int32? = nil, source: String? = nil) throws {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw KitError("socket: \(errnoText())") }
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        if let source {
            var from = Socket.loopback(port: 0, address: source)
            guard withSocketAddress(&from, { bind(descriptor, $0, $1) }) == 0 else {
                let text = errnoText()
                Glibc.close(descriptor)
                throw KitError("bind \(source): \(text)")
            }
        }
        var address = Socket.loopback(port: port)
        guard withSocketAddress(&address, { connect(descriptor, $0, $1) }) == 0 else {
            let text = errnoText()
            Glibc.close(descriptor)
            throw KitError("connect to 127.0.0.1:\(port): \(text)")
        }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        self.init(adopting: descriptor)
    }

    /// Connects to a unix socket.
    public convenience init(unixPath: String) throws {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw KitError("socket: \(errnoText())") }
        var address = unixAddress(unixPath)
        guard withSocketAddress(&address, { connect(descriptor, $0, $1) }) == 0 else {
            let text = errnoText()
            Glibc.close(descriptor)
            throw KitError("connect to \(unixPath): \(text)")
        }
        self.init(adopting: descriptor)
    }

    /// Sends all bytes. Throws on a closed or reset connection, or when the peer does not read for `seconds`.
    public func send(_ bytes: Bytes, within seconds: Double = 30) throws {
        let deadline = Deadline(seconds: seconds)
        var sent = 0
        while sent < bytes.count {
            guard wait(for: Int16(POLLOUT), until: deadline) else { throw KitError("send: timed out after \(sent) bytes") }
            let fd = descriptor.withLock { $0 }
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(fd, buffer.baseAddress! + sent, buffer.count - sent, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count > 0 { sent += count } else if errno != EAGAIN && errno != EINTR {
                throw KitError("send: \(errnoText())", isClose: true)
            }
        }
    }

    /// What one read gave.
    public enum Received: Equatable {
        case bytes(Bytes)
        case end
        case reset
        case timeout
    }

    /// Waits for bytes, the end of the stream or a reset, at most until the deadline.
    public func receive(upTo capacity: Int = 65_536, until deadline: Deadline) -> Received {
        while true {
            guard wait(for: Int16(POLLIN), until: deadline) else { return .timeout }
            let fd = descriptor.withLock { $0 }
            var bytes = Bytes(repeating: 0, count: capacity)
            let count = bytes.withUnsafeMutableBytes { recv(fd, $0.baseAddress!, capacity, Int32(MSG_DONTWAIT)) }
            if count > 0 { return .bytes(Bytes(bytes[0..<count])) }
            if count == 0 { return .end }
            if errno == ECONNRESET || errno == EPIPE || errno == EBADF { return .reset }
            if errno != EAGAIN && errno != EINTR { return .reset }
        }
    }

    /// Ends our direction of the stream; the peer's answer can still be read.
    public func halfClose() { descriptor.withLock { _ = shutdown($0, Int32(SHUT_WR)) } }

    /// Wakes every thread that waits on this socket, and ends both directions. The descriptor stays valid.
    public func interrupt() { descriptor.withLock { if $0 >= 0 { shutdown($0, Int32(SHUT_RDWR)) } } }

    /// Closes with RST instead of FIN.
    public func reset() {
        descriptor.withLock { fd in
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        }
        close()
    }

    /// Closes; safe to call more than once.
    public func close() {
        descriptor.withLock { fd in
            if fd >= 0 { Glibc.close(fd) }
            fd = -1
        }
    }

    private func wait(for events: Int16, until deadline: Deadline) -> Bool {
        let fd = descriptor.withLock { $0 }
        guard fd >= 0 else { return true }
        var poll = pollfd(fd: fd, events: events, revents: 0)
        while true {
            let ready = Glibc.poll(&poll, 1, deadline.millisecondsLeft)
            if ready > 0 { return true }
            if ready == 0 { return false }
            if errno != EINTR { return true }
        }
    }

    /// An IPv4 address structure.
    static func loopback(port: Int, address: String = "127.0.0.1") -> sockaddr_in {
        var result = sockaddr_in()
        result.sin_family = sa_family_t(AF_INET)
        result.sin_port = in_port_t(UInt16(port)).bigEndian
        inet_pton(AF_INET, address, &result.sin_addr)
        return result
    }
}

/// errno's text at this moment.
func errnoText() -> String { String(cString: strerror(errno)) }

func unixAddress(_ path: String) -> sockaddr_un {
    var result = sockaddr_un()
    result.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &result.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
    return result
}

func withSocketAddress<Address>(_ address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<Address>.size)) }
    }
}
