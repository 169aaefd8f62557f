import Loop
import Pattern
import Wire

/// The locations of a server or of a location: exact and prefix ones sorted for binary search, regular expressions in order, named ones.
///
/// The longest prefix is found by one binary search and a walk along links to shorter prefixes: O(log n + depth), any number of locations.
struct LocationTree {
    struct Entry {
        let path: ByteView
        /// Location of `= path`, if any.
        var exact: Ref<Location>?
        /// Location of the prefix `path`, if any.
        var prefix: Ref<Location>?
        /// `^~`: no regular expressions after this prefix matched.
        var stopsRegex = false
        /// Index of the longest entry that is a prefix of this one, or -1.
        var parent = -1
    }

    struct Regex {
        let pattern: Ref<CompiledPattern>
        let location: Ref<Location>
    }

    private(set) var entries = FixedList<Entry>()
    private(set) var regexes = FixedList<Regex>()
    private(set) var named: [(name: ByteView, location: Ref<Location>)] = []
    /// Any location redirects from its name without the final slash.
    private(set) var hasRedirects = false

    init() {}

    /// - Parameter entries: in any order, each path once.
    init(entries list: [Entry], regexes: [Regex], named: [(name: ByteView, location: Ref<Location>)]) {
        var sorted = list.sorted { LocationTree.order($0.path, $1.path) < 0 }
        for index in sorted.indices {
            var candidate = index - 1
            while candidate >= 0, !sorted[index].path.hasPrefix(sorted[candidate].path) { candidate = sorted[candidate].parent }
            sorted[index].parent = candidate
        }
        entries = FixedList(sorted)
        hasRedirects = sorted.contains { $0.prefix?.value.redirectsToSlash ?? false || $0.exact?.value.redirectsToSlash ?? false }
        self.regexes = FixedList(regexes)
        self.named = named
    }

    var isEmpty: Bool { entries.isEmpty && regexes.isEmpty }

    /// Bytewise order, shorter first.
    static func order(_ a: ByteView, _ b: ByteView) -> Int {
        let n = min(a.count, b.count)
        for index in 0..<n where a[index] != b[index] { return a[index] < b[index] ? -1 : 1 }
        return a.count - b.count
    }

    enum Static {
        case exact(Ref<Location>)
        case prefix(Ref<Location>, stopsRegex: Bool)
        /// `/dir` where only the location `/dir/` with proxy_pass exists: redirect.
        case redirect(Ref<Location>)
        case none
    }

    /// The static location for a path, before regular expressions.
    func findStatic(_ path: ByteView) -> Static {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if LocationTree.order(entries[middle].path, path) <= 0 { low = middle + 1 } else { high = middle }
        }
        if hasRedirects, low == 0 || entries[low - 1].path != path, let location = redirect(path, from: low) { return .redirect(location) }
        var candidate = low - 1
        while candidate >= 0 {
            let entry = entries[candidate]
            if entry.path.count == path.count, entry.path == path {
                if let exact = entry.exact { return .exact(exact) }
                if let prefix = entry.prefix { return .prefix(prefix, stopsRegex: entry.stopsRegex) }
            } else if let prefix = entry.prefix, path.hasPrefix(entry.path) {
                return .prefix(prefix, stopsRegex: entry.stopsRegex)
            }
            candidate = entry.parent
        }
        return .none
    }

    /// The location `path` + "/" that redirects. Between both may stand others: "/a-b" sorts before "/a/".
    private func redirect(_ path: ByteView, from start: Int) -> Ref<Location>? {
        var (low, high) = (start, entries.count)
        while low < high {
            let middle = (low + high) / 2
            let entry = entries[middle].path
            // All from `start` on are greater than `path`; those that begin with it are ordered by what follows.
            let isBefore = entry.count > path.count && entry.hasPrefix(path) && entry[path.count] < 0x2f
            if isBefore { low = middle + 1 } else { high = middle }
        }
        guard low < entries.count, entries[low].path.count == path.count + 1, entries[low].path.last == 0x2f, entries[low].path.hasPrefix(path),
            let location = entries[low].prefix ?? entries[low].exact, location.value.redirectsToSlash else { return nil }
        return location
    }

    func findNamed(_ name: ByteView) -> Ref<Location>? { named.first { $0.name == name }?.location }
}
