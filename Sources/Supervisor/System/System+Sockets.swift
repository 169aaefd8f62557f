internal import Config
internal import CLinux
internal import Glibc
internal import Machine

extension System {
    /// A stream socket, non-blocking and close-on-exec.
    static func streamSocket(for address: NetworkAddress) throws(SystemError) -> Descriptor {
        Descriptor(owning: try check(cs_socket_type(family(of: address), Int32(SOCK_STREAM.rawValue))))
    }

    /// A datagram socket that is connected, non-blocking and close-on-exec.
    static func datagramSocket(to address: NetworkAddress) throws(SystemError) -> Descriptor {
        let socket = Descriptor(owning: try check(cs_socket_type(family(of: address), Int32(SOCK_DGRAM.rawValue))))
        try connect(socket.number, to: address)
        return socket
    }

    /// Begins to connect. A non-blocking socket that is not connected yet is no error.
    static func connect(_ socket: Int32, to address: NetworkAddress) throws(SystemError) {
        var storage = sockaddr_storage()
        let length = write(address, to: &storage)
        guard length > 0 else { throw SystemError(code: ENAMETOOLONG) }
        // SAFETY: the address lies in `storage`, which is longer than `length`.
        let result = unsafe cs_connect(socket, &storage, length)
        guard result >= 0 || result == -EINPROGRESS || result == -EAGAIN else { throw SystemError(code: -result) }
    }

    static func bind(_ socket: Int32, to address: NetworkAddress) throws(SystemError) {
        var storage = sockaddr_storage()
        let length = write(address, to: &storage)
        guard length > 0 else { throw SystemError(code: ENAMETOOLONG) }
        // SAFETY: the address lies in `storage`, which is longer than `length`.
        try check(unsafe cs_bind(socket, &storage, length))
    }

    static func listen(_ socket: Int32, backlog: Int) throws(SystemError) {
        try check(cs_listen(socket, Int32(clamping: backlog)))
    }

    static func setOption(_ socket: Int32, level: Int32, name: Int32, to value: Int) throws(SystemError) {
        try check(cs_set_option(socket, level, name, Int32(clamping: value)))
    }

    static func option(_ socket: Int32, level: Int32, name: Int32) throws(SystemError) -> Int {
        var value: Int32 = 0
        try check(unsafe cs_get_option(socket, level, name, &value))
        return Int(value)
    }

    /// The address a socket is bound to.
    static func localAddress(of socket: Int32) throws(SystemError) -> NetworkAddress {
        var storage = sockaddr_storage()
        var length: UInt32 = 0
        try check(unsafe cs_local_address(socket, &storage, &length))
        var parts = cs_address()
        try check(unsafe cs_read_address(&storage, length, &parts))
        return address(parts)
    }

    /// The next connection of a listening socket and the address of its other end; nil: none waits, or it cannot be had.
    static func accept(from listener: Int32) -> (socket: Descriptor, peer: NetworkAddress)? {
        var storage = sockaddr_storage()
        var length: UInt32 = 0
        let number = unsafe cs_accept(listener, &storage, &length)
        guard number >= 0 else { return nil }
        let socket = Descriptor(owning: number)
        var parts = cs_address()
        guard unsafe cs_read_address(&storage, length, &parts) >= 0 else { return nil }
        return (socket, address(parts))
    }

    /// Asks the kernel's socket diagnosis, by netlink. Does not wait: the kernel answers within each call.
    /// - Returns: nil when the answer is not whole.
    static func listeners(_ question: [UInt8]) -> [SocketDiagnosis.Listener]? {
        let number = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 4)
        guard number >= 0 else { return nil }
        let diagnosis = Descriptor(owning: number)
        // SAFETY: the count is the buffer's own.
        let sent = unsafe question.withUnsafeBytes { unsafe cs_send(diagnosis.number, $0.baseAddress, $0.count, 0) }
        guard sent == question.count else { return nil }
        var buffer = [UInt8](repeating: 0, count: 32_768), found: [SocketDiagnosis.Listener] = []
        var progress = SocketDiagnosis.Progress.more
        while progress == .more {
            // SAFETY: the count is the buffer's own.
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe cs_recv(diagnosis.number, $0.baseAddress, $0.count) }
            progress = SocketDiagnosis.read(buffer.prefix(max(count, 0)), into: &found)
        }
        return progress == .whole ? found : nil
    }

    /// What makes two descriptors one socket: nil when that is no listening stream socket.
    static func identity(ofListener socket: Int32) -> UInt64? {
        var status = stat()
        guard (try? option(socket, level: SOL_SOCKET, name: SO_ACCEPTCONN)) == 1,
            (try? option(socket, level: SOL_SOCKET, name: SO_TYPE)) == Int(SOCK_STREAM.rawValue), unsafe cs_fstat(socket, &status) == 0
        else { return nil }
        return UInt64(status.st_ino)
    }

    /// Addresses of a host name by the system's resolver. Blocks; for start and reload only.
    static func resolve(_ host: String) -> [NetworkAddress] {
        var list = [cs_address](repeating: cs_address(), count: 64)
        let capacity = Int32(list.count)
        // SAFETY: at most `capacity` entries are written.
        let count = unsafe cs_resolve(host, &list, capacity)
        return list.prefix(Int(max(0, count))).map(address)
    }

    /// A pair of connected packet sockets, non-blocking and close-on-exec.
    static func packetPair() throws(SystemError) -> (Descriptor, Descriptor) {
        var numbers: [Int32] = [-1, -1]
        try check(unsafe cs_socketpair_seqpacket(&numbers))
        return (Descriptor(owning: numbers[0]), Descriptor(owning: numbers[1]))
    }

    /// Sends a packet with descriptors. Never blocks.
    static func send(_ packet: [UInt8], descriptors: [Int32], over channel: Int32) throws(SystemError) {
        // SAFETY: both arrays live during the call, and their lengths are told.
        try check(unsafe cs_send_packet(channel, packet, packet.count, descriptors, Int32(descriptors.count)))
    }

    /// Nothing more is sent: the other side of a channel reads its end.
    static func endSending(_ channel: Descriptor) { _ = cs_shutdown_write(channel.number) }

    /// Receives a packet; descriptors that came with it are closed. nil: there is none now. Empty: the channel ended.
    static func receive(from channel: Int32, capacity: Int) -> [UInt8]? {
        receivePacket(from: channel, capacity: capacity, descriptorsMax: Int(CS_DESCRIPTORS_MAX))?.bytes
    }

    private static func family(of address: NetworkAddress) -> Int32 {
        switch address {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    private static func write(_ address: NetworkAddress, to storage: inout sockaddr_storage) -> UInt32 {
        switch address {
        case .ipv4(let ip, let port): unsafe cs_ipv4_address(&storage, ip, port)
        case .ipv6(let high, let low, let port): unsafe cs_ipv6_address(&storage, high, low, port)
        case .unix(let path): unsafe cs_unix_address(&storage, path, path.count)
        }
    }

    private static func address(_ parts: cs_address) -> NetworkAddress {
        switch parts.family {
        case AF_INET: return .ipv4(parts.ipv4, port: parts.port)
        case AF_INET6: return .ipv6(high: parts.ipv6_high, low: parts.ipv6_low, port: parts.port)
        default:
            var path = parts.path
            // SAFETY: the bytes of a tuple of bytes.
            let bytes = unsafe withUnsafeBytes(of: &path) { unsafe Array($0.prefix(Int(parts.path_count))) }
            return .unix(bytes)
        }
    }
}
