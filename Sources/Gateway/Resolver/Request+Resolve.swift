import Config
import Loop
import Machine
import Wire

// A proxy_pass with variables names a host: the request waits until its addresses are known.
extension Ref where Value == Request {
    /// Finds the addresses of a host.
    /// - Returns: nil if the request waits, or was answered.
    func lookUp(_ target: HostPort, for exchange: ExchangeRef) -> Ref<Upstream>? {
        let host = keep(target.host)
        guard let resolver = location.value.resolver else {
            return refuse(host, "no resolver defined to resolve \(host.string)")
        }
        guard let name = DNSName(host: target.host) else { return refuse(host, .notFound) }
        let timeout = UInt64(location.value.settings.value.core.resolverTimeout)
        switch resolver.lookUp(name, waiter: token, timeout: timeout, worker) {
        case .known(.addresses(let found)):
            return temporaryUpstream(found, host: host, port: target.port, for: exchange)
        case .known(.failed(let why)): return refuse(host, why)
        case .waits:
            exchange.value.state = .resolving
            exchange.value.awaitedHost = host
            exchange.value.awaitedPort = target.port
            value.resumption = .resolve
            setTimer(after: timeout)
            return nil
        }
    }

    /// The answer for the name is there.
    func nameResolved(_ outcome: ResolverOutcome) {
        guard let exchange = value.exchange, exchange.value.state == .resolving else { return }
        exchange.value.state = .idle
        value.resumption = .none
        worker.value.loop.timers.clear(value.timer)
        let host = exchange.value.awaitedHost
        switch outcome {
        case .addresses(let found):
            goOnWithProxy(
                temporaryUpstream(found, host: host, port: exchange.value.awaitedPort, for: exchange), exchange)
        case .failed(let why): _ = refuse(host, why)
        }
    }

    /// `resolver_timeout` is over.
    func resolveTimedOut() {
        guard let exchange = value.exchange, exchange.value.state == .resolving else { return }
        leaveResolver(exchange)
        exchange.value.state = .idle
        _ = refuse(exchange.value.awaitedHost, .timedOut)
    }

    /// Waits no longer.
    func leaveResolver(_ exchange: ExchangeRef) {
        guard let name = DNSName(host: exchange.value.awaitedHost.array) else { return }
        location.value.resolver?.value.machine.leave(name, waiter: token.rawValue)
    }

    private func refuse(_ host: ByteView, _ why: ResolverFailure) -> Ref<Upstream>? {
        refuse(host, "\(host.string) could not be resolved (\(why.number): \(why.text))")
    }

    private func refuse(_ host: ByteView, _ message: String) -> Ref<Upstream>? {
        nameFailed(host, message)
        worker.value.counters.failed += 1
        return refuseTarget(502)
    }

    private func temporaryUpstream(_ found: ResolvedName, host: ByteView, port: UInt16, for exchange: ExchangeRef)
        -> Ref<Upstream>
    {
        temporaryUpstream(found.addresses.compactMap { SocketAddress($0.with(port: port)) }, host: host, port: port, for: exchange)
    }
}
