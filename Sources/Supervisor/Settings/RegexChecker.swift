internal import Config
internal import Pattern
internal import Wire

/// Compiles the regular expressions of a configuration with PCRE2 to find their errors and groups.
///
/// A compiled expression is never freed, so each is compiled once in the life of the supervisor, however often the configuration is read.
final class RegexChecker: PatternChecker {
    private struct Expression: Hashable {
        var pattern: [UInt8]
        var caseless: Bool
    }

    private var known: [Expression: Result<PatternInfo, Config.PatternError>] = [:]

    func check(pattern: [UInt8], caseless: Bool) -> Result<PatternInfo, Config.PatternError> {
        let expression = Expression(pattern: pattern, caseless: caseless)
        if let result = known[expression] { return result }
        let result = compile(expression)
        known[expression] = result
        return result
    }

    private func compile(_ expression: Expression) -> Result<PatternInfo, Config.PatternError> {
        do {
            let compiled = try Pattern(ByteView.immortal(expression.pattern), options: expression.caseless ? .caseless : [])
            let names = compiled.names.map { PatternInfo.Name(name: $0.name.string, index: $0.number) }
            return .success(PatternInfo(captureCount: compiled.captureCount, captureNames: names))
        } catch {
            return .failure(Config.PatternError(message: error.message, offset: error.offset))
        }
    }
}
