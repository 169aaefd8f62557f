import Config
import Foundation
import Machine

extension LiveSystem {
    /// As `SystemReader` says.
    package func resolve(_ host: String) throws(SystemError) -> [PeerAddress] {
        // The C library's resolver cannot be interrupted: another program asks, and is killed at the deadline.
        let output: [UInt8]
        do { output = try Subprocess.run(["getent", "ahosts", host], deadline: 3_000, limit: 65_536) } catch {
            throw SystemError(error.errorNumber == -1 ? -2 : error.errorNumber, host)
        }
        var found: [PeerAddress] = []
        for line in String(decoding: output, as: UTF8.self).split(separator: "\n") {
            guard let text = line.split(separator: " ").first else { continue }
            let address = PeerAddress(parsing: text.contains(":") ? "[\(text)]:0" : "\(text):0")
            if address.isIP, !found.contains(address) { found.append(address) }
        }
        return found
    }

    /// As `SystemReader` says.
    package func interfaceAddresses() -> [PeerAddress] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { return [] }
        defer { unsafe freeifaddrs(list) }
        var found: [PeerAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            // SAFETY: getifaddrs gives a linked list that is valid until freeifaddrs; the family says how large the address is.
            if let address = unsafe entry.pointee.ifa_addr, let peer = unsafe Self.address(address) {
                found.append(peer)
            }
            unsafe next = unsafe entry.pointee.ifa_next
        }
        return found
    }

    private static func address(_ pointer: UnsafeMutablePointer<sockaddr>) -> PeerAddress? {
        switch Int32(unsafe pointer.pointee.sa_family) {
        case AF_INET:
            // SAFETY: the family says that it is a sockaddr_in.
            let value = unsafe UnsafeRawPointer(pointer).loadUnaligned(as: sockaddr_in.self)
            return .ipv4(UInt32(bigEndian: value.sin_addr.s_addr), port: 0)
        case AF_INET6:
            // SAFETY: the family says that it is a sockaddr_in6, whose address begins at byte 8.
            let high = unsafe UnsafeRawPointer(pointer).loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            let low = unsafe UnsafeRawPointer(pointer).loadUnaligned(fromByteOffset: 16, as: UInt64.self)
            return .ipv6(UInt64(bigEndian: high), UInt64(bigEndian: low), port: 0)
        default: return nil
        }
    }

    /// As `SystemReader` says. One family of TCP without the other would look as if nobody listened there.
    package func listenQueues() -> [ListenQueue] {
        let tcp = SocketDiagnosis.tcp.compactMap(Self.ask)
        let found = (tcp.count == SocketDiagnosis.tcp.count ? tcp.flatMap(\.self) : []) + (Self.ask(SocketDiagnosis.unix) ?? [])
        return found.map { listener in
            let address: PeerAddress? =
                switch listener.address {
                case .ipv4(let address, let port): .ipv4(address, port: port)
                case .ipv6(let high, let low, let port): .ipv6(high, low, port: port)
                case .unix, nil: nil
                }
            return ListenQueue(inode: listener.inode, length: listener.length, max: listener.max, address: address)
        }
    }

    /// Asks the kernel's socket diagnosis, by netlink; nil when the answer is not whole.
    private static func ask(_ question: [UInt8]) -> [SocketDiagnosis.Listener]? {
        let descriptor = socket(16, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 4)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // SAFETY: the count is the buffer's own.
        let sent = unsafe question.withUnsafeBytes { unsafe send(descriptor, $0.baseAddress, $0.count, 0) }
        guard sent == question.count else { return nil }
        var buffer = [UInt8](repeating: 0, count: 65_536), found: [SocketDiagnosis.Listener] = []
        var progress = SocketDiagnosis.Progress.more
        let end = microseconds() + diagnosisMax
        while progress == .more, wait(descriptor, Int16(POLLIN), until: end) {
            // SAFETY: the count is the buffer's own.
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
            progress = SocketDiagnosis.read(buffer.prefix(max(count, 0)), into: &found)
        }
        return progress == .whole ? found : nil
    }

    /// Microseconds for each question. The kernel answers at once.
    private static let diagnosisMax = 100_000

    /// As `SystemReader` says.
    package func hasRoute(to peer: PeerAddress) -> Bool? {
        guard peer.isIP else { return nil }
        // A datagram socket is "connected" by looking the route up: no packet is sent.
        let descriptor = socket(peer.isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        if Self.connect(descriptor, peer) == 0 { return true }
        return [ENETUNREACH, EHOSTUNREACH, EACCES].contains(errno) ? false : nil
    }

    /// As `SystemReader` says.
    package func probe(_ peer: PeerAddress, sending bytes: [UInt8]?, deadline: Int) -> (
        result: ProbeResult, answer: [UInt8]
    ) {
        let family: Int32 = peer.isUnixSocket ? AF_UNIX : peer.isIPv6 ? AF_INET6 : AF_INET
        guard peer.isIP || peer.isUnixSocket else { return (ProbeResult(errorNumber: EINVAL), []) }
        let descriptor = socket(
            family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { return (ProbeResult(errorNumber: errno), []) }
        defer { close(descriptor) }
        let start = Self.microseconds()
        let end = start + deadline * 1_000
        if Self.connect(descriptor, peer) != 0 {
            guard errno == EINPROGRESS else { return (ProbeResult(errorNumber: errno), []) }
            guard Self.wait(descriptor, Int16(POLLOUT), until: end) else { return (ProbeResult(errorNumber: 110), []) }
            var code: Int32 = 0
            var size = socklen_t(4)
            unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
            if code != 0 { return (ProbeResult(errorNumber: code), []) }
        }
        let result = ProbeResult(errorNumber: 0, microseconds: Self.microseconds() - start)
        guard let bytes else { return (result, []) }
        // SAFETY: the count is the buffer's own.
        _ = unsafe bytes.withUnsafeBytes { unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        var answer = [UInt8](repeating: 0, count: 64)
        guard Self.wait(descriptor, Int16(POLLIN), until: end) else { return (result, []) }
        // SAFETY: the count is the buffer's own.
        let count = unsafe answer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        return (result, Array(answer.prefix(max(count, 0))))
    }

    private static func connect(_ descriptor: Int32, _ peer: PeerAddress) -> Int32 {
        func call<T>(_ address: T, _ size: Int) -> Int32 {
            var address = address
            // SAFETY: the address is a whole sockaddr_* value of at least `size` bytes.
            return unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe Glibc.connect(descriptor, $0, socklen_t(size))
                }
            }
        }
        switch peer {
        case .ipv4(let value, let port):
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = value.bigEndian
            return call(address, MemoryLayout<sockaddr_in>.size)
        case .ipv6(let high, let low, let port):
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            // SAFETY: in6_addr is sixteen bytes.
            unsafe withUnsafeMutableBytes(of: &address.sin6_addr) { memory in
                unsafe memory.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
                unsafe memory.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            return call(address, MemoryLayout<sockaddr_in6>.size)
        case .unix(let path):
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            var bytes = Array(path.utf8.prefix(107))
            if bytes.first == 64 { bytes[0] = 0 }
            // SAFETY: sun_path has 108 bytes, at most 107 are written and the rest is zero.
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { memory in unsafe memory.copyBytes(from: bytes) }
            return call(address, bytes.first == 0 ? 2 + bytes.count : MemoryLayout<sockaddr_un>.size)
        case .name: return -1
        }
    }

    private static func wait(_ descriptor: Int32, _ events: Int16, until end: Int) -> Bool {
        while true {
            let left = end - microseconds()
            if left <= 0 { return false }
            var event = pollfd(fd: descriptor, events: events, revents: 0)
            let ready = unsafe poll(&event, 1, Int32(left / 1_000 + 1))
            if ready > 0 { return true }
            if ready < 0, errno != EINTR { return false }
        }
    }

    private static func microseconds() -> Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int(time.tv_sec) * 1_000_000 + Int(time.tv_nsec) / 1_000
    }
}
