import Board
import Config
import Loop
import Messages

/// The memory of the zones, shared with the other workers; where there is none, this worker's own. A zone for which there is neither counts
/// nothing, and keeps its place.
extension Ref where Value == Worker {
    /// - Parameters:
    ///   - descriptors: by label of the zone; they are closed.
    ///   - column: the worker's own, as on the board.
    func attachZones(_ descriptors: [String: Int32], column: Int) {
        guard let http = value.http.value.configuration.value.http else { return }
        value.zoneColumn = column
        for zone in http.limitRequestZones {
            let size = RequestZone.memorySize(zoneSize: zone.size)
            let words = words(descriptors[ZoneName.requests(zone.name)], size, .requests, zone.name)
            value.requestZones.append(words.flatMap(RequestZone.init))
        }
        for zone in http.limitConnectionZones {
            let size = ConnectionZone.memorySize(zoneSize: zone.size)
            let words = words(descriptors[ZoneName.connections(zone.name)], size, .connections, zone.name)
            let made = words.flatMap(ConnectionZone.init)
            made?.use(column: column)
            value.connectionZones.append(made)
        }
        for descriptor in descriptors.values { Socket.close(descriptor) }
    }

    private func words(_ descriptor: Int32?, _ size: Int, _ kind: ZoneHeader.Kind, _ name: String) -> SharedWords? {
        if let descriptor, let shared = SharedMemory(mapping: descriptor, count: size) {
            return SharedWords(shared)
        }
        log(.alert, "the memory of zone \"\(name)\" cannot be shared with the other workers")
        guard let own = SharedMemory(own: size), let words = SharedWords(own) else { return nil }
        ZoneHeader.create(kind, in: words, secret: (value.random.next(), value.random.next()))
        return words
    }
}
