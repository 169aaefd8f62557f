import Config
import Glibc
import Machine
import Messages
import TestKit
import Testing

@testable import Supervisor

@Suite("What is seen of an app before its first start", .blocking)
struct AppPreflightTests {
    private let directory = TestDirectory()

    private func warnings(worker: WorkerIdentity? = nil, _ change: (inout AppSpecification) -> Void) -> [String] {
        var app = AppSpecification(name: "api", command: ["/bin/sh", "-c", "x"])
        app.directory = directory.path
        change(&app)
        return AppPreflight(app: app, worker: worker, inherited: ["PATH=/usr/bin:/bin"]).warnings
    }

    @Test("nothing is said of what is there")
    func fine() {
        _ = directory.file("run", "#!/bin/sh", mode: 0o755)
        _ = directory.file("env", "A=1")
        #expect(warnings { _ in } == [])
        #expect(
            warnings { app in
                app.command = ["./run"]
                app.environmentFiles = [directory.path + "/env"]
                app.log = AppLog(path: directory.path + "/new.log")
            } == [])
        #expect(warnings { $0.command = ["sh"] } == [])
        #expect(
            warnings { app in
                app.command = ["run"]
                app.environment = ["PATH=/nowhere:\(directory.path)"]
            } == [])
        #expect(warnings { $0.log = AppLog(path: "stderr") } == [])
    }

    @Test("what is missing, or cannot be executed, is named")
    func missing() {
        let path = directory.file("data", "x", mode: 0o644)
        #expect(warnings { $0.command = ["/no/such/program"] } == ["command \"/no/such/program\" is not there"])
        #expect(warnings { $0.command = [path] } == ["command \"\(path)\" is no executable file"])
        #expect(warnings { $0.command = ["/bin"] } == ["command \"/bin\" is no executable file"])
        #expect(warnings { $0.command = ["no-such-program"] } == ["command \"no-such-program\" is in no directory of PATH (/usr/bin:/bin)"])
        #expect(warnings { $0.directory = "/no/such" } == ["directory \"/no/such\" is not there"])
        #expect(warnings { $0.directory = path } == ["directory \"\(path)\" is not there"])
        #expect(warnings { $0.environmentFiles = ["/no/such.env"] } == ["env_file \"/no/such.env\" is not there"])
        #expect(warnings { $0.log = AppLog(path: "/no/such/x.log") } == ["the folder of log \"/no/such/x.log\" is not there"])
        #expect(warnings { $0.user = "no-such-user" } == ["unknown user or group \"no-such-user\""])
    }

    @Test("the workers' own user is not safe", .enabled(if: geteuid() == 0, "needs root"))
    func user() {
        let nobody = System.user(named: "nobody")?.user ?? 0
        let worker = WorkerIdentity(changesUser: true, userName: "nobody", user: nobody, group: 1, groups: [])
        let words = warnings(worker: worker) { $0.user = "nobody" }
        #expect(words.count == 1 && words[0].hasPrefix("runs as the workers' user \"nobody\""), "\(words)")
        #expect(warnings(worker: worker) { $0.user = "games" } == [])
        #expect(warnings(worker: worker) { $0.user = nil } == [])
    }

    @Test("what is closed to the app's user is named", .enabled(if: geteuid() == 0, "needs root"))
    func closed() throws {
        let run = directory.file("run", "#!/bin/sh", mode: 0o700)
        #expect(warnings { ($0.user, $0.command) = ("nobody", [run]) } == ["command \"\(run)\" cannot be executed by user \"nobody\""])
        let folder = directory.path + "/closed"
        try System.makeDirectory(folder, mode: 0o700)
        let inner = directory.file("closed/run", "#!/bin/sh")
        let words = warnings { ($0.user, $0.command, $0.directory) = ("nobody", [inner], folder) }
        #expect(words == [
            "directory \"\(folder)\" cannot be entered by user \"nobody\"",
            "command \"\(inner)\" cannot be executed by user \"nobody\": folder \"\(folder)\" is closed to it",
        ])
        // Another one of that name is found first.
        let path = "PATH=\(folder):\(directory.path)"
        #expect(warnings { ($0.user, $0.command, $0.environment) = ("nobody", ["run"], [path]) }.count == 1)
        try System.changeMode(run, to: 0o755)
        #expect(warnings { ($0.user, $0.command, $0.environment) = ("nobody", ["run"], [path]) } == [])
        #expect(warnings { ($0.command, $0.directory) = ([inner], folder) } == [])
    }
}
