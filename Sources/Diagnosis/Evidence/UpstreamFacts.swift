/// What the proxy's configuration says about the failing upstream.
package struct UpstreamFacts: Sendable, Hashable {
    /// One `server` of an upstream, or the address of a `proxy_pass`.
    package struct Server: Sendable, Hashable {
        /// As written.
        package var text: String
        package var address: PeerAddress
        package var maxFails = 1
        package var isDown = false
        package var isBackup = false
        /// `resolve` parameter.
        package var resolves = false
        /// What else stands there, such as `weight=3`.
        package var parameters: [String] = []
        package var place: String
        package init(text: String, address: PeerAddress, place: String = "") {
            self.text = text; self.address = address; self.place = place
        }
    }
    /// `health_check` of a location that passes there, over HTTP.
    package struct HealthCheck: Sendable, Hashable {
        /// What it asks for, and where; nil: the server's own port.
        package var uri: String
        package var port: UInt16?
        /// A `match` says which answers are good.
        package var hasMatch: Bool
        package init(uri: String, port: UInt16? = nil, hasMatch: Bool = false) {
            self.uri = uri; self.port = port; self.hasMatch = hasMatch
        }
    }
    /// How the proxy speaks TLS there.
    package struct TLS: Sendable, Hashable {
        /// `proxy_ssl_name`, or what nginx takes for it: the host that proxy_pass names; nil: a variable decides.
        package var name: String?
        /// The name is a host's, not that of a group or an address.
        package var isNameOfHost: Bool
        /// `proxy_ssl_server_name`, `proxy_ssl_verify` and `proxy_ssl_trusted_certificate`.
        package var sendsName: Bool
        package var verifies: Bool
        package var authorities: String?
        package init(name: String?, isNameOfHost: Bool, sendsName: Bool = false, verifies: Bool = false, authorities: String? = nil) {
            self.name = name; self.isNameOfHost = isNameOfHost; self.sendsName = sendsName; self.verifies = verifies
            self.authorities = authorities
        }
    }
    /// Name of the group, or host and port when a `proxy_pass` names no group.
    package var name: String
    /// A `proxy_pass` names its only server, as `text` says, and no group.
    package var isImplicit = false
    /// `file:line` of the upstream block or of the `proxy_pass`.
    package var place: String
    package var scheme: String
    package var servers: [Server]
    /// Seconds an idle connection is kept; nil: no keep-alive to this upstream.
    package var keepaliveTimeout: Int?
    /// Seconds; nil: not known, or not the same for all that goes there.
    package var connectTimeout: Int?
    package var readTimeout: Int?
    /// Bytes of `proxy_buffer_size`; nil likewise.
    package var bufferSize: Int?
    package var hasZone = false
    /// `proxy_ssl_server_name`; nil: not known.
    package var sendsServerName: Bool?
    /// What the doctor tries beside a connection.
    package var healthCheck: HealthCheck?
    package var tls: TLS?

    package init(name: String, place: String, scheme: String = "http", servers: [Server] = []) {
        self.name = name; self.place = place; self.scheme = scheme; self.servers = servers
    }

    /// What stands in a `proxy_pass`.
    package var written: String { isImplicit ? servers.first?.text ?? name : name }
    /// The name of the group, or a good one for a group that is to be made.
    package var groupName: String {
        guard isImplicit, let server = servers.first else { return name }
        if case .name(let host, _) = server.address { return host }
        return "NAME"
    }
}
