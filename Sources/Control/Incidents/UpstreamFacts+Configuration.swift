import Config
import Diagnosis

extension UpstreamFacts {
    /// What a configuration says of its upstreams, and the app behind each.
    static func list(_ configuration: Configuration) -> [(facts: UpstreamFacts, app: String?)] {
        let apps = configuration.main.apps
        return (configuration.http?.upstreams ?? []).map { upstream in
            var facts = UpstreamFacts(name: upstream.name, place: Self.place(upstream.location))
            facts.servers = upstream.servers.map { server in
                let text = String(decoding: server.text, as: UTF8.self)
                return Server(text: text, address: PeerAddress(parsing: text), place: Self.place(server.location))
            }
            facts.keepaliveTimeout = upstream.keepalive.map { Int($0.timeout / 1_000) }
            facts.hasZone = upstream.zone != nil
            facts.hasHealthCheck = !upstream.healthChecks.isEmpty
            return (facts, upstream.app.flatMap { apps.indices.contains($0) ? apps[$0].name : nil })
        }
    }

    private static func place(_ location: SourceLocation) -> String { "\(location.file):\(location.line)" }
}
