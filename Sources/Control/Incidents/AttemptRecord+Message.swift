import Diagnosis
import Machine
import Messages

/// The one place where what a worker sends becomes what the verdicts are made from. Numbers that are none of ours are refused: a worker
/// that was taken over may send anything.
extension Diagnosis.AttemptRecord {
    /// Nil for a phase, an action or a reason that does not exist.
    init?(_ message: Messages.AttemptRecord) {
        guard let phase = AttemptPhase(rawValue: message.phase), let action = AttemptAction(rawValue: message.action),
            let reason = ReasonCode(rawValue: message.reason)
        else { return nil }
        self.init(
            time: Timestamp(milliseconds: message.time), upstream: message.upstream, peer: Self.peer(message.peer), phase: phase,
            reason: reason, errorNumber: message.errno, bytesWritten: message.bytesWritten,
            bytesAcknowledged: message.bytesAcknowledged, bytesRead: message.bytesRead,
            connectionAge: Int64(message.connectionAgeMilliseconds),
            connectionIdle: message.isReused ? Int64(message.idleMilliseconds) : nil, reused: message.isReused,
            duration: Int64(message.durationMilliseconds), requestID: Self.requestID(message.requestID),
            method: message.method.isEmpty ? nil : message.method, action: action, clientStatus: message.status)
    }

    /// One record for all attempts of a row.
    init?(_ row: FailureTally.Attempts) {
        guard let phase = AttemptPhase(rawValue: row.phase), let reason = ReasonCode(rawValue: row.reason) else { return nil }
        self.init(
            time: Timestamp(milliseconds: row.first), upstream: row.upstream, peer: Self.peer(row.peer), phase: phase,
            reason: reason)
    }

    private static func requestID(_ text: String) -> String? {
        text.utf8.count == 32 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) } ? text : nil
    }

    private static func peer(_ text: String) -> PeerAddress? { text.isEmpty ? nil : PeerAddress(parsing: text) }
}
