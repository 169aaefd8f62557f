internal import Config
internal import Driver

/// Files in memory: the main file, and one that every include gives.
struct MemorySource: ConfigurationSource {
    var main: [UInt8]
    var included: [UInt8]
    var facts = ConfigurationFacts()

    func read(path: String) throws(ConfigurationReadError) -> [UInt8] {
        if path == "/fuzz/main.conf" { return main }
        if path.hasSuffix("missing") { throw ConfigurationReadError(code: 2, text: "No such file or directory") }
        return included
    }

    func glob(pattern: String) -> [String] { ["/fuzz/a.conf", "/fuzz/b.conf"] }

    func resolve(host: String) -> NameResolution { host.count % 2 == 0 ? .notFound : .postponed }
}

/// Counts groups instead of compiling.
struct CountingChecker: PatternChecker {
    func check(pattern: [UInt8], caseless: Bool) -> Result<PatternInfo, PatternError> {
        let groups = pattern.filter { $0 == 0x28 }.count
        if groups != pattern.filter({ $0 == 0x29 }).count {
            return .failure(PatternError(message: "missing closing parenthesis", offset: pattern.count))
        }
        return .success(PatternInfo(captureCount: groups))
    }
}

/// A configuration: parsing ends, the bundle of what was read gives the same, and a bundle survives its encoding. The
/// first byte chooses between a configuration (a NUL ends the main file, the rest is what includes give) and a bundle.
func configuration(_ input: [UInt8]) -> String? {
    guard let choice = input.first else { return nil }
    let input = Array(input.dropFirst())
    if choice & 1 != 0 {
        guard let bundle = try? ConfigurationBundle(decoding: input) else { return nil }
        _ = Configuration.parse(bundle, patterns: CountingChecker())
        return nil
    }
    let parts = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
    // An included file that includes would be read for ever.
    let included = parts.count > 1 && !String(decoding: parts[1], as: UTF8.self).contains("include") ? parts[1] : []
    let source = MemorySource(main: parts[0], included: included)
    let request = ConfigurationRequest(path: "/fuzz/main.conf", prefix: "/fuzz")
    let outcome = Configuration.parse(request, source: source, patterns: CountingChecker())
    if (outcome.configuration == nil) != outcome.hasErrors { return "no configuration, but no error" }
    guard let bundle = try? ConfigurationBundle(decoding: outcome.bundle.encode()) else { return "a bundle is not read again" }
    if bundle != outcome.bundle { return "a bundle is read as another" }
    let again = Configuration.parse(bundle, patterns: CountingChecker())
    return again.hasErrors == outcome.hasErrors ? nil : "the bundle gives another result"
}

@_cdecl("FuzzConfig_main")
public func start(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    Driver.run("FuzzConfig", count, arguments) { data, count in
        Driver.check(data, count, configuration)
    }
}
