/// Counts of a worker's failures since its last tally: failed attempts that got no record of their own, and requests whose attempts failed.
///
/// All numbers add up: what is not told in this tally is told in the next one.
package struct FailureTally: Equatable, Sendable {
    /// Failed attempts without a record. Raw values as in `AttemptRecord`.
    package struct Attempts: Equatable, Sendable {
        /// What makes a row.
        package var incident: UInt64
        package var reason: UInt8
        package var phase: UInt8
        /// How many.
        package var count: UInt32
        /// Wall clock in milliseconds since 1970.
        package var first: Int64
        package var last: Int64
        /// Name of the group.
        package var upstream: String
        /// Address as text; empty when no peer was picked.
        package var peer: String

        package init(
            incident: UInt64, reason: UInt8, phase: UInt8, count: UInt32, first: Int64, last: Int64, upstream: String, peer: String
        ) {
            self.incident = incident
            self.reason = reason
            self.phase = phase
            self.count = count
            self.first = first
            self.last = last
            self.upstream = upstream
            self.peer = peer
        }
    }

    /// Requests that came into an incident by a failed attempt, and those that have ended since: served all the same, or failed.
    package struct Requests: Equatable, Sendable {
        /// The incident they came into.
        package var incident: UInt64
        /// How many came, were served all the same, and failed.
        package var entered: UInt32
        package var saved: UInt32
        package var failed: UInt32

        package init(incident: UInt64, entered: UInt32, saved: UInt32, failed: UInt32) {
            self.incident = incident
            self.entered = entered
            self.saved = saved
            self.failed = failed
        }
    }

    /// At most `rowsMax` of each.
    package var attempts: [Attempts]
    package var requests: [Requests]

    package init(attempts: [Attempts], requests: [Requests]) {
        self.attempts = attempts
        self.requests = requests
    }

    /// Most rows of each kind in one packet, when no name in it is longer than `nameBytesMax`.
    package static let rowsMax = 40
    /// Longest name in a row; the sender cuts.
    package static let nameBytesMax = 256
}

extension FailureTally {
    func write(to writer: inout PacketWriter) throws(MessageError) {
        guard attempts.count <= Self.rowsMax, requests.count <= Self.rowsMax else { throw .tooLarge }
        try writer.count(attempts.count)
        for row in attempts {
            writer.integer(row.incident)
            writer.integer(row.reason)
            writer.integer(row.phase)
            writer.integer(row.count)
            writer.integer(row.first)
            writer.integer(row.last)
            writer.text(row.upstream)
            writer.text(row.peer)
        }
        try writer.count(requests.count)
        for row in requests {
            writer.integer(row.incident)
            writer.integer(row.entered)
            writer.integer(row.saved)
            writer.integer(row.failed)
        }
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        attempts = []
        requests = []
        for _ in 0..<(try reader.count(max: Self.rowsMax, elementBytesMin: 34)) {
            let incident: UInt64 = try reader.integer()
            let reason: UInt8 = try reader.integer()
            let phase: UInt8 = try reader.integer()
            let count: UInt32 = try reader.integer()
            let first: Int64 = try reader.integer()
            let last: Int64 = try reader.integer()
            let upstream = try reader.text()
            attempts.append(
                Attempts(
                    incident: incident, reason: reason, phase: phase, count: count, first: first, last: last, upstream: upstream,
                    peer: try reader.text()))
        }
        for _ in 0..<(try reader.count(max: Self.rowsMax, elementBytesMin: 20)) {
            let incident: UInt64 = try reader.integer()
            let entered: UInt32 = try reader.integer()
            let saved: UInt32 = try reader.integer()
            requests.append(Requests(incident: incident, entered: entered, saved: saved, failed: try reader.integer()))
        }
    }
}
