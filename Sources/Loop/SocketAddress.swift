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

    /// An IPv4 or IPv6 address.
    /// - Parameter scope: interface index of a link-local address, or 0.
    public init(_ ip: IPAddress, scope: UInt32 = 0) {
        // SAFETY: both forms are smaller than sockaddr_storage.
        if ip.isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = ip.port.bigEndian
            address.sin6_scope_id = scope
            unsafe withUnsafeMutableBytes(of: &address.sin6_addr) {
                unsafe $0.storeBytes(of: ip.high.bigEndian, as: UInt64.self)
                unsafe $0.storeBytes(of: ip.low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            unsafe withUnsafeMutableBytes(of: &storage) { to in unsafe withUnsafeBytes(of: &address) { unsafe to.copyMemory(from: $0) } }
            length = UInt32(MemoryLayout<sockaddr_in6>.size)
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = ip.port.bigEndian
            address.sin_addr.s_addr = UInt32(truncatingIfNeeded: ip.low).bigEndian
            unsafe withUnsafeMutableBytes(of: &storage) { to in unsafe withUnsafeBytes(of: &address) { unsafe to.copyMemory(from: $0) } }
            length = UInt32(MemoryLayout<sockaddr_in>.size)
        }
    }

    /// The part of `storage` that an IPv4 or IPv6 address fills.
    var internetBytes: InlineArray<28, UInt8> {
        // SAFETY: sockaddr_storage has more bytes than these 28.
        unsafe withUnsafeBytes(of: storage) { unsafe $0.loadUnaligned(as: InlineArray<28, UInt8>.self) }
    }

    /// - Parameter length: bytes of `internetBytes` that count, at most 28.
    init(internetBytes bytes: InlineArray<28, UInt8>, length: UInt32) {
        self.length = length
        // SAFETY: sockaddr_storage has more bytes than these 28; the rest is zero.
        unsafe withUnsafeMutableBytes(of: &storage) { to in
            unsafe withUnsafeBytes(of: bytes) { unsafe to.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<Int(length)])) }
        }
    }

    /// The address with its port; nil for a unix socket and for none.
    public var ipAddress: IPAddress? {
        unsafe withUnsafeBytes(of: storage) { raw in
            // SAFETY: the offsets of the kernel's structures, all inside sockaddr_storage.
            switch family {
            case AF_INET:
                let bits = unsafe UInt32(bigEndian: raw.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
                return IPAddress(low: UInt64(bits), port: port, isIPv6: false)
            case AF_INET6:
                return unsafe IPAddress(
                    high: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                    low: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self)), port: port, isIPv6: true)
            default: return nil
            }
        }
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

    /// A unix socket. - Returns: nil if the path is longer than 107 bytes.
    public init?(unix path: [UInt8]) {
        guard !path.isEmpty else { return nil }
        // SAFETY: the view is used inside only, and the array is not empty.
        let made = unsafe path.withUnsafeBufferPointer { unsafe SocketAddress(unix: ByteView(start: $0.baseAddress!, count: $0.count)) }
        guard let made else { return nil }
        self = made
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
        guard let ip = ipAddress else {
            buffer.append("unix:")
            if withPort { unixPath.forEach { buffer.append($0) } }
            return
        }
        buffer.write(reserving: 54) { writer in
            if withPort, ip.isIPv6 { writer.append(byte: 0x5b) }
            ip.write(into: &writer)
            if withPort {
                if ip.isIPv6 { writer.append(byte: 0x5d) }
                writer.append(byte: 0x3a)
                writer.append(decimal: UInt64(ip.port))
            }
        }
    }

    private var unixPath: [UInt8] {
        guard length > 2 else { return [] }
        return unsafe withUnsafeBytes(of: storage) { unsafe Array($0[2..<Int(length)].prefix { $0 != 0 }) }
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
