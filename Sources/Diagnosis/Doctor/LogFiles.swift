/// The files of one log: the current one and its rotated predecessors.
package enum LogFiles {
    /// Paths from the oldest to the current one, of those changed at or after `since`.
    package static func find(_ path: String, since: Timestamp, from system: some SystemReader) -> (
        paths: [String], gap: String?
    ) {
        guard let slash = path.lastIndex(of: "/") else { return ([], nil) }
        let directory = String(path[..<slash]), base = String(path[path.index(after: slash)...])
        let names: [String]
        do { names = try system.list(directory.isEmpty ? "/" : directory) } catch { return ([], error.text) }
        var found: [(path: String, modified: Timestamp)] = []
        for name in names where name == base || isRotated(name, base) {
            let full = directory + "/" + name
            guard let status = try? system.status(full), status.isRegular, status.modified >= since else { continue }
            found.append((full, status.modified))
        }
        return (
            found.sorted { $0.modified != $1.modified ? $0.modified < $1.modified : $0.path > $1.path }.map(\.path), nil
        )
    }

    /// `error.log.1`, `error.log.2.gz`, `error.log-20261121`, `error.log-20261121.gz`, `error.log.20261121.gz`, `error.log.1.zst`.
    static func isRotated(_ name: String, _ base: String) -> Bool {
        guard name.hasPrefix(base), name.utf8.count > base.utf8.count else { return false }
        var rest = name.dropFirst(base.count)
        guard rest.first == "." || rest.first == "-" else { return false }
        rest = rest.dropFirst()
        if rest.hasSuffix(".gz") { rest = rest.dropLast(3) }
        return !rest.isEmpty && rest.allSatisfy { $0.isNumber || $0 == "-" || $0 == "." || $0 == "_" }
    }
}
