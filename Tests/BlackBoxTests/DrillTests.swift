import Foundation
import Testing
import TestKit

/// `goodgate drill` in its short form: it fails when a request fails that could have been served.
@Suite("The drill", .blocking, .enabled(if: Target.isGoodgate))
struct DrillTests {

    @Test("loses nothing, and says so in a table") func short() throws {
        let result = try RunningProcess.run(GatewayProcess.goodgate, ["drill", "--short", "--seconds", "0.5"], seconds: 240)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.first?.hasPrefix("fault ") == true)
        #expect(lines.last?.hasSuffix("0 avoidable failures, 0 POSTs executed twice: passed") == true)
        let faults = [
            "kill -9 of one instance", "kill -9 of all instances", "bad release deployed", "good release deployed x 5",
            "configuration reload x 20", "no answer once per 100 requests",
        ]
        for name in faults { #expect(lines.contains { $0.hasPrefix(name) }, "\(name) in \(result.output)") }
    }

    @Test("works on the running goodgate and its app, when it is told that it may kill") func running() throws {
        let control = try ControlSite(app: "instances 2; health uri=/health interval=100ms timeout=3s fails=2;", workers: 2)
        try control.waitUntilUp()
        let before = Set(try control.instances().compactMap { $0["process"] as? Int })
        let url = "http://127.0.0.1:\(control.site.port)/any?thing=1"
        let faults = ["kill-one", "rolling-restart", "reload"]
        let words = ["drill", "--app", "one", "--url", url, "--seconds", "1"] + faults.flatMap { ["--only", $0] }
        let refused = try control.run(words)
        #expect(!refused.succeeded && refused.errors.contains("say --kill"), "\(refused.output)\(refused.errors)")
        #expect(Set(try control.instances().compactMap { $0["process"] as? Int }) == before, "nothing was touched")
        let result = try control.run(words + ["--kill"], seconds: 120)
        #expect(result.succeeded, "\(result.output)\(result.errors)\(control.site.gateway.errorLog)")
        let lines = result.output.split(separator: "\n")
        for row in ["kill -9 of one instance", "rolling restart", "configuration reload x 20"] {
            #expect(lines.contains { $0.hasPrefix(row) }, "\(result.output)")
            #expect(result.errors.contains("  \(row)\n"), "it says beforehand what it does: \(result.errors)")
        }
        #expect(before.isDisjoint(with: try control.instances().compactMap { $0["process"] as? Int }))
        let unknown = try control.run(["drill", "--app", "nobody", "--url", url, "--kill"])
        #expect(unknown.errors.contains("there is no app \"nobody\"; there are one"), "\(unknown.errors)")
        control.site.stop()
    }

    @Test("is interrupted while an instance is stopped: it goes on, and the drill ends", arguments: [SIGINT, SIGTERM, SIGHUP])
    func interrupted(_ signal: Int32) throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let process = try #require(try control.instances().compactMap { $0["process"] as? Int }.first)
        func isStopped() -> Bool {
            let stat = FileManager.default.contents(atPath: "/proc/\(process)/stat").map { String(decoding: $0, as: UTF8.self) } ?? ""
            return stat.contains(") T ")
        }
        let words = ["drill", "--app", "one", "--url", "http://127.0.0.1:\(control.site.port)/", "--kill", "--only", "hang"]
        let drill = try RunningProcess(
            GatewayProcess.binary, words, environment: ["PATH": "/usr/bin:/bin", "GOODGATE_CONTROL": control.socket],
            output: control.directory.path + "/drill", errors: control.directory.path + "/drill-errors")
        defer { drill.kill() }
        #expect(eventually { isStopped() }, "\(control.directory.read("drill-errors"))")
        drill.signal(signal)
        #expect(drill.wait(seconds: 30) == .exited(128 + signal), "\(control.directory.read("drill-errors"))")
        #expect(!isStopped())
        #expect(try control.instances().compactMap { $0["process"] as? Int } == [process])
        control.site.stop()
    }

    @Test("is interrupted on its own site: nothing is left of it") func interruptedAlone() throws {
        let directory = try TemporaryDirectory()
        let drill = try RunningProcess(
            GatewayProcess.binary, ["drill", "--only", "none", "--seconds", "600"],
            environment: ["PATH": "/usr/bin:/bin", "TMPDIR": directory.path],
            output: directory.path + "/output", errors: directory.path + "/errors")
        defer { drill.kill() }
        func files() -> [String] { ((try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []).sorted() }
        func supervisor() -> pid_t? {
            files().lazy.compactMap { pid_t(directory.read($0 + "/goodgate.pid").trimmingCharacters(in: .whitespacesAndNewlines)) }.first
        }
        #expect(eventually { supervisor() != nil }, "\(directory.read("errors"))")
        let process = try #require(supervisor())
        // It holds the lock of its state.
        func states() -> [String] {
            let folder = "/proc/\(process)/fd"
            let open = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return open.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
                .filter { $0.hasSuffix("/lock") }.map { String($0.dropLast(5)) }
        }
        #expect(eventually { states().count == 1 })
        let state = try #require(states().first)
        drill.signal(SIGTERM)
        #expect(drill.wait(seconds: 60) == .exited(128 + SIGTERM), "\(directory.read("errors"))")
        #expect(directory.read("errors") == "goodgate: the drill was interrupted by SIGTERM\n")
        #expect(!LiveProcess(process).isAlive)
        #expect(files() == ["errors", "output"])
        let name = state.split(separator: "/").last ?? ""
        for path in [state, "/var/lib/goodgate/\(name)"] { #expect(!FileManager.default.fileExists(atPath: path), "\(path)") }
    }

    @Test(arguments: ["ftp://a/", "https://a/", "a", "http://", "http://user@a/"]) func badURL(url: String) throws {
        let result = try RunningProcess.run(GatewayProcess.goodgate, ["drill", "--app", "one", "--url", url, "--kill"])
        #expect(!result.succeeded && result.errors.contains("--url takes http://"), "\(result.errors)")
    }

    @Test("names the faults there are when it is asked for another") func unknownFault() throws {
        let result = try RunningProcess.run(GatewayProcess.goodgate, ["drill", "--only", "kill-everybody"])
        #expect(!result.succeeded)
        #expect(result.errors.contains("kill-all"), "\(result.errors)")
    }
}

/// `goodgate demo-app`, which the drill and the demo run.
@Suite("The demo app", .blocking, .enabled(if: Target.isGoodgate))
struct DemoAppTests {
    @Test("answers, notes each POST, and ends when it is told to") func answers() throws {
        let directory = try TemporaryDirectory()
        let port = Ports.free()
        let process = try RunningProcess(
            GatewayProcess.products + "/goodgate-control", ["demo-app", "--ledger", directory.path],
            environment: ["PORT": "\(port)", "RELEASE": "7"])
        defer { process.kill() }
        #expect(eventually { (try? Client.get(port, "/health").text) == "well\n" })
        #expect(try Client.get(port).text.hasPrefix("release 7, process \(process.pid): GET /"))
        let client = try Client(port)
        let reply = try client.request("POST", "/orders", ["X-Request-Id: a1"], body: Array("x".utf8))
        #expect(reply.status == 201)
        let ledger = try #require(try FileManager.default.contentsOfDirectory(atPath: directory.path).first)
        #expect(directory.read(ledger) == "a1\n")
    }

    @Test("says why it does not start") func doesNotStart() throws {
        let result = try RunningProcess.run(GatewayProcess.goodgate, ["demo-app", "--fail"])
        #expect(!result.succeeded)
        #expect(result.errors.contains("because --fail says so"))
    }
}
