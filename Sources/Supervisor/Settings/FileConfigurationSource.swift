internal import Config
internal import CLinux
internal import Glibc

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
        var kind: UInt32 = 0
        do throws(SystemError) {
            // To open a pipe must not wait for its other end.
            let file = try System.open(path, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
            kind = try System.facts(of: file).kind
            switch kind {
            case S_IFIFO:
                let bytes = try System.readAll(file, bytesMax: Self.pipeBytesMax, patience: Self.pipePatience)
                if !bytes.isEmpty { return bytes }
            // What gives bytes, or waits for them, has no end. `/dev/null` is an empty file.
            case S_IFCHR, S_IFBLK: return try System.readAll(file, bytesMax: 0)
            default: return try System.readAll(file)
            }
        } catch {
            throw Self.explain(error, kind)
        }
        throw .unsuitable("is a pipe into which nobody writes")
    }

    /// For how long a pipe is read, in milliseconds, and most bytes of it: it may have no end.
    private static let pipePatience: UInt64 = 10_000
    private static let pipeBytesMax = 16 << 20

    private static func explain(_ error: SystemError, _ kind: UInt32) -> ConfigurationReadError {
        switch (kind, error.code) {
        case (S_IFIFO, EAGAIN): .unsuitable("is a pipe that has not ended after \(pipePatience / 1000) s")
        case (S_IFIFO, EFBIG): .unsuitable("is a pipe with more than \(pipeBytesMax >> 20) MB in it")
        case (S_IFCHR, _), (S_IFBLK, _): .unsuitable("is a device, not a file")
        default: ConfigurationReadError(code: error.code, text: System.errorText(error.code))
        }
    }

    func glob(pattern: String) -> [String] { System.glob(pattern) }

    func resolve(host: String) -> NameResolution {
        let addresses = System.resolve(host)
        return addresses.isEmpty ? .notFound : .addresses(addresses)
    }
}
