internal import Board
internal import CLinux
internal import Config
internal import Messages

/// A zone of limit_req or limit_conn of a configuration. One that is equal to that of the configuration before keeps
/// its counts.
struct LimitZone: Hashable {
    var kind: ZoneHeader.Kind
    var name: String
    /// As configured, in bytes.
    var size: Int
    /// The key as written: counts of other keys mean nothing.
    var key: [UInt8]

    /// The name that workers are told.
    var label: String { kind == .requests ? ZoneName.requests(name) : ZoneName.connections(name) }
}

/// The memory of such a zone, shared by all workers that know it. Sealed as the board is.
@safe
final class LimitMemory {
    let zone: LimitZone
    let descriptor: Descriptor
    /// What the columns of workers are in, for limit_conn.
    private let columnSize: Int

    init(_ zone: LimitZone) throws(SystemError) {
        self.zone = zone
        let size =
            zone.kind == .requests
            ? RequestZone.memorySize(zoneSize: zone.size) : ConnectionZone.memorySize(zoneSize: zone.size)
        columnSize = ConnectionZone.columnSize(zoneSize: zone.size)
        descriptor = try System.sharedMemory(named: "goodgate-limit", size: size)
        // SAFETY: as large as the memfd, which is sealed against shrinking; not used after it is undone.
        guard let memory = unsafe cs_map_shared(descriptor.number, size) else { throw SystemError(code: 12) }
        defer { unsafe cs_unmap(memory, size) }
        let region = unsafe UnsafeMutableRawBufferPointer(start: memory, count: size)
        guard let words = unsafe SharedWords(region, size: size) else { throw SystemError(code: 22) }
        var random = SystemRandomNumberGenerator()
        ZoneHeader.create(zone.kind, in: words, secret: (random.next(), random.next()))
    }

    /// A worker ended: what it held is free.
    func release(column: Int) throws(SystemError) {
        guard zone.kind == .connections else { return }
        try System.clear(descriptor, ConnectionZone.range(of: column, columnSize: columnSize))
    }
}

/// The zones of all living generations.
final class LimitZones {
    private var memories: [LimitZone: LimitMemory] = [:]

    /// The memory of each zone, made anew where it is not there; in the order of the zones.
    func memories(for zones: [LimitZone]) throws(SystemError) -> [LimitMemory] {
        var list: [LimitMemory] = []
        for zone in zones {
            if let known = memories[zone] {
                list.append(known)
                continue
            }
            let made = try LimitMemory(zone)
            memories[zone] = made
            list.append(made)
        }
        return list
    }

    /// Forgets all zones but these.
    func keep(only zones: [LimitZone]) {
        let wanted = Set(zones)
        memories = memories.filter { wanted.contains($0.key) }
    }

    /// A worker ended.
    /// - Parameter column: its column of the board.
    func release(column: Int, log: ErrorLog) {
        for memory in memories.values {
            do throws(SystemError) {
                try memory.release(column: column)
            } catch {
                log.write(.alert, "fallocate() of zone \"\(memory.zone.name)\" failed", error)
            }
        }
    }
}
