import Config
import Loop
import Wire

/// real_ip: the client's own address as a trusted proxy names it (nginx: ngx_http_realip_module). The connection's address is replaced for
/// the time of the request.
extension Ref where Value == Request {
    func applyRealIP() {
        guard isMain, value.modules.clientAddress == nil else { return }
        let settings = location.value.settings
        guard !settings.value.realIP.trusted.isEmpty, let client = NetworkAddress(connection.value.peer),
            client.isIn(settings.value.realIP.trusted) else { return }
        guard let original = realAddress(settings.value.realIP, client), let address = SocketAddress(original) else { return }
        value.modules.clientAddress = CompactAddress(connection.value.peer)
        connection.replacePeer(address)
    }

    private func realAddress(_ settings: RealIPSettings, _ client: NetworkAddress) -> NetworkAddress? {
        let text: ByteView?
        switch settings.source {
        case .proxyProtocol: return connection.value.proxyHeader?.value.header.source.map { NetworkAddress($0) }
        case .xRealIP: text = field(.xRealIP)
        case .xForwardedFor: text = findField("x_forwarded_for", value.fields)
        case .header: text = findField(location.value.realIPField, value.fields)
        }
        guard let text else { return nil }
        return ForwardedAddress.original(client: client, forwarded: text, trusted: settings.trusted, isRecursive: settings.isRecursive)
    }

    /// The address before it was replaced, or the client's.
    var realIPOriginalAddress: ByteView {
        guard let address = main.value.modules.clientAddress?.socketAddress else { return connection.peerText }
        return compose { address.append(to: $0, withPort: false) }
    }

    var realIPOriginalPort: ByteView? {
        let address = main.value.modules.clientAddress?.socketAddress ?? connection.value.peer
        return address.isUnix ? ByteView() : decimal(Int64(address.port))
    }
}

extension Ref where Value == ClientConnection {
    func replacePeer(_ address: SocketAddress) {
        value.peer = address
        value.peerTextCount = 0
    }
}

extension NetworkAddress {
    init(_ address: IPAddress) {
        self = address.isIPv6
            ? .ipv6(high: address.high, low: address.low, port: address.port)
            : .ipv4(UInt32(truncatingIfNeeded: address.low), port: address.port)
    }
}
