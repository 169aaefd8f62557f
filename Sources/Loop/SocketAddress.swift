public import CLinux
import Glibc
public import Wire

/// An IPv4, IPv6 or unix socket address as the kernel takes it. 132 bytes, copied freely, no allocation.
@safe
public struct SocketAddress {
    /// The kernel's structure. Unix paths of up to 107 bytes fit.
    public var storage = sockaddr_storage()
    /// Bytes of `storage` that count.
    public var length: UInt32 = 0

    public init() {}
}

extension SocketAddress {
    public var family: Int32 { Int32(storage.ss_family) }
    public var isUnix: Bool { family == AF_UNIX }

    /// An IPv4 address.
    /// - Parameters:
    ///   - bytes: four bytes in network order.
    ///   - port: in host order.
    public init(ipv4 bytes: [UInt8], port: UInt16) {
        precondition(bytes.count == 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        unsafe withUnsafeMutableBytes(of: &address.sin_addr) { unsafe $0.copyBytes(from: bytes) }
        // SAFETY: sockaddr_in is smaller than sockaddr_storage.
        unsafe withUnsafeMutableBytes(of: &storage) { to in unsafe withUnsafeBytes(of: &address) { unsafe to.copyMemory(from: $0) } }
        length = UInt32(MemoryLayout<sockaddr_in>.size)
    }

    /// An IPv6 address.
    /// - Parameters:
    ///   - bytes: sixteen bytes in network order.
    ///   - port: in host order.
    ///   - scope: interface index of a link-local address, or 0.
    public init(ipv6 bytes: [UInt8], port: UInt16, scope: UInt32 = 0) {
        precondition(bytes.count == 16)
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        address.sin6_scope_id = scope
        unsafe withUnsafeMutableBytes(of: &address.sin6_addr) { unsafe $0.copyBytes(from: bytes) }
        // SAFETY: sockaddr_in6 is smaller than sockaddr_storage.
        unsafe withUnsafeMutableBytes(of: &storage) { to in unsafe withUnsafeBytes(of: &address) { unsafe to.copyMemory(from: $0) } }
        length = UInt32(MemoryLayout<sockaddr_in6>.size)
    }

    /// A unix socket.
    /// - Parameter path: up to 107 bytes.
    /// - Returns: nil if the path is longer.
    public init?(unix path: ByteView) {
        guard path.count > 0, path.count < 108 else { return nil }
        storage.ss_family = sa_family_t(AF_UNIX)
        // SAFETY: 2 + 107 bytes fit into sockaddr_storage, whose rest is zero.
        unsafe withUnsafeMutableBytes(of: &storage) { unsafe UnsafeMutableRawBufferPointer(rebasing: $0[2...]).copyBytes(from: path.rawBuffer) }
        length = UInt32(2 + path.count + 1)
    }

    /// The port in host order, 0 for a unix socket.
    public var port: UInt16 {
        get {
            if isUnix { return 0 }
            return unsafe withUnsafeBytes(of: storage) { unsafe UInt16($0[2]) << 8 | UInt16($0[3]) }
        }
        set {
            if isUnix { return }
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0[2] = UInt8(newValue >> 8); unsafe $0[3] = UInt8(newValue & 255) }
        }
    }

    /// The address without port: 4 bytes, 16 bytes, or none for a unix socket (nginx: $binary_remote_addr is "unix:" then).
    public func withAddressBytes<Result>(_ body: (ByteView) -> Result) -> Result {
        unsafe withUnsafeBytes(of: storage) { raw in
            let base = unsafe raw.baseAddress!.assumingMemoryBound(to: UInt8.self)
            switch family {
            case AF_INET: return unsafe body(ByteView(start: base + 4, count: 4))
            case AF_INET6: return unsafe body(ByteView(start: base + 8, count: 16))
            default: return body(ByteView())
            }
        }
    }

    /// Appends the address as nginx prints it: `127.0.0.1`, `2001:db8::1` (with `[…]` if a port follows), `unix:` or `unix:/path`.
    public func append(to buffer: Ref<Buffer>, withPort: Bool) {
        switch family {
        case AF_INET:
            withAddressBytes { bytes in
                for index in 0..<4 {
                    if index > 0 { buffer.append(0x2e) }
                    buffer.append(decimal: UInt64(bytes[index]))
                }
            }
        case AF_INET6:
            if withPort { buffer.append(0x5b) }
            withAddressBytes { appendIPv6($0, to: buffer) }
            if withPort { buffer.append(0x5d) }
        default:
            buffer.append("unix:")
            if withPort { unixPath.forEach { buffer.append($0) } }
            return
        }
        if withPort {
            buffer.append(0x3a)
            buffer.append(decimal: UInt64(port))
        }
    }

    private var unixPath: [UInt8] {
        guard length > 2 else { return [] }
        return unsafe withUnsafeBytes(of: storage) { unsafe Array($0[2..<Int(length)].prefix { $0 != 0 }) }
    }

    /// RFC 5952 form: longest run of zero groups as `::`, lower-case hexadecimal, IPv4-mapped with dots.
    private func appendIPv6(_ bytes: ByteView, to buffer: Ref<Buffer>) {
        var (bestStart, bestLength, index) = (-1, 1, 0)
        func group(_ i: Int) -> UInt16 { UInt16(bytes[2 * i]) << 8 | UInt16(bytes[2 * i + 1]) }
        while index < 8 {
            var run = index
            while run < 8, group(run) == 0 { run += 1 }
            if run - index > bestLength { (bestStart, bestLength) = (index, run - index) }
            index = max(run, index + 1)
        }
        let mapped = bestStart == 0 && bestLength == 5 && group(5) == 0xffff
        index = 0
        while index < (mapped ? 6 : 8) {
            if index == bestStart {
                buffer.append("::")
                index += bestLength
                continue
            }
            if index > 0, index != bestStart + bestLength { buffer.append(0x3a) }
            buffer.append(hexadecimal: UInt64(group(index)))
            index += 1
        }
        guard mapped else { return }
        for i in 12..<16 {
            buffer.append(i == 12 ? 0x3a : 0x2e)
            buffer.append(decimal: UInt64(bytes[i]))
        }
    }

    /// The address as text, for messages.
    public func text(withPort: Bool) -> String {
        let buffer = Ref<Buffer>.immortal(Buffer(capacity: 160))
        defer { buffer.destroy() }
        append(to: buffer, withPort: withPort)
        return buffer.view.string
    }
}

extension SocketAddress: Equatable {
    public static func == (left: SocketAddress, right: SocketAddress) -> Bool {
        guard left.family == right.family, left.port == right.port else { return false }
        if left.isUnix { return left.unixPath == right.unixPath }
        return left.withAddressBytes { a in right.withAddressBytes { b in a == b } }
    }
}
