import Foundation
import Testing

/// The real program under test, started with a configuration in a directory of its own.
///
/// By default that is the `goodgate` beside the test bundle. With GOODGATE_TEST_BINARY=/usr/sbin/nginx the same tests run
/// against nginx, which is how we know that they describe nginx's behaviour and not our idea of it.
public final class GatewayProcess: Sendable {
    public let directory: TemporaryDirectory
    public let process: RunningProcess

    /// Our own program, whatever is tested.
    public static var goodgate: String { products + "/goodgate" }

    /// The binary that tests start.
    public static let binary: String = ProcessInfo.processInfo.environment["GOODGATE_TEST_BINARY"] ?? goodgate

    /// Where the build put the executables.
    public static let products: String = {
        let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (executable as NSString).deletingLastPathComponent
    }()

    /// Whether the tests run against Goodgate itself, and not against the reference.
    public static let isGoodgate = !(binary as NSString).lastPathComponent.hasPrefix("nginx")

    /// The configuration file's name below `directory`.
    public static let configurationName = "gateway.conf"

    /// Starts with the inside of an `http` block and waits until it serves.
    public convenience init(http: String, main: String = "", events: String = "", workers: Int = 1,
                            directory: TemporaryDirectory? = nil, environment: [String: String] = [:]) throws {
        let directory = try directory ?? TemporaryDirectory()
        try self.init(configuration: GatewayProcess.configuration(http: http, main: main, events: events, workers: workers),
                      directory: directory, environment: environment)
    }

    /// Starts with a whole configuration text; it must say `daemon off` and `pid gateway.pid`.
    /// - Parameter environment: what it gets besides the usual variables.
    public init(configuration: String, directory: TemporaryDirectory? = nil, arguments: [String] = [],
                environment: [String: String] = [:]) throws {
        self.directory = try directory ?? TemporaryDirectory()
        let path = self.directory.path
        try self.directory.write(GatewayProcess.configurationName, configuration)
        process = try RunningProcess(
            GatewayProcess.binary, GatewayProcess.arguments(path) + arguments,
            environment: RunningProcess.environment.merging(["STATE_DIRECTORY": path + "/state"]) { $1 }.merging(environment) { $1 },
            output: path + "/stdout", errors: path + "/stderr")
        let isUp = eventually { pid != nil || process.poll() != nil }
        guard isUp, process.poll() == nil else {
            throw KitError("did not start (\(String(describing: process.poll()))): \(standardError)\n\(errorLog)")
        }
    }

    /// The options that every test passes: prefix, configuration and first error log.
    public static func arguments(_ path: String) -> [String] { ["-p", path + "/", "-c", configurationName, "-e", "error.log"] }

    /// A whole configuration around the inside of an `http` block: foreground, logs and temporary files in the prefix.
    public static func configuration(http: String, main: String = "", events: String = "", workers: Int = 1) -> String {
        let others = isGoodgate ? "" : ["fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \($0)_temp;" }.joined(separator: " ")
        return """
            daemon off; pid gateway.pid; error_log error.log info; worker_processes \(workers);
            \(main)
            events { \(events) }
            http {
            access_log access.log; client_body_temp_path body_temp; proxy_temp_path proxy_temp; \(others)
            \(http)
            }

            """
    }

    /// Replaces the configuration file; nothing is told to the process.
    public func rewrite(http: String, main: String = "", workers: Int = 1) throws {
        try directory.write(
            GatewayProcess.configurationName, GatewayProcess.configuration(http: http, main: main, workers: workers))
    }

    /// What the pid file says, nil while it does not exist.
    public var pid: pid_t? {
        pid_t(directory.read("gateway.pid").trimmingCharacters(in: .whitespacesAndNewlines))
    }

    public var errorLog: String { directory.read("error.log") }
    public var accessLog: String { directory.read("access.log") }
    public var standardError: String { directory.read("stderr") }

    /// The lines of the access log, waited for until there are at least `count`.
    public func accessLines(_ count: Int, seconds: Double = 30) -> [String] {
        func lines() -> [String] { accessLog.split(separator: "\n").map(String.init) }
        _ = eventually(within: seconds) { lines().count >= count }
        return lines()
    }

    /// Waits until the error log holds `text`.
    public func waitForError(_ text: String, seconds: Double = 30) -> Bool {
        eventually(within: seconds) { errorLog.contains(text) }
    }

    /// The worker processes that live now.
    public var workers: [pid_t] { process.children.filter { LiveProcess($0).commandLine.contains("worker") } }

    public func signal(_ number: Int32) { process.signal(number) }

    /// Ends the program, kills its group when that takes longer than `seconds`, and records an issue when it did not end
    /// with status 0 or left an alert, an emergency or a critical line in its error log.
    @discardableResult
    public func stop(_ number: Int32 = SIGTERM, seconds: Double = 20, allowing allowed: [String] = []) -> RunningProcess.Ending? {
        signal(number)
        let ending = process.wait(seconds: seconds)
        process.kill()
        if ending != .exited(0) { Issue.record("ended with \(String(describing: ending)): \(standardError)\(errorLog)") }
        for line in errorLog.split(separator: "\n") {
            let isGrave = ["[alert]", "[emerg]", "[crit]"].contains { line.contains($0) }
            if isGrave && !allowed.contains(where: { line.contains($0) }) { Issue.record("in the error log: \(line)") }
        }
        return ending
    }
}
