/// The program as a whole, as `goodgate status` shows it.
package struct SupervisorOverview: Equatable, Sendable {
    /// What the supervisor is doing.
    package enum Phase: UInt8, CaseIterable, Sendable {
        case serving, paused, quitting, terminating
    }

    /// See `Phase`.
    package var phase: Phase
    /// Number of the configuration in force.
    package var generation: UInt32
    /// Sums over all workers: connections accepted, requests, of these open and running now.
    package var accepted: UInt64
    package var requests: UInt64
    package var activeConnections: UInt64
    /// Requests parked now, parked at all, retried, taken back from the accept queue of a dead instance, and answered by a 502, 503
    /// or 504 of ours.
    package var parkedNow: UInt64
    package var parked: UInt64
    package var retried: UInt64
    package var rescued: UInt64
    package var failed: UInt64
    /// Attempt records that were dropped on the way to the control process.
    package var attemptsDropped: UInt64

    package init(phase: Phase, generation: UInt32) {
        self.phase = phase
        self.generation = generation
        accepted = 0
        requests = 0
        activeConnections = 0
        parkedNow = 0
        parked = 0
        retried = 0
        rescued = 0
        failed = 0
        attemptsDropped = 0
    }
}

extension SupervisorOverview {
    func write(to writer: inout PacketWriter) {
        writer.integer(phase.rawValue)
        writer.integer(generation)
        for value in [accepted, requests, activeConnections, parkedNow, parked, retried, rescued, failed, attemptsDropped] {
            writer.integer(value)
        }
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        phase = try reader.choice()
        generation = try reader.integer()
        accepted = try reader.integer()
        requests = try reader.integer()
        activeConnections = try reader.integer()
        parkedNow = try reader.integer()
        parked = try reader.integer()
        retried = try reader.integer()
        rescued = try reader.integer()
        failed = try reader.integer()
        attemptsDropped = try reader.integer()
    }
}
