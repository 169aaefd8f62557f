import Glibc
import Machine
import struct TestKit.LiveProcess
import TestKit
import Testing

@testable import Supervisor

@Suite("Ending an instance", .blocking)
struct KeeperStopTests {
    /// Waits until the app wrote its process identifiers to a file, one a line.
    private func processes(_ directory: TestDirectory, _ count: Int) -> [Int32] {
        var found: [Int32] = []
        _ = eventually {
            found = directory.read("pids").split(separator: "\n").compactMap { Int32($0) }
            return found.count >= count
        }
        return found
    }

    /// A keeper whose app does something at a signal, when the app is ready to.
    private func trapping(
        _ action: String, _ signal: String, _ change: (inout KeeperInstructions) -> Void = { _ in }
    ) throws -> TestKeeper {
        let directory = TestDirectory()
        let keeper = try TestKeeper(
            shell: "trap '\(action)' \(signal); echo $$ > \(directory.path)/pids; while :; do sleep 0.05; done", directory: directory,
            change)
        #expect(keeper.waitFor(.started))
        #expect(processes(directory, 1).count == 1)
        return keeper
    }

    @Test("a stop signal that is obeyed ends it at once")
    func obeys() throws {
        let keeper = try trapping("exit 7", "TERM")
        keeper.channel.send(.stop(signal: SIGTERM, killAfterMilliseconds: 10_000))
        #expect(keeper.waitFor([.exited, .emptied]))
        #expect(keeper.last?.exit.cause == .status(7))
    }

    @Test("a stopped process gets its stop signal, too")
    func stopped() throws {
        let keeper = try trapping("exit 7", "TERM")
        let process = try #require(keeper.last?.appProcess)
        kill(process, SIGSTOP)
        keeper.channel.send(.stop(signal: SIGTERM, killAfterMilliseconds: 10_000))
        #expect(keeper.waitFor([.exited, .emptied]))
        #expect(keeper.last?.exit.cause == .status(7))
    }

    @Test("a stop signal that is ignored is followed by KILL after its time, and not before")
    func ignores() throws {
        let directory = TestDirectory()
        let keeper = try TestKeeper(
            shell: "trap '' TERM; echo $$ > \(directory.path)/pids; while :; do sleep 0.05; done", directory: directory)
        #expect(keeper.waitFor(.started))
        _ = processes(directory, 1)
        let start = System.now
        keeper.channel.send(.stop(signal: SIGTERM, killAfterMilliseconds: 400))
        #expect(keeper.waitFor([.exited, .emptied]))
        #expect(keeper.last?.exit.cause == .signal(SIGKILL))
        #expect((380..<20_000).contains(System.now - start))
    }

    @Test("grandchildren go too, also those in a session of their own")
    func grandchildren() throws {
        let directory = TestDirectory()
        let script = """
            trap '' TERM
            (trap '' TERM; echo $$ ; exec sh -c 'echo $$ >> \(directory.path)/pids; exec sleep 600') &
            setsid sh -c 'trap "" TERM; echo $$ >> \(directory.path)/pids; while :; do sleep 600; done' &
            (setsid sh -c '(sh -c "echo \\$\\$ >> \(directory.path)/pids; exec sleep 600" &) ; exit 0')
            echo $$ >> \(directory.path)/pids; while :; do sleep 0.1; done
            """
        let keeper = try TestKeeper(shell: script, directory: directory)
        let all = processes(directory, 4)
        #expect(all.count == 4)
        keeper.channel.send(.stop(signal: SIGTERM, killAfterMilliseconds: 200))
        #expect(keeper.waitFor([.exited, .emptied]))
        for process in all { #expect(!TestKeeper.exists(process), "\(process) still lives") }
    }

    @Test("an app that forks away is reported, and what it left is killed")
    func forksAway() throws {
        let directory = TestDirectory()
        let keeper = try TestKeeper(
            shell: "setsid sh -c 'echo $$ > \(directory.path)/pids; exec sleep 600' & "
                + "while [ ! -s \(directory.path)/pids ]; do sleep 0.02; done; exit 0", directory: directory)
        #expect(keeper.waitFor([.exited, .emptied]))
        #expect(keeper.last?.exit.cause == .status(0))
        #expect(keeper.last?.processesLeft == 1)
        for process in processes(directory, 1) { #expect(!TestKeeper.exists(process)) }
    }

    @Test("during a stop the rest of the group may finish its work")
    func restFinishes() throws {
        let directory = TestDirectory()
        // The shell dies of TERM at once; its child takes the signal, works on, and ends by itself.
        let keeper = try TestKeeper(
            shell: "sh -c 'trap \"sleep 0.3; echo done > \(directory.path)/done; exit 0\" TERM; "
                + "echo $$ > \(directory.path)/pids; while :; do sleep 0.02; done' & wait", directory: directory)
        _ = processes(directory, 1)
        usleep(50_000)
        keeper.channel.send(.stop(signal: SIGTERM, killAfterMilliseconds: 8000))
        #expect(keeper.waitFor([.exited, .emptied]))
        #expect(directory.read("done") == "done\n")
    }

    @Test("no zombie is left of short-lived grandchildren")
    func noZombies() throws {
        let keeper = try TestKeeper(shell: "for i in 1 2 3 4 5 6 7 8; do (setsid sh -c 'exit 3' &) ; done; n=0; "
            + "until [ \"$(ps --ppid $PPID -o stat= | grep -c Z)\" = 0 ] || [ $n = 100 ]; do n=$((n+1)); sleep 0.1; done; "
            + "ps --ppid $PPID -o stat= | grep -c Z; true")
        #expect(keeper.waitFor([.exited, .emptied]))
        #expect(keeper.directory.read("app.log").contains("out 0"))
    }

    @Test("when the keeper is killed, the app goes with it")
    func keeperKilled() throws {
        let keeper = try TestKeeper(["/bin/sleep", "600"])
        #expect(keeper.waitFor(.started))
        let app = keeper.app
        kill(keeper.process, SIGKILL)
        #expect(keeper.wait { $0.isClosed })
        #expect(eventually { !LiveProcess(app).isAlive })
    }

    @Test("TERM to the keeper stops the app in its own way")
    func keeperTerminated() throws {
        let keeper = try trapping("exit 5", "INT") { $0.stopSignal = SIGINT }
        kill(keeper.process, SIGTERM)
        #expect(keeper.waitFor([.exited, .emptied]))
        #expect(keeper.last?.exit.cause == .status(5))
    }

    @Test("an OOM kill in its cgroup is seen", .enabled(if: OwnCgroup.isWritable, "needs root and a v1 memory cgroup"))
    func outOfMemory() throws {
        let cgroup = try #require(OwnCgroup.make(limit: 32 << 20))
        let keeper = try TestKeeper(["/usr/bin/python3", "-c", "x = bytearray(200 << 20); print(len(x))"]) {
            $0.cgroups = [cgroup]
        }
        #expect(keeper.waitFor([.exited, .emptied], seconds: 20))
        #expect(keeper.last?.exit.cause == .signal(SIGKILL))
        #expect(keeper.last?.outOfMemoryKills == 1)
        #expect(keeper.last?.exit.isClean == false)
        #expect(!System.exists(cgroup), "the keeper removes the cgroup of its instance")
    }

    @Test("the cgroup of an app that could not be executed is removed, however soon the keeper is let go", .enabled(
        if: OwnCgroup.isWritable, "needs root and a v1 memory cgroup"))
    func failedStart() throws {
        var left: [String] = []
        for _ in 0..<150 {
            let cgroup = try #require(OwnCgroup.make(limit: 32 << 20))
            let keeper = try TestKeeper(["/no/such/program"]) { $0.cgroups = [cgroup] }
            #expect(keeper.wait { $0.changes.contains(.failed) })
            keeper.channel.send(.forget)
            #expect(keeper.waitForEnd())
            if System.exists(cgroup) { left.append(cgroup) }
        }
        #expect(left == [])
        for cgroup in left { _ = System.removeDirectory(cgroup) }
    }

    @Test("a version 2 cgroup is joined, killed as a whole and removed", .enabled(
        if: OwnCgroup.unified != nil, "needs root and cgroup v2"))
    func unifiedCgroup() throws {
        let cgroup = try #require(OwnCgroup.unified) + "/goodgate-test-\(System.process)"
        unsafe mkdir(cgroup, 0o755)
        let keeper = try TestKeeper(shell: "grep ^0: /proc/self/cgroup; exec sleep 600") { $0.cgroups = [cgroup] }
        #expect(keeper.waitFor(.started))
        let name = cgroup.split(separator: "/").last ?? "?"
        #expect(eventually { keeper.directory.read("app.log").contains(name) })
        // A stranger that somehow came into the group goes, too.
        let stranger = unsafe popen("echo $$ > '\(cgroup)/cgroup.procs'; exec sleep 600", "r")
        #expect(eventually { System.text(cgroup + "/cgroup.procs").split(separator: "\n").count == 2 })
        keeper.channel.send(.kill)
        #expect(keeper.waitFor([.exited, .emptied]))
        _ = unsafe pclose(stranger)
        #expect(eventually { CgroupTree.killAndRemove([cgroup]) })
    }

    @Test("the members of the cgroup are killed", .enabled(if: OwnCgroup.isWritable, "needs root and a v1 cgroup"))
    func cgroupMembers() throws {
        let cgroup = try #require(OwnCgroup.make(limit: 64 << 20))
        let keeper = try TestKeeper(shell: "cat /proc/self/cgroup | grep memory; exec sleep 600") { $0.cgroups = [cgroup] }
        #expect(keeper.waitFor(.started))
        #expect(eventually { keeper.directory.read("app.log").contains(cgroup.split(separator: "/").last ?? "?") })
        keeper.channel.send(.kill)
        #expect(keeper.waitFor([.exited, .emptied]))
        #expect(!System.exists(cgroup))
    }
}

/// A memory cgroup of version 1 below the test's own, where that is possible.
enum OwnCgroup {
    static let parent: String? = {
        let text = String(decoding: (try? System.readFile("/proc/self/cgroup")) ?? [], as: UTF8.self)
        for line in text.split(separator: "\n") where line.contains(":memory:") {
            let path = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)[2]
            return "/sys/fs/cgroup/memory" + path
        }
        return nil
    }()

    /// The root of version 2, where children can be made.
    static let unified: String? = {
        for path in ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"] where System.exists(path + "/cgroup.controllers") {
            let probe = path + "/goodgate-probe"
            if unsafe mkdir(probe, 0o755) == 0 {
                _ = unsafe rmdir(probe)
                return path
            }
        }
        return nil
    }()

    static let isWritable: Bool = {
        guard let path = make(limit: 16 << 20) else { return false }
        return unsafe rmdir(path) == 0
    }()

    static func make(limit: Int) -> String? {
        guard let parent else { return nil }
        var random = SystemRandomNumberGenerator()
        let path = "\(parent)/goodgate-test-\(random.next() as UInt32)"
        guard unsafe mkdir(path, 0o755) == 0 else { return nil }
        let fd = unsafe open(path + "/memory.limit_in_bytes", O_WRONLY)
        defer { close(fd) }
        return (try? System.write(Array("\(limit)".utf8), to: fd)) == nil ? nil : path
    }
}
