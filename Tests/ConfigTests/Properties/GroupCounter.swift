internal import Config

/// Knows of expressions only their groups, and that parentheses must match.
struct GroupCounter: PatternChecker {
    func check(pattern: [UInt8], caseless: Bool) -> Result<PatternInfo, PatternError> {
        var info = PatternInfo()
        var depth = 0
        var index = 0
        while index < pattern.count {
            switch pattern[index] {
            case UInt8(ascii: "\\"): index += 1
            case UInt8(ascii: "("):
                depth += 1
                let rest = pattern[(index + 1)...]
                if rest.first != UInt8(ascii: "?") {
                    info.captureCount += 1
                } else if let name = Self.name(rest) {
                    info.captureCount += 1
                    info.captureNames.append(.init(name: name, index: info.captureCount))
                }
            case UInt8(ascii: ")"): depth -= 1
            default: break
            }
            index += 1
        }
        if depth > 0 { return .failure(PatternError(message: "missing closing parenthesis", offset: pattern.count)) }
        if depth < 0 { return .failure(PatternError(message: "unmatched closing parenthesis", offset: 0)) }
        return .success(info)
    }

    /// The name of `?<name>` and `?P<name>`.
    private static func name(_ rest: ArraySlice<UInt8>) -> String? {
        let text = String(decoding: rest, as: UTF8.self)
        for prefix in ["?<", "?P<"] where text.hasPrefix(prefix) {
            let name = text.dropFirst(prefix.count).prefix { $0 != ">" }
            return name.first == "=" || name.first == "!" ? nil : String(name)
        }
        return nil
    }
}
