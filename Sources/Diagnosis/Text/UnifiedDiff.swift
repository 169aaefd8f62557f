/// Makes unified diffs that `patch` and `git apply` take.
package enum UnifiedDiff {
    /// One change: lines `line ..< line + removing` (from 1) are replaced by `inserting`.
    package struct Change: Sendable, Hashable {
        /// Where, how many lines go, and which come.
        package var line: Int
        package var removing: Int
        package var inserting: [String]
        package init(line: Int, removing: Int = 1, inserting: [String]) {
            self.line = line; self.removing = removing; self.inserting = inserting
        }
    }

    /// nil when a change lies outside the text or two overlap. Three lines of context. O(lines).
    package static func make(file: String, text: String, changes: [Change]) -> String? {
        var lines = text.linesByByte
        if lines.last == "" { lines.removeLast() }
        let changes = changes.sorted { $0.line < $1.line }
        var hunks: [[Change]] = []
        for change in changes {
            guard change.line >= 1, change.removing >= 0, change.line + change.removing <= lines.count + 1 else {
                return nil
            }
            if let last = hunks.last?.last {
                guard last.line + last.removing <= change.line else { return nil }
                if change.line - (last.line + last.removing) <= 6 { hunks[hunks.count - 1].append(change); continue }
            }
            hunks.append([change])
        }
        guard !hunks.isEmpty else { return nil }
        let name = file.hasPrefix("/") ? String(file.dropFirst()) : file
        var out = "--- a/\(name)\n+++ b/\(name)\n", shift = 0
        for hunk in hunks {
            guard let first = hunk.first, let last = hunk.last else { continue }
            let start = max(first.line - 3, 1), end = min(last.line + last.removing + 2, lines.count)
            var body = "", old = 0, new = 0, at = start
            for change in hunk {
                while at < change.line { body += " \(lines[at - 1])\n"; at += 1; old += 1; new += 1 }
                for _ in 0..<change.removing { body += "-\(lines[at - 1])\n"; at += 1; old += 1 }
                for line in change.inserting { body += "+\(line)\n"; new += 1 }
            }
            while at <= end { body += " \(lines[at - 1])\n"; at += 1; old += 1; new += 1 }
            out += "@@ -\(old == 0 ? start - 1 : start),\(old) +\(start + shift),\(new) @@\n" + body
            shift += new - old
        }
        return out
    }

    /// The diff of an edit: of the statement that begins on its line. Nil when the text does not stand there as a whole exactly once.
    package static func make(_ edit: Fix.Edit, text: String) -> String? {
        let lines = text.linesByByte
        var found: UnifiedDiff.Change?
        // A statement may go over several lines.
        for line in edit.line..<(edit.line + 4) where line >= 1 && line <= lines.count {
            let old = lines[line - 1], code = old.prefix { $0 != "#" }
            for range in code.ranges(of: edit.from) where isWhole(range, in: code) {
                guard found == nil else { return nil }
                found = Change(line: line, inserting: [old.replacingCharacters(in: range, with: edit.to)])
            }
            if code.contains(";") { break }
        }
        return found.flatMap { make(file: edit.file, text: text, changes: [$0]) }
    }

    /// Whether neither more of a host, a port nor a path stands before or behind it.
    private static func isWhole(_ range: Range<String.Index>, in text: Substring) -> Bool {
        func goesOn(_ character: Character?) -> Bool { character.map { $0.isLetter || $0.isNumber || "._-:".contains($0) } ?? false }
        let before = text[..<range.lowerBound]
        let opensWithText = text[range].first.map { $0 != "/" && $0 != ":" } ?? false
        return !goesOn(text[range.upperBound...].first) && !(opensWithText && goesOn(before.last))
    }
}

extension String {
    /// What stands between line feeds. "\r\n" is one Character, which a split by "\n" passes over: lines would not be those that
    /// `ConfigNode` counts.
    package var linesByByte: [String] {
        utf8.split(separator: 10, omittingEmptySubsequences: false).map { String(Substring($0)) }
    }

    fileprivate func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
