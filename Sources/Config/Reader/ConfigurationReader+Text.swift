extension ConfigurationReader {
    /// Compiles text with variables.
    /// - Throws: nginx's texts about names and brackets.
    func template(_ text: some Collection<UInt8>, at location: SourceLocation) throws(DirectiveError) -> Template {
        let bytes = Bytes(text)
        guard bytes.contains(UInt8(ascii: "$")) else { return Template(literal: bytes) }
        var parts: [Template.Part] = []
        var literal: Bytes = []
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "$") else {
                literal.append(bytes[index])
                index += 1
                continue
            }
            index += 1
            let part = try variablePart(bytes, &index, at: location)
            if !literal.isEmpty { parts.append(.literal(literal)) }
            literal = []
            parts.append(part)
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        return Template(parts: parts)
    }

    /// The name behind a `$`.
    private func variablePart(
        _ bytes: Bytes, _ index: inout Int, at location: SourceLocation
    ) throws(DirectiveError) -> Template.Part {
        guard index < bytes.count else { throw DirectiveError("invalid variable name") }
        if bytes[index] >= UInt8(ascii: "1"), bytes[index] <= UInt8(ascii: "9") {
            index += 1
            return .capture(Int(bytes[index - 1] - UInt8(ascii: "0")))
        }
        let hasBracket = bytes[index] == UInt8(ascii: "{")
        if hasBracket { index += 1 }
        let start = index
        while index < bytes.count, Self.isNameByte(bytes[index]) { index += 1 }
        let name = bytes[start..<index]
        if hasBracket {
            guard index < bytes.count, bytes[index] == UInt8(ascii: "}") else {
                let text = String(decoding: bytes[start..<index], as: UTF8.self)
                throw DirectiveError("the closing bracket in \"\(text)\" variable is missing")
            }
            index += 1
        }
        guard !name.isEmpty else { throw DirectiveError("invalid variable name") }
        return .variable(variable(name, at: location))
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// Compiles a regular expression and declares the variables of its named groups.
    func pattern(
        _ bytes: some Collection<UInt8>, caseless: Bool, at location: SourceLocation
    ) throws(DirectiveError) -> PatternID {
        let key = PatternKey(bytes: Bytes(bytes), caseless: caseless)
        if let known = patternIndices[key] { return known }
        let info: PatternInfo
        switch patternChecker.check(pattern: key.bytes, caseless: caseless) {
        case .success(let result): info = result
        case .failure(let error): throw Self.describe(error, key.bytes)
        }
        var variables: [PatternSource.NamedVariable] = []
        for name in info.captureNames {
            let variable = try define(Bytes(name.name.utf8), as: .namedCapture, at: location)
            variables.append(PatternSource.NamedVariable(variable: variable, capture: name.index))
        }
        let id = PatternID(configuration.patterns.count)
        configuration.patterns.append(
            PatternSource(bytes: key.bytes, caseless: caseless, info: info, namedVariables: variables))
        patternIndices[key] = id
        return id
    }

    private static func describe(_ error: PatternError, _ pattern: Bytes) -> DirectiveError {
        let text = String(decoding: pattern, as: UTF8.self)
        guard error.offset >= 0, error.offset < pattern.count else {
            return DirectiveError("pcre2_compile() failed: \(error.message) in \"\(text)\"")
        }
        let rest = String(decoding: pattern[error.offset...], as: UTF8.self)
        return DirectiveError("pcre2_compile() failed: \(error.message) in \"\(text)\" at \"\(rest)\"")
    }
}
