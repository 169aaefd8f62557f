import Foundation
import Testing
import TestKit

/// As the first process of a container, and as a service. Both need namespaces of their own, so they run as root only.
@Suite("The program", .blocking, .enabled(if: Target.isGoodgate && Target.isRoot, "needs root: namespaces"))
struct SystemTests {
    private static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
    /// Whether the machine has what the test of the service needs, and lets us make namespaces.
    private static let hasSystemd = ["/lib/systemd/systemd", "/usr/bin/systemctl", "/usr/bin/nsenter", "/usr/bin/pgrep"].allSatisfy(
        FileManager.default.isExecutableFile)
    private static let hasNamespaces = (try? RunningProcess.run("/usr/bin/unshare", ["-fp", "--mount-proc", "true"]).succeeded) ?? false

    /// 77 is the script's word for a machine that does not let it; anything else is for the test to show.
    private static let bootsSystemd: Bool = {
        let result = try? RunningProcess.run(root + "/Scripts/test-systemd", ["boots", GatewayProcess.products], seconds: 60)
        return result?.ending != .exited(77)
    }()

    @Test("as process 1 collects orphans, keeps serving, and ends everything on TERM", .enabled(if: hasNamespaces, "no namespaces here"))
    func firstProcess() throws {
        let directory = try TemporaryDirectory()
        let port = Ports.free()
        try directory.write(GatewayProcess.configurationName, GatewayProcess.configuration(
            http: "server { listen 127.0.0.1:\(port); location / { return 200 x; } }",
            // It forks away: what it leaves behind becomes a child of process 1 when its keeper is gone.
            main: "app idle { command /bin/sh \(directory.path)/app.sh; }", workers: 2))
        try directory.write("app.sh", "sleep 1000 & sleep 1001 & exec sleep 1002\n")
        let container = try RunningProcess(
            "/usr/bin/unshare", ["-fp", "--mount-proc", "--kill-child", GatewayProcess.binary] + GatewayProcess.arguments(directory.path),
            output: directory.path + "/stdout", errors: directory.path + "/stderr")
        defer { container.kill() }
        #expect(eventually { (try? Client.get(port, "/").text) == "x" }, "\(directory.read("error.log"))")
        let gateway = try #require(container.children.first)
        // A command in the container, as `docker exec` runs it, leaves a child behind.
        let done = try RunningProcess.run(
            "/usr/bin/nsenter", ["-t", String(gateway), "-p", "-m", "/bin/sh", "-c", "(sleep 0.2; echo) >/dev/null 2>&1 & exec true"])
        #expect(done.succeeded, "\(done.errors)")
        #expect(eventually { directory.read("error.log").contains("unknown process") }, "\(directory.read("error.log"))")
        // The keeper is killed: the app and its children are ended and collected, another instance is started.
        #expect(eventually { sleepers(below: gateway).count == 3 })
        let keeper = try #require(LiveProcess(gateway).children.first { LiveProcess($0).commandLine.contains("keeper") })
        let first = sleepers(below: gateway)
        kill(keeper, SIGKILL)
        #expect(eventually { sleepers(below: gateway).count == 3 && first.isDisjoint(with: sleepers(below: gateway)) })
        #expect(eventually { LiveProcess(gateway).children.allSatisfy { LiveProcess($0).isAlive } })
        #expect(try Client.get(port, "/").text == "x")
        kill(gateway, SIGTERM)
        #expect(container.wait(seconds: 60) == .exited(0), "\(directory.read("error.log"))")
        #expect(first.allSatisfy { kill($0, 0) != 0 })
    }

    @Test("as a service of systemd starts, reloads, survives kill -9, is upgraded, and stops: no request fails",
          .enabled(if: hasSystemd && hasNamespaces && bootsSystemd, "needs systemd, procps, and namespaces it comes up in"),
          .timeLimit(.minutes(20)))
    func service() throws {
        let result = try RunningProcess.run(Self.root + "/Scripts/test-systemd", [GatewayProcess.products], seconds: 180)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
    }

    /// The processes of the app, wherever they hang in the tree.
    private func sleepers(below process: pid_t) -> Set<pid_t> {
        var found: Set<pid_t> = []
        for child in LiveProcess(process).children {
            if LiveProcess(child).commandLine.hasPrefix("sleep") { found.insert(child) }
            found.formUnion(sleepers(below: child))
        }
        return found
    }
}
