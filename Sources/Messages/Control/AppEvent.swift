/// One line of an app's history: what the error log says too, with the facts that a program needs.
package struct AppEvent: Equatable, Sendable {
    /// What happened.
    package enum Kind: UInt8, CaseIterable, Sendable {
        case started, startFailed, ready, exited, startTimedOut, watchdogExpired, unhealthy, healthy, replacing
        case ignoredStopSignal, notKilled
        case memoryExceeded, keeperLost, backingOff, finished, rollBegan, soaking
        /// A roll succeeded.
        case rollCompleted
        /// A roll was given up; the old release serves.
        case rollFailed
        /// A line that is no part of an instance's life.
        case notice
    }

    /// Wall clock in nanoseconds since 1970.
    package var time: UInt64
    package var kind: Kind
    /// Name of the app.
    package var app: String
    /// Slot and number of the spawn; both 0 with `hasInstance` false when it is about the app.
    package var hasInstance: Bool
    package var slot: UInt32
    package var serial: UInt32
    /// Main process, 0 when unknown.
    package var process: Int32
    /// Release of a roll, or the one that the instance runs; 0 when unknown.
    package var release: UInt32
    /// End of the process: status or -1, signal or 0, kills by the kernel for want of memory, whether it was asked to end.
    package var exitStatus: Int32
    package var exitSignal: Int32
    package var outOfMemoryKills: UInt32
    package var isExpected: Bool
    /// How long it ran, or took to be ready, or will wait, in milliseconds.
    package var milliseconds: UInt64
    /// Level of the line in the error log, 0 (emergency) ... 7 (debug).
    package var level: UInt8
    /// The line.
    package var text: String

    package init(time: UInt64, kind: Kind, app: String, level: UInt8, text: String) {
        self.time = time
        self.kind = kind
        self.app = app
        self.level = level
        self.text = text
        hasInstance = false
        slot = 0
        serial = 0
        process = 0
        release = 0
        exitStatus = -1
        exitSignal = 0
        outOfMemoryKills = 0
        isExpected = false
        milliseconds = 0
    }
}

extension AppEvent {
    func write(to writer: inout PacketWriter) {
        writer.integer(time)
        writer.integer(kind.rawValue)
        writer.text(app)
        writer.flag(hasInstance)
        writer.integer(slot)
        writer.integer(serial)
        writer.integer(process)
        writer.integer(release)
        writer.integer(exitStatus)
        writer.integer(exitSignal)
        writer.integer(outOfMemoryKills)
        writer.flag(isExpected)
        writer.integer(milliseconds)
        writer.integer(level)
        writer.text(text)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        time = try reader.integer()
        kind = try reader.choice()
        app = try reader.text()
        hasInstance = try reader.flag()
        slot = try reader.integer()
        serial = try reader.integer()
        process = try reader.integer()
        release = try reader.integer()
        exitStatus = try reader.integer()
        exitSignal = try reader.integer()
        outOfMemoryKills = try reader.integer()
        isExpected = try reader.flag()
        milliseconds = try reader.integer()
        level = try reader.integer()
        text = try reader.text()
        guard level <= 8 else { throw .outOfRange }
    }
}
