import Foundation

/// The drill's table for people.
enum DrillText {
    private static let titles = [
        "requests", "failed", "idle closes", "parked", "retried", "rescued", "twice", "p50 ms", "p99 ms", "max ms", "recovery",
    ]
    private static let widths = [8, 6, 11, 6, 7, 7, 5, 8, 8, 8, 9]
    private static let faultWidth = 34
    private static let lineWidth = faultWidth + widths.reduce(0, +) + 2 * (widths.count - 1)

    /// The line above the rows.
    static var header: String {
        line("fault", zip(titles, widths).map { pad($0, $1) })
    }

    /// A row, and below it what there is to say.
    static func render(_ row: DrillRow) -> String {
        let recovery = row.recovery.map { String(format: "%.2f s", $0 / 1000) } ?? "never"
        let cells = [
            "\(row.requests)", "\(row.failures)", "\(row.idleCloses)", "\(row.parked)", "\(row.retried)", "\(row.rescued)",
            "\(row.executedTwice.count)",
            number(row.p50), number(row.p99), number(row.slowest), recovery,
        ]
        var text = line(row.fault.rawValue, zip(cells, widths).map { pad($0, $1) })
        for (kind, count) in row.failureKinds.sorted(by: { $0.key < $1.key }) { text += "\n    \(count) x \(kind)" }
        for (ids, what) in [(row.unavoidable, "that nobody may repeat"), (row.executedTwice, "executed twice")] where !ids.isEmpty {
            text += wrapped("\(ids.count) \(what): \(ids.joined(separator: ", "))")
        }
        for remark in [row.complaint, row.note] {
            if let remark { text += "\n    " + remark.replacing("\n", with: "\n    ") }
        }
        return text
    }

    /// What it comes to.
    static func summary(_ rows: [DrillRow]) -> String {
        let requests = rows.reduce(0) { $0 + $1.requests }
        let failures = rows.reduce(0) { $0 + $1.failures }
        let twice = rows.reduce(0) { $0 + $1.executedTwice.count }
        let failed = rows.filter { !$0.isPassed }
        let verdict = failed.isEmpty ? "passed" : "NOT passed: " + failed.map(\.fault.rawValue).joined(separator: ", ")
        return "\(requests) requests, \(failures) avoidable failures, \(twice) POSTs executed twice: \(verdict)"
    }

    /// A remark below a row, in lines no wider than the table.
    private static func wrapped(_ text: String) -> String {
        var lines = ["   "]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].count + 1 + word.count > lineWidth { lines.append("       ") }
            lines[lines.count - 1] += " " + word
        }
        return "\n" + lines.joined(separator: "\n")
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
    private static func pad(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
    private static func line(_ name: String, _ cells: [String]) -> String {
        name.padding(toLength: faultWidth, withPad: " ", startingAt: 0) + cells.joined(separator: "  ")
    }
}
