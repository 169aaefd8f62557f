import Glibc
import Machine
import TestKit
import Testing

@testable import Supervisor

@Suite("The output of an instance", .blocking)
struct KeeperLogTests {
    @Test("each line has its time, instance and stream")
    func stamped() throws {
        let directory = TestDirectory()
        // What is in both pipes at once has no order: each line waits until the one before it is in the file.
        func until(_ text: String) -> String { "until grep -qs '\(text)' \(directory.path)/app.log; do sleep 0.02; done" }
        let keeper = try TestKeeper(
            shell: "echo one; \(until("out one")); echo two >&2; \(until("err two")); printf 'three\\r\\nlast'", directory: directory)
        #expect(keeper.waitFor(.emptied))
        let lines = keeper.directory.read("app.log").split(separator: "\n")
        #expect(lines.map { $0.dropFirst(25) } == ["api.1 out one", "api.1 err two", "api.1 out three", "api.1 out last"])
        for line in lines {
            let stamp = Array(line.prefix(25).utf8)
            #expect(stamp.count == 25 && stamp[4] == UInt8(ascii: "-") && stamp[10] == UInt8(ascii: "T"))
            #expect(stamp[19] == UInt8(ascii: ".") && stamp[23] == UInt8(ascii: "Z"))
        }
        #expect(keeper.last?.lines == 4)
    }

    @Test("ten megabytes do not block the app, and no line is lost")
    func tenMegabytes() throws {
        let script = "import sys\nfor i in range(100000): sys.stdout.write('%099d\\n' % i)\n"
        let keeper = try TestKeeper(["/usr/bin/python3", "-c", script])
        #expect(keeper.waitFor([.exited, .emptied], seconds: 30))
        #expect(keeper.last?.exit.cause == .status(0))
        #expect(keeper.last?.lines == 100_000)
        #expect(keeper.last?.linesDropped == 0)
        let bytes = try System.readFile(keeper.directory.path + "/app.log")
        #expect(bytes.count == 100_000 * (100 + 35))
    }

    @Test("a long line comes in marked pieces")
    func longLine() throws {
        let keeper = try TestKeeper(["/usr/bin/python3", "-c", "print('x' * 40000)"])
        #expect(keeper.waitFor(.emptied))
        let lines = keeper.directory.read("app.log").split(separator: "\n")
        #expect(lines.map { $0.dropFirst(25).prefix(12) } == ["api.1 out+ xx", "api.1 out+ xx", "api.1 out xxx"].map { $0.prefix(12) })
        #expect(lines.map { $0.filter { $0 == "x" }.count }.reduce(0, +) == 40_000)
        #expect(keeper.last?.lines == 1)
    }

    @Test("the last 200 lines are in memory")
    func lastLines() throws {
        let keeper = try TestKeeper(shell: "for i in $(seq 500); do echo line $i; done; exec sleep 600") {
            $0.logPath = nil
        }
        #expect(keeper.wait { keeper in
            keeper.channel.send(.lines(1000))
            keeper.pump(milliseconds: 50)
            return keeper.lines?.last?.hasSuffix("line 500") ?? false
        })
        #expect(keeper.lines?.count == 200)
        #expect(keeper.lines?.first?.hasSuffix("line 301") == true)
        keeper.lines = nil
        keeper.channel.send(.lines(3))
        #expect(keeper.wait { $0.lines != nil })
        #expect(keeper.lines?.count == 3)
    }

    @Test("very long last lines are fewer, not cut")
    func lastLongLines() throws {
        let keeper = try TestKeeper(
            ["/usr/bin/python3", "-uc", "for i in range(100): print(i, 'y' * 9000)\nimport time\ntime.sleep(600)"])
        #expect(keeper.wait { ($0.last?.lines ?? 0) == 100 || { $0.channel.send(.status); return false }($0) })
        keeper.channel.send(.lines(200))
        #expect(keeper.wait { $0.lines != nil })
        let lines = keeper.lines ?? []
        #expect((20..<30).contains(lines.count))
        #expect(lines.allSatisfy { $0.hasPrefix("20") && $0.filter { $0 == "y" }.count == 9000 })
    }

    @Test("the file is rotated at its size, and so many are kept")
    func rotation() throws {
        let keeper = try TestKeeper(["/usr/bin/python3", "-uc", "for i in range(4000): print('%080d' % i)"]) {
            $0.logRotateBytes = 100_000
            $0.logKeep = 2
        }
        #expect(keeper.waitFor(.emptied))
        let directory = keeper.directory.path
        #expect(System.exists(directory + "/app.log.1") && System.exists(directory + "/app.log.2"))
        #expect(!System.exists(directory + "/app.log.3"))
        #expect(try System.facts(of: directory + "/app.log.1").size >= 100_000)
        #expect(try System.facts(of: directory + "/app.log").size < 200_000)
        #expect(keeper.last?.linesDropped == 0)
    }

    @Test("two keepers share a file and its rotation without losing a line")
    func sharedRotation() throws {
        let directory = TestDirectory()
        let script = "import time\nfor i in range(3000):\n  print('%080d' % i, flush=True)"
        let keepers = try (0..<2).map { index in
            try TestKeeper(["/usr/bin/python3", "-c", script], directory: directory) {
                $0.socketPath = directory.path + "/k\(index).sock"
                $0.logRotateBytes = 60_000
                $0.logKeep = 50
            }
        }
        for keeper in keepers { #expect(keeper.waitFor(.emptied, seconds: 30)) }
        _ = unsafe system("cat \(directory.path)/app.log* | wc -l > \(directory.path)/count")
        #expect(directory.read("count") == "6000\n")
    }

    @Test("what a quiet instance writes after others have rotated their common file away is in the file")
    func quietInstance() throws {
        let directory = TestDirectory()
        func start(_ index: Int, _ shell: String) throws -> TestKeeper {
            try TestKeeper(shell: shell, directory: directory) {
                $0.socketPath = directory.path + "/k\(index).sock"
                $0.logRotateBytes = 60_000
                $0.logKeep = 1
            }
        }
        let quiet = try start(0, "while [ ! -e \(directory.path)/go ]; do sleep 0.02; done; echo a single line")
        #expect(quiet.waitFor(.started))
        let busy = try start(1, "for i in 1 2 3 4 5 6; do head -c 70000 /dev/zero | tr '\\0' x | fold -w 100; sleep 0.1; done")
        #expect(busy.waitFor(.emptied))
        _ = directory.file("go", "")
        #expect(quiet.waitFor(.emptied))
        #expect(directory.read("app.log").contains("a single line"))
        #expect(quiet.last?.linesDropped == 0)
    }

    @Test("USR1 and the command open the file anew")
    func reopen() throws {
        let directory = TestDirectory()
        let keeper = try TestKeeper(shell: "while :; do echo x; sleep 0.02; done", directory: directory)
        #expect(eventually { !directory.read("app.log").isEmpty })
        unsafe rename(directory.path + "/app.log", directory.path + "/old")
        kill(keeper.process, SIGUSR1)
        #expect(eventually { !directory.read("app.log").isEmpty })
        unsafe rename(directory.path + "/app.log", directory.path + "/older")
        keeper.channel.send(.reopenLog)
        #expect(eventually { !directory.read("app.log").isEmpty })
    }

    @Test("a full disk drops lines and counts them, and the app does not notice")
    func fullDisk() throws {
        let directory = TestDirectory()
        let keeper = try TestKeeper(
            shell: "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; exec sleep 600", directory: directory
        ) { $0.logPath = "/dev/full" }
        #expect(keeper.wait { keeper in
            keeper.channel.send(.status)
            return (keeper.last?.lines ?? 0) == 3000
        })
        #expect(keeper.last?.linesDropped == 3000)
        #expect(keeper.last?.logErrorNumber == ENOSPC)
        #expect(keeper.changes.contains(.log))
        #expect(keeper.last?.phase == .running)
    }

    @Test("a log that cannot be opened is no reason not to run, and is tried again")
    func unwritable() throws {
        let directory = TestDirectory()
        let keeper = try TestKeeper(shell: "while :; do echo x; sleep 0.05; done", directory: directory) {
            $0.logPath = directory.path + "/sub/app.log"
        }
        #expect(keeper.waitFor([.started, .log]))
        #expect(keeper.last?.logErrorNumber == ENOENT)
        unsafe mkdir(directory.path + "/sub", 0o755)
        // As every line: time, instance, who.
        let words = /(?m)^\d{4}-\d\d-\d\dT[\d:.]{12}Z api\.1 keeper \d+ lines were not written: No such file or directory$/
        #expect(eventually { directory.read("sub/app.log").contains(words) }, "\(directory.read("sub/app.log"))")
    }

    /// Not everybody who is root in a container may mount.
    private static let canMount: Bool = {
        let directory = TestDirectory()
        guard System.isRoot, unsafe system("mount -t tmpfs -o size=64k none '\(directory.path)' 2> /dev/null") == 0 else { return false }
        return unsafe system("umount -l '\(directory.path)'") == 0
    }()

    @Test("when there is room again, lines are written again, and the loss is said in the log", .enabled(
        if: KeeperLogTests.canMount, "needs root to mount a small file system"))
    func roomAgain() throws {
        let directory = TestDirectory()
        unsafe mkdir(directory.path + "/small", 0o755)
        try #require(unsafe system("mount -t tmpfs -o size=64k none '\(directory.path)/small'") == 0)
        defer { _ = unsafe system("umount -l '\(directory.path)/small'") }
        let keeper = try TestKeeper(
            shell: "i=0; while :; do echo line $i; i=$((i+1)); [ $((i % 100)) = 0 ] && sleep 0.02; done", directory: directory
        ) { $0.logPath = directory.path + "/small/app.log" }
        #expect(keeper.waitFor(.log))
        #expect(keeper.last?.logErrorNumber == ENOSPC)
        unsafe truncate(directory.path + "/small/app.log", 0)
        #expect(keeper.wait { $0.last?.logErrorNumber == 0 })
        #expect(eventually { directory.read("small/app.log").contains("lines were not written: No space left") })
        let lines = directory.read("small/app.log").split(separator: "\n")
        #expect(lines.last?.contains("out line") == true)
        #expect((keeper.last?.linesDropped ?? 0) > 0)
    }

    @Test("a pipe without room never blocks the app")
    func fullPipe() throws {
        let (reader, writer) = try System.pipe()
        let keeper = try TestKeeper(
            ["/usr/bin/python3", "-c", "for i in range(50000): print('z' * 80)"], log: writer.number)
        #expect(keeper.waitFor([.exited, .emptied], seconds: 20))
        #expect(keeper.last?.exit.cause == .status(0))
        #expect((keeper.last?.linesDropped ?? 0) > 40_000)
        _ = reader
    }
}
