/// Where the parser reads files from. The supervisor implements it with system calls, the worker uses a `ConfigurationBundle`.
package protocol ConfigurationSource {
    /// The bytes of a file.
    /// - Throws: `ConfigurationReadError` with errno and its text.
    func read(path: String) throws(ConfigurationReadError) -> [UInt8]

    /// The paths that match a `glob(7)` pattern, in byte order; empty when nothing matches.
    func glob(pattern: String) -> [String]

    /// Addresses of a host name; ports in the answer are ignored.
    func resolve(host: String) -> NameResolution

    /// What the parser wants to know of the machine.
    var facts: ConfigurationFacts { get }
}

extension ConfigurationSource {
    /// By default names stay unresolved.
    package func resolve(host: String) -> NameResolution { .postponed }
}

/// A file that could not be read.
package struct ConfigurationReadError: Error, Hashable, Sendable {
    /// errno; 0: the file is of a kind that is not read.
    package var code: Int32
    /// Its text, e.g. `No such file or directory`; or what it is, e.g. `is a device, not a file`.
    package var text: String

    package init(code: Int32, text: String) {
        self.code = code
        self.text = text
    }

    /// No file that configurations are read from.
    /// - Parameter text: what it is: `is …`.
    package static func unsuitable(_ text: String) -> ConfigurationReadError {
        ConfigurationReadError(code: 0, text: text)
    }
}

/// The answer to a look-up of a host name while parsing.
package enum NameResolution: Hashable, Sendable {
    /// At least one address.
    case addresses([NetworkAddress])
    /// The name does not resolve: `host not found in …`.
    case notFound
    /// Nobody looked; the caller resolves later (`UpstreamServer.resolved` stays empty).
    case postponed
}

/// Facts of the machine that parsing depends on; recorded in the bundle.
package struct ConfigurationFacts: Hashable, Sendable {
    /// Host name as gethostname(2) gives it, for `server_name $hostname` and `$hostname`.
    package var hostName = ""
    /// Whether the effective user is root (`user` warns otherwise).
    package var isRoot = false
    /// Memory page size in bytes; several buffer defaults are multiples of it.
    package var pageSize = 4096
    /// Number of usable processors, for `worker_processes auto` and `instances auto`.
    package var processorCount = 1
    /// Whether the machine has IPv6.
    package var isIPv6Available = true

    package init() {}
}
