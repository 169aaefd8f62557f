import Config
import Pattern
import Wire

/// The regular expressions of a configuration are checked again in the worker, with the same engine.
struct PatternCompiler: PatternChecker {
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
