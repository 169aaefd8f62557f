/// One failed attempt to have an upstream answer a request, as compact facts for the verdict engine. No request data but its id and method.
///
/// Phase, action, reason and incident are the raw values of `Machine`'s types: this module knows no others, and the reader checks them.
package struct AttemptRecord: Equatable, Sendable {
    /// Wall clock in milliseconds since 1970.
    package var time: Int64
    /// Name of the upstream as configured, and address of the peer ("" when none was picked).
    package var upstream: String
    package var peer: String
    /// `AttemptPhase`, `AttemptAction` and `ReasonCode`.
    package var phase: UInt8
    package var action: UInt8
    package var reason: UInt8
    /// The errno of the failed call, 110 also for a timer that ran out, 0 when there was none (an early end, a bad answer).
    package var errno: Int32
    /// Bytes of the request written, of these acknowledged by the peer's kernel, and bytes of the answer read.
    package var bytesWritten: UInt64
    /// Nil: not known.
    package var bytesAcknowledged: UInt64?
    package var bytesRead: UInt64
    /// Age of the connection, and how long it was idle before this request, in milliseconds.
    package var connectionAgeMilliseconds: UInt32
    package var idleMilliseconds: UInt32
    /// Whether the connection had served a request before.
    package var isReused: Bool
    /// Length of the attempt in milliseconds.
    package var durationMilliseconds: UInt32
    /// Connection number as in the error log.
    package var connection: UInt64
    /// `$request_id` of the request, in hexadecimal.
    package var requestID: String
    package var method: String
    /// What was wrong with an answer that was not understood; else empty.
    package var detail: String
    /// `IncidentID` of the peer's place on the board at the time.
    package var incident: UInt64
    /// Status sent to the client, 0 while unknown.
    package var status: UInt16

    package init(
        time: Int64, upstream: String, peer: String, phase: UInt8, action: UInt8, reason: UInt8, errno: Int32 = 0,
        bytesWritten: UInt64 = 0, bytesAcknowledged: UInt64? = nil, bytesRead: UInt64 = 0, connectionAgeMilliseconds: UInt32 = 0,
        idleMilliseconds: UInt32 = 0, isReused: Bool = false, durationMilliseconds: UInt32 = 0, connection: UInt64 = 0,
        requestID: String = "", method: String = "", detail: String = "", incident: UInt64 = 0, status: UInt16 = 0
    ) {
        self.time = time
        self.upstream = upstream
        self.peer = peer
        self.phase = phase
        self.action = action
        self.reason = reason
        self.errno = errno
        self.bytesWritten = bytesWritten
        self.bytesAcknowledged = bytesAcknowledged
        self.bytesRead = bytesRead
        self.connectionAgeMilliseconds = connectionAgeMilliseconds
        self.idleMilliseconds = idleMilliseconds
        self.isReused = isReused
        self.durationMilliseconds = durationMilliseconds
        self.connection = connection
        self.requestID = requestID
        self.method = method
        self.detail = detail
        self.incident = incident
        self.status = status
    }
}

extension AttemptRecord {
    func write(to writer: inout PacketWriter) {
        writer.integer(time)
        writer.text(upstream)
        writer.text(peer)
        writer.integer(phase)
        writer.integer(action)
        writer.integer(reason)
        writer.integer(errno)
        writer.integer(bytesWritten)
        writer.optional(bytesAcknowledged)
        writer.integer(bytesRead)
        writer.integer(connectionAgeMilliseconds)
        writer.integer(idleMilliseconds)
        writer.flag(isReused)
        writer.integer(durationMilliseconds)
        writer.integer(connection)
        writer.text(requestID)
        writer.text(method)
        writer.text(detail)
        writer.integer(incident)
        writer.integer(status)
    }

    init(from reader: inout PacketReader) throws(MessageError) {
        time = try reader.integer()
        upstream = try reader.text()
        peer = try reader.text()
        phase = try reader.integer()
        action = try reader.integer()
        reason = try reader.integer()
        errno = try reader.integer()
        bytesWritten = try reader.integer()
        bytesAcknowledged = try reader.optional()
        bytesRead = try reader.integer()
        connectionAgeMilliseconds = try reader.integer()
        idleMilliseconds = try reader.integer()
        isReused = try reader.flag()
        durationMilliseconds = try reader.integer()
        connection = try reader.integer()
        requestID = try reader.text()
        method = try reader.text()
        detail = try reader.text()
        incident = try reader.integer()
        status = try reader.integer()
    }
}
