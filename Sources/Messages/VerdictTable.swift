/// The headlines of open incidents, as the supervisor keeps them for workers that come, and a worker for its pages. Of too many the ones
/// told last stay.
package struct VerdictTable: Equatable, Sendable {
    /// Incidents at one time. A headline has at most 6 KB.
    package static let rowsMax = 64

    /// The one that was told of longest ago first.
    package private(set) var rows: [VerdictHeadline] = []

    package init() {}

    /// Brings the table up to date. O(rows).
    package mutating func take(_ news: VerdictNews) {
        switch news {
        case .headline(let headline):
            rows.removeAll { $0.incidents.first == headline.incidents.first }
            if rows.count == Self.rowsMax { rows.removeFirst() }
            rows.append(headline)
        case .closed(let incident): rows.removeAll { $0.incidents.first == incident }
        case .allClosed: rows = []
        }
    }

    /// What is known of an incident, by any of its names. Own names come before those of others. O(rows).
    package func headline(of incident: UInt64) -> VerdictHeadline? {
        rows.last { $0.incidents.first == incident } ?? rows.last { $0.incidents.contains(incident) }
    }
}
