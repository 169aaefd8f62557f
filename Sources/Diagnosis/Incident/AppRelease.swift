/// When a release of an own app came into force: its first instance was ready to serve.
package struct AppRelease: Sendable, Hashable {
    /// As in `goodgate status`.
    package var number: Int
    package var since: Timestamp
    package init(number: Int, since: Timestamp) { self.number = number; self.since = since }
}

/// Failures began when a release came into force.
package struct ReleaseChange: Sendable, Hashable {
    /// The one they began with, and the one that had served before it without them.
    package var new: AppRelease
    package var former: AppRelease
    /// It has been withdrawn or replaced since.
    package var isGone: Bool
}

extension AppHistory {
    /// Milliseconds after which failures are no longer put down to a release that came before them.
    private static let releaseReach: Int64 = 600_000

    /// The release that failures began with: it came into force shortly before the first of them, and the one before it had served for
    /// longer than that without failing so. Nil: they did not begin with one, or it is not known.
    ///
    /// - Parameter evidence: whether an instance of the release has to have ended.
    package func change(behind failure: FailureCase, _ evidence: Rule.ReleaseEvidence) -> ReleaseChange? {
        guard let index = releases.lastIndex(where: { $0.since <= failure.first }), index > 0 else { return nil }
        let new = releases[index], former = releases[index - 1]
        let delay = failure.first.since(new.since)
        guard delay <= Self.releaseReach, new.since.since(former.since) >= delay else { return nil }
        // The former one may be older than what is known of it.
        let isOld = failure.counts.contains { reason, count in count > 0 && earlier[reason].map { $0 >= former.since } ?? false }
        guard !isOld else { return nil }
        if evidence == .end {
            let last = ends.last { failure.covers($0.time) }
            guard last?.release == new.number, !ends.contains(where: { $0.release == former.number && $0.time >= former.since })
            else { return nil }
        }
        return ReleaseChange(new: new, former: former, isGone: releases.last != new)
    }
}
