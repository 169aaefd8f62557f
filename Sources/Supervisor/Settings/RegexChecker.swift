internal import Config
internal import Pattern

/// Remembers what `PatternCompiler` said. A compiled expression is never freed, so each is compiled once in the life of the
/// supervisor, however often the configuration is read.
final class RegexChecker: PatternChecker {
    private struct Expression: Hashable {
        var pattern: [UInt8]
        var caseless: Bool
    }

    private var known: [Expression: Result<PatternInfo, PatternError>] = [:]

    func check(pattern: [UInt8], caseless: Bool) -> Result<PatternInfo, PatternError> {
        let expression = Expression(pattern: pattern, caseless: caseless)
        if let result = known[expression] { return result }
        let result = PatternCompiler().check(pattern: pattern, caseless: caseless)
        known[expression] = result
        return result
    }
}
