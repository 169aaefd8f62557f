/// One failed attempt to have an upstream answer a request, as compact facts for the verdict engine. No request data but its id.
package struct AttemptRecord: Equatable, Sendable {
    /// Where in the life of the attempt it failed.
    package enum Phase: UInt8, CaseIterable, Sendable {
        case picking, resolving, connecting, handshaking, sending, awaitingHead, readingHead, relayingBody
    }

    /// What became of the request.
    package enum Outcome: UInt8, CaseIterable, Sendable {
        case retried, parked, servedElsewhere, failedToClient, clientGone
    }

    /// Wall clock in nanoseconds since 1970.
    package var time: UInt64
    /// Name of the upstream as configured, and address of the peer ("" when none was picked).
    package var upstream: String
    package var peer: String
    package var phase: Phase
    package var outcome: Outcome
    /// The errno of the failed call, 0 when there was none (timeout, bad answer).
    package var errno: Int32
    /// Reason code, see docs; 0 = not classified.
    package var reason: UInt16
    /// Bytes of the request written, of these acknowledged by the peer's kernel, and bytes of the answer read.
    package var bytesWritten: UInt64
    package var bytesAcknowledged: UInt64
    package var bytesRead: UInt64
    /// Age of the connection, and how long it was idle before this request, in milliseconds.
    package var connectionAgeMilliseconds: UInt32
    package var idleMilliseconds: UInt32
    /// Whether the connection had served a request before.
    package var isReused: Bool
    /// Length of the attempt in milliseconds.
    package var durationMilliseconds: UInt32
    /// Connection number and request number on it, as in the error log, and `$request_id` when it was made.
    package var connection: UInt64
    package var requestIdentifier: String
    /// Incident id of the peer's slot at the time, 0 when none.
    package var incident: UInt64
    /// Status sent to the client, 0 while unknown.
    package var status: UInt16

    package init(
        time: UInt64, upstream: String, peer: String, phase: Phase, outcome: Outcome, errno: Int32 = 0, reason: UInt16 = 0,
        bytesWritten: UInt64 = 0, bytesAcknowledged: UInt64 = 0, bytesRead: UInt64 = 0, connectionAgeMilliseconds: UInt32 = 0,
        idleMilliseconds: UInt32 = 0, isReused: Bool = false, durationMilliseconds: UInt32 = 0, connection: UInt64 = 0,
        requestIdentifier: String = "", incident: UInt64 = 0, status: UInt16 = 0
    ) {
        self.time = time
        self.upstream = upstream
        self.peer = peer
        self.phase = phase
        self.outcome = outcome
        self.errno = errno
        self.reason = reason
        self.bytesWritten = bytesWritten
        self.bytesAcknowledged = bytesAcknowledged
        self.bytesRead = bytesRead
        self.connectionAgeMilliseconds = connectionAgeMilliseconds
        self.idleMilliseconds = idleMilliseconds
        self.isReused = isReused
        self.durationMilliseconds = durationMilliseconds
        self.connection = connection
        self.requestIdentifier = requestIdentifier
        self.incident = incident
        self.status = status
    }
}

extension AttemptRecord {
    func write(to writer: inout PacketWriter) {
        writer.integer(time)
        writer.text(upstream)
        writer.text(peer)
        writer.integer(phase.rawValue)
        writer.integer(outcome.rawValue)
        writer.integer(errno)
        writer.integer(reason)
        writer.integer(bytesWritten)
        writer.integer(bytesAcknowledged)
        writer.integer(bytesRead)
        writer.integer(connectionAgeMilliseconds)
        writer.integer(idleMilliseconds)
        writer.flag(isReused)
        writer.integer(durationMilliseconds)
        writer.integer(connection)
        writer.text(requestIdentifier)
        writer.integer(incident)
        writer.integer(status)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        time = try reader.integer()
        upstream = try reader.text()
        peer = try reader.text()
        guard let phase = Phase(rawValue: try reader.integer()) else { throw .outOfRange }
        self.phase = phase
        guard let outcome = Outcome(rawValue: try reader.integer()) else { throw .outOfRange }
        self.outcome = outcome
        errno = try reader.integer()
        reason = try reader.integer()
        bytesWritten = try reader.integer()
        bytesAcknowledged = try reader.integer()
        bytesRead = try reader.integer()
        connectionAgeMilliseconds = try reader.integer()
        idleMilliseconds = try reader.integer()
        isReused = try reader.flag()
        durationMilliseconds = try reader.integer()
        connection = try reader.integer()
        requestIdentifier = try reader.text()
        incident = try reader.integer()
        status = try reader.integer()
    }
}
