/// Something in a configuration that will cost requests one day.
package struct LintFinding: Sendable, Hashable, Codable {
    /// An error breaks requests now or at the next reload; a warning will one day.
    package enum Severity: String, Sendable, Codable { case error, warning, notice }
    /// A short stable name, such as `localhost-two-families`.
    package var id: String
    package var severity: Severity
    package var title: String
    package var why: String
    /// `file:line`, or a unit.
    package var place: String
    /// Unified diff, or the lines to add.
    package var diff: String?
    /// What the change may cost: `--apply` leaves it to a person. nil: nothing.
    package var caution: String?
    /// What to type; behind a `#`, what to do by hand.
    package var commands: [String]

    /// - Parameter byHand: what to do where no diff can be made.
    package init(
        _ id: String, _ severity: Severity, _ title: String, why: String, place: String, diff: String? = nil,
        byHand: ShellCommand? = nil, caution: String? = nil, commands: [ShellCommand] = []
    ) {
        self.id = id; self.severity = severity; self.title = title; self.why = why; self.place = place; self.diff = diff
        self.caution = diff == nil ? nil : caution
        self.commands = (commands + (diff == nil ? [byHand].compactMap(\.self) : [])).map(\.text)
    }
}
