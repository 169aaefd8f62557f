/// Static checks of a configuration and of the units around it. Each is a pure function of what was read; order: errors first.
package enum Lint {
    /// All findings of a configuration, errors first. `names` are the addresses of host names now; who is not in it was not asked for.
    package static func findings(_ site: NginxSite, evidence: EvidenceSet, names: [String: [PeerAddress]]) -> [LintFinding] {
        let context = Context(site: site, evidence: evidence, names: names)
        let all =
            context.hostNames() + context.pools() + context.timeouts() + context.logs() + context.limits()
            + context.units() + context.managed() + context.clientTargets() + context.repeats()
        let order: [LintFinding.Severity] = [.error, .warning, .notice]
        return order.flatMap { severity in all.filter { $0.severity == severity } }
    }

    /// What the checks read.
    struct Context {
        let site: NginxSite
        let evidence: EvidenceSet
        let names: [String: [PeerAddress]]

        /// The diff that replaces `from` by `to` in the statement at a place.
        func diff(_ place: String, _ from: String, _ to: String) -> String? {
            guard let edit = Fix.Edit(place: place, from: from, to: to), let text = site.texts[edit.file] else { return nil }
            return UnifiedDiff.make(edit, text: text)
        }

        /// The diff that writes a statement in place of each of these.
        func replacing(_ statements: [(old: ConfigNode, new: String)]) -> String? {
            guard let file = statements.first?.old.file, statements.allSatisfy({ $0.old.file == file }) else { return nil }
            return change(file, statements.map { ($0.old.range, $0.new) })
        }

        /// The diff that puts statements behind another one, or at the beginning of its block: on lines of their own if nothing
        /// follows it on its line.
        func insertion(after node: ConfigNode, _ lines: [String]) -> String? {
            guard let text = site.texts[node.file] else { return nil }
            let bytes = Array(text.utf8), end = node.range.upperBound
            guard end > 0, end <= bytes.count, bytes[end - 1] == (node.children == nil ? 59 : 123) else { return nil }
            let rest = bytes[end...].prefix { $0 != 10 }.drop { $0 == 32 || $0 == 9 || $0 == 13 }
            guard rest.isEmpty || rest.first == 35 else {
                return change(node.file, [(end..<end, lines.map { " " + $0 }.joined())])
            }
            let start = bytes[..<node.range.lowerBound].lastIndex(of: 10).map { $0 + 1 } ?? 0
            let indent = String(decoding: bytes[start...].prefix { $0 == 32 || $0 == 9 }, as: UTF8.self)
            let step = node.children == nil ? "" : indent.contains("\t") ? "\t" : "    "
            let next = end + bytes[end...].prefix { $0 != 10 }.count
            return change(node.file, [(next..<next, lines.map { "\n" + indent + step + $0 }.joined())])
        }

        /// The diff of a file in which ranges of bytes become other texts.
        private func change(_ file: String, _ parts: [(range: Range<Int>, new: String)]) -> String? {
            guard let text = site.texts[file] else { return nil }
            let old = Array(text.utf8)
            var changes: [UnifiedDiff.Change] = []
            for (range, new) in parts {
                guard range.upperBound <= old.count, !old[range].contains(10) else { return nil }
                let start = old[..<range.lowerBound].lastIndex(of: 10).map { $0 + 1 } ?? 0
                let end = range.upperBound + old[range.upperBound...].prefix { $0 != 10 }.count
                let line = 1 + old[..<start].count { $0 == 10 }
                let kept = String(decoding: old[start..<range.lowerBound], as: UTF8.self)
                let whole = kept + new + String(decoding: old[range.upperBound..<end], as: UTF8.self)
                let lines = whole.linesByByte
                // Lines that only follow leave the one before them as it is.
                if new.hasPrefix("\n"), range.upperBound == end {
                    changes.append(.init(line: line + 1, removing: 0, inserting: Array(lines.dropFirst())))
                } else {
                    changes.append(.init(line: line, inserting: lines))
                }
            }
            return UnifiedDiff.make(file: file, text: text, changes: changes)
        }
    }
}
