/// A collection of evidence for a verdict, and how soon after the failure it was in hand: what was volatile then may be gone later.
package struct EvidenceLook: Sendable, Hashable, Codable {
    /// What was looked at.
    package var step: InvestigationPlan.Step
    /// When it began.
    package var time: Timestamp
    /// From the failure to its end: from the first one for the first look of a kind, from the last one known for those after it.
    package var afterMilliseconds: Int64
    /// How much of that the look itself took.
    package var tookMilliseconds: Int64

    /// Kept of an incident: those of its beginning and the newest.
    static let countMax = 8

    /// Such as `sockets, processes and counters after 7 ms`.
    var words: String {
        let what =
            switch step {
            case .volatile: "sockets, processes and counters"
            case .durable: "logs, units and names"
            case .final: "the logs again"
            }
        return "\(what) after \(RuleSupport.age(afterMilliseconds))"
    }
}
