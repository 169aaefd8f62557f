/// A verdict as a page for the terminal. All foreign text is escaped; lines are at most `width` wide where words allow.
package enum VerdictText {
    package static func render(_ verdict: Verdict, width: Int = 100) -> String {
        var out = ""
        func line(_ label: String, _ text: String) {
            let head = label.isEmpty ? String(repeating: " ", count: 12) : (label + String(repeating: " ", count: max(12 - label.count, 1)))
            out += wrap(head + TextEscape.terminal(text), width: width, indent: 12) + "\n"
        }
        let confidence = verdict.confidence.map { ", \($0.name)" } ?? ""
        line("verdict", "\(verdict.title)\(verdict.rule.map { " (\($0)\(confidence))" } ?? "")")
        line("reason", verdict.reason)
        line("culprit", "\(verdict.culprit.name) (\(verdict.culprit.kind.rawValue))")
        line("cause", verdict.cause)
        for (index, item) in verdict.evidence.enumerated() {
            let time = item.time.map { "\($0.text)  " } ?? ""
            line(index == 0 ? "evidence" : "", "\(time)\(item.text)  [\(item.source)]")
        }
        line("fix", verdict.fix.summary)
        for command in verdict.fix.commands { line("", "$ " + command) }
        if let diff = verdict.fix.diff {
            for part in diff.split(separator: "\n") { out += "            " + TextEscape.terminal(String(part)) + "\n" }
        }
        if !verdict.disproof.isEmpty { line("wrong if", verdict.disproof) }
        for (index, other) in verdict.alternatives.prefix(3).enumerated() {
            line(index == 0 ? "or else" : "", "\(other.rule) \(other.title)\(other.confidence.map { " (\($0.name))" } ?? ""): \(other.text)")
        }
        for (index, other) in verdict.ruledOut.prefix(6).enumerated() {
            line(index == 0 ? "ruled out" : "", "\(other.rule) \(other.title): \(other.text)")
        }
        for (index, gap) in verdict.gaps.enumerated() { line(index == 0 ? "not seen" : "", gap) }
        if let page = verdict.page { line("more", page) }
        return out
    }

    /// Breaks at spaces; a word longer than the line stays whole.
    static func wrap(_ text: String, width: Int, indent: Int) -> String {
        guard text.count > width else { return text }
        var lines: [String] = [], current = "", isFirst = true
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            let limit = isFirst ? width : width - indent
            if !current.isEmpty, current.count + 1 + word.count > limit, current.contains(where: { $0 != " " }) {
                lines.append(current)
                current = String(word)
                isFirst = false
            } else { current += (current.isEmpty && lines.isEmpty && word.isEmpty ? " " : current.isEmpty ? "" : " ") + word }
        }
        lines.append(current)
        let space = String(repeating: " ", count: indent)
        return lines.enumerated().map { $0.offset == 0 ? $0.element : space + $0.element }.joined(separator: "\n")
    }
}
