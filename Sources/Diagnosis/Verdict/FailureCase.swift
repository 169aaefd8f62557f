package import Machine

/// One incident as the rules see it: what failed, where, when, how often. Made from attempt records or from log lines.
package struct FailureCase: Sendable {
    /// Name of the group, or the address when there is none.
    package var upstream: String
    /// The peer that failed; nil when none was picked.
    package var peer: PeerAddress?
    /// Other peers of the same upstream that were tried or are configured.
    package var siblings: [PeerAddress] = []
    /// The host name in the configuration, when the peer came from one.
    package var host: String?
    /// Whether the name is the peer's only because no other has its port, and the configuration in force then may have been another.
    package var isHostGuess = false
    /// Attempts by reason.
    package var counts: [ReasonCode: Int]
    package var first: Timestamp
    package var last: Timestamp
    /// When all of them came; empty: not known.
    package var times = FailureTimes()
    /// A bounded choice of the records.
    package var samples: [AttemptRecord]
    /// The detail a parser or a TLS library gave, unescaped ("invalid header", "alert number 40", …).
    package var detail: String = ""
    /// The number in the detail that matters (TLS alert, verify error, HTTP/2 frame size), when there is one.
    package var detailNumber: Int?
    /// The unit, when the gateway itself runs the app or the operator named it.
    package var ownUnit: String?
    /// The program that proxies, as its command line names it.
    package var proxy = "nginx"
    /// When this proxy was started or last reloaded.
    package var proxyLoaded: Timestamp?
    /// When this is being judged.
    package var now: Timestamp

    package init(
        upstream: String, peer: PeerAddress?, counts: [ReasonCode: Int], first: Timestamp, last: Timestamp,
        samples: [AttemptRecord] = [], now: Timestamp? = nil
    ) {
        self.upstream = upstream; self.peer = peer; self.counts = counts; self.first = first; self.last = last
        self.samples = samples; self.now = now ?? last
    }

    /// When they came, as far as it is known: the first and the last at least.
    package var knownTimes: FailureTimes {
        guard times.total == 0 else { return times }
        var ends = FailureTimes()
        ends.add(first)
        ends.add(last)
        return ends
    }

    /// All failed attempts.
    package var attempts: Int { counts.values.reduce(0, +) }

    /// The most frequent reason; of equals the one with the lower raw value, so that the answer does not depend on hashing.
    package var reason: ReasonCode {
        counts.max { $0.value != $1.value ? $0.value < $1.value : $0.key.rawValue > $1.key.rawValue }?.key ?? .unknown
    }

    /// Whether any of these occurred.
    package func has(_ reasons: Set<ReasonCode>) -> Bool {
        counts.contains { $0.value > 0 && reasons.contains($0.key) }
    }
    /// Attempts with one of these.
    package func count(_ reasons: Set<ReasonCode>) -> Int {
        counts.reduce(0) { reasons.contains($1.key) ? $0 + $1.value : $0 }
    }

    /// Whether a time lies within the incident, widened by so many milliseconds on each side.
    package func covers(_ time: Timestamp, before: Int64 = 30_000, after: Int64 = 5_000) -> Bool {
        time >= first.advanced(byMilliseconds: -before) && time <= last.advanced(byMilliseconds: after)
    }

    /// The peer, or the upstream when none was picked.
    package var peerText: String { peer?.text ?? upstream }
}

extension ReasonCode {
    /// The proxy itself failed: it has no upstream to accuse.
    package static let ofProxy: Set<ReasonCode> = [.localDescriptors, .localConnections, .localMemory, .portTaken, .proxyCrashed]

    /// The peer is gone: all of these follow from a dead or dying process.
    package static let peerGone: Set<ReasonCode> = [
        .connectRefused, .connReset, .connEndBeforeHead, .connKeepaliveRace, .socketMissing, .bodyTruncated, .poolEmpty,
    ]
}
