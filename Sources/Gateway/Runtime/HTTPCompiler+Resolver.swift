import Config
import Loop
import Machine
import Wire

/// `resolver`, and the servers of upstreams that are found by name while the worker runs.
extension HTTPCompiler {
    /// The resolver with these settings; nil without any.
    mutating func resolver(_ settings: ResolverSettings?) -> Ref<ResolverRuntime>? {
        guard let settings else { return nil }
        if let known = resolvers.first(where: { $0.value.settings == settings }) { return known }
        let servers = settings.addresses.compactMap { SocketAddress($0) }
        guard !servers.isEmpty else { return nil }
        let machine = NameResolver(
            settings: ResolverMachineSettings(
                serverCount: servers.count, valid: settings.valid.map { Machine.Milliseconds($0) * 1_000 },
                usesIPv4: settings.usesIPv4,
                usesIPv6: settings.usesIPv6))
        let resolver = Ref.immortal(ResolverRuntime(settings: settings, servers: servers, machine: machine))
        resolvers.append(resolver)
        return resolver
    }

    mutating func followNames(of upstream: Ref<Upstream>) {
        let settings = upstream.value.settings
        for server in settings.value.servers where server.isResolved {
            guard case .name(let host, let port) = server.address, let resolver = resolver(settings.value.resolver)
            else { continue }
            let followed = Ref.immortal(
                FollowedServer(
                    number: UInt32(followedServers.count), upstream: upstream, server: server, resolver: resolver,
                    host: host,
                    name: DNSName(host: host.utf8), port: port, timeout: UInt64(settings.value.resolverTimeout)))
            followedServers.append(followed)
            upstream.value.followed.append(followed)
        }
    }
}
