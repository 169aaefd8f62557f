import CLinux
import Glibc
import Machine

@testable import Supervisor

/// Directory for the sockets, logs and scripts of one test; removed at its end.
final class TestDirectory {
    let path: String

    init() {
        var template = Array("/tmp/goodgate-launch-XXXXXX".utf8CString)
        path = unsafe String(cString: mkdtemp(&template))
        unsafe chmod(path, 0o755)
    }

    deinit { _ = unsafe system("rm -rf '\(path)'") }

    func file(_ name: String, _ text: String, mode: mode_t = 0o755) -> String {
        let full = path + "/" + name
        let fd = unsafe open(full, O_WRONLY | O_CREAT | O_TRUNC, mode)
        try? System.write(Array(text.utf8), to: fd)
        close(fd)
        unsafe chmod(full, mode)
        return full
    }

    func read(_ name: String) -> String {
        String(decoding: (try? System.readFile(path + "/" + name)) ?? [], as: UTF8.self)
    }
}

/// A running keeper and what it told so far.
final class TestKeeper {
    /// The built keeper: beside the test bundle.
    static let executable: String = {
        // For a keeper built with sanitizers.
        if let path = System.environment("GOODGATE_TEST_LAUNCH") { return path }
        let arguments = CommandLine.arguments
        if let index = arguments.firstIndex(of: "--test-bundle-path"), index + 1 < arguments.count {
            let directory = arguments[index + 1].split(separator: "/").dropLast().joined(separator: "/")
            let path = "/" + directory + "/goodgate-launch"
            if System.isExecutable(path) { return path }
        }
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/" + root + "/.build/debug/goodgate-launch"
    }()

    let directory: TestDirectory
    let process: Int32
    var channel: KeeperChannel
    var states: [KeeperState] = []
    var changes: KeeperState.Changes = []
    var isClosed = false
    var isReleased = false
    var lines: [String]?

    var last: KeeperState? { states.last }
    var app: Int32 { last?.appProcess ?? 0 }

    static func instructions(_ directory: TestDirectory, _ arguments: [String]) -> KeeperInstructions {
        KeeperInstructions(
            name: "api", slot: 1, arguments: arguments,
            environment: ["PATH=/usr/local/bin:/usr/bin:/bin", "COLOUR=blue"], socketPath: directory.path + "/k.sock",
            logPath: directory.path + "/app.log")
    }

    init(
        _ arguments: [String], directory: TestDirectory = TestDirectory(), listeners: [Int32] = [], log: Int32? = nil,
        _ change: (inout KeeperInstructions) -> Void = { _ in }
    ) throws {
        self.directory = directory
        var instructions = Self.instructions(directory, arguments)
        change(&instructions)
        var random = SystemRandomNumberGenerator()
        (channel, process) = try KeeperChannel.launch(
            executable: Self.executable, key: random.next(), instructions: instructions, listeners: listeners, log: log)
    }

    /// A shell script as the app.
    convenience init(
        shell: String, directory: TestDirectory = TestDirectory(), _ change: (inout KeeperInstructions) -> Void = { _ in }
    ) throws {
        try self.init(["/bin/sh", "-c", shell], directory: directory, change)
    }

    deinit {
        channel.send(.kill)
        channel.send(.forget)
        for _ in 0..<500 where Self.exists(process) {
            var status: Int32 = 0
            if unsafe waitpid(process, &status, WNOHANG) != 0 { return }
            usleep(10_000)
        }
        kill(process, SIGKILL)
        var status: Int32 = 0
        _ = unsafe waitpid(process, &status, 0)
    }

    /// Also one that has ended and that nobody has collected.
    static func exists(_ process: Int32) -> Bool { kill(process, 0) == 0 }

    /// Reads what is there, after waiting for at most so long.
    func pump(milliseconds: Int32 = 10) {
        var polled = pollfd(fd: channel.descriptor.number, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&polled, 1, milliseconds)
        while !isClosed, let message = channel.receive() {
            switch message {
            case .state(let state):
                states.append(state)
                changes.formUnion(state.changes)
            case .lines(let memory, let count, _):
                var bytes = [UInt8](repeating: 0, count: Int(count))
                let read = unsafe pread(memory?.number ?? -1, &bytes, Int(count), 0)
                lines = String(decoding: bytes.prefix(max(read, 0)), as: UTF8.self)
                    .split(separator: "\n").map(String.init)
            case .listeners: break
            case .released: isReleased = true
            case .closed: isClosed = true
            }
        }
    }

    /// Waits until something holds; false after the time is over.
    func wait(seconds: Double = 30, until condition: (TestKeeper) -> Bool) -> Bool {
        let end = System.now + UInt64(seconds * 1000)
        while System.now < end {
            pump()
            if condition(self) { return true }
            if isClosed { return condition(self) }
        }
        return condition(self)
    }

    func waitFor(_ change: KeeperState.Changes, seconds: Double = 30) -> Bool {
        wait(seconds: seconds) { $0.changes.isSuperset(of: change) }
    }

    /// Waits for the keeper's own end.
    func waitForEnd(seconds: Double = 30) -> Bool {
        let end = System.now + UInt64(seconds * 1000)
        var status: Int32 = 0
        while System.now < end {
            if unsafe waitpid(process, &status, WNOHANG) == process { return true }
            usleep(5000)
        }
        return false
    }
}

/// Waits until something holds.
func eventually(seconds: Double = 30, _ condition: () -> Bool) -> Bool {
    let end = System.now + UInt64(seconds * 1000)
    while System.now < end {
        if condition() { return true }
        usleep(5000)
    }
    return condition()
}
