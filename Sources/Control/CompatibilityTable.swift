import Config

/// The table of directives and variables as Markdown: docs/nginx-compatibility.md is checked against it, so it cannot drift.
package enum CompatibilityTable {
    /// The whole page below its hand-written head.
    package static var markdown: String {
        var text = "## Directives\n\n"
        let entries = DirectiveTable.entries
        for origin in ["nginx", "NGINX Plus", "goodgate"] {
            let rows = entries.filter { $0.origin.rawValue == origin }
            guard !rows.isEmpty else { continue }
            text += "### \(title(origin))\n\n| directive | module | where | here |\n|---|---|---|---|\n"
            for name in Set(rows.map(\.name)).sorted() {
                for row in rows where row.name == name {
                    text += "| `\(name)` | \(row.module) | \(row.contexts.names.joined(separator: ", ")) | \(says(row)) |\n"
                }
            }
            text += "\n"
        }
        text += "## Variables\n\n| variable | here |\n|---|---|\n"
        var variables = UnsupportedVariable.reasons.mapValues { "not yet: \($0)" }
        for (family, reason) in UnsupportedVariable.families { variables["\(family)NAME"] = "not yet: \(reason)" }
        for variable in BuiltinVariable.allCases {
            variables[variable.rawValue] = variable.isUnavailable ? "known, always empty yet" : "implemented"
        }
        for family in UnsupportedVariable.implementedFamilies { variables["\(family)NAME"] = "implemented" }
        for (name, says) in variables.sorted(by: { $0.key < $1.key }) { text += "| `$\(name)` | \(says) |\n" }
        return text
    }

    private static func title(_ origin: String) -> String {
        switch origin {
        case "nginx": "Of nginx"
        case "NGINX Plus": "Of NGINX Plus"
        default: "Our own"
        }
    }

    private static func says(_ row: DirectiveEntry) -> String {
        guard let harmless = row.harmlessValue else { return says(row.support) }
        return says(row.support) + "; `\(harmless)` is accepted"
    }

    private static func says(_ support: DirectiveSupport) -> String {
        switch support {
        case .implemented: "implemented"
        case .acceptedWithNotice(let why): "accepted with a notice: \(why)"
        case .notSupportedYet(let why): "not yet: \(why)"
        case .never(let why): "never: \(why)"
        }
    }
}
