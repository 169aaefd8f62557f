/// The files of logs: the current ones and their rotated predecessors.
package struct LogFiles {
    /// What unpacks a rotated log, by the end of its name.
    static let packers: [(suffix: String, program: String)] = [(".gz", "gzip"), (".xz", "xz"), (".bz2", "bzip2"), (".zst", "zstd")]

    /// Files that were named before: one log may have two names.
    private var seen: Set<[UInt64]> = []

    package init() {}

    /// Paths from the oldest to the current one, of those changed at or after `since`; each file once.
    package mutating func find(_ path: String, since: Timestamp, from system: some SystemReader) -> (paths: [String], gap: String?) {
        guard let slash = path.lastIndex(of: "/") else { return ([], nil) }
        let directory = String(path[..<slash]), base = String(path[path.index(after: slash)...])
        let names: [String]
        do { names = try system.list(directory.isEmpty ? "/" : directory) } catch { return ([], error.text) }
        var found: [(path: String, modified: Timestamp)] = [], gap: String?
        let candidates = names.filter { $0 == base || Self.isRotated($0, base) }
        if candidates.isEmpty { gap = "\(path) is not there" }
        for name in candidates {
            let full = directory + "/" + name
            let status: FileStatus
            do { status = try system.status(full) } catch { gap = gap ?? error.text; continue }
            guard status.isRegular else {
                if name == base { gap = "\(path) is no file: what is written there is not kept" }
                continue
            }
            guard status.modified >= since else { continue }
            if status.inode != 0, !seen.insert([status.device ?? 0, status.inode]).inserted { continue }
            found.append((full, status.modified))
        }
        return (
            found.sorted { $0.modified != $1.modified ? $0.modified < $1.modified : $0.path > $1.path }.map(\.path), gap
        )
    }

    /// `error.log.1`, `error.log.2.gz`, `error.log-20261121`, `error.log.20261121.xz`, and `error-20261121.log.gz`.
    static func isRotated(_ name: String, _ base: String) -> Bool {
        var name = name[...]
        for packer in packers where name.hasSuffix(packer.suffix) { name = name.dropLast(packer.suffix.count) }
        if let dot = base.lastIndex(of: "."), dot > base.startIndex, name.hasSuffix(base[dot...]),
            isNumber(name.dropLast(base[dot...].count), behind: base[..<dot])
        {
            return true
        }
        return isNumber(name, behind: base[...])
    }

    /// Whether a name is another one with a number or a date behind it.
    private static func isNumber(_ name: Substring, behind base: Substring) -> Bool {
        guard name.hasPrefix(base), name.utf8.count > base.utf8.count else { return false }
        var rest = name.dropFirst(base.count)
        guard rest.first == "." || rest.first == "-" else { return false }
        rest = rest.dropFirst()
        return !rest.isEmpty && rest.allSatisfy { $0.isNumber || $0 == "-" || $0 == "." || $0 == "_" }
    }
}
