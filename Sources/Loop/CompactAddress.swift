/// The address of a connection's end in 29 bytes instead of the 132 of ``SocketAddress``: there is one for each client that waits.
///
/// IPv4 and IPv6 are kept whole, with port and scope; of a unix socket only that it is one.
public struct CompactAddress: BitwiseCopyable, Sendable {
    /// The first bytes of the kernel's structure: `sockaddr_in6`, the longest of the two, has 28.
    private var bytes = InlineArray<28, UInt8>(repeating: 0)
    private var length: UInt8 = 0

    public init() {}

    public init(_ address: SocketAddress) {
        bytes = address.internetBytes
        // Of a unix socket the family.
        length = address.isUnix ? 2 : UInt8(min(address.length, 28))
    }

    public var socketAddress: SocketAddress { SocketAddress(internetBytes: bytes, length: UInt32(length)) }
}
