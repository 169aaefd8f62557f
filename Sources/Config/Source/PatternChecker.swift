/// Compiles regular expressions while parsing, to find errors and captures. Implemented by the caller with PCRE2.
package protocol PatternChecker {
    /// Compiles a pattern.
    /// - Parameters:
    ///   - pattern: the text of the expression.
    ///   - caseless: whether ASCII case is ignored.
    func check(pattern: [UInt8], caseless: Bool) -> Result<PatternInfo, PatternError>
}

/// What is known of a compiled expression.
package struct PatternInfo: Hashable, Sendable {
    /// A named group.
    package struct Name: Hashable, Sendable {
        /// Name of the group.
        package var name: String
        /// Number of the group, from 1.
        package var index: Int

        package init(name: String, index: Int) {
            self.name = name
            self.index = index
        }
    }
    /// Number of groups, named ones included.
    package var captureCount: Int
    /// The named groups.
    package var captureNames: [Name]

    package init(captureCount: Int = 0, captureNames: [Name] = []) {
        self.captureCount = captureCount
        self.captureNames = captureNames
    }
}

/// Why an expression does not compile.
package struct PatternError: Error, Hashable, Sendable {
    /// PCRE2's text.
    package var message: String
    /// Offset in the pattern, in bytes.
    package var offset: Int

    package init(message: String, offset: Int) {
        self.message = message
        self.offset = offset
    }
}

/// Index into `Configuration.patterns`.
package struct PatternID: Hashable, Sendable {
    /// Position in the array that it refers to, from 0.
    package var index: Int

    package init(_ index: Int) { self.index = index }
}

/// A regular expression of the configuration. Equal expressions share one entry.
package struct PatternSource: Hashable, Sendable {
    /// The text of the expression.
    package var bytes: [UInt8]
    /// Whether ASCII case is ignored.
    package var caseless: Bool
    /// What the checker said.
    package var info: PatternInfo
    /// Variables that a match sets, with the number of their group.
    package var namedVariables: [NamedVariable]

    /// A named group and the variable that it sets.
    package struct NamedVariable: Hashable, Sendable {
        /// The variable that the group sets.
        package var variable: VariableID
        /// Number of the group, from 1.
        package var capture: Int

        package init(variable: VariableID, capture: Int) {
            self.variable = variable
            self.capture = capture
        }
    }

    package init(bytes: [UInt8], caseless: Bool, info: PatternInfo, namedVariables: [NamedVariable]) {
        self.bytes = bytes
        self.caseless = caseless
        self.info = info
        self.namedVariables = namedVariables
    }
}
