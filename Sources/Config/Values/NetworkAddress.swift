/// A socket address in binary form.
package enum NetworkAddress: Hashable, Sendable {
    /// IPv4; the address in host byte order.
    case ipv4(UInt32, port: UInt16)
    /// IPv6; the upper and lower half in host byte order.
    case ipv6(high: UInt64, low: UInt64, port: UInt16)
    /// Path of a Unix-domain socket, without `unix:`.
    case unix(Bytes)

    /// The port, nil for Unix-domain sockets.
    package var port: UInt16? {
        switch self {
        case .ipv4(_, let port), .ipv6(_, _, let port): port
        case .unix: nil
        }
    }

    /// The same address with another port; a Unix-domain address as it is.
    package func with(port: UInt16) -> NetworkAddress {
        switch self {
        case .ipv4(let address, _): .ipv4(address, port: port)
        case .ipv6(let high, let low, _): .ipv6(high: high, low: low, port: port)
        case .unix: self
        }
    }

    /// Whether the address part is all zero.
    package var isWildcard: Bool {
        switch self {
        case .ipv4(let address, _): address == 0
        case .ipv6(let high, let low, _): high == 0 && low == 0
        case .unix: false
        }
    }
}

/// An address as configured: known, or a name to be looked up.
package enum HostAddress: Hashable, Sendable {
    case literal(NetworkAddress)
    /// A host name; `port` is 0 when none was given (`service=`).
    case name(host: String, port: UInt16)
}
