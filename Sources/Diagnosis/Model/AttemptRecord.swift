package import Machine

/// One failed attempt (one try at one peer), as the worker reports it or a log line tells it.
///
/// Compact on purpose: a storm makes many of them. What a log line does not tell stays nil, and no rule reads more into it.
package struct AttemptRecord: Sendable, Hashable {
    /// When it failed.
    package var time: Timestamp
    /// Name of the upstream group, or the address when there is no group.
    package var upstream: String
    /// The peer dialled; nil when none was picked.
    package var peer: PeerAddress?
    package var phase: AttemptPhase
    package var reason: ReasonCode
    /// `errno` of the failed call, 110 for our own timer, 0 for an orderly end.
    package var errorNumber: Int32
    /// Bytes of the request handed to the kernel; nil when not known.
    package var bytesWritten: UInt64?
    /// Bytes of the request the peer's kernel acknowledged. Evidence only, never permission to replay.
    package var bytesAcknowledged: UInt64?
    /// Bytes of the answer received; nil when not known.
    package var bytesRead: UInt64?
    /// Age of the connection in milliseconds; nil when not known.
    package var connectionAge: Int64?
    /// How long the connection had been idle before this request, in milliseconds; nil when fresh or not known.
    package var connectionIdle: Int64?
    /// Whether the connection had carried an earlier request; nil when not known.
    package var reused: Bool?
    /// From the start of the attempt to its failure, in milliseconds; nil when not known.
    package var duration: Int64?
    /// `$request_id` of the request, when known: what its line in an access log has, too.
    package var requestID: String?
    /// Request method, when known.
    package var method: String?
    package var action: AttemptAction
    /// Status the client got; 0 while not known.
    package var clientStatus: UInt16

    package init(
        time: Timestamp, upstream: String, peer: PeerAddress?, phase: AttemptPhase, reason: ReasonCode,
        errorNumber: Int32 = 0,
        bytesWritten: UInt64? = nil, bytesAcknowledged: UInt64? = nil, bytesRead: UInt64? = nil,
        connectionAge: Int64? = nil,
        connectionIdle: Int64? = nil, reused: Bool? = nil, duration: Int64? = nil,
        requestID: String? = nil, method: String? = nil,
        action: AttemptAction = .failedToClient, clientStatus: UInt16 = 0
    ) {
        self.time = time; self.upstream = upstream; self.peer = peer; self.phase = phase; self.reason = reason
        self.errorNumber = errorNumber; self.bytesWritten = bytesWritten; self.bytesAcknowledged = bytesAcknowledged
        self.bytesRead = bytesRead; self.connectionAge = connectionAge; self.connectionIdle = connectionIdle;
        self.reused = reused
        self.duration = duration; self.requestID = requestID; self.method = method; self.action = action
        self.clientStatus = clientStatus
    }
}
