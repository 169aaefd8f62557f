internal import Config

/// What must hold for any input of the configuration's parser; the fuzz target and the replay of its corpus share it.
package enum ConfigurationProperty {
    /// Parsing ends, the bundle of what was read gives the same, and a bundle survives its encoding.
    ///
    /// The first byte chooses between a configuration (a NUL ends the main file, the rest is what includes give) and a bundle.
    /// - Returns: what does not hold, or nil.
    package static func check(_ input: [UInt8]) -> String? {
        guard let choice = input.first else { return nil }
        let input = Array(input.dropFirst())
        return choice & 1 == 0 ? configuration(input) : bundle(input)
    }

    private static func configuration(_ input: [UInt8]) -> String? {
        let parts = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
        // An included file that includes would be read for ever.
        let included = parts.count > 1 && !String(decoding: parts[1], as: UTF8.self).contains("include") ? parts[1] : []
        let source = TwoFiles(main: parts[0], included: included)
        let request = ConfigurationRequest(path: TwoFiles.mainPath, prefix: "/fuzz")
        let outcome = Configuration.parse(request, source: source, patterns: GroupCounter())
        if (outcome.configuration == nil) != outcome.hasErrors { return "no configuration, but no error" }
        guard let bundle = try? ConfigurationBundle(decoding: outcome.bundle.encode()) else { return "a bundle is not read again" }
        if bundle != outcome.bundle { return "a bundle is read as another" }
        let again = Configuration.parse(bundle, patterns: GroupCounter())
        return again.diagnostics == outcome.diagnostics ? nil : "the bundle gives another result"
    }

    private static func bundle(_ input: [UInt8]) -> String? {
        guard let bundle = try? ConfigurationBundle(decoding: input) else { return nil }
        let outcome = Configuration.parse(bundle, patterns: GroupCounter())
        return (outcome.configuration == nil) == outcome.hasErrors ? nil : "no configuration, but no error"
    }
}

/// Files in memory: the main file, and one that every include gives.
private struct TwoFiles: ConfigurationSource {
    static let mainPath = "/fuzz/main.conf"
    var main: [UInt8]
    var included: [UInt8]
    var facts = ConfigurationFacts()

    func read(path: String) throws(ConfigurationReadError) -> [UInt8] {
        if path == Self.mainPath { return main }
        if path.hasSuffix("missing") { throw ConfigurationReadError(code: 2, text: "No such file or directory") }
        return included
    }

    func glob(pattern: String) -> [String] { ["/fuzz/a.conf", "/fuzz/b.conf"] }

    func resolve(host: String) -> NameResolution { host.count % 2 == 0 ? .notFound : .postponed }
}
