package import Machine

/// An incident as it is shown and kept.
package struct IncidentReport: Sendable, Codable {
    /// One line of the timeline.
    package struct Line: Sendable, Codable {
        /// When it was.
        package var time: Timestamp
        /// What it was.
        package var text: String
        /// Where a person finds it.
        package var source: String
    }

    /// Lines of a timeline at most.
    package static let linesMax = 40
    /// Ends at most: a crash loop repeats itself.
    package static let endsMax = 3
    /// Attempts at most: the first ones, and as many of the newest.
    package static let recordsMax = 8

    /// The incident's own id.
    package var id: IncidentID
    /// Other ids that log lines of this incident may carry.
    package var aliases: [IncidentID]
    package var upstream: String
    /// The app behind it, when goodgate runs it.
    package var app: String?
    /// Nil when no peer was picked.
    package var peer: String?
    package var first: Timestamp
    package var last: Timestamp
    package var isOpen: Bool
    /// Failed attempts by reason: exact.
    package var attempts: [String: Int]
    /// Requests that failed for the client, that were served all the same, and that have not ended.
    package var requestsFailed: Int
    package var requestsSaved: Int
    package var requestsPending: Int
    /// Nil in the first moments.
    package var verdict: Verdict?
    /// How instances of the app ended at that time; nil when none did.
    package var ends: [AppEnd]?
    /// Some of the attempts, with their numbers; nil when all were only counted.
    package var records: [AttemptReport]?
    package var timeline: [Line]

    /// All failed attempts.
    package var attemptsTotal: Int { attempts.values.reduce(0, +) }

    /// Takes in what was kept of the same incident before. Requests that were under way then are not counted as such any more:
    /// how they ended is among what has ended since.
    mutating func continues(_ earlier: IncidentReport) {
        first = min(first, earlier.first)
        last = max(last, earlier.last)
        attempts.merge(earlier.attempts, uniquingKeysWith: +)
        requestsFailed += earlier.requestsFailed
        requestsSaved += earlier.requestsSaved
        aliases = (earlier.aliases + [earlier.id]).filter { $0 != id && !aliases.contains($0) } + aliases
        aliases.removeFirst(max(0, aliases.count - Incident.aliasesMax))
        ends = ends ?? earlier.ends
        records = records ?? earlier.records
        verdict = verdict ?? earlier.verdict
        timeline = Self.timeline(timeline + earlier.timeline)
    }

    /// How requests fared.
    mutating func count(entered: Int, saved: Int, failed: Int) {
        requestsPending = max(0, requestsPending + entered - saved - failed)
        requestsSaved += saved
        requestsFailed += failed
    }

    /// Those of the samples that tell more than that something failed: the first and the newest.
    static func records(_ samples: [AttemptRecord]) -> [AttemptReport]? {
        let told = samples.filter { $0.duration != nil }
        let kept = told.count <= recordsMax ? told : Array(told.prefix(recordsMax / 2) + told.suffix(recordsMax / 2))
        return kept.isEmpty ? nil : kept.map { AttemptReport($0) }
    }

    /// Lines in the order of time: of too many the first and the last ones, for both the beginning and the end explain.
    static func timeline(_ lines: [Line]) -> [Line] {
        let sorted = lines.sorted { $0.time < $1.time }
        guard sorted.count > linesMax else { return sorted }
        let head = linesMax / 2, tail = linesMax - head - 1
        let gap = Line(time: sorted[head].time, text: "\(sorted.count - head - tail) lines are left out here", source: "goodgate")
        return sorted.prefix(head) + [gap] + sorted.suffix(tail)
    }
}
