/// One `listen` of a server, for one address. A port range or a name with several addresses gives several.
package struct ListenSettings: Hashable, Sendable {
    /// The address, with its port.
    package var address: NetworkAddress
    /// Where it stands.
    package var location: SourceLocation
    /// `default_server`.
    package var isDefaultServer = false
    /// `proxy_protocol`.
    package var acceptsProxyProtocol = false
    /// Options of the socket; all servers of an address share one set.
    package var socket = SocketOptions()

    /// Socket options of `listen`; nil leaves the system's value.
    package struct SocketOptions: Hashable, Sendable {
        /// Whether the directive set any of them (or `bind`): only one `listen` of an address may.
        package var isExplicit = false
        /// `backlog`; 511 by default on Linux.
        package var backlog = 511
        package var receiveBuffer: ByteCount?
        package var sendBuffer: ByteCount?
        /// `fastopen`.
        package var fastOpenQueue: Int?
        /// `deferred`.
        package var isDeferred = false
        /// `ipv6only`; on by default.
        package var isIPv6Only = true
        /// `reuseport`.
        package var isReusePort = false
        /// `bind`: a socket of its own even when a wildcard listener exists.
        package var bindsSeparately = false
        /// `so_keepalive`.
        package var keepalive: Keepalive = .system

        package init() {}
    }

    /// `so_keepalive`.
    package enum Keepalive: Hashable, Sendable {
        case system
        case off
        /// On; nil values are the system's.
        case on(idle: Seconds?, interval: Seconds?, count: Int?)
    }

    package init(address: NetworkAddress, location: SourceLocation) {
        self.address = address
        self.location = location
    }
}

/// A listening address with its virtual hosts.
package struct ListenerSettings: Sendable {
    /// The address, with its port.
    package var address: NetworkAddress
    /// The effective options.
    package var socket = ListenSettings.SocketOptions()
    /// Whether connections start with a PROXY header (set by any server of the address, as nginx does).
    package var acceptsProxyProtocol = false
    /// Whether a server said `default_server`.
    package var hasDefaultServer = false
    /// Index into `HTTPSettings.servers` of the default server: the one that said so, else the first.
    package var defaultServer: Int
    /// Host names of the servers on this address.
    package var hosts = VirtualHosts()
    /// The first `listen` that named the address.
    package var location: SourceLocation
    /// The listener on which connections to this address arrive: nginx binds `*:PORT` once and tells specific addresses of
    /// the port apart by the local address. nil: a socket of its own.
    package var arrivesAt: Int?

    package init(address: NetworkAddress, defaultServer: Int, location: SourceLocation) {
        self.address = address
        self.defaultServer = defaultServer
        self.location = location
    }
}

/// Look-up tables from host name to server of one listening address.
///
/// Order of precedence: exact, longest leading wildcard, longest trailing wildcard, first matching expression, default.
package struct VirtualHosts: Sendable {
    /// Exact and wildcard names → index into `HTTPSettings.servers`.
    package var names = HostNameTable<Int>()
    /// In the order of the files.
    package var patterns: [(pattern: PatternID, server: Int)] = []

    package init() {}
}
