/// An explanation of one log line for the terminal.
package enum ExplanationText {
    /// A few lines; `width` in columns.
    package static func render(_ explanation: Explanation, width: Int = 100) -> String {
        let rules = explanation.rules.map { id in Rulebook.rule(id).map { "\(id) \($0.title)" } ?? id }
        var out =
            VerdictText.wrap(
                "\(explanation.reason ?? explanation.origin.rawValue)  \(explanation.summary)", width: width, indent: 2)
            + "\n"
        if !rules.isEmpty {
            out += VerdictText.wrap("  may be: " + rules.joined(separator: "; "), width: width, indent: 10) + "\n"
        }
        for check in explanation.checks { out += "  look at: \(TextEscape.terminal(check))\n" }
        return out
    }
}
