import Config
import Loop
import Machine
import Wire

/// proxy_pass with variables: the target is known only per request (nginx: ngx_http_proxy_eval).
extension Ref where Value == Request {
    /// The upstream for an evaluated target, or nil after the request was answered. One that is not a group of the configuration belongs to
    /// the exchange, which destroys it.
    func resolveTarget(_ proxy: Ref<ProxyRuntime>, for exchange: ExchangeRef) -> Ref<Upstream>? {
        guard let text = proxy.value.target else { return nil }
        let url = evaluate(text)
        guard url.count > 7, url.prefix(7).equalsIgnoringCase("http://") else {
            log(.error, "invalid URL prefix in \"\(url.string)\"")
            return refuseTarget(500)
        }
        let rest = url.dropFirst(7)
        let target: HostPort
        do throws(HostPort.Failure) {
            target = try HostPort(rest.array, HostPort.Rules(allowsURI: true))
        } catch {
            log(.error, "\(error.message) in upstream \"\(rest.string)\"")
            return refuseTarget(500)
        }
        describe(target)
        if let group = group(target) { return group }
        switch target.address {
        case .literal(let address):
            guard let address = SocketAddress(address) else { return refuseTarget(500) }
            return temporaryUpstream([address], host: keep(target.host), port: target.port, for: exchange)
        case .name: return lookUp(target, for: exchange)
        }
    }

    /// Answers a request that has no target.
    func refuseTarget(_ status: Int) -> Ref<Upstream>? {
        finish(.status(status))
        return nil
    }

    /// $proxy_host, $proxy_port, and the URI if the target has one.
    private func describe(_ target: HostPort) {
        if case .literal(.unix) = target.address {
            value.modules.dynamicHost = "localhost"
            value.modules.dynamicPort = ByteView()
        } else if target.hasPort, target.port != 80 {
            value.modules.dynamicHost = keep(target.host + [0x3a] + target.portText)
            value.modules.dynamicPort = keep(target.portText)
        } else {
            value.modules.dynamicHost = keep(target.host)
            value.modules.dynamicPort = "80"
        }
        guard let first = target.uri.first else { return }
        value.modules.dynamicURI = first == 0x3f ? keep([0x2f] + target.uri) : keep(target.uri)
    }

    /// The group of that name, or the one that another proxy_pass implies.
    private func group(_ target: HostPort) -> Ref<Upstream>? {
        let name = keep(target.host)
        let upstreams = worker.value.http.value.upstreams
        for index in upstreams.indices {
            let group = upstreams[index]
            guard group.value.name.count == name.count, group.value.name.equalsIgnoringCase(name) else { continue }
            let port = group.value.implicitPort
            if port == 0 && !target.hasPort || port == target.port { return group }
        }
        return nil
    }

    /// A group of these addresses for this exchange alone; what it refers to is in the request's arena.
    func temporaryUpstream(
        _ addresses: [SocketAddress], host: ByteView, port: UInt16, for exchange: ExchangeRef
    ) -> Ref<Upstream> {
        exchange.value.ownsUpstream = true
        let peers = addresses.map { address in
            Upstream.PeerRuntime(address: address, name: compose { address.append(to: $0, withPort: true) })
        }
        return Ref<Upstream>.immortal(
            Upstream(
                index: -1, name: host, label: label(host, port), settings: worker.value.http.value.temporaryUpstreamSettings,
                balancer: Balancer(
                    settings: BalancerSettings(), peers: peers.map { PeerSettings(name: $0.name.array) }),
                idle: KeepalivePool(settings: KeepaliveSettings(capacity: 0), peerCapacity: max(1, peers.count)),
                peers: peers, hashKey: nil,
                usesAddressHash: false, keepsConnections: false, isLocal: false, sticky: nil, boardKeys: [],
                implicitPort: 0, isGuarded: false))
    }

    private func label(_ host: ByteView, _ port: UInt16) -> ByteView {
        compose { out in
            if port == 0 { out.append("unix:") }
            out.append(host)
            if port != 0 {
                out.append(":")
                out.append(decimal: Int(port))
            }
        }
    }
}
