/// The answers that a parse got from its source: files, globs, names and facts. Parsing from it gives the same configuration.
package struct ConfigurationBundle: Hashable, Sendable, ConfigurationSource {
    /// What was parsed.
    package var request: ConfigurationRequest
    /// What the machine was like.
    package var facts = ConfigurationFacts()
    /// In the order of reading.
    package var files: [ConfigurationFile] = []
    /// Files that could not be read.
    package var failures: [String: ConfigurationReadError] = [:]
    package var globs: [String: [String]] = [:]
    package var resolutions: [String: NameResolution] = [:]

    package init(request: ConfigurationRequest) { self.request = request }

    /// The recorded bytes of a file.
    package func read(path: String) throws(ConfigurationReadError) -> [UInt8] {
        for file in files where file.path == path { return file.bytes }
        throw failures[path] ?? ConfigurationReadError(code: 2, text: "No such file or directory")
    }

    /// The recorded paths.
    package func glob(pattern: String) -> [String] { globs[pattern] ?? [] }

    /// The recorded answer.
    package func resolve(host: String) -> NameResolution { resolutions[host] ?? .postponed }
}
