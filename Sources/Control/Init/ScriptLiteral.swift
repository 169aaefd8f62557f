/// A value in a JavaScript source, read without running it: objects, arrays, strings, numbers, true and false. What has to be computed
/// is `other`.
indirect enum ScriptLiteral: Equatable {
    case object([String: ScriptLiteral])
    case array([ScriptLiteral])
    case string(String)
    case number(Double)
    case boolean(Bool)
    case other

    subscript(name: String) -> ScriptLiteral? { if case .object(let members) = self { members[name] } else { nil } }
    var string: String? { if case .string(let text) = self { text } else { nil } }
    var number: Double? { if case .number(let number) = self { number } else { nil } }
    var elements: [ScriptLiteral]? { if case .array(let list) = self { list } else { nil } }
    var members: [String: ScriptLiteral]? { if case .object(let members) = self { members } else { nil } }

    /// As text, when it is plain.
    var text: String? {
        switch self {
        case .string(let text): text
        case .number(let number): number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
        case .boolean(let flag): String(flag)
        default: nil
        }
    }

    /// The value behind the first `name:` or `name =` of a source; nil when there is none.
    static func value(of name: String, in source: String) -> ScriptLiteral? {
        var reader = Reader(characters: Array(source))
        return reader.find(name)
    }

    /// A whole JSON or JavaScript value.
    static func value(_ source: String) -> ScriptLiteral {
        var reader = Reader(characters: Array(source))
        return reader.value(depth: 0)
    }
}

extension ScriptLiteral {
    private struct Reader {
        let characters: [Character]
        var index = 0
        /// Deeper values are `other`.
        static let depthMax = 20

        init(characters: [Character]) { self.characters = characters }

        var next: Character? { index < characters.count ? characters[index] : nil }

        mutating func find(_ name: String) -> ScriptLiteral? {
            while true {
                skipSpace()
                guard let character = next else { return nil }
                if character == "\"" || character == "'" || character == "`" {
                    let text = quoted()
                    if text == name, takesValue() { return value(depth: 0) }
                } else if isWordStart(character) {
                    if word() == name, takesValue() { return value(depth: 0) }
                } else {
                    index += 1
                }
            }
        }

        /// Whether `:` or `=` follows; takes it.
        private mutating func takesValue() -> Bool {
            skipSpace()
            guard next == ":" || next == "=" else { return false }
            index += 1
            return true
        }

        private func isWordStart(_ character: Character) -> Bool { character.isLetter || character == "_" || character == "$" }

        private mutating func word() -> String {
            var text = ""
            while let character = next, isWordStart(character) || character.isNumber || character == "." {
                text.append(character)
                index += 1
            }
            return text
        }

        /// Space and comments.
        private mutating func skipSpace() {
            while let character = next {
                if character.isWhitespace {
                    index += 1
                } else if character == "/", index + 1 < characters.count, characters[index + 1] == "/" {
                    while let character = next, !character.isNewline { _ = character; index += 1 }
                } else if character == "/", index + 1 < characters.count, characters[index + 1] == "*" {
                    index += 2
                    while index < characters.count, !(characters[index] == "/" && characters[index - 1] == "*") { index += 1 }
                    index += 1
                } else {
                    return
                }
            }
        }

        private mutating func quoted() -> String {
            let end = characters[index]
            index += 1
            var text = ""
            while let character = next, character != end {
                index += 1
                if character == "\\", let escaped = next {
                    text.append(escaped == "n" ? "\n" : escaped)
                    index += 1
                } else {
                    text.append(character)
                }
            }
            index += 1
            return text
        }

        mutating func value(depth: Int) -> ScriptLiteral {
            skipSpace()
            guard depth < Self.depthMax, let character = next else { return skip() }
            let result: ScriptLiteral
            switch character {
            case "{": result = object(depth)
            case "[": result = array(depth)
            case "\"", "'": result = .string(quoted())
            case "`":
                let text = quoted()
                result = text.contains("${") ? .other : .string(text)
            default:
                guard character.isNumber || character == "-" || isWordStart(character) else { return skip() }
                let start = index
                while let character = next, character.isLetter || character.isNumber || "_$.-".contains(character) { index += 1 }
                let text = String(characters[start..<index])
                result = text == "true" ? .boolean(true) : text == "false" ? .boolean(false) : Double(text).map { .number($0) } ?? .other
            }
            skipSpace()
            // An operator, a call: it has to be computed.
            guard let after = next, !",}];)\n".contains(after), result.isComputed(before: after) else { return result }
            return skip()
        }

        private mutating func object(_ depth: Int) -> ScriptLiteral {
            index += 1
            var members: [String: ScriptLiteral] = [:]
            while true {
                skipSpace()
                guard let character = next, character != "}" else { break }
                let start = index
                let name: String
                if character == "\"" || character == "'" { name = quoted() } else { name = word() }
                skipSpace()
                if next == ":" {
                    index += 1
                    members[name] = value(depth: depth + 1)
                } else {
                    _ = skip()
                }
                skipSpace()
                // Never stands still, whatever the text is.
                if next == "," || index == start { index += 1 }
            }
            index += 1
            return .object(members)
        }

        private mutating func array(_ depth: Int) -> ScriptLiteral {
            index += 1
            var elements: [ScriptLiteral] = []
            while true {
                skipSpace()
                guard let character = next, character != "]" else { break }
                let start = index
                elements.append(value(depth: depth + 1))
                skipSpace()
                if next == "," || index == start { index += 1 } else if next != "]" { _ = skip() }
            }
            index += 1
            return .array(elements)
        }

        /// Goes on to the end of what cannot be read.
        private mutating func skip() -> ScriptLiteral {
            var depth = 0
            while let character = next {
                if "\"'`".contains(character) {
                    _ = quoted()
                    continue
                }
                if "([{".contains(character) { depth += 1 }
                if ")]}".contains(character) || (character == "," && depth == 0) {
                    if depth == 0 { break }
                    depth -= 1
                }
                index += 1
            }
            return .other
        }
    }

    private func isComputed(before character: Character) -> Bool { "+-*/%?.([|&=<>`".contains(character) }
}
