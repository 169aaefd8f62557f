/// The directives of the rewrite module of one server or location, in order.
package struct RewriteProgram: Hashable, Sendable {
    /// In order.
    package var instructions: [RewriteInstruction] = []

    package init() {}

    /// Whether there is nothing to do.
    package var isEmpty: Bool { instructions.isEmpty }
}

/// One directive of the rewrite module.
package indirect enum RewriteInstruction: Hashable, Sendable {
    /// `set $name value;`
    case set(VariableID, Template)
    case rewrite(RewriteRule)
    case `return`(RewriteReturn)
    /// `break`
    case breakOut
    /// `if (…) { }`; `settings` are those of the block inside a location, nil in a server.
    case ifBlock(RewriteCondition, settings: LocationID?, body: [RewriteInstruction])
}

/// `rewrite PATTERN REPLACEMENT [flag];`
package struct RewriteRule: Hashable, Sendable {
    /// What happens after a match.
    package enum Flag: Hashable, Sendable {
        /// Go on with the next directive.
        case none
        case last, breakOut, redirect, permanent
    }
    /// The expression that the URI must match.
    package var pattern: PatternID
    /// The path, or the whole URL of an absolute redirect; without the arguments after `?` of `arguments`.
    package var replacement: Template
    /// Text after the first literal `?` of the replacement; nil: none.
    package var arguments: Template?
    /// Whether a literal `?` stands in the replacement: more arguments of a redirect are then appended by `&`.
    package var hasQuestionMark: Bool
    /// Whether the request's arguments are appended (the replacement did not end in `?`).
    package var appendsRequestArguments: Bool
    package var flag: Flag
    /// The replacement starts with `http://`, `https://` or `$scheme`: always a redirect, 302 unless `permanent`.
    package var isAbsoluteRedirect: Bool
    package var location: SourceLocation

    package init(
        pattern: PatternID, replacement: Template, arguments: Template?, hasQuestionMark: Bool, appendsRequestArguments: Bool, flag: Flag,
        isAbsoluteRedirect: Bool, location: SourceLocation
    ) {
        self.pattern = pattern
        self.replacement = replacement
        self.arguments = arguments
        self.hasQuestionMark = hasQuestionMark
        self.appendsRequestArguments = appendsRequestArguments
        self.flag = flag
        self.isAbsoluteRedirect = isAbsoluteRedirect
        self.location = location
    }
}

/// `return`.
package struct RewriteReturn: Hashable, Sendable {
    /// 0…999; 301, 302, 303, 307, 308 make `text` a Location.
    package var status: Int
    /// Body or URL; nil: none.
    package var text: Template?

    package init(status: Int, text: Template?) {
        self.status = status
        self.text = text
    }
}

/// Condition of `if`.
package enum RewriteCondition: Hashable, Sendable {
    /// `$variable`: neither empty nor `0`.
    case isSet(VariableID)
    case equal(VariableID, Template)
    case notEqual(VariableID, Template)
    case matches(VariableID, PatternID)
    case doesNotMatch(VariableID, PatternID)
    case file(FileTest, Template, isNegated: Bool)

    /// What is asked of a path.
    package enum FileTest: Hashable, Sendable {
        /// `-f`
        case regular
        /// `-d`
        case directory
        /// `-e`
        case exists
        /// `-x`
        case executable
    }
}
