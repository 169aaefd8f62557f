import Diagnosis
import Machine

/// Incidents for the terminal. Foreign text is escaped.
enum IncidentText {
    /// One line each, the newest first.
    static func list(_ reports: [IncidentReport]) -> String {
        if reports.isEmpty { return "no failures\n" }
        let rows = reports.map { report in
            [
                report.id.text, time(report.first), report.isOpen ? "open" : length(report.last.since(report.first)),
                report.upstream, "\(report.attemptsTotal)", "\(report.requestsFailed)", "\(report.requestsSaved)",
                report.verdict.map { $0.title + ($0.confidence.map { ", \($0.name)" } ?? "") } ?? "…",
            ].map(TextEscape.terminal)
        }
        let head = ["INCIDENT", "SINCE", "FOR", "UPSTREAM", "ATTEMPTS", "FAILED", "SAVED", "VERDICT"]
        return TextTable.render(head, rows, right: 4...6)
    }

    /// Lines of an app shown for each end; `--json` has them all.
    private static let linesMax = 10

    /// The page of `goodgate why`.
    static func page(_ report: IncidentReport) -> String {
        var out = "incident    \(report.id.text)\(report.isOpen ? ", open" : "")"
        if !report.aliases.isEmpty { out += " (also \(report.aliases.prefix(4).map(\.text).joined(separator: ", ")))" }
        let peer = report.peer.map { $0 == report.upstream ? "" : " at \($0)" } ?? ""
        let app = report.app.map { ", app \($0)" } ?? ""
        out += "\nwhere       \(TextEscape.terminal("upstream \(report.upstream)\(peer)\(app)"))\n"
        out += "when        \(time(report.first)) to \(time(report.last)) (\(length(report.last.since(report.first))))\n"
        let reasons = report.attempts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
            .map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
        out += "attempts    \(TextEscape.terminal(reasons))\n"
        let pending = report.requestsPending > 0 ? ", \(report.requestsPending) under way" : ""
        out += "requests    \(report.requestsFailed) failed, \(report.requestsSaved) served all the same\(pending)\n"
        if let verdict = report.verdict {
            out += "\n" + VerdictText.render(verdict, manual: ManualFolder.path)
        } else {
            out += "\nverdict     not yet: evidence is being collected\n"
        }
        for (index, end) in (report.ends ?? []).enumerated() {
            let process = end.process > 0 ? " (process \(end.process))" : ""
            let lines = end.lastLines ?? []
            let head = "\(end.subject)\(process) \(end.words) at \(time(end.time)); it had run for \(length(end.ranMilliseconds))"
            out += VerdictText.wrap(
                (index == 0 ? "\nended       " : "            ") + TextEscape.terminal(head)
                    + (lines.isEmpty ? "" : " and wrote last:"), width: 100, indent: 12) + "\n"
            for line in lines.suffix(linesMax) { out += "              | \(TextEscape.terminal(line))\n" }
        }
        for (index, line) in report.timeline.enumerated() {
            if index == 0 { out += "\n" }
            out += (index == 0 ? "timeline    " : "            ") + "\(time(line.time))  \(TextEscape.terminal(line.text))\n"
        }
        return out
    }

    private static func time(_ time: Timestamp) -> String { time.text.replacing("T", with: " ").replacing("Z", with: "") }

    private static func length(_ milliseconds: Int64) -> String {
        switch milliseconds {
        case ..<1_000: "\(max(0, milliseconds)) ms"
        case ..<120_000: "\(milliseconds / 1_000) s"
        case ..<7_200_000: "\(milliseconds / 60_000) min"
        default: "\(milliseconds / 3_600_000) h"
        }
    }
}
