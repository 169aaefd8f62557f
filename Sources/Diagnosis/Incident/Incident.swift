package import Machine

/// Failures with one cause, from the first to the quiet after the last.
package struct Incident: Sendable {
    /// Its own name.
    package var id: IncidentID
    /// Other ids that turned out to be this incident (each worker names one at its first failure): while it is open the newest 64.
    package private(set) var aliases: [IncidentID] = []
    package var upstream: String
    package var peer: PeerAddress?
    package var first: Timestamp
    package var last: Timestamp
    /// When it was closed; nil while open.
    package var closed: Timestamp?
    /// Of the reasons that opened it; 255 for what a full table put together.
    package var family = 0
    /// Failed attempts by reason: exact, also in a storm.
    package var counts: [ReasonCode: Int] = [:]
    /// Requests the client saw fail, requests that were served all the same, and those whose end is not known yet.
    package var requestsFailed = 0
    package var requestsSaved = 0
    package var requestsPending = 0
    /// When they came.
    package var times = FailureTimes()
    /// The first records and the newest, bounded.
    package var samples: [AttemptRecord] = []
    /// Other peers of the upstream that failed in the same time, at most 16.
    package var siblings: [PeerAddress] = []
    package var host: String?
    package var detail = ""
    package var detailNumber: Int?

    /// All failed attempts.
    package var attempts: Int { counts.values.reduce(0, +) }

    static let aliasesMax = 64

    /// Notes another id.
    mutating func addAlias(_ id: IncidentID) { aliases.append(id) }

    /// Forgets the oldest of the other ids if there are too many.
    /// - Returns: those.
    mutating func boundAliases() -> [IncidentID] {
        guard aliases.count > Self.aliasesMax else { return [] }
        defer { aliases.removeFirst(aliases.count - Self.aliasesMax) }
        return Array(aliases.dropLast(Self.aliasesMax))
    }

    /// Takes in another incident that turned out to be this one.
    mutating func absorb(_ other: Incident, samplesMax: Int) {
        aliases += [other.id] + other.aliases
        first = min(first, other.first)
        last = max(last, other.last)
        counts.merge(other.counts, uniquingKeysWith: +)
        times.add(other.times)
        requestsFailed += other.requestsFailed
        requestsSaved += other.requestsSaved
        requestsPending += other.requestsPending
        samples = Array((samples + other.samples).sorted { $0.time < $1.time }.prefix(samplesMax))
        for peer in [other.peer].compactMap(\.self) + other.siblings { addSibling(peer) }
        host = host ?? other.host
        detail = detail.isEmpty ? other.detail : detail
        detailNumber = detailNumber ?? other.detailNumber
    }

    /// Notes another peer.
    mutating func addSibling(_ other: PeerAddress) {
        if other != peer, siblings.count < 16, !siblings.contains(other) { siblings.append(other) }
    }

    /// The case for the verdict engine.
    package func failureCase(now: Timestamp) -> FailureCase {
        var failure = FailureCase(
            upstream: upstream, peer: peer, counts: counts, first: first, last: last, samples: samples, now: now)
        failure.times = times
        failure.siblings = siblings
        failure.host = host
        failure.detail = detail
        failure.detailNumber = detailNumber
        return failure
    }
}
