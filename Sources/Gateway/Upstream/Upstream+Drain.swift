import Board
import Config
import Loop
import Machine
import Messages

extension Ref where Value == Worker {
    /// An operator takes a server out of an upstream, or gives it back.
    func take(_ drain: ServerDrain) {
        let server = Array(drain.server.utf8)
        let upstreams = value.http.value.upstreams
        for index in upstreams.indices where upstreams[index].value.settings.value.label == drain.upstream {
            let upstream = upstreams[index]
            guard upstream.value.drained.contains(server) != drain.isDraining else { continue }
            if drain.isDraining { upstream.value.drained.insert(server) } else { upstream.value.drained.remove(server) }
            upstream.replacePeers(self)
            if !drain.isDraining { upstream.wakeParked(self) }
        }
    }
}

extension Upstream {
    /// Marks the peers that an operator has taken out. Control path.
    func markDrained(_ settings: inout [PeerSettings], _ keys: [PeerKey]) {
        guard !drained.isEmpty else { return }
        for place in settings.indices {
            let names = [settings[place].server, settings[place].name, Array(keys[place].address.utf8)]
            if names.contains(where: drained.contains) { settings[place].isDraining = true }
        }
    }
}
