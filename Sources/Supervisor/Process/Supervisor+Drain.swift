internal import Config
internal import Messages

// `goodgate drain` and `undrain`: servers that get no new clients.
extension Supervisor {
    /// Takes a server out of its upstreams, or gives it back.
    /// - Parameters:
    ///   - server: an address, a server as written in the configuration, or an instance of an app (`api.0`).
    ///   - upstream: "" for all that have it.
    func drain(_ server: String, of upstream: String, isDraining: Bool) -> ControlAnswer {
        let peers = peerOverviews
        let upstreams = Set(peers.map(\.upstream))
        guard upstream.isEmpty || upstreams.contains(upstream) || drains.contains(where: { $0.upstream == upstream }) else {
            return ControlAnswer(.unknown, text: "there is no upstream \"\(upstream)\"")
        }
        func isMeant(_ name: String) -> Bool { upstream.isEmpty || name == upstream }
        let had = drains.filter { isMeant($0.upstream) && $0.server == server }.map(\.upstream)
        let matching = peers.filter { isMeant($0.upstream) && ($0.address == server || $0.name == server) }.map(\.upstream)
        let meant = Set(isDraining ? matching : had).sorted()
        guard !meant.isEmpty else { return refusal(server, of: upstream, isKnown: !matching.isEmpty) }
        for name in meant {
            let order = ServerDrain(upstream: name, server: server, isDraining: isDraining)
            drains.removeAll { $0.upstream == name && $0.server == server }
            if isDraining { drains.append(order) }
            for worker in workers.values {
                worker.send(.drainServer(order))
                watch(worker)
            }
            let words = isDraining ? "gets no new clients" : "gets clients again"
            log.write(.notice, "server \(server) of upstream \"\(name)\" \(words), as ordered by a command")
        }
        do throws(SystemError) {
            try stateDirectories?.save(drains: drains)
        } catch {
            let file = stateDirectories?.drainFile ?? ""
            log.write(.warning, "a restart of goodgate will not know what is drained: \"\(file)\" failed", error)
        }
        return ControlAnswer(.done, text: words(server, meant, isDraining: isDraining))
    }

    /// What the supervisor before this one had taken out stays out: in an upgrade, after its death, after a restart.
    func takeOverDrains() {
        drains = stateDirectories?.loadDrains() ?? []
        for drain in drains {
            log.write(.notice, "server \(drain.server) of upstream \"\(drain.upstream)\" gets no new clients, as ordered before")
        }
    }

    private func refusal(_ server: String, of upstream: String, isKnown: Bool) -> ControlAnswer {
        if isKnown { return ControlAnswer(.refused, text: "server \"\(server)\" is not drained") }
        let place = upstream.isEmpty ? "no upstream has a server" : "upstream \"\(upstream)\" has no server"
        return ControlAnswer(.unknown, text: "\(place) \"\(server)\"; \"goodgate status\" shows those there are")
    }

    /// What was done, and what it leads to.
    private func words(_ server: String, _ upstreams: [String], isDraining: Bool) -> String {
        let list = upstreams.joined(separator: ", ")
        guard isDraining else { return "\(server) gets new clients again (\(list))" }
        let peers = peerOverviews
        let empty = upstreams.filter { name in !peers.contains { $0.upstream == name && ($0.state == .up || $0.state == .failing) } }
        let warning = empty.isEmpty ? "" : "; there is no other server in \(empty.joined(separator: ", "))"
        return "\(server) gets no new clients (\(list))\(warning)"
    }
}
