/// A verdict as a page for the terminal. All foreign text is escaped; lines are at most `width` wide where words allow.
package enum VerdictText {
    /// The page; `width` in columns. `manual` stands before the names of documents: where they are installed.
    package static func render(_ verdict: Verdict, width: Int = 100, manual: String = "") -> String {
        var out = ""
        func line(_ label: String, _ text: String) {
            let head =
                label.isEmpty
                ? String(repeating: " ", count: 12) : (label + String(repeating: " ", count: max(12 - label.count, 1)))
            out += wrap(head + TextEscape.terminal(text), width: width, indent: 12) + "\n"
        }
        line("verdict", verdict.headline)
        line("reason", verdict.reason)
        line("culprit", "\(verdict.culprit.name) (\(verdict.culprit.kind.rawValue))")
        line("cause", verdict.cause)
        for (index, item) in verdict.evidence.enumerated() {
            let time = item.time.map { "\($0.text)  " } ?? ""
            line(index == 0 ? "evidence" : "", "\(time)\(item.text)  [\(item.source)]")
        }
        line("fix", verdict.fix.summary)
        // Whole, so that it can be typed as it stands.
        for command in verdict.fix.commands { out += "            $ " + TextEscape.terminal(command) + "\n" }
        if let diff = verdict.fix.diff {
            for part in diff.linesByByte where !part.isEmpty { out += "            " + TextEscape.terminal(part) + "\n" }
        }
        if verdict.fix.diff != nil, let caution = verdict.fix.caution { line("careful", caution) }
        if !verdict.disproof.isEmpty { line("wrong if", verdict.disproof) }
        for (index, other) in verdict.alternatives.prefix(3).enumerated() {
            line(
                index == 0 ? "or else" : "",
                "\(other.rule) \(other.title)\(other.confidence.map { " (\($0.name))" } ?? ""): \(other.text)")
        }
        for (index, other) in verdict.ruledOut.prefix(6).enumerated() {
            line(index == 0 ? "ruled out" : "", "\(other.rule) \(other.title): \(other.text)")
        }
        for (index, gap) in verdict.gaps.enumerated() { line(index == 0 ? "not seen" : "", gap) }
        if let looks = verdict.looks, !looks.isEmpty { line("looked at", looks.map(\.words).joined(separator: "; ")) }
        if let page = verdict.page { line("more", manual + page) }
        return out
    }

    /// Breaks at spaces; a word longer than the line stays whole.
    package static func wrap(_ text: String, width: Int, indent: Int) -> String {
        guard text.count > width else { return text }
        let space = String(repeating: " ", count: indent)
        let head = text.prefix { $0 == " " }
        var lines: [String] = [], current = String(head), isEmpty = true
        for word in text.dropFirst(head.count).split(separator: " ", omittingEmptySubsequences: false) {
            if !isEmpty, current.count + 1 + word.count > width {
                lines.append(current)
                current = space + word
            } else {
                current += (isEmpty ? "" : " ") + word
            }
            isEmpty = false
        }
        lines.append(current)
        return lines.joined(separator: "\n")
    }
}
