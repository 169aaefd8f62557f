import Glibc
import Machine
import TestKit
import Testing

@testable import Supervisor

@Suite("The keeper of an instance", .blocking)
struct KeeperTests {
    @Test("reports how the app ended", arguments: [
        ("exit 0", InstanceExit.Cause.status(0)), ("exit 3", .status(3)), ("exit 255", .status(255)),
        ("kill -9 $$", .signal(9)), ("kill -15 $$", .signal(15)), ("kill -11 $$", .signal(11)),
    ])
    func exits(script: String, cause: InstanceExit.Cause) throws {
        let keeper = try TestKeeper(shell: script)
        #expect(keeper.waitFor([.started, .exited, .emptied]))
        let state = try #require(keeper.last)
        #expect(state.exit.cause == cause)
        #expect(state.phase == .empty)
        #expect(state.runtimeNanoseconds > 0)
        keeper.channel.send(.forget)
        #expect(keeper.waitForEnd())
        #expect(!System.exists(keeper.directory.path + "/k.sock"))
    }

    @Test("tells of a core dump where the kernel makes one, and only there", arguments: ["unlimited", "0"])
    func core(limit: String) throws {
        let directory = TestDirectory()
        let script = "cd \(directory.path); ulimit -c \(limit); kill -QUIT $$"
        // Here and now: it may be forbidden, and what takes the file may be gone.
        let shell = System.Program(path: "/bin/sh", arguments: ["sh", "-c", script], environment: ["PATH=/usr/bin:/bin"])
        let child = try System.spawn(shell)
        var status: Int32 = 0
        #expect(unsafe waitpid(child, &status, 0) == child)
        let isWritten = status & 0x80 != 0
        let keeper = try TestKeeper(shell: script, directory: directory)
        #expect(keeper.waitFor([.exited, .emptied]))
        guard case .signal(SIGQUIT)? = keeper.last?.exit.cause else {
            // A limit that may not be raised ends the shell.
            #expect(status & 0x7F == 0)
            return
        }
        #expect(keeper.last?.exit.hasCore == isWritten)
        #expect(keeper.last?.exit.words.hasSuffix(" (core dumped)") == isWritten)
    }

    @Test("says at which step and why an app could not be started", arguments: [
        (["/no/such/program"], StartFailure.Step.execute, ENOENT), (["no-such-program"], .execute, ENOENT),
        (["/etc/passwd"], .execute, EACCES), (["/etc"], .execute, EACCES),
    ])
    func execErrors(arguments: [String], step: StartFailure.Step, error: Int32) throws {
        let keeper = try TestKeeper(arguments)
        #expect(keeper.waitFor(.failed))
        #expect(keeper.last?.failure == StartFailure(step: step, errorNumber: error))
        #expect(keeper.last?.phase == .failed)
        keeper.channel.send(.forget)
        #expect(keeper.waitForEnd())
    }

    @Test("a file without a known format is not run by a shell")
    func noShell() throws {
        let directory = TestDirectory()
        let script = directory.file("script", "touch \(directory.path)/ran\n")
        let keeper = try TestKeeper([script], directory: directory)
        #expect(keeper.waitFor(.failed))
        #expect(keeper.last?.failure == StartFailure(step: .execute, errorNumber: ENOEXEC))
        #expect(!System.exists(directory.path + "/ran"))
    }

    @Test("a directory that is not there is the failed step")
    func noDirectory() throws {
        let keeper = try TestKeeper(["/bin/true"]) { $0.directory = "/no/such/directory" }
        #expect(keeper.waitFor(.failed))
        #expect(keeper.last?.failure == StartFailure(step: .directory, errorNumber: ENOENT))
    }

    @Test("a cgroup that is not there is the failed step")
    func noCgroup() throws {
        let keeper = try TestKeeper(["/bin/true"]) { $0.cgroups = ["/no/such/cgroup"] }
        #expect(keeper.waitFor(.failed))
        #expect(keeper.last?.failure == StartFailure(step: .cgroup, errorNumber: ENOENT))
    }

    @Test("a user that cannot be had is the failed step", .enabled(if: System.isRoot, "needs root"))
    func badUser() throws {
        // 4294967295 means "no change" to the kernel; as a group of a process it is refused.
        let keeper = try TestKeeper(["/bin/true"]) {
            $0.identity = KeeperInstructions.Identity(user: 65534, group: 65534, groups: [.max])
        }
        #expect(keeper.waitFor(.failed))
        #expect(keeper.last?.failure.step == .groups)
        #expect(keeper.last?.failure.errorNumber == EINVAL)
    }

    @Test("the app runs as its user, in its directory, with its limits, mask and nothing else", .enabled(
        if: System.isRoot, "needs root"))
    func surroundings() throws {
        let directory = TestDirectory()
        let script = """
            id -u; id -g; id -G; pwd; umask; ulimit -n; env | sort; ls /proc/self/fd | wc -l; cat /proc/self/stat
            grep NoNewPrivs /proc/self/status; cat /proc/self/oom_score_adj
            """
        let keeper = try TestKeeper(shell: script, directory: directory) {
            $0.identity = KeeperInstructions.Identity(user: 65534, group: 65534, groups: [65534, 12])
            $0.directory = "/usr/share"
            $0.creationMask = 0o027
            $0.limits = [KeeperInstructions.Limit(resource: 7, soft: 123, hard: 123)]
            $0.watchdogMicroseconds = 5_000_000
        }
        #expect(keeper.waitFor([.started, .exited, .emptied]))
        let lines = directory.read("app.log").split(separator: "\n").map { line in
            line.split(separator: " ", maxSplits: 3).dropFirst(3).first.map(String.init) ?? ""
        }
        #expect(lines.prefix(6) == ["65534", "65534", "65534 12", "/usr/share", "0027", "123"])
        let names = lines.compactMap { $0.split(separator: "=").first.map(String.init) }
        #expect(lines.contains("COLOUR=blue"))
        #expect(lines.contains("WATCHDOG_USEC=5000000"))
        #expect(lines.contains("WATCHDOG_PID=\(keeper.app)"))
        #expect(names.contains("NOTIFY_SOCKET"))
        #expect(!names.contains("HOME") && !names.contains("SWIFT_BACKTRACE") && !names.contains("LISTEN_FDS"))
        #expect(lines.contains("4"), "0, 1, 2 and the one of ls itself")
        #expect(lines.contains("NoNewPrivs:\t1"))
        // Its own session: the session's number is the app's.
        let stat = lines.first { $0.contains("(cat)") || $0.contains("(sh)") }?.split(separator: " ") ?? []
        #expect(stat.count > 5 && stat[5] == "\(keeper.app)")
        #expect(lines.last == "0", "oom_score_adj of the app is not the keeper's")
    }

    @Test("the app's listeners come as LISTEN_FDS")
    func listeners() throws {
        let directory = TestDirectory()
        let first = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | 0o2000000, 0)
        let second = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | 0o2000000, 0)
        defer {
            close(first)
            close(second)
        }
        let keeper = try TestKeeper(
            ["/bin/sh", "-c", "echo $LISTEN_FDS $LISTEN_FDNAMES $LISTEN_PID $$; ls /proc/$$/fd | tr '\\n' ' '"],
            directory: directory, listeners: [first, second]
        ) { $0.listenerNames = ["http", "admin"] }
        #expect(keeper.waitFor([.exited, .emptied]))
        let log = directory.read("app.log")
        #expect(log.contains("2 http:admin \(keeper.app) \(keeper.app)"))
        #expect(log.contains("0 1 2 3 4 "))
    }
}
