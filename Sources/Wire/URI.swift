/// Paths, queries and escapes, with nginx's meaning. Files `URI+Topic.swift`.
public enum URI {
    /// Splits at the first "?". The query is nil if there is no "?". O(n).
    public static func split(_ target: ByteView) -> (path: ByteView, query: ByteView?) {
        guard let mark = target.firstIndex(of: 0x3f) else { return (target, nil) }
        return (target.prefix(mark), target.dropFirst(mark &+ 1))
    }

    /// The extension of a path ("gz" of "/a.b/c.tar.gz"): what follows the last "." after the last "/"; empty if there
    /// is none. O(length of the last part).
    public static func fileExtension(of path: ByteView) -> ByteView {
        var index = path.count
        while index > 0 {
            index &-= 1
            let byte = path[index]
            if byte == 0x2f { break }
            if byte == 0x2e {
                // A name that only begins with "." has no extension.
                return index > 0 && path[index &- 1] != 0x2f ? path.dropFirst(index &+ 1) : ByteView()
            }
        }
        return ByteView()
    }

    /// Value of an argument, raw; the name is compared without case, as nginx does. O(n).
    public static func argument(_ name: ByteView, in query: ByteView) -> ByteView? {
        guard name.count > 0 else { return nil }
        var start = 0
        while start &+ name.count < query.count {
            let end = query.firstIndex(of: 0x26, from: start) ?? query.count
            let equals = start &+ name.count
            if equals < end, query[equals] == 0x3d, query[start..<equals].equalsIgnoringCase(name) {
                return query[equals &+ 1..<end]
            }
            start = end &+ 1
        }
        return nil
    }
}
