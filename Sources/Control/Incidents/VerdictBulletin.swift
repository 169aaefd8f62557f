import Diagnosis
import Machine
import Messages

/// What the workers' pages are to say of open incidents, told in small portions: a pure machine.
///
/// Only what differs from what was told is told, the newest state of each incident, so a storm costs no more than a quiet failure.
struct VerdictBulletin {
    /// Some location has `verdict_to`. Without one, nothing is noted.
    private(set) var isWanted = false
    private var told: [IncidentID: VerdictHeadline] = [:]
    private var waiting: [IncidentID: VerdictNews] = [:]

    /// Incidents in one turn, of which each may push another out. A turn is a tick of the desk, four a second: no more than the supervisor
    /// takes.
    static let turnMax = ControlRequest.verdictsPerSecondMax / 8

    /// A configuration is in force.
    /// - Returns: whether everything that is open has to be noted, as nobody was told of it.
    mutating func want(_ isWanted: Bool) -> Bool {
        defer { self.isWanted = isWanted }
        // The supervisor forgets by itself.
        if !isWanted { (told, waiting) = ([:], [:]) }
        return isWanted && !self.isWanted
    }

    /// An incident changed.
    mutating func note(_ report: IncidentReport) {
        guard isWanted else { return }
        // What was told under a name that is another one's by now is told there.
        for alias in report.aliases { waiting[alias] = told[alias] == nil ? nil : .closed(incident: alias.rawValue) }
        if report.isOpen, let headline = VerdictHeadline(report) {
            waiting[report.id] = told[report.id] == headline ? nil : .headline(headline)
        } else {
            waiting[report.id] = told[report.id] == nil ? nil : .closed(incident: report.id.rawValue)
        }
    }

    /// What is to be told now, incidents in their order.
    mutating func turn() -> [VerdictNews] {
        var news: [VerdictNews] = []
        for id in waiting.keys.sorted().prefix(Self.turnMax) {
            guard let next = waiting.removeValue(forKey: id) else { continue }
            if case .headline(let headline) = next {
                if told[id] == nil, told.count >= VerdictTable.rowsMax, let oldest = told.keys.min() {
                    told[oldest] = nil
                    news.append(.closed(incident: oldest.rawValue))
                }
                told[id] = headline
            } else {
                told[id] = nil
            }
            news.append(next)
        }
        return news
    }
}

extension VerdictHeadline {
    /// Nil while there is no verdict. Secrets are masked in all of it: what a rule says may quote what an application wrote.
    init?(_ report: IncidentReport) {
        guard let verdict = report.verdict else { return nil }
        let names = [report.id] + report.aliases.suffix(Self.incidentsMax - 1)
        self.init(
            incidents: names.map(\.rawValue), title: verdict.headline, cause: SecretMask.mask(verdict.cause),
            // The last lines are the nearest to the cause: what the process said before it ended.
            evidence: verdict.evidence.suffix(Self.evidenceMax).map { SecretMask.mask($0.text) },
            fix: SecretMask.mask(verdict.fix.summary),
            commands: verdict.fix.commands.prefix(Self.commandsMax).map(SecretMask.mask))
    }
}
