/// One instance of an app, as `goodgate status` shows it.
package struct InstanceOverview: Equatable, Sendable {
    /// Where it stands.
    package enum Phase: UInt8, CaseIterable, Sendable {
        case stopped, finished, backingOff, starting, probing, ready, draining, stopping, killing, emptying
    }

    /// Its part in a roll.
    package enum Role: UInt8, CaseIterable, Sendable {
        case current, candidate, outgoing
    }

    /// Which instance, what it runs, and where it stands.
    package var slot: UInt32
    package var serial: UInt32
    package var release: UInt32
    package var phase: Phase
    package var role: Role
    package var isHealthy: Bool
    /// Main process, 0: none.
    package var process: Int32
    /// Milliseconds since its start.
    package var age: UInt64
    /// Milliseconds to what happens next by itself (its next start, the end of its patience), 0: nothing.
    package var next: UInt64
    package var restarts: UInt64
    package var failedStarts: UInt32
    /// Lines it wrote, and of these not logged.
    package var lines: UInt64
    package var linesDropped: UInt64
    /// Where it is dialled; "" while unknown.
    package var address: String
    /// Its last STATUS=.
    package var status: String
    /// How the run before ended, in words; "" when there was none.
    package var lastExit: String
    /// Why the last start failed, in words; "" when it did not. The sender cuts it.
    package var lastFailure: String

    package init(slot: UInt32, serial: UInt32, release: UInt32, phase: Phase, role: Role) {
        self.slot = slot
        self.serial = serial
        self.release = release
        self.phase = phase
        self.role = role
        isHealthy = false
        process = 0
        age = 0
        next = 0
        restarts = 0
        failedStarts = 0
        lines = 0
        linesDropped = 0
        address = ""
        status = ""
        lastExit = ""
        lastFailure = ""
    }

    /// Most instances in one packet. The texts of each are short: an address, a status of 128 bytes, an end, a failure.
    package static let perPacketMax = 50
    /// Most bytes of a failure.
    package static let failureBytesMax = 240
}

extension InstanceOverview {
    static func write(_ list: [InstanceOverview], to writer: inout PacketWriter) throws(MessageError) {
        guard list.count <= perPacketMax else { throw .tooLarge }
        try writer.count(list.count)
        for instance in list {
            writer.integer(instance.slot)
            writer.integer(instance.serial)
            writer.integer(instance.release)
            writer.integer(instance.phase.rawValue)
            writer.integer(instance.role.rawValue)
            writer.flag(instance.isHealthy)
            writer.integer(instance.process)
            writer.integer(instance.age)
            writer.integer(instance.next)
            writer.integer(instance.restarts)
            writer.integer(instance.failedStarts)
            writer.integer(instance.lines)
            writer.integer(instance.linesDropped)
            writer.text(instance.address)
            writer.text(instance.status)
            writer.text(instance.lastExit)
            writer.text(instance.lastFailure)
        }
    }

    static func read(from reader: inout PacketReader) throws(MessageError) -> [InstanceOverview] {
        var list: [InstanceOverview] = []
        for _ in 0..<(try reader.count(max: perPacketMax, elementBytesMin: 71)) {
            var instance = InstanceOverview(
                slot: try reader.integer(), serial: try reader.integer(), release: try reader.integer(),
                phase: try reader.choice(), role: try reader.choice())
            instance.isHealthy = try reader.flag()
            instance.process = try reader.integer()
            instance.age = try reader.integer()
            instance.next = try reader.integer()
            instance.restarts = try reader.integer()
            instance.failedStarts = try reader.integer()
            instance.lines = try reader.integer()
            instance.linesDropped = try reader.integer()
            instance.address = try reader.text()
            instance.status = try reader.text()
            instance.lastExit = try reader.text()
            instance.lastFailure = try reader.text()
            list.append(instance)
        }
        return list
    }
}
