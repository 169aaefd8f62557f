/// An `env_file`: `NAME=VALUE` lines, `#` comments, an optional `export`, single or double quotes around a value.
///
/// No variable is expanded, and nothing is executed. In double quotes `\n`, `\"`, `\\` and `\$` are escapes; in single
/// quotes and without quotes a value is taken as it stands, without white space at its ends.
struct EnvironmentFile: Equatable {
    /// A line that cannot be taken as it stands.
    struct Malformed: Error, Equatable {
        /// What is wrong with it.
        enum Reason: Equatable {
            case noAssignment
            /// It is not UTF-8, or has a NUL: the application would get something else.
            case noText
        }

        var line: Int
        var reason = Reason.noAssignment

        /// `line 3 is not NAME=VALUE`.
        var text: String { "line \(line) is " + (reason == .noText ? "not UTF-8, or has a NUL byte" : "not NAME=VALUE") }
    }

    /// `NAME=VALUE`, in order.
    var variables: [String] = []

    init(parsing bytes: [UInt8]) throws(Malformed) {
        // Cut by bytes: as characters, CR LF is one.
        for (index, raw) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let bytes = raw.last == UInt8(ascii: "\r") ? raw.dropLast() : raw
            var line = Self.trimmed(String(decoding: bytes, as: UTF8.self)[...])
            if line.isEmpty || line.hasPrefix("#") { continue }
            guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else {
                throw Malformed(line: index + 1, reason: .noText)
            }
            if line.hasPrefix("export ") { line = Self.trimmed(line.dropFirst(7)) }
            guard let equals = line.firstIndex(of: "="), Self.isName(line[..<equals]) else { throw Malformed(line: index + 1) }
            guard let value = Self.value(Self.trimmed(line[line.index(after: equals)...])) else {
                throw Malformed(line: index + 1)
            }
            variables.append("\(line[..<equals])=\(value)")
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF)
        }
    }

    private static func value(_ text: Substring) -> String? {
        guard let quote = text.first, quote == "\"" || quote == "'" else { return String(text) }
        var result = ""
        var rest = text.dropFirst()
        while let next = rest.popFirst() {
            if next == quote {
                // Only a comment may follow.
                let tail = trimmed(rest)
                return tail.isEmpty || tail.hasPrefix("#") ? result : nil
            }
            if next == "\\", quote == "\"", let escaped = rest.first, "n\"\\$".contains(escaped) {
                rest.removeFirst()
                result.append(escaped == "n" ? "\n" : escaped)
            } else {
                result.append(next)
            }
        }
        return nil
    }
}
