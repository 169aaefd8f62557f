/// How relative names become paths.
enum ConfigurationPath {
    /// `name` itself if it starts with `/`, else `directory` + `name`.
    static func absolute(_ name: String, in directory: String) -> String {
        name.utf8.first == UInt8(ascii: "/") ? name : directory + name
    }

    /// The same for bytes.
    static func absolute(_ name: Bytes, in directory: String) -> Bytes {
        name.first == UInt8(ascii: "/") ? name : Bytes(directory.utf8) + name
    }

    /// The part up to and including the last `/`.
    static func directory(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "" }
        return String(path[...slash])
    }

    /// `path` with a `/` at its end.
    static func withSlash(_ path: String) -> String {
        path.isEmpty || path.utf8.last == UInt8(ascii: "/") ? path : path + "/"
    }
}
