package import Config
internal import Wire

/// Checks the regular expressions of a configuration with the engine that runs them. Each check compiles anew, and what is
/// compiled is never freed.
package struct PatternCompiler: PatternChecker {
    package init() {}

    package func check(pattern: [UInt8], caseless: Bool) -> Result<PatternInfo, PatternError> {
        do {
            let compiled = try Pattern(ByteView.immortal(pattern), options: caseless ? .caseless : [])
            let names = compiled.names.map { PatternInfo.Name(name: $0.name.string, index: $0.number) }
            return .success(PatternInfo(captureCount: compiled.captureCount, captureNames: names))
        } catch {
            return .failure(error)
        }
    }
}
