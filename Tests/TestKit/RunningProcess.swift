import Foundation
import Synchronization

/// A child process in a session and a process group of its own, so that it and everything it starts can be ended together.
///
/// In our session the kernel would wake what a test has stopped: where a process ends and the stopped ones of its group are left to
/// process 1, and process 1 is in the same session, they are sent SIGHUP and SIGCONT.
public final class RunningProcess: Sendable {
    /// How a process ended.
    public enum Ending: Equatable, Sendable {
        case exited(Int32)
        case signalled(Int32)
    }

    public let pid: pid_t
    private let ending = Mutex<Ending?>(nil)

    /// POSIX_SPAWN_SETSID of <spawn.h>, which glibc shows to programs in GNU mode only.
    private static let newSession: Int32 = 0x80

    /// What a process gets that is told nothing else.
    public static let environment = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"]

    /// Starts `path` with standard input from /dev/null and output into the two files.
    public init(_ path: String, _ arguments: [String], directory: String? = nil, environment: [String: String]? = nil,
                output: String = "/dev/null", errors: String = "/dev/null", name: String? = nil) throws {
        Reaper.start()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let create = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, create, 0o644)
        if errors == output {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        } else {
            posix_spawn_file_actions_addopen(&actions, 2, errors, create, 0o644)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t(), all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(Self.newSession | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let variables = environment ?? Self.environment
        // env -C changes the directory and then becomes the program, so the process id stays.
        let program = directory == nil ? path : "/usr/bin/env"
        let words = directory.map { ["env", "-C", $0, path] } ?? [name ?? path]
        var argv = (words + arguments).map { strdup($0) } + [nil]
        var envp = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var child: pid_t = 0
        let failure = posix_spawn(&child, program, &actions, &attributes, &argv, &envp)
        guard failure == 0 else { throw KitError("cannot start \(path): \(String(cString: strerror(failure)))") }
        pid = child
        Reaper.note(child)
    }

    deinit { kill() }

    /// Sends a signal to the process itself (not to its group).
    public func signal(_ number: Int32) {
        if poll() == nil { Glibc.kill(pid, number) }
    }

    /// How the process ended, or nil while it runs.
    public func poll() -> Ending? {
        ending.withLock { ending in
            if ending == nil {
                var status: Int32 = 0
                if waitpid(pid, &status, WNOHANG) == pid {
                    ending = status & 0x7f == 0 ? .exited((status >> 8) & 0xff) : .signalled(status & 0x7f)
                }
            }
            return ending
        }
    }

    /// Waits for the end; nil when it still runs after `seconds`.
    public func wait(seconds: Double) -> Ending? {
        _ = eventually(within: seconds) { poll() != nil }
        return poll()
    }

    /// Ends the whole group at once and reaps the process.
    public func kill() {
        Glibc.kill(-pid, SIGKILL)
        if wait(seconds: 5) != nil { Reaper.crossOut(pid) }
    }

    /// The direct children that live now, in the order of their start.
    public var children: [pid_t] { LiveProcess(pid).children }

    /// What a finished command left.
    public struct Output: Sendable {
        public let ending: Ending?
        public let output: String
        public let errors: String

        /// Exit status 0.
        public var succeeded: Bool { ending == .exited(0) }
        /// The exit status; -1 when a signal or the deadline ended it.
        public var status: Int32 { if case .exited(let status) = ending { status } else { -1 } }
    }

    /// Runs a command to its end. After `seconds` its whole group is killed and `ending` is nil.
    public static func run(_ path: String, _ arguments: [String], directory: String? = nil, environment: [String: String]? = nil,
                           name: String? = nil, seconds: Double = 60) throws -> Output {
        let folder = try TemporaryDirectory()
        let process = try RunningProcess(
            path, arguments, directory: directory, environment: environment,
            output: folder.path + "/out", errors: folder.path + "/err", name: name)
        let ending = process.wait(seconds: seconds)
        process.kill()
        return Output(ending: ending, output: folder.read("out"), errors: folder.read("err"))
    }
}
