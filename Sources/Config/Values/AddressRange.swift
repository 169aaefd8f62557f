/// A network in CIDR form.
package enum AddressRange: Hashable, Sendable {
    /// Any client.
    case all
    /// Clients of Unix-domain sockets.
    case unix
    /// IPv4; address already masked, both in host byte order.
    case ipv4(address: UInt32, mask: UInt32)
    /// IPv6; address already masked, halves in host byte order.
    case ipv6(high: UInt64, low: UInt64, maskHigh: UInt64, maskLow: UInt64)
}
