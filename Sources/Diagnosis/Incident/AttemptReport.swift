import Machine

/// One failed attempt as it is shown and kept. What a connection that was never made does not have is missing.
package struct AttemptReport: Sendable, Hashable, Codable {
    /// When it failed.
    package var time: Timestamp
    /// Nil when none was picked.
    package var peer: String?
    /// Where in its life it was, why it failed, and what was done: in words, as a name, in words.
    package var phase: String
    package var reason: String
    package var action: String
    /// `errno` of the failed call, 110 for a timer of ours; nil for an orderly end.
    package var errorNumber: Int32?
    /// Bytes of the request handed to the kernel, and acknowledged by the peer's; bytes of the answer received.
    package var bytesWritten: UInt64?
    package var bytesAcknowledged: UInt64?
    package var bytesRead: UInt64?
    /// Milliseconds that the connection was open, and that it had been idle before this request.
    package var connectionAgeMilliseconds: Int64?
    package var connectionIdleMilliseconds: Int64?
    /// Whether it had carried an earlier request.
    package var isReused: Bool?
    /// From the start of the attempt to its failure, in milliseconds.
    package var durationMilliseconds: Int64?
    /// `$request_id`, and the method.
    package var request: String?
    package var method: String?
    /// Status the client got; nil while not known.
    package var status: UInt16?

    init(_ record: AttemptRecord) {
        let isConnected = record.phase.rawValue > AttemptPhase.connecting.rawValue
        time = record.time
        peer = record.peer?.text
        (phase, reason, action) = ("\(record.phase.name)", "\(record.reason.name)", "\(record.action.name)")
        errorNumber = record.errorNumber == 0 ? nil : record.errorNumber
        bytesWritten = isConnected ? record.bytesWritten : nil
        bytesAcknowledged = isConnected ? record.bytesAcknowledged : nil
        bytesRead = isConnected ? record.bytesRead : nil
        connectionAgeMilliseconds = isConnected ? record.connectionAge : nil
        connectionIdleMilliseconds = isConnected ? record.connectionIdle : nil
        isReused = isConnected ? record.reused : nil
        durationMilliseconds = record.duration
        request = record.requestID
        method = record.method
        status = record.clientStatus == 0 ? nil : record.clientStatus
    }

    /// What a person reads out of its numbers: `312 of 312 bytes acknowledged, 0 read, connection 61 s old and 60 s idle`; nil: nothing.
    var facts: String? {
        var parts: [String] = []
        if let bytesWritten {
            parts.append(bytesAcknowledged.map { "\($0) of \(bytesWritten) bytes acknowledged" } ?? "\(bytesWritten) bytes sent")
            if let bytesRead { parts.append("\(bytesRead) read") }
        }
        if isReused == true, let age = connectionAgeMilliseconds, let idle = connectionIdleMilliseconds {
            parts.append("connection \(RuleSupport.age(age)) old and \(RuleSupport.age(idle)) idle")
        } else if isReused == false {
            parts.append("new connection")
        }
        if let time = durationMilliseconds, time >= Self.durationShown { parts.append("after \(RuleSupport.age(time))") }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    /// Milliseconds from which on how long it took is worth a word.
    private static let durationShown: Int64 = 10
}
