import Config
import Diagnosis

extension UpstreamFacts {
    /// What a configuration says of its upstreams, and the app behind each.
    static func list(_ configuration: Configuration) -> [(facts: UpstreamFacts, app: String?)] {
        let apps = configuration.main.apps
        let passes = (configuration.http?.locations ?? []).map(\.proxy)
        return (configuration.http?.upstreams ?? []).enumerated().map { index, upstream in
            let passes = passes.filter { $0.pass?.target == .upstream(index) }
            var facts = UpstreamFacts(name: upstream.label, place: Self.place(upstream.location))
            facts.isImplicit = upstream.isImplicit
            facts.servers = upstream.servers.map { server in
                let text = String(decoding: server.text, as: UTF8.self)
                let address = PeerAddress(parsing: text).withDefaultPort(upstream.isImplicit ? upstream.implicitPort : 80)
                var entry = Server(text: text, address: address, place: Self.place(server.location))
                entry.maxFails = server.maxFails
                entry.isDown = server.isDown
                entry.isBackup = server.isBackup
                entry.resolves = server.isResolved
                return entry
            }
            facts.scheme = agreed(passes.compactMap(\.pass?.scheme)).map { String(decoding: $0, as: UTF8.self) } ?? facts.scheme
            facts.connectTimeout = agreed(passes.map { ($0.connectTimeout + 999) / 1_000 })
            facts.readTimeout = agreed(passes.map { ($0.readTimeout + 999) / 1_000 })
            facts.bufferSize = agreed(passes.map(\.bufferSize))
            facts.keepaliveTimeout = upstream.keepalive.map { Int($0.timeout / 1_000) }
            facts.hasZone = upstream.zone != nil
            return (facts, upstream.app.flatMap { apps.indices.contains($0) ? apps[$0].name : nil })
        }
    }

    /// What all locations say that pass to one upstream; nil when they differ, or there is none.
    private static func agreed<Value: Equatable>(_ values: [Value]) -> Value? {
        values.allSatisfy { $0 == values[0] } ? values.first : nil
    }

    private static func place(_ location: SourceLocation) -> String { "\(location.file):\(location.line)" }
}
