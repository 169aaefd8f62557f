// The bundle as bytes: how the supervisor hands it to its workers in a sealed memfd. Both ends are of one release, so there is a version
// but no compatibility. The reader trusts nothing: a bundle that is cut or spoilt is an error, never a trap.

/// Why bytes are no bundle.
package enum BundleError: Error, Hashable, Sendable {
    case truncated, malformed, version(UInt8)
}

extension ConfigurationBundle {
    private static let mark: [UInt8] = Array("GGCB".utf8)
    private static let version: UInt8 = 1

    /// The bundle as bytes. O(size of the files).
    package func encode() -> [UInt8] {
        var out = BundleWriter()
        out.bytes = Self.mark + [Self.version]
        for text in [request.path, request.prefix, request.errorLogPath, request.programName, facts.hostName] { out.text(text) }
        out.flag(request.globals != nil)
        out.text(request.globals ?? "")
        out.flag(facts.isRoot)
        out.flag(facts.isIPv6Available)
        out.number(facts.pageSize)
        out.number(facts.processorCount)
        out.number(files.count)
        for file in files {
            out.text(file.path)
            out.block(file.bytes)
        }
        out.number(failures.count)
        for (path, failure) in failures.sorted(by: { $0.key < $1.key }) {
            out.text(path)
            out.number(Int(failure.code))
            out.text(failure.text)
        }
        out.number(globs.count)
        for (pattern, paths) in globs.sorted(by: { $0.key < $1.key }) {
            out.text(pattern)
            out.number(paths.count)
            for path in paths { out.text(path) }
        }
        out.number(resolutions.count)
        for (host, resolution) in resolutions.sorted(by: { $0.key < $1.key }) {
            out.text(host)
            out.resolution(resolution)
        }
        return out.bytes
    }

    /// Reads what `encode` wrote.
    /// - Throws: `BundleError`.
    package init(decoding bytes: [UInt8]) throws(BundleError) {
        var reader = BundleReader(bytes: bytes)
        guard try reader.take(Self.mark.count)[...] == Self.mark[...] else { throw .malformed }
        let version = try reader.byte()
        guard version == Self.version else { throw .version(version) }
        let path = try reader.text()
        let prefix = try reader.text()
        let errorLogPath = try reader.text()
        let programName = try reader.text()
        let hostName = try reader.text()
        let hasGlobals = try reader.flag()
        let globals = try reader.text()
        self.init(
            request: ConfigurationRequest(
                path: path, prefix: prefix, globals: hasGlobals ? globals : nil, errorLogPath: errorLogPath, programName: programName))
        facts.hostName = hostName
        facts.isRoot = try reader.flag()
        facts.isIPv6Available = try reader.flag()
        facts.pageSize = try reader.number()
        facts.processorCount = try reader.number()
        for _ in 0..<(try reader.count()) { files.append(ConfigurationFile(path: try reader.text(), bytes: try reader.block())) }
        for _ in 0..<(try reader.count()) {
            let path = try reader.text()
            let code = Int32(truncatingIfNeeded: try reader.number())
            failures[path] = ConfigurationReadError(code: code, text: try reader.text())
        }
        for _ in 0..<(try reader.count()) {
            let pattern = try reader.text()
            var paths: [String] = []
            for _ in 0..<(try reader.count()) { paths.append(try reader.text()) }
            globs[pattern] = paths
        }
        for _ in 0..<(try reader.count()) {
            let host = try reader.text()
            resolutions[host] = try reader.resolution()
        }
        guard reader.isAtEnd else { throw .malformed }
    }
}

private struct BundleWriter {
    var bytes: [UInt8] = []

    mutating func number(_ value: Int) {
        let wide = UInt64(bitPattern: Int64(value))
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: wide >> (8 * UInt64(shift)))) }
    }

    mutating func flag(_ value: Bool) { bytes.append(value ? 1 : 0) }

    mutating func block(_ value: [UInt8]) {
        number(value.count)
        bytes.append(contentsOf: value)
    }

    mutating func text(_ value: String) { block(Array(value.utf8)) }

    mutating func resolution(_ value: NameResolution) {
        switch value {
        case .notFound: bytes.append(0)
        case .postponed: bytes.append(1)
        case .addresses(let list):
            bytes.append(2)
            number(list.count)
            for address in list { self.address(address) }
        }
    }

    mutating func address(_ value: NetworkAddress) {
        switch value {
        case .ipv4(let address, let port):
            bytes.append(4)
            number(Int(address))
            number(Int(port))
        case .ipv6(let high, let low, let port):
            bytes.append(6)
            number(Int(Int64(bitPattern: high)))
            number(Int(Int64(bitPattern: low)))
            number(Int(port))
        case .unix(let path):
            bytes.append(1)
            block(path)
        }
    }
}

private struct BundleReader {
    let bytes: [UInt8]
    var offset = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func take(_ count: Int) throws(BundleError) -> [UInt8] {
        guard count >= 0, bytes.count - offset >= count else { throw .truncated }
        defer { offset += count }
        return Array(bytes[offset..<(offset + count)])
    }

    mutating func byte() throws(BundleError) -> UInt8 { try take(1)[0] }

    mutating func flag() throws(BundleError) -> Bool {
        let value = try byte()
        guard value <= 1 else { throw .malformed }
        return value == 1
    }

    mutating func number() throws(BundleError) -> Int {
        guard bytes.count - offset >= 8 else { throw .truncated }
        var value: UInt64 = 0
        for index in 0..<8 { value |= UInt64(bytes[offset + index]) << (8 * UInt64(index)) }
        offset += 8
        return Int(Int64(bitPattern: value))
    }

    /// A number of elements; each of them takes at least one byte.
    mutating func count() throws(BundleError) -> Int {
        let value = try number()
        guard value >= 0 else { throw .malformed }
        guard value <= bytes.count - offset else { throw .truncated }
        return value
    }

    mutating func block() throws(BundleError) -> [UInt8] { try take(try number()) }
    mutating func text() throws(BundleError) -> String { String(decoding: try block(), as: UTF8.self) }

    mutating func resolution() throws(BundleError) -> NameResolution {
        switch try byte() {
        case 0: return .notFound
        case 1: return .postponed
        case 2:
            var list: [NetworkAddress] = []
            for _ in 0..<(try count()) { list.append(try address()) }
            return .addresses(list)
        default: throw .malformed
        }
    }

    mutating func address() throws(BundleError) -> NetworkAddress {
        switch try byte() {
        case 4:
            guard let address = UInt32(exactly: try number()), let port = UInt16(exactly: try number()) else { throw .malformed }
            return .ipv4(address, port: port)
        case 6:
            let high = UInt64(bitPattern: Int64(try number()))
            let low = UInt64(bitPattern: Int64(try number()))
            guard let port = UInt16(exactly: try number()) else { throw .malformed }
            return .ipv6(high: high, low: low, port: port)
        case 1: return .unix(try block())
        default: throw .malformed
        }
    }
}
