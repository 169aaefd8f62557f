import Config
import Loop
import Wire

/// geo (nginx: ngx_http_geo_module): a value by the client's network.
extension Ref where Value == Request {
    func evaluateGeo(_ index: Int) -> ByteView? {
        let geo = worker.value.http.value.geos[index]
        return geo.value.values[geo.value.settings.value.valueIndex(for: geoAddress(geo.value.settings))]
    }

    /// The address that is looked up: of a variable, of a trusted proxy's X-Forwarded-For, or the client's.
    private func geoAddress(_ geo: Ref<GeoSettings>) -> NetworkAddress? {
        if let source = geo.value.source {
            guard let text = variable(Int32(source.index)) else { return nil }
            return NetworkAddress(withoutPort: text)
        }
        let client = NetworkAddress(connection.value.peer)
        guard !geo.value.proxies.isEmpty, let forwarded = findField("x_forwarded_for", main.value.fields) else {
            return client
        }
        return ForwardedAddress.original(
            client: client, forwarded: forwarded, trusted: geo.value.proxies, isRecursive: geo.value.isProxyRecursive) ?? client
    }
}

extension NetworkAddress {
    /// The kernel's form turned back; nil for none.
    init?(_ address: SocketAddress) {
        if let known = address.ipAddress {
            self.init(known)
        } else if address.isUnix {
            self = .unix([])
        } else {
            return nil
        }
    }

    /// An address as text, without brackets and port; nil if it is none.
    init?(withoutPort text: ByteView) {
        if text == "unix:" {
            self = .unix([])
        } else {
            self.init(host: text, port: 0)
        }
    }

    /// An address as text, with or without a port; nil if it is none.
    init?(parsing text: ByteView) {
        if text == "unix:" {
            self = .unix([])
            return
        }
        var host = text
        var port: UInt16 = 0
        if text.first == 0x5b {
            guard let close = text.firstIndex(of: 0x5d) else { return nil }
            host = text[1..<close]
            guard let number = NetworkAddress.port(text.dropFirst(close + 1)) else { return nil }
            port = number
        } else if let colon = text.firstIndex(of: 0x3a), text.lastIndex(of: 0x3a) == colon {
            host = text.prefix(colon)
            guard let number = NetworkAddress.port(text.dropFirst(colon)) else { return nil }
            port = number
        }
        self.init(host: host, port: port)
    }

    private init?(host: ByteView, port: UInt16) {
        if let address = IPAddress.parseIPv4(host, leadingZeros: true) {
            self = .ipv4(address, port: port)
        } else if let address = IPAddress.parseIPv6(host) {
            self = .ipv6(high: address.high, low: address.low, port: port)
        } else {
            return nil
        }
    }

    /// `:8080` or nothing (0).
    private static func port(_ text: ByteView) -> UInt16? {
        if text.isEmpty { return 0 }
        guard text.first == 0x3a, let number = SizeText.number(text.dropFirst()) else { return nil }
        return UInt16(exactly: number)
    }

    /// Whether a range of configuration holds it.
    func isIn(_ ranges: [AddressRange]) -> Bool { ranges.contains { $0.contains(self) } }
}

/// X-Forwarded-For read from its end: the last address that no trusted proxy could have forged (nginx: ngx_http_get_forwarded_addr).
enum ForwardedAddress {
    /// - Returns: nil if the client is not trusted or the list holds no address.
    static func original(client: NetworkAddress?, forwarded: ByteView, trusted: [AddressRange], isRecursive: Bool) -> NetworkAddress? {
        guard let client, client.isIn(trusted) else { return nil }
        var found: NetworkAddress?
        var end = forwarded.count
        while end > 0 {
            while end > 0, forwarded[end - 1] == 0x20 || forwarded[end - 1] == 0x2c { end -= 1 }
            var start = end
            while start > 0, forwarded[start - 1] != 0x20, forwarded[start - 1] != 0x2c { start -= 1 }
            guard start < end, let address = NetworkAddress(parsing: forwarded[start..<end]) else { return found }
            found = address
            guard isRecursive, address.isIn(trusted) else { return found }
            end = start
        }
        return found
    }
}
