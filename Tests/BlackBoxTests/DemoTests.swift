import Foundation
import Testing
import TestKit

/// What `make demo` runs.
@Suite("The demo", .blocking, .enabled(if: Target.isGoodgate, "Goodgate's own"))
struct Demo {
    private static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    /// The process that answers.
    private func instance(_ port: Int) -> pid_t? {
        guard let text = try? Client.get(port).text, let match = text.firstMatch(of: /process (\d+):/) else { return nil }
        return pid_t(match.1)
    }

    @Test("starts, answers, loses nothing when an instance is killed, shows its status, and leaves nothing after Ctrl-C")
    func demo() throws {
        let directory = try TemporaryDirectory()
        let port = Ports.free()
        // A terminal is what makes the status live.
        let terminal = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
        let demo = try RunningProcess(
            "/usr/bin/python3", ["-c", terminal, "/bin/bash", Self.root + "/Scripts/demo", GatewayProcess.products],
            environment: RunningProcess.environment.merging(["DEMO_PORT": "\(port)", "TMPDIR": directory.path]) { $1 },
            output: directory.path + "/screen", errors: directory.path + "/errors")
        defer { demo.kill() }
        try #require(eventually(within: 60) { instance(port) != nil }, "\(directory.read("screen"))\(directory.read("errors"))")
        let load = Load(port: port, target: "/", clients: 4, pause: 0.01)
        let victim = try #require(instance(port))
        kill(victim, SIGKILL)
        #expect(eventually { !LiveProcess(victim).isAlive })
        let before = load.count
        #expect(eventually { load.count > before + 100 })
        #expect(load.finish().failures == [])
        let last = try #require(instance(port))
        #expect(last != victim)
        // A third one has taken the place of the first or the second.
        #expect(eventually { directory.read("screen").contains(/demo\.[01]#[3-9] +ready/) }, "\(directory.read("screen"))")
        #expect(directory.read("screen").contains("curl http://127.0.0.1:\(port)/"))

        // Ctrl-C at this terminal.
        let shell = try #require(demo.children.first)
        kill(-shell, SIGINT)
        #expect(demo.wait(seconds: 30) == .exited(0), "\(directory.read("screen"))\(directory.read("errors"))")
        #expect(Ports.isFree(port) && !LiveProcess(last).isAlive)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() == ["errors", "screen"])
    }
}
