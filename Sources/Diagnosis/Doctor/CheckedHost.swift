import Machine

/// What a check of configurations knows of this host: who listens, which units and applications of PM2 serve, what localhost is. Gathered
/// once, when the first configuration asks for it that sends requests to this host; a folder of others costs nothing.
package struct CheckedHost: Sendable {
    /// Milliseconds that systemctl and pm2 may take.
    private static let commandsMax = 1_000
    private var gathered: (evidence: EvidenceSet, localhost: [PeerAddress])?

    package init() {}

    /// The findings of one configuration. Reads only.
    package mutating func findings(_ site: NginxSite, from system: some SystemReader) -> [LintFinding] {
        let servers = site.upstreams.flatMap(\.servers).map(\.address)
        guard servers.contains(where: Self.isHere) else {
            var host = HostFacts(), evidence = EvidenceSet()
            let somaxconn = "/proc/sys/net/core/somaxconn"
            host.somaxconn = system.number(somaxconn)
            evidence.host = .known(host, source: somaxconn)
            return Lint.findings(site, evidence: evidence, names: [:])
        }
        let known = gathered ?? Self.gather(from: system)
        gathered = known
        var evidence = known.evidence
        if case .known(let apps, let source) = evidence.apps {
            // Others are none of this configuration's business.
            let ports = Set(servers.filter(Self.isHere).compactMap(Self.port))
            evidence.apps = .known(apps.filter { !ports.isDisjoint(with: $0.ports) }, source: source)
        }
        return Lint.findings(site, evidence: evidence, names: known.localhost.isEmpty ? [:] : ["localhost": known.localhost])
    }

    private static func isHere(_ address: PeerAddress) -> Bool {
        if case .name(let host, _) = address { return host == "localhost" }
        return address.isLoopback || address.isUnixSocket
    }

    private static func port(_ address: PeerAddress) -> UInt16? {
        if case .name(_, let port) = address { return port }
        return address.port
    }

    private static func gather(from system: some SystemReader) -> (evidence: EvidenceSet, localhost: [PeerAddress]) {
        let now = system.now()
        var subject = CollectionSubject(peer: nil, host: "localhost", since: now, until: now), evidence = EvidenceSet()
        subject.commandsMax = commandsMax
        subject.countsConnections = false
        let collectors: [any Collector] = [ListenerCollector(), HostCollector(), UnitCollector(), AppCollector(), NameCollector()]
        for collector in collectors { collector.collect(subject, from: system, into: &evidence) }
        return (evidence, evidence.name.value?.addresses ?? [])
    }
}
