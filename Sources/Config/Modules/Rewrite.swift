extension DirectiveTableBuilder {
    /// The rewrite module.
    mutating func addRewrite() {
        module = "http_rewrite"
        add("rewrite", .rewriting, .between(2, 3), isRepeatable: true, RewriteHandlers.rewrite)
        add("return", .rewriting, .between(1, 2), isRepeatable: true, RewriteHandlers.return)
        add("break", .rewriting, .exactly(0), isRepeatable: true) { (reader, _) throws(DirectiveError) in
            reader.scope.rewrite.append(.breakOut)
        }
        add("set", .rewriting, .exactly(2), isRepeatable: true) { (reader, directive) throws(DirectiveError) in
            let name = try reader.variableName(directive[1])
            let id = try reader.define(name, as: .set, at: directive.location)
            let value = try reader.template(directive[2], at: directive.location)
            reader.scope.rewrite.append(.set(id, value))
        }
        add("if", [.server, .location], .atLeast(1), isBlock: true, isRepeatable: true, RewriteHandlers.if)
        let anywhere: DirectiveContext = [.http, .server, .serverIf, .location, .locationIf]
        add("rewrite_log", anywhere, .flag, Setter.flag(\.core.logsRewrites))
        add(
            "uninitialized_variable_warn", anywhere, .flag, Setter.flag(\.core.warnsOfUninitializedVariables))
    }
}

/// Handlers of the rewrite module.
enum RewriteHandlers {
    static let rewrite: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        var replacement = directive[2]
        guard !replacement.isEmpty else { throw DirectiveError("empty replacement") }
        let pattern = try reader.pattern(directive[1], caseless: false, at: directive.location)
        let appends = replacement.last != UInt8(ascii: "?")
        if !appends { replacement.removeLast() }
        var flag: RewriteRule.Flag = .none
        if directive.argumentCount == 3 {
            switch directive.text(3) {
            case "last": flag = .last
            case "break": flag = .breakOut
            case "redirect": flag = .redirect
            case "permanent": flag = .permanent
            default: throw directive.invalidParameter(3, known: ["last", "break", "redirect", "permanent"])
            }
        }
        let isAbsolute = beginsWithScheme(replacement)
        // A redirect keeps its arguments in the URL; otherwise they become the arguments of the request.
        let isRedirect = isAbsolute || flag == .redirect || flag == .permanent
        let mark = replacement.firstIndex(of: UInt8(ascii: "?"))
        let path = isRedirect || mark == nil ? replacement[...] : replacement[..<mark!]
        let arguments: Template? =
            if !isRedirect, let mark { try reader.template(replacement[(mark + 1)...], at: directive.location) } else { nil }
        reader.scope.rewrite.append(
            .rewrite(
                RewriteRule(
                    pattern: pattern, replacement: try reader.template(path, at: directive.location),
                    arguments: arguments, hasQuestionMark: mark != nil, appendsRequestArguments: appends, flag: flag,
                    isAbsoluteRedirect: isAbsolute, location: directive.location)))
    }

    private static func beginsWithScheme(_ text: some Collection<UInt8>) -> Bool {
        ["http://", "https://", "$scheme"].contains { text.starts(with: $0.utf8) }
    }

    static let `return`: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        guard let status = ValueParsing.integer(directive[1]) else {
            guard directive.argumentCount == 1, beginsWithScheme(directive[1]) else {
                throw DirectiveError("invalid return code", quoting: directive[1])
            }
            let url = try reader.template(directive[1], at: directive.location)
            reader.scope.rewrite.append(.return(RewriteReturn(status: 302, text: url)))
            return
        }
        guard status <= 999 else { throw DirectiveError("invalid return code", quoting: directive[1]) }
        let text: Template? =
            directive.argumentCount == 2 ? try reader.template(directive[2], at: directive.location) : nil
        reader.scope.rewrite.append(.return(RewriteReturn(status: status, text: text)))
    }

    static let `if`: DirectiveHandler = { (reader, directive) throws(DirectiveError) in
        let condition = try RewriteHandlers.condition(reader, directive)
        let position = reader.scope.rewrite.count
        let isLocation = reader.scope.context == .location
        reader.scope.rewrite.append(.ifBlock(condition, settings: nil, body: []))
        reader.scope.deferred.append { reader in
            let parent = reader.scope
            let child = parent.makeChild(context: isLocation ? .locationIf : .serverIf, location: directive.location)
            if isLocation {
                child.id = reader.allocateSettings()
                reader.readSettings(directive, in: child)
            } else {
                reader.read(directive.children ?? [], in: child)
            }
            parent.rewrite[position] = .ifBlock(
                condition, settings: isLocation ? child.id : nil, body: child.rewrite)
        }
    }

    /// `(…)`, which may stand apart from its parentheses.
    private static func condition(
        _ reader: ConfigurationReader, _ directive: Directive
    ) throws(DirectiveError) -> RewriteCondition {
        var words = Array(directive.arguments)
        guard words[0].first == UInt8(ascii: "(") else { throw invalid(words[0]) }
        if words[0].count == 1 { words.removeFirst() } else { words[0].removeFirst() }
        guard let last = words.last, last.last == UInt8(ascii: ")") else { throw invalid(words.last ?? []) }
        if last.count == 1 { words.removeLast() } else { words[words.count - 1].removeLast() }
        guard let first = words.first else { throw invalid(directive[1]) }
        if first.count > 1, first[0] == UInt8(ascii: "$") {
            return try comparison(reader, words, at: directive.location)
        }
        let isNegated = first.first == UInt8(ascii: "!")
        let test = isNegated ? first.dropFirst() : first[...]
        guard test.count == 2, test.first == UInt8(ascii: "-"), words.count == 2 else { throw invalid(first) }
        let kind: RewriteCondition.FileTest
        switch test.last {
        case UInt8(ascii: "f"): kind = .regular
        case UInt8(ascii: "d"): kind = .directory
        case UInt8(ascii: "e"): kind = .exists
        case UInt8(ascii: "x"): kind = .executable
        default: throw invalid(first)
        }
        return .file(kind, try reader.template(words[1], at: directive.location), isNegated: isNegated)
    }

    private static func comparison(
        _ reader: ConfigurationReader, _ words: [Bytes], at location: SourceLocation
    ) throws(DirectiveError) -> RewriteCondition {
        guard words.count == 1 || words.count == 3 else { throw invalid(words[0]) }
        let variable = reader.variable(words[0].dropFirst(), at: location)
        guard words.count == 3 else { return .isSet(variable) }
        switch String(decoding: words[1], as: UTF8.self) {
        case "=": return .equal(variable, try reader.template(words[2], at: location))
        case "!=": return .notEqual(variable, try reader.template(words[2], at: location))
        case "~": return .matches(variable, try reader.pattern(words[2], caseless: false, at: location))
        case "~*": return .matches(variable, try reader.pattern(words[2], caseless: true, at: location))
        case "!~": return .doesNotMatch(variable, try reader.pattern(words[2], caseless: false, at: location))
        case "!~*": return .doesNotMatch(variable, try reader.pattern(words[2], caseless: true, at: location))
        default:
            throw DirectiveError("unexpected \"\(String(decoding: words[1], as: UTF8.self))\" in condition")
        }
    }

    private static func invalid(_ word: Bytes) -> DirectiveError {
        DirectiveError("invalid condition", quoting: word)
    }
}
