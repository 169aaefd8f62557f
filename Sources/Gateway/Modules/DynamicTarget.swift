import Config
import Loop
import Machine
import Wire

/// proxy_pass with variables: the target is known only per request. A group's name, an address, or a unix socket; each address becomes a
/// group of one, kept for the next request (bounded).
extension Ref where Value == Request {
    /// The upstream for the evaluated target, or nil after the request was answered.
    func resolveTarget(_ proxy: Ref<ProxyRuntime>) -> Ref<Upstream>? {
        guard let target = proxy.value.target else { return nil }
        let url = evaluate(target)
        guard let parsed = TargetURL(url) else {
            log(.error, "invalid URL prefix in \"\(url.string)\"")
            finish(.status(500))
            return nil
        }
        value.modules.dynamicHost = parsed.hostField
        value.modules.dynamicPort = parsed.port == 0 ? ByteView() : decimal(Int64(parsed.port))
        if let uri = parsed.uri { value.modules.dynamicURI = uri.first == 0x3f ? compose { $0.append("/"); $0.append(uri) } : uri }
        let upstreams = worker.value.http.value.upstreams
        for index in upstreams.indices where upstreams[index].value.name == parsed.authority && !upstreams[index].value.settings.value.isImplicit {
            return upstreams[index]
        }
        guard let address = parsed.address else {
            log(.error, "no resolver defined to resolve \(parsed.host.string)")
            finish(.status(502))
            return nil
        }
        guard let upstream = worker.dynamicUpstream(parsed.authority, address) else {
            log(.alert, "too many different targets of proxy_pass with variables")
            finish(.status(500))
            return nil
        }
        return upstream
    }
}

/// The parts of `http://HOST[:PORT][URI]`, `http://unix:PATH:[URI]`.
struct TargetURL {
    /// HOST[:PORT] as written.
    let authority: ByteView
    /// For `$proxy_host`: without the default port; `localhost` for a unix socket.
    let hostField: ByteView
    let host: ByteView
    /// 0 for a unix socket.
    let port: UInt16
    /// From the first `/` or `?` on; nil if there is none.
    let uri: ByteView?
    /// The address, nil if the host is a name.
    let address: NetworkAddress?

    init?(_ url: ByteView) {
        guard url.count > 7, url.prefix(7).equalsIgnoringCase("http://") else { return nil }
        let rest = url.dropFirst(7)
        if rest.count > 5, rest.prefix(5).equalsIgnoringCase("unix:") {
            let path = rest.dropFirst(5)
            let end = path.firstIndex(of: 0x3a) ?? path.count
            authority = rest.prefix(5 + end)
            hostField = "localhost"
            host = path.prefix(end)
            port = 0
            let tail = path.dropFirst(min(path.count, end + 1))
            uri = tail.isEmpty ? nil : tail
            address = .unix(host.array)
            return
        }
        var end = 0
        while end < rest.count, rest[end] != 0x2f, rest[end] != 0x3f { end += 1 }
        guard end > 0 else { return nil }
        authority = rest.prefix(end)
        uri = end < rest.count ? rest.dropFirst(end) : nil
        let parsed = NetworkAddress(parsing: authority)
        if let parsed, parsed.port != 0 {
            address = parsed
        } else {
            address = parsed?.with(port: 80)
        }
        let colon = authority.last == 0x5d ? nil : authority.lastIndex(of: 0x3a)
        if let colon, let number = SizeText.number(authority.dropFirst(colon + 1)), let port = UInt16(exactly: number) {
            self.port = port
            host = authority.prefix(colon)
        } else {
            port = 80
            host = authority
        }
        hostField = port == 80 ? host : authority
    }
}

extension Ref where Value == Worker {
    /// Most targets of proxy_pass with variables that are remembered.
    private var dynamicUpstreamsMax: Int { 4096 }

    /// The group of one for an address.
    func dynamicUpstream(_ authority: ByteView, _ address: NetworkAddress) -> Ref<Upstream>? {
        if let known = value.dynamicUpstreams[authority.array] { return known }
        guard value.dynamicUpstreams.count < dynamicUpstreamsMax, let socket = SocketAddress(address) else { return nil }
        let name = Array(socket.text(withPort: true).utf8)
        let nowhere = SourceLocation(file: "", line: 0)
        var settings = UpstreamSettings(name: authority.string, location: nowhere)
        settings.isImplicit = true
        let pool = Machine.KeepaliveSettings(capacity: 0)
        let upstream = Ref<Upstream>.immortal(Upstream(
            index: -1, name: ByteView.immortal(authority.array), settings: Ref<UpstreamSettings>.immortal(settings),
            balancer: Balancer(settings: BalancerSettings(policy: .roundRobin), peers: [PeerSettings(name: name)]),
            idle: KeepalivePool(settings: pool, peerCapacity: 1), peers: [Upstream.PeerRuntime(address: socket, name: ByteView.immortal(name))],
            hashKey: nil, usesAddressHash: false, keepsConnections: false, isLocal: false,
            sticky: nil, boardKeys: [], isGuarded: false))
        value.dynamicUpstreams[authority.array] = upstream
        return upstream
    }
}
