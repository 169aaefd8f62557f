/// A directive of a foreign configuration, whatever its name: the doctor reads what other servers accept, so nothing here is an error.
package struct ConfigNode: Sendable {
    /// First word, the others, and the file it stands in.
    package var name: String
    package var arguments: [String]
    package var file: String
    /// Line on which it begins, from 1.
    package var line: Int
    /// Where it lies in its file, in bytes: from its first word to behind its `;` or `{`.
    package var range = 0..<0
    /// nil: it ended in `;`.
    package var children: [ConfigNode]?

    /// `file:line`.
    package var place: String { "\(file):\(line)" }

    /// Direct children with a name.
    package func all(_ name: String) -> [ConfigNode] { (children ?? []).filter { $0.name == name } }
    /// The last one, as later directives replace earlier ones.
    package func last(_ name: String) -> ConfigNode? { (children ?? []).last { $0.name == name } }
}

/// Reads nginx's grammar with its includes into a tree.
package struct ConfigTreeReader {
    private static let depthMax = 32, filesMax = 2_000, textsMax = 32 << 20
    /// Files read, in order.
    package private(set) var files: [String] = []
    /// What stood in them: diffs are made from what was understood, not from what stands there by then. A file that is no UTF-8, or beyond
    /// 32 MB in all, is left out.
    package private(set) var texts: [String: String] = [:]
    private var textsSize = 0
    /// What could not be read.
    package private(set) var gaps: [String] = []

    package init() {}

    /// The tree of a file. Relative includes are relative to its directory.
    package mutating func read(_ path: String, from system: some SystemReader) -> [ConfigNode] {
        let slash = path.lastIndex(of: "/")
        let directory = slash.map { String(path[...$0]) } ?? ""
        return read(path, directory: directory, depth: 0, from: system)
    }

    private mutating func read(_ path: String, directory: String, depth: Int, from system: some SystemReader)
        -> [ConfigNode]
    {
        guard files.count < Self.filesMax, depth < Self.depthMax else { return [] }
        let bytes: [UInt8]
        do { bytes = try system.read(path, limit: 16 << 20) } catch {
            gaps.append(error.text)
            return []
        }
        files.append(path)
        if textsSize + bytes.count <= Self.textsMax, let text = String(validating: bytes, as: UTF8.self) {
            texts[path] = text
            textsSize += bytes.count
        }
        var tokens = ConfigTokens(bytes)
        return block(&tokens, path, directory: directory, depth: depth, nesting: 0, from: system)
    }

    private mutating func block(
        _ tokens: inout ConfigTokens, _ file: String, directory: String, depth: Int, nesting: Int,
        from system: some SystemReader
    ) -> [ConfigNode] {
        var nodes: [ConfigNode] = []
        while let statement = tokens.statement() {
            if statement.end == .close { break }
            guard let name = statement.words.first else { continue }
            var node = ConfigNode(
                name: name, arguments: Array(statement.words.dropFirst()), file: file, line: statement.line, range: statement.range)
            if statement.end == .open {
                if name.hasSuffix("_by_lua_block") || nesting > 64 {
                    tokens.skipBlock()
                } else {
                    node.children = block(
                        &tokens, file, directory: directory, depth: depth, nesting: nesting + 1, from: system)
                }
            } else if name == "include", let pattern = node.arguments.first {
                let path = pattern.hasPrefix("/") ? pattern : directory + pattern
                if path.hasSuffix("/mime.types") { continue }
                for found in Glob.paths(path, from: system) {
                    nodes += read(found, directory: directory, depth: depth + 1, from: system)
                }
                continue
            }
            nodes.append(node)
        }
        return nodes
    }
}

/// Words, quotes, comments, `;`, `{` and `}`.
struct ConfigTokens {
    enum End { case semicolon, open, close }
    private let bytes: [UInt8]
    private var index = 0
    private var line = 1

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next statement; nil at the end.
    mutating func statement() -> (words: [String], end: End, line: Int, range: Range<Int>)? {
        var words: [String] = [], first = 0, start = index
        while index < bytes.count {
            let b = bytes[index]
            switch b {
            case 10: line += 1; index += 1
            case 9, 13, 32: index += 1
            case 35: while index < bytes.count, bytes[index] != 10 { index += 1 }
            case 59:
                index += 1
                return (words, .semicolon, first == 0 ? line : first, start..<index)
            case 123:
                index += 1
                return (words, .open, first == 0 ? line : first, start..<index)
            case 125:
                index += 1
                return (words, .close, line, start..<index)
            default:
                if first == 0 { first = line; start = index }
                words.append(word())
            }
        }
        return words.isEmpty ? nil : (words, .semicolon, first, start..<index)
    }

    private mutating func word() -> String {
        var out: [UInt8] = []
        let quote = bytes[index]
        let isQuoted = quote == 34 || quote == 39
        if isQuoted { index += 1 }
        while index < bytes.count {
            let b = bytes[index]
            if b == 10 { line += 1 }
            if b == 92, index + 1 < bytes.count {
                let next = bytes[index + 1]
                if next == 34 || next == 39 || next == 92 { out.append(next); index += 2; continue }
                out.append(b); out.append(next); index += 2
                continue
            }
            if isQuoted {
                index += 1
                if b == quote { break }
            } else {
                if b == 9 || b == 10 || b == 13 || b == 32 || b == 59 { if b == 10 { line -= 1 }; break }
                if b == 123, out.last != 36 { break }  // "${name}" belongs to the word
                index += 1
            }
            out.append(b)
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// Skips to the brace that closes the block just opened.
    mutating func skipBlock() {
        var depth = 1
        while index < bytes.count, depth > 0 {
            if bytes[index] == 10 { line += 1 }
            if bytes[index] == 123 { depth += 1 } else if bytes[index] == 125 { depth -= 1 }
            index += 1
        }
    }
}

/// `*`, `?` and `[…]` in the parts of a path, as glob(7) has them.
package enum Glob {
    /// The paths that match, in byte order; a pattern without wildcards gives itself.
    package static func paths(_ pattern: String, from system: some SystemReader) -> [String] {
        guard pattern.contains("*") || pattern.contains("?") || pattern.contains("[") else { return [pattern] }
        var found = [""]
        for part in pattern.split(separator: "/") {
            if part.contains("*") || part.contains("?") || part.contains("[") {
                found = found.flatMap { base in
                    ((try? system.list(base.isEmpty ? "/" : base)) ?? [])
                        .filter { !$0.hasPrefix(".") && matches(Array($0.utf8), Array(part.utf8)) }.map {
                            base + "/" + $0
                        }
                }
            } else {
                found = found.map { $0 + "/" + part }
            }
            if found.count > 10_000 { return [] }
        }
        return found.sorted()
    }

    /// Linear matching with one point of return.
    static func matches(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
        var n = 0, p = 0, star = -1, mark = 0
        while n < name.count {
            if p < pattern.count, pattern[p] == 42 {
                star = p; mark = n; p += 1
            } else if p < pattern.count, let next = one(name[n], pattern, at: p) {
                n += 1; p = next
            } else if star >= 0 {
                p = star + 1; mark += 1; n = mark
            } else {
                return false
            }
        }
        while p < pattern.count, pattern[p] == 42 { p += 1 }
        return p == pattern.count
    }

    /// Where the pattern goes on if what stands at `p` fits one byte: `?`, `[abc]`, `[a-z]`, `[!a]`, or the byte itself.
    private static func one(_ byte: UInt8, _ pattern: [UInt8], at p: Int) -> Int? {
        if pattern[p] == 63 { return p + 1 }
        let isNegated = p + 1 < pattern.count && (pattern[p + 1] == 33 || pattern[p + 1] == 94)
        let first = p + (isNegated ? 2 : 1)
        // A bracket that stands first is one of the bytes; one that nothing closes stands for itself.
        guard pattern[p] == 91, first < pattern.count, let close = pattern[(first + 1)...].firstIndex(of: 93) else {
            return pattern[p] == byte ? p + 1 : nil
        }
        var fits = false, index = first
        while index < close {
            if index + 2 < close, pattern[index + 1] == 45 {
                fits = fits || byte >= pattern[index] && byte <= pattern[index + 2]
                index += 3
            } else {
                fits = fits || byte == pattern[index]
                index += 1
            }
        }
        return fits != isNegated ? close + 1 : nil
    }
}
