import Foundation

/// A directory of one test, removed with everything in it, and what a supervisor kept elsewhere for it, when the test lets
/// go of it.
public final class TemporaryDirectory: Sendable {
    public let path: String

    /// Makes the directory, readable for everybody so that unprivileged workers can enter it.
    public init() throws {
        var template = Array((NSTemporaryDirectory() + "goodgate-test-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw KitError("mkdtemp: \(errnoText())") }
        path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
        chmod(path, 0o755)
    }

    deinit {
        if ProcessInfo.processInfo.environment["GOODGATE_TEST_KEEP"] == nil {
            try? FileManager.default.removeItem(atPath: path)
            try? FileManager.default.removeItem(atPath: statePath)
        }
    }

    /// Where a supervisor whose pid file is `gateway.pid` in here keeps what outlives it.
    public var statePath: String {
        let hash = (path + "/gateway.pid").utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        return (geteuid() == 0 ? "/run/goodgate/" : "/tmp/goodgate-\(geteuid())/") + String(hash, radix: 16)
    }

    /// Writes a file below the directory, its folders made on the way, and returns its path.
    @discardableResult
    public func write(_ name: String, _ bytes: Bytes) throws -> String {
        let file = path + "/" + name
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        guard FileManager.default.createFile(atPath: file, contents: Data(bytes)) else { throw KitError("cannot write \(file)") }
        return file
    }

    @discardableResult
    public func write(_ name: String, _ text: String) throws -> String { try write(name, Bytes(text)) }

    /// The text of a file, empty when it does not exist.
    public func read(_ name: String) -> String {
        FileManager.default.contents(atPath: path + "/" + name).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
