/// The one table of directives: everything that nginx knows, what we took from NGINX Plus, and our own.
package enum DirectiveTable {
    /// All rows, by module and name as they were added.
    package static let entries: [DirectiveEntry] = {
        var builder = DirectiveTableBuilder()
        builder.addMain()
        builder.addEvents()
        builder.addCore()
        builder.addConnection()
        builder.addResponses()
        builder.addServer()
        builder.addRewrite()
        builder.addProxy()
        builder.addUpstream()
        builder.addModules()
        builder.addLimits()
        builder.addLogs()
        builder.addMaps()
        builder.addBodyFilters()
        builder.addGoodgate()
        builder.addUnsupported()
        builder.noticeUnused()
        return builder.entries
    }()

    /// Indices into `entries` by name.
    static let indices: [String: [Int]] = {
        var indices: [String: [Int]] = [:]
        for (index, entry) in entries.enumerated() { indices[entry.name, default: []].append(index) }
        return indices
    }()

    /// The rows of a name.
    package static func entries(named name: String) -> [DirectiveEntry] {
        (indices[name] ?? []).map { entries[$0] }
    }

    /// The known name that is nearest to a misspelt one, at most a quarter of its letters away. O(names × length²).
    package static func suggestion(for name: String) -> String? {
        EditDistance.nearest(to: name, in: Set(indices.keys).sorted())
    }
}

/// Distances between words, for suggestions.
package enum EditDistance {
    /// The candidate with the fewest insertions, deletions, replacements and swaps, if at most a quarter of the letters.
    package static func nearest(to word: String, in candidates: [String]) -> String? {
        let letters = Array(word.utf8)
        guard letters.count >= 2, letters.count <= 64 else { return nil }
        var best: (name: String, distance: Int)?
        let limit = max(1, letters.count / 4)
        for candidate in candidates {
            let other = Array(candidate.utf8)
            guard abs(other.count - letters.count) <= limit else { continue }
            let distance = distance(letters, other)
            if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for i in 1...left.count {
            var row = [i]
            row.reserveCapacity(right.count + 1)
            for j in stride(from: 1, through: right.count, by: 1) {
                let isSame = left[i - 1] == right[j - 1]
                var cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (isSame ? 0 : 1))
                if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
                    cost = min(cost, beforeLast[j - 2] + 1)
                }
                row.append(cost)
            }
            (beforeLast, last) = (last, row)
        }
        return last[right.count]
    }
}

/// Collects the rows of the table.
struct DirectiveTableBuilder {
    private(set) var entries: [DirectiveEntry] = []
    /// Module of the rows that follow.
    var module = ""
    /// Origin of the rows that follow.
    var origin = DirectiveEntry.Origin.nginx

    /// Adds a directive that is implemented.
    mutating func add(
        _ name: String, _ contexts: DirectiveContext, _ arguments: ArgumentRule, isBlock: Bool = false,
        isRepeatable: Bool = false, isEarly: Bool = false, _ handler: @escaping DirectiveHandler
    ) {
        entries.append(
            DirectiveEntry(
                name: name, module: module, contexts: contexts, arguments: arguments, support: .implemented,
                isBlock: isBlock, origin: origin, isRepeatable: isRepeatable, isEarly: isEarly, handler: handler))
    }

    /// Adds a directive that is read and ignored.
    mutating func accept(
        _ name: String, _ contexts: DirectiveContext, _ arguments: ArgumentRule, _ reason: String,
        isRepeatable: Bool = false, check: @escaping DirectiveHandler = { _, _ throws(DirectiveError) in }
    ) {
        entries.append(
            DirectiveEntry(
                name: name, module: module, contexts: contexts, arguments: arguments,
                support: .acceptedWithNotice(reason), isBlock: false, origin: origin, isRepeatable: isRepeatable,
                isEarly: false, handler: check))
    }

    /// Marks the directives whose values are read and checked, and that nothing acts on, so that the reader says it. A row leaves this
    /// list with the change that makes it work.
    mutating func noticeUnused() {
        let unused: Set<String> = [
            "verdict_to",
        ]
        let needless = [
            "auth_delay": "there is no authentication yet",
            "client_body_in_single_buffer": "where a body lies makes no difference here",
            "debug_connection": "there is no debug log",
            "early_hints": "interim answers of an upstream are not passed on",
            "keepalive_min_timeout": "idle connections are closed at once when a worker leaves",
            "output_buffers": "files are sent by the kernel, not read into buffers",
            "proxy_busy_buffers_size": "buffers are sent as they come",
            "proxy_pass_trailers": "trailers of an upstream are not passed on",
            "proxy_temp_file_write_size": "buffers are written as they come",
            "ssi_min_file_chunk": "pieces of files are never stored in files again",
        ]
        for index in entries.indices {
            let name = entries[index].name
            if unused.contains(name) {
                entries[index].support = .acceptedWithNotice("its value is checked, and nothing acts on it yet")
            } else if let reason = needless[name] {
                entries[index].support = .acceptedWithNotice(reason)
            }
        }
    }

    /// Adds a directive that is refused.
    mutating func refuse(
        _ name: String, _ contexts: DirectiveContext, _ arguments: ArgumentRule = .any, isBlock: Bool = false,
        as support: DirectiveSupport
    ) {
        entries.append(
            DirectiveEntry(
                name: name, module: module, contexts: contexts, arguments: arguments, support: support,
                isBlock: isBlock, origin: origin, isRepeatable: true, isEarly: false,
                handler: { _, _ throws(DirectiveError) in }))
    }
}
