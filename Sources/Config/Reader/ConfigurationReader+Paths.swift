extension ConfigurationReader {
    /// `…_temp_path PATH [LEVEL [LEVEL [LEVEL]]];`
    func tempPath(_ directive: Directive) throws(DirectiveError) -> TempPath {
        var text = directive.text(1)
        if text.utf8.last == UInt8(ascii: "/") { text.removeLast() }
        var levels: [Int] = []
        for index in 2..<directive.words.count {
            guard let level = ValueParsing.integer(directive[index]), level > 0, level <= 10 else {
                throw DirectiveError(directive, "invalid value")
            }
            levels.append(level)
        }
        guard levels.reduce(0, { $0 + $1 + 1 }) <= 10 + levels.count else {
            throw DirectiveError(directive, "invalid value")
        }
        return TempPath(path: prefixed(text), levels: levels)
    }

    /// `proxy_store_access user:rw group:rw all:r;` as a file mode.
    func accessMode(_ directive: Directive) throws(DirectiveError) -> UInt16 {
        var mode: UInt16 = 0
        var user: UInt16 = 0o600
        for index in 1...directive.argumentCount {
            let text = directive.text(index)
            let shift: UInt16
            let rights: Substring
            if text.hasPrefix("user:") {
                (shift, rights, user) = (6, text.dropFirst(5), 0)
            } else if text.hasPrefix("group:") {
                (shift, rights) = (3, text.dropFirst(6))
            } else if text.hasPrefix("all:") {
                (shift, rights) = (0, text.dropFirst(4))
            } else {
                throw DirectiveError("invalid value \"\(text)\"")
            }
            switch rights {
            case "rw": mode |= 6 << shift
            case "r": mode |= 4 << shift
            default: throw DirectiveError("invalid value \"\(text)\"")
            }
        }
        return mode | user
    }
}
