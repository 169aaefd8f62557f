/// Whose a listener is that has the number of the peer's port, but is not reached at the peer's address.
package enum PortOwner: Sendable, Hashable {
    /// That of the unit or app which serves this port.
    case backend
    /// Another one serves this port, as the sentence says.
    case stranger(String)
    /// Nothing tells who serves this port.
    case unknown
}

extension EvidenceSet {
    /// Whether a listener is the backend that is meant by `peer`: a port's number alone says nothing, as any program may use it in the
    /// other address family or in another network namespace.
    /// - Parameter first: when the failures began; nil: who serves it now.
    package func owner(
        of listener: Listener, meantBy peer: PeerAddress, ownUnit: String? = nil, since first: Timestamp? = nil
    ) -> PortOwner {
        let links = backends(of: peer, ownUnit: ownUnit, since: first)
        let apps = (self.apps.value ?? []).filter { $0.ports.contains(peer.port ?? 0) }
        let unit = listener.owner?.unit
        // What a unit's log says of a port is true of any program that listens there, of a stranger as well.
        let isLinked = links.contains { link in
            link.unit.name == unit && (!link.isClaim || peer.port.map { Self.serves(port: $0, link.unit) } ?? false)
        }
        let isApp = listener.owner.map { owner in
            apps.contains { $0.pid != 0 && ($0.pid == owner.pid || $0.pid == owner.parent) }
        } ?? false
        let port = peer.port.map { " on port \($0)" } ?? ""
        let app = isApp ? nil : apps.first.map { "\($0.supervisor.rawValue) runs \($0.name)\(port)" }
        let other = links.first { $0.unit.name != unit }.map { "\($0.unit.name): \($0.how)" } ?? app
        if isLinked || isApp { return other == nil ? .backend : .unknown }
        return other.map(PortOwner.stranger) ?? .unknown
    }
}
