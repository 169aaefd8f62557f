internal import Config
internal import CLinux

/// Reads configuration files from the machine.
struct FileConfigurationSource: ConfigurationSource {
    let facts: ConfigurationFacts

    init() {
        var facts = ConfigurationFacts()
        facts.hostName = System.hostName
        facts.isRoot = System.isRoot
        facts.pageSize = System.pageSize
        facts.processorCount = System.processorCount
        facts.isIPv6Available = (try? System.streamSocket(for: .ipv6(high: 0, low: 0, port: 0))) != nil
        self.facts = facts
    }

    func read(path: String) throws(ConfigurationReadError) -> [UInt8] {
        do throws(SystemError) {
            return try System.readFile(path)
        } catch {
            throw ConfigurationReadError(code: error.code, text: System.errorText(error.code))
        }
    }

    func glob(pattern: String) -> [String] { System.glob(pattern) }

    func resolve(host: String) -> NameResolution {
        let addresses = System.resolve(host)
        return addresses.isEmpty ? .notFound : .addresses(addresses)
    }
}
