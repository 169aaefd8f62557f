import Foundation
import Glibc
import Machine
import NIOCore
import NIOPosix

/// The goodgate that the drill runs: a configuration of its own in a folder of its own, on loopback, with the demo app behind it.
///
/// One task uses it.
final class DrillSite: DrillTarget {
    /// Everything it writes.
    let folder: URL
    /// Where it serves.
    let port: Int
    private let programs: URL
    private var supervisor: Process?
    private var logOffset: UInt64 = 0
    private var lastStatus: StatusReport?
    /// How the app gets its socket.
    private var listen = "fd"

    static let workers = 2
    static let instances = 2

    var load: LoadTarget { .demo(port: port) }
    var appName: String { "demo" }

    /// - Parameter programs: folder of the executables.
    init(programs: URL) async throws {
        self.programs = programs
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("goodgate-drill-\(UInt32.random(in: 0 ... .max))")
        for name in ["ledger", "control"] {
            try FileManager.default.createDirectory(
                at: folder.appendingPathComponent(name), withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        // A worker of root's is somebody else, and has to get to its temporary files.
        try FileManager.default.setAttributes([.posixPermissions: 0o711], ofItemAtPath: folder.path)
        port = try await Self.freePort()
        try writeConfiguration()
    }

    var client: ControlClient { ControlClient(path: folder.path + "/control/control.sock") }
    /// What the next starts of the app are to suffer; see `DemoAppBoot`.
    var bootFile: URL { folder.appendingPathComponent("boot") }

    /// What runs as the demo app.
    var appProgram: String { programs.path + "/goodgate-control" }

    /// Its program and arguments.
    var appCommand: String { "\(appProgram) demo-app --ledger \(folder.path)/ledger --boot \(bootFile.path) --backlog 32" }

    private var configuration: String {
        """
        # Written by goodgate drill.
        worker_processes \(Self.workers);
        pid goodgate.pid;
        error_log error.log notice;
        control unix:\(folder.path)/control/control.sock;
        events { worker_connections 2048; }
        app demo {
            command \(appCommand);
            instances \(Self.instances);
            listen \(listen);
            health uri=/health interval=200ms timeout=500ms fails=2;
            start_timeout 10s;
            stop_timeout 5s;
            restart always backoff=50ms..2s;
            memory_max 256m;\(geteuid() == 0 ? "\n    user root;" : "")
        }
        http {
            log_format drill '\(AccessLine.format)';
            access_log access.log drill;
            client_body_temp_path body;
            proxy_temp_path proxied;
            upstream demo {
                app demo;
                keepalive 64;
                queue 1000 timeout=30s;
            }
            server {
                listen 127.0.0.1:\(port);
                location / {
                    proxy_pass http://demo;
                    proxy_http_version 1.1;
                    proxy_set_header Connection "";
                    proxy_connect_timeout 1s;
                    proxy_read_timeout 5s;
                }
            }
        }

        """
    }

    private func writeConfiguration() throws {
        try configuration.write(to: folder.appendingPathComponent("goodgate.conf"), atomically: true, encoding: .utf8)
    }

    /// Changes the app's block as a fault needs it: a reload, which replaces all instances.
    func prepare(_ fault: DrillFault) async throws {
        guard fault.listen != listen else { return }
        listen = fault.listen
        try writeConfiguration()
        guard let process = supervisorProcess else { throw ClientError("there is no pid file") }
        let before = Set(await readyInstances().compactMap(\.process))
        _ = kill(process, SIGHUP)
        guard await recovered(without: before) != nil else {
            throw ClientError("a reload with \"listen \(listen)\" did not end within 30 s; see \(folder.path)/error.log")
        }
    }

    private static func freePort() async throws -> Int {
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup).bind(host: "127.0.0.1", port: 0).get()
        guard let port = channel.localAddress?.port else { throw ClientError("no free port on 127.0.0.1") }
        try await channel.close()
        return port
    }
}

// MARK: - Its life

extension DrillSite {
    /// Starts a supervisor: the first, or the one after a killed one.
    func start() throws {
        let process = Process()
        process.executableURL = programs.appendingPathComponent("goodgate")
        process.arguments = ["-p", folder.path + "/", "-c", "goodgate.conf", "-e", "error.log", "-g", "daemon off;"]
        process.environment = environment.merging(["STATE_DIRECTORY": folder.path + "/state"]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        supervisor = process
    }

    private var environment: [String: String] { ProcessInfo.processInfo.environment }
    private var pidFile: String { folder.path + "/goodgate.pid" }

    /// What the supervisor keeps outside of the folder, for the next one: here there is none.
    private var statePath: String {
        StatePath.standard(for: pidFile, user: geteuid(), runtimeDirectory: environment["XDG_RUNTIME_DIR"] ?? "")
    }

    /// The supervisor by its pid file: an upgrade has put another in place.
    var supervisorProcess: Int32? {
        let text = try? String(contentsOfFile: pidFile, encoding: .utf8)
        return text.flatMap { Int32($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// Ends everything, and removes its state, and the folder unless it is to be kept.
    func stop(keepsFolder: Bool) async {
        if let process = supervisorProcess {
            _ = kill(process, SIGTERM)
            // Also when the drill was interrupted, which ends each sleep of a task.
            for _ in 0..<200 where kill(process, 0) == 0 { usleep(50_000) }
            _ = kill(process, SIGKILL)
        }
        // Only a supervisor that is gone leaves any of these.
        let workers = lastStatus?.workers.compactMap(\.process) ?? []
        let instances = lastStatus?.apps.flatMap(\.instances).compactMap(\.process) ?? []
        for process in workers + instances where isOurs(process) { _ = kill(process, SIGKILL) }
        try? FileManager.default.removeItem(atPath: statePath)
        if !keepsFolder { try? FileManager.default.removeItem(at: folder) }
    }

    /// Whether a process is one of this site's: numbers are used again.
    private func isOurs(_ process: Int32) -> Bool {
        let text = FileManager.default.contents(atPath: "/proc/\(process)/cmdline").map { String(decoding: $0, as: UTF8.self) }
        return text?.contains(folder.path) == true || text?.contains("goodgate: worker") == true
    }

    /// Runs a command of goodgate against this site.
    /// - Returns: its exit status, and what it printed.
    func command(_ arguments: [String]) async throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = programs.appendingPathComponent("goodgate")
        process.arguments = arguments + ["--control", client.path]
        let pipe = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        let status = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        return (status, String(decoding: output, as: UTF8.self))
    }
}

// MARK: - What it says

extension DrillSite {
    /// nil: nobody answers now.
    func status() async -> StatusReport? {
        guard let status = try? await client.get(StatusReport.self, "/v1/status") else { return nil }
        lastStatus = status
        return status
    }

    func isWhole(_ status: StatusReport, without gone: Set<Int32>) -> Bool {
        isWhole(status, without: gone, workers: Self.workers, instances: Self.instances)
    }

    /// What the access log has got since the last call, by request.
    func newLogLines() -> [Substring: AccessLine]? {
        guard let file = try? FileHandle(forReadingFrom: folder.appendingPathComponent("access.log")),
            (try? file.seek(toOffset: logOffset)) != nil, let data = try? file.readToEnd()
        else { return [:] }
        logOffset += UInt64(data.count)
        return String(decoding: data, as: UTF8.self).split(separator: "\n").reduce(into: [:]) { lines, text in
            if let line = AccessLine(text) { lines[line.id] = line }
        }
    }

    /// How often each POST was executed, by all processes together.
    func executedPosts() -> [Substring: Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/ledger")) ?? []
        return names.reduce(into: [:]) { counts, name in
            guard let text = try? String(contentsOfFile: folder.path + "/ledger/" + name, encoding: .utf8) else { return }
            for id in text.split(separator: "\n") { counts[id, default: 0] += 1 }
        }
    }
}
