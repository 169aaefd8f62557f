internal import Config
internal import Pattern
internal import Wire

/// Compiles the regular expressions of a configuration with PCRE2 to find their errors and groups.
struct RegexChecker: PatternChecker {
    func check(pattern: [UInt8], caseless: Bool) -> Result<PatternInfo, Config.PatternError> {
        do {
            let compiled = try Pattern(ByteView.immortal(pattern), options: caseless ? .caseless : [])
            let names = compiled.names.map { PatternInfo.Name(name: $0.name.string, index: $0.number) }
            return .success(PatternInfo(captureCount: compiled.captureCount, captureNames: names))
        } catch {
            return .failure(Config.PatternError(message: error.message, offset: error.offset))
        }
    }
}
