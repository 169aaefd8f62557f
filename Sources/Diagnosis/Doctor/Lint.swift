/// Static checks of a configuration and of the units around it. Each is a pure function of what was read; order: errors first.
package enum Lint {
    /// All findings of a configuration, errors first. `names` are the addresses of host names now.
    package static func findings(
        _ site: NginxSite, evidence: EvidenceSet, names: [String: [PeerAddress]], system: some SystemReader
    ) -> [LintFinding] {
        var texts: [String: String] = [:]
        for file in site.files { texts[file] = try? system.text(file) }
        let context = Context(site: site, evidence: evidence, names: names, texts: texts)
        let all =
            context.hostNames() + context.pools() + context.timeouts() + context.logs() + context.limits()
            + context.units() + context.managed()
        let order: [LintFinding.Severity] = [.error, .warning, .notice]
        return order.flatMap { severity in all.filter { $0.severity == severity } }
    }

    /// What the checks read.
    struct Context {
        let site: NginxSite
        let evidence: EvidenceSet
        let names: [String: [PeerAddress]]
        let texts: [String: String]

        /// The diff that replaces `from` by `to` on the line of a place.
        func diff(_ place: String, _ from: String, _ to: String) -> String? {
            guard let edit = Fix.Edit(place: place, from: from, to: to), let text = texts[edit.file] else { return nil }
            return UnifiedDiff.make(edit, text: text)
        }

        /// The diff that inserts lines after the line of a place, with its indentation and one step more.
        func insertion(after place: String, _ lines: [String], deeper: Bool = true) -> String? {
            guard let edit = Fix.Edit(place: place, from: "", to: ""), let text = texts[edit.file] else { return nil }
            let all = text.split(separator: "\n", omittingEmptySubsequences: false)
            guard edit.line >= 1, edit.line <= all.count else { return nil }
            let line = String(all[edit.line - 1])
            // A block on one line takes the statement behind its brace.
            if line.contains("}"), let brace = line.firstRange(of: "{") {
                let changed = line[..<brace.upperBound] + " " + lines.joined(separator: " ") + line[brace.upperBound...]
                return UnifiedDiff.make(
                    file: edit.file, text: text, changes: [.init(line: edit.line, inserting: [String(changed)])])
            }
            let indent = line.prefix { $0 == " " || $0 == "\t" }
            let step = deeper ? (indent.contains("\t") ? "\t" : "    ") : ""
            return UnifiedDiff.make(
                file: edit.file, text: text,
                changes: [.init(line: edit.line + 1, removing: 0, inserting: lines.map { indent + step + $0 })])
        }
    }
}
