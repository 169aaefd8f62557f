import CLinux
import Glibc

/// The address of a connection's end in 29 bytes instead of the 132 of ``SocketAddress``: there is one for each client that waits.
///
/// IPv4 and IPv6 are kept whole, with port and scope; of a unix socket only that it is one.
@safe
public struct CompactAddress: BitwiseCopyable, Sendable {
    /// The kernel's structure: `sockaddr_in6`, the longest, has 28 bytes.
    private var bytes = InlineArray<28, UInt8>(repeating: 0)
    private var length: UInt8 = 0

    public init() {}

    public init(_ address: SocketAddress) {
        let kept = address.isUnix ? MemoryLayout<sa_family_t>.size : min(Int(address.length), bytes.count)
        length = UInt8(kept)
        // SAFETY: at most 28 bytes, which both structures have.
        unsafe withUnsafeMutableBytes(of: &bytes) { to in
            unsafe withUnsafeBytes(of: address.storage) { from in unsafe to.copyMemory(from: UnsafeRawBufferPointer(rebasing: from[..<kept])) }
        }
    }

    public var socketAddress: SocketAddress {
        var address = SocketAddress()
        address.length = UInt32(length)
        // SAFETY: at most 28 bytes, which both structures have.
        unsafe withUnsafeMutableBytes(of: &address.storage) { to in
            unsafe withUnsafeBytes(of: bytes) { from in unsafe to.copyMemory(from: UnsafeRawBufferPointer(rebasing: from[..<Int(length)])) }
        }
        return address
    }
}
