extension ConfigurationBundle {
    /// Version of the format; a bundle of another version is refused.
    private static let version: UInt8 = 2

    /// Why bytes are no bundle.
    package enum DecodingFailure: Error, Hashable, Sendable {
        /// Made by another version.
        case version(UInt8)
        /// Cut short, or not a bundle.
        case malformed
    }

    /// The bundle as bytes, for a sealed memory file. O(size of the files).
    package func encode() -> [UInt8] {
        var writer = BundleWriter()
        writer.byte(Self.version)
        for text in [request.path, request.prefix, request.errorLogPath, request.programName] { writer.text(text) }
        writer.optional(request.globals) { $0.text($1) }
        writer.optional(request.defaults) { writer, paths in
            for path in [paths.pid, paths.accessLog, paths.clientBodyTemp, paths.proxyTemp] { writer.text(path) }
        }
        writer.text(facts.hostName)
        writer.byte((facts.isRoot ? 1 : 0) | (facts.isIPv6Available ? 2 : 0))
        writer.number(facts.pageSize)
        writer.number(facts.processorCount)
        writer.number(files.count)
        for file in files {
            writer.text(file.path)
            writer.bytes(file.bytes)
        }
        writer.dictionary(failures) { writer, error in
            writer.number(Int(error.code))
            writer.text(error.text)
        }
        writer.dictionary(globs) { writer, paths in
            writer.number(paths.count)
            for path in paths { writer.text(path) }
        }
        writer.dictionary(resolutions) { writer, resolution in
            switch resolution {
            case .postponed: writer.byte(0)
            case .notFound: writer.byte(1)
            case .addresses(let addresses):
                writer.byte(2)
                writer.number(addresses.count)
                for address in addresses { writer.address(address) }
            }
        }
        return writer.result
    }

    /// Reads what `encode()` wrote.
    /// - Throws: if the bytes are anything else; never traps.
    package init(decoding bytes: [UInt8]) throws(DecodingFailure) {
        var reader = BundleReader(bytes)
        let version = try reader.byte()
        guard version == Self.version else { throw .version(version) }
        var request = ConfigurationRequest(path: try reader.text(), prefix: try reader.text())
        request.errorLogPath = try reader.text()
        request.programName = try reader.text()
        request.globals = try reader.byte() == 0 ? nil : try reader.text()
        if try reader.byte() != 0 {
            request.defaults = DefaultPaths(
                pid: try reader.text(), accessLog: try reader.text(), clientBodyTemp: try reader.text(), proxyTemp: try reader.text())
        }
        self.init(request: request)
        facts.hostName = try reader.text()
        let flags = try reader.byte()
        (facts.isRoot, facts.isIPv6Available) = (flags & 1 != 0, flags & 2 != 0)
        facts.pageSize = try reader.number()
        facts.processorCount = try reader.number()
        guard facts.pageSize >= 512, facts.pageSize <= 1 << 20, facts.processorCount >= 1 else { throw .malformed }
        for _ in 0..<(try reader.count()) {
            files.append(ConfigurationFile(path: try reader.text(), bytes: try reader.bytes()))
        }
        for _ in 0..<(try reader.count()) {
            let key = try reader.text()
            let code = Int32(truncatingIfNeeded: try reader.number())
            failures[key] = ConfigurationReadError(code: code, text: try reader.text())
        }
        for _ in 0..<(try reader.count()) {
            let key = try reader.text()
            var paths: [String] = []
            for _ in 0..<(try reader.count()) { paths.append(try reader.text()) }
            globs[key] = paths
        }
        for _ in 0..<(try reader.count()) {
            let key = try reader.text()
            resolutions[key] = try reader.resolution()
        }
        guard reader.isAtEnd else { throw .malformed }
    }
}

/// Writes numbers in little-endian order and texts with their length before them.
private struct BundleWriter {
    var result: [UInt8] = []

    mutating func byte(_ value: UInt8) { result.append(value) }

    mutating func number(_ value: Int) {
        for shift in stride(from: 0, to: 64, by: 8) { result.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    mutating func bytes(_ value: [UInt8]) {
        number(value.count)
        result += value
    }

    mutating func text(_ value: String) { bytes([UInt8](value.utf8)) }

    mutating func optional<Value>(_ value: Value?, _ body: (inout BundleWriter, Value) -> Void) {
        byte(value == nil ? 0 : 1)
        if let value { body(&self, value) }
    }

    mutating func dictionary<Value>(_ values: [String: Value], _ body: (inout BundleWriter, Value) -> Void) {
        number(values.count)
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            text(key)
            body(&self, value)
        }
    }

    mutating func address(_ address: NetworkAddress) {
        switch address {
        case .ipv4(let value, let port):
            byte(4)
            number(Int(value))
            number(Int(port))
        case .ipv6(let high, let low, let port):
            byte(6)
            number(Int(bitPattern: UInt(high)))
            number(Int(bitPattern: UInt(low)))
            number(Int(port))
        case .unix(let path):
            byte(1)
            bytes(path)
        }
    }
}

/// Reads what a `BundleWriter` wrote; every length is checked against what is left.
private struct BundleReader {
    private let data: [UInt8]
    private var position = 0

    init(_ data: [UInt8]) { self.data = data }

    var isAtEnd: Bool { position == data.count }

    mutating func byte() throws(ConfigurationBundle.DecodingFailure) -> UInt8 {
        guard position < data.count else { throw .malformed }
        position += 1
        return data[position - 1]
    }

    mutating func number() throws(ConfigurationBundle.DecodingFailure) -> Int {
        guard data.count - position >= 8 else { throw .malformed }
        var value: UInt64 = 0
        for index in 0..<8 { value |= UInt64(data[position + index]) << UInt64(8 * index) }
        position += 8
        return Int(truncatingIfNeeded: value)
    }

    /// A number of things that follow, each at least one byte long.
    mutating func count() throws(ConfigurationBundle.DecodingFailure) -> Int {
        let count = try number()
        guard count >= 0, count <= data.count - position else { throw .malformed }
        return count
    }

    mutating func bytes() throws(ConfigurationBundle.DecodingFailure) -> [UInt8] {
        let count = try count()
        position += count
        return [UInt8](data[(position - count)..<position])
    }

    mutating func text() throws(ConfigurationBundle.DecodingFailure) -> String {
        String(decoding: try bytes(), as: UTF8.self)
    }

    mutating func resolution() throws(ConfigurationBundle.DecodingFailure) -> NameResolution {
        switch try byte() {
        case 0: return .postponed
        case 1: return .notFound
        case 2:
            var addresses: [NetworkAddress] = []
            for _ in 0..<(try count()) { addresses.append(try address()) }
            return .addresses(addresses)
        default: throw .malformed
        }
    }

    private mutating func address() throws(ConfigurationBundle.DecodingFailure) -> NetworkAddress {
        switch try byte() {
        case 1: return .unix(try bytes())
        case 4:
            let value = UInt32(truncatingIfNeeded: try number())
            return .ipv4(value, port: UInt16(truncatingIfNeeded: try number()))
        case 6:
            let high = UInt64(UInt(bitPattern: try number()))
            let low = UInt64(UInt(bitPattern: try number()))
            return .ipv6(high: high, low: low, port: UInt16(truncatingIfNeeded: try number()))
        default: throw .malformed
        }
    }
}
