/// A whole configuration as typed values, after inheritance and all checks.
package struct Configuration: Sendable {
    /// The main context.
    package var main = MainSettings()
    /// nil: no `http` block.
    package var http: HTTPSettings?
    package var variables = VariableTable()
    package var patterns: [PatternSource] = []
    /// Directory of the configuration file, with `/` at its end.
    package var directory: String
    /// `-p`, with `/` at its end.
    package var prefix: String
    /// Files read, in order, each once (`-T`).
    package var files: [ConfigurationFile] = []

    /// The entry of an id.
    package subscript(id: PatternID) -> PatternSource { patterns[id.index] }
    /// The entry of an id.
    package subscript(id: VariableID) -> Variable { variables[id] }
}

/// A file that was read.
package struct ConfigurationFile: Hashable, Sendable {
    /// The path it was read by.
    package var path: String
    /// What stood in it.
    package var bytes: Bytes

    package init(path: String, bytes: Bytes) {
        self.path = path
        self.bytes = bytes
    }
}

/// What the parser is told from the outside.
package struct ConfigurationRequest: Hashable, Sendable {
    /// `-c`; relative to the prefix.
    package var path: String
    /// `-p`; a missing slash at the end is added.
    package var prefix: String
    /// `-g`: directives of the main context; nil: none.
    package var globals: String?
    /// `-e`; the error log when the file names none; relative to the prefix. `stderr` and empty: standard error.
    package var errorLogPath: String
    /// `nginx` or `goodgate`: defaults of `proxy_status` and `error_log_verdict` and paths follow it.
    package var programName: String
    /// nil: below the prefix.
    package var defaults: DefaultPaths?

    package init(
        path: String, prefix: String, globals: String? = nil, errorLogPath: String = "logs/error.log",
        programName: String = "goodgate", defaults: DefaultPaths? = nil
    ) {
        self.path = path
        self.defaults = defaults
        self.prefix = prefix
        self.globals = globals
        self.errorLogPath = errorLogPath
        self.programName = programName
    }
}
