package import Config

/// Checks the regular expressions of a configuration with the engine that runs them. Keeps nothing.
package struct PatternCompiler: PatternChecker {
    package init() {}

    package func check(pattern: [UInt8], caseless: Bool) -> Result<PatternInfo, PatternError> {
        do { return .success(try Pattern.inspect(pattern, options: caseless ? .caseless : [])) } catch { return .failure(error) }
    }
}
