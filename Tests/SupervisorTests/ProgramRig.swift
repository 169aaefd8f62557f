import CLinux
import Foundation
import TestKit
import Testing

/// A directory with the program, a stand-in worker and a configuration, and a running supervisor in it.
final class ProgramRig {
    let directory: String
    /// The program, under the name that was asked for.
    let program: String
    /// For `start`; nil: that of the tests.
    var environment: [String: String]?
    private var process: Process?

    /// - Parameter name: the name the program is started under.
    init(name: String = "nginx") throws {
        directory = "/tmp/goodgate-tests-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let manager = FileManager.default
        try manager.createDirectory(atPath: directory + "/bin", withIntermediateDirectories: true)
        let built = Bundle.main.bundleURL.path
        let products = built.hasSuffix(".xctest") ? (built as NSString).deletingLastPathComponent : Self.productsDirectory
        program = directory + "/bin/" + name
        try Executable.place(products + "/goodgate", at: program)
        try Executable.place(products + "/standin-worker", at: directory + "/bin/goodgate-worker")
    }

    /// Where the build puts programs: beside the test bundle.
    private static var productsDirectory: String {
        for argument in CommandLine.arguments where argument.contains(".xctest") {
            var path = argument as NSString
            while path.pathExtension != "xctest", path.length > 1 { path = path.deletingLastPathComponent as NSString }
            return path.deletingLastPathComponent
        }
        return (CommandLine.arguments[0] as NSString).deletingLastPathComponent
    }

    /// Ends what runs and removes everything.
    func close() {
        if let process, process.isRunning {
            kill(process.processIdentifier, SIGTERM)
            _ = wait { !process.isRunning }
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
        try? FileManager.default.removeItem(atPath: directory)
    }

    func write(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: directory + "/" + name)) }
    func read(_ name: String) -> String { (try? String(contentsOfFile: directory + "/" + name, encoding: .utf8)) ?? "" }
    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: directory + "/" + name) }

    /// A configuration with what every test needs.
    func configure(_ main: String = "", http: String = "") throws {
        try write(
            "nginx.conf",
            """
            pid \(directory)/nginx.pid;
            error_log \(directory)/error.log notice;
            \(main)
            events { }
            http { access_log off; \(http) }
            """)
    }

    struct Finished { var status: Int32; var output: String; var errors: String }

    /// A program that should have ended long ago.
    struct Hang: Error { var arguments: [String] }

    /// Runs the program to its end.
    func run(_ arguments: [String]) throws -> Finished {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        // Files, not pipes: a daemon that kept a pipe would hang the test instead of failing it.
        try write("stdout", "")
        try write("stderr", "")
        process.standardOutput = FileHandle(forWritingAtPath: directory + "/stdout")
        process.standardError = FileHandle(forWritingAtPath: directory + "/stderr")
        try process.run()
        guard wait(until: { !process.isRunning }) else {
            kill(process.processIdentifier, SIGKILL)
            throw Hang(arguments: arguments)
        }
        return Finished(status: process.terminationStatus, output: read("stdout"), errors: read("stderr"))
    }

    var standardArguments: [String] { ["-p", directory + "/", "-c", "nginx.conf", "-e", "error.log"] }

    /// Starts the program in the foreground and waits for its pid file.
    func start(_ arguments: [String]? = nil) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments ?? standardArguments + ["-g", "daemon off;"]
        process.standardError = FileHandle.nullDevice
        if let environment { process.environment = environment }
        try process.run()
        self.process = process
        try #require(wait { exists("nginx.pid") }, "the pid file appears: \(read("error.log"))")
    }

    var processIdentifier: Int32 { process?.processIdentifier ?? -1 }
    var isRunning: Bool { process?.isRunning ?? false }
    var status: Int32? { process.flatMap { $0.isRunning ? nil : $0.terminationStatus } }

    func signal(_ number: Int32, to target: Int32? = nil) { kill(target ?? processIdentifier, number) }

    /// Waits until something is true, half a minute at most.
    func wait(until condition: () -> Bool) -> Bool {
        let end = Date().addingTimeInterval(30)
        while Date() < end {
            if condition() { return true }
            usleep(10_000)
        }
        return condition()
    }

    /// Waits for text in the error log.
    func waitForLog(_ text: String, count: Int = 1) -> Bool {
        wait { read("error.log").components(separatedBy: text).count > count }
    }

    /// What the worker behind an address answers: `worker PID generation N …`; nil when nobody listens.
    func ask(port: UInt16) -> String? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(descriptor) }
        var address = sockaddr_storage()
        let length = unsafe cs_ipv4_address(&address, 0x7F00_0001, port)
        guard unsafe cs_connect(descriptor, &address, length) == 0 else { return nil }
        return readAnswer(descriptor)
    }

    func ask(path: String) -> String? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(descriptor) }
        var address = sockaddr_storage()
        let bytes = Array(path.utf8)
        let length = unsafe cs_unix_address(&address, bytes, bytes.count)
        guard unsafe cs_connect(descriptor, &address, length) == 0 else { return nil }
        return readAnswer(descriptor)
    }

    private func readAnswer(_ descriptor: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = unsafe recv(descriptor, &buffer, 256, 0)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    /// A number that follows a word of an answer.
    static func number(after word: String, in answer: String?) -> Int32? {
        guard let words = answer?.split(whereSeparator: \.isWhitespace), let index = words.firstIndex(of: word[...]),
            index + 1 < words.count
        else { return nil }
        return Int32(words[index + 1])
    }

    /// A TCP port that nobody else gets.
    static func freePort() -> UInt16 { UInt16(Ports.free()) }
}

/// Runs a test with a rig that is cleaned up whatever happens.
func withRig(name: String = "nginx", _ body: (ProgramRig) throws -> Void) throws {
    let rig = try ProgramRig(name: name)
    defer { rig.close() }
    try body(rig)
}
