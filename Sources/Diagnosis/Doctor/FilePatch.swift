/// A unified diff of one file, taken apart to be applied to exactly the text it was made from.
package struct FilePatch: Sendable, Hashable {
    /// Lines `line ..< line + removed.count` (from 1) become `inserted`.
    package struct Change: Sendable, Hashable {
        /// Where in the old text, what stands there, and what comes.
        package var line: Int
        package var removed: [String]
        package var inserted: [String]
    }

    /// Absolute path.
    package let file: String
    /// In order of their lines.
    package let changes: [Change]
    /// The lines around the changes, by their number: an insertion has nothing else that shows where it belongs.
    private let context: [Int: String]

    /// Reads a diff as `UnifiedDiff` makes it; nil for hints that name no file, and for what is no diff.
    package init?(_ diff: String) {
        var lines = diff.linesByByte[...]
        guard let old = lines.popFirst(), old.hasPrefix("--- a/"), let new = lines.popFirst(), new.hasPrefix("+++ b/"),
            old.dropFirst(6) == new.dropFirst(6)
        else { return nil }
        file = "/" + old.dropFirst(6)
        if lines.last == "" { lines.removeLast() }
        var changes: [Change] = [], context: [Int: String] = [:], at = 0
        var open: Change?
        for line in lines {
            if line.hasPrefix("@@ -") {
                if let open { changes.append(open) }
                open = nil
                guard let start = Int(line.dropFirst(4).prefix { $0 != "," && $0 != " " }) else { return nil }
                at = max(start, 1)
                continue
            }
            guard at > 0, let mark = line.first else { return nil }
            let text = String(line.dropFirst())
            switch mark {
            case " ":
                if let open { changes.append(open) }
                open = nil
                context[at] = text
                at += 1
            case "-":
                if open == nil || !(open?.inserted.isEmpty ?? true) {
                    if let open { changes.append(open) }
                    open = Change(line: at, removed: [], inserted: [])
                }
                open?.removed.append(text)
                at += 1
            case "+":
                if open == nil { open = Change(line: at, removed: [], inserted: []) }
                open?.inserted.append(text)
            default: return nil
            }
        }
        if let open { changes.append(open) }
        guard !changes.isEmpty else { return nil }
        self.changes = changes
        self.context = context
    }

    /// The text with all changes of these patches, each made from it. Nil when a line that one of them changes, or shows around its change,
    /// is not what it was made from, or when two of them change the same place in different ways; equal changes are one.
    package static func apply(_ patches: [FilePatch], to text: String) -> String? {
        var lines = text.linesByByte
        for (number, line) in patches.flatMap(\.context) {
            guard number <= lines.count, lines[number - 1] == line else { return nil }
        }
        var changes: [Change] = []
        for change in patches.flatMap(\.changes) where !changes.contains(change) { changes.append(change) }
        changes.sort { $0.line != $1.line ? $0.line < $1.line : $0.removed.count < $1.removed.count }
        for (first, second) in zip(changes, changes.dropFirst()) where second.line < first.line + first.removed.count { return nil }
        for change in changes.reversed() {
            let range = (change.line - 1)..<(change.line - 1 + change.removed.count)
            guard range.lowerBound >= 0, range.upperBound <= lines.count, Array(lines[range]) == change.removed else { return nil }
            lines.replaceSubrange(range, with: change.inserted)
        }
        return lines.joined(separator: "\n")
    }
}
