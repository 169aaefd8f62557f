package import Machine

/// Failures with one cause, from the first to the quiet after the last.
package struct Incident: Sendable {
    /// Its own name.
    package var id: IncidentID
    /// Other ids that turned out to be this incident (each worker names one at its first failure), at most 64.
    package var aliases: [IncidentID] = []
    package var upstream: String
    package var peer: PeerAddress?
    package var first: Timestamp
    package var last: Timestamp
    /// When it was closed; nil while open.
    package var closed: Timestamp?
    /// Failed attempts by reason: exact, also in a storm.
    package var counts: [ReasonCode: Int] = [:]
    /// Requests the client saw fail, requests that were served all the same, and those whose end is not known yet.
    package var requestsFailed = 0
    package var requestsSaved = 0
    package var requestsPending = 0
    /// The first records and the newest, bounded.
    package var samples: [AttemptRecord] = []
    /// Other peers of the upstream that failed in the same time, at most 16.
    package var siblings: [PeerAddress] = []
    package var host: String?
    package var detail = ""
    package var detailNumber: Int?

    /// All failed attempts.
    package var attempts: Int { counts.values.reduce(0, +) }

    /// The case for the verdict engine.
    package func failureCase(now: Timestamp) -> FailureCase {
        var failure = FailureCase(
            upstream: upstream, peer: peer, counts: counts, first: first, last: last, samples: samples, now: now)
        failure.siblings = siblings
        failure.host = host
        failure.detail = detail
        failure.detailNumber = detailNumber
        return failure
    }
}
