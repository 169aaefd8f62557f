import Foundation
import Testing
import TestKit

/// `goodgate app …`.
@Suite("goodgate app", .blocking, .enabled(if: Target.isGoodgate))
struct AppCommandTests {
    @Test("scales up and down under load, and says what it cannot do") func scale() throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let load = Load(port: control.site.port, clients: 4, pause: 0.005)
        for count in [3, 1] {
            let result = try control.run(["app", "scale", "one", "\(count)"], seconds: 40)
            #expect(result.succeeded, "\(result.output)\(result.errors)")
            #expect(try eventually { try control.instances().count { $0["state"] as? String == "ready" } == count })
        }
        #expect(load.finish().failures == [])
        let none = try control.run(["app", "scale", "one", "0"])
        #expect(none.ending == .exited(1))
        #expect(none.errors.contains("must be between 1 and 1000; to have none, stop the app: goodgate app stop one"), "\(none.errors)")
        let many = try control.run(["app", "scale", "one", "1001"])
        #expect(many.errors.contains("must be between 1 and 1000"))
        let unknown = try control.run(["app", "scale", "two", "2"])
        #expect(unknown.errors.contains("there is no app \"two\": there are one"), "\(unknown.errors)")
        let told = try control.run(["app", "scale", "two", "2", "--json"])
        let error = try #require(try JSONSerialization.jsonObject(with: Data(told.output.utf8)) as? [String: String])
        #expect(told.ending == .exited(1) && error["error"] == "unknown" && error["message"]?.contains("no app") == true)
        control.site.stop()
    }

    @Test("restart replaces every process without a failed request, and reads env_file again") func restart() throws {
        let directory = try TemporaryDirectory()
        try directory.write("app.env", "VERSION=old\n")
        let control = try ControlSite(app: "instances 2; env_file app.env;", directory: directory)
        try control.waitUntilUp()
        let before = Set(try control.instances().compactMap { $0["process"] as? Int })
        #expect(try control.site.get().text.hasSuffix(" old"))
        let load = Load(port: control.site.port, clients: 4, pause: 0.005)
        try directory.write("app.env", "VERSION=new\n")
        let result = try control.run(["app", "restart", "one"], seconds: 60)
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        var after = Set<Int>()
        let areNew = try eventually {
            after = Set(try control.instances().compactMap { $0["process"] as? Int })
            return after.count == 2 && after.isDisjoint(with: before)
        }
        #expect(areNew, "\(before) \(after)")
        #expect(try control.site.get().text.hasSuffix(" new"))
        #expect(load.finish().failures == [])
        control.site.stop()
    }

    @Test("stop ends every process, requests fail at once, start brings them back") func stopAndStart() throws {
        let control = try ControlSite(app: "instances 2;")
        try control.waitUntilUp()
        let processes = try control.instances().compactMap { ($0["process"] as? Int).map(pid_t.init) }
        let stopped = try control.run(["app", "stop", "one"], seconds: 40)
        #expect(stopped.succeeded, "\(stopped.output)\(stopped.errors)")
        #expect(processes.allSatisfy { kill($0, 0) != 0 })
        #expect(eventually { (try? control.site.get().status) == 503 })
        #expect(try control.run(["app", "list"]).output.contains("stopped"))
        let refused = try control.run(["app", "restart", "one"])
        #expect(refused.errors.contains("app \"one\" is stopped: start it with \"goodgate app start one\""))
        let started = try control.run(["app", "start", "one"], seconds: 40)
        #expect(started.succeeded, "\(started.output)\(started.errors)")
        #expect(try control.site.get().status == 200)
        control.site.stop()
    }

    @Test("start of an app that cannot start fails, with its last lines") func cannotStart() throws {
        let control = try ControlSite(delay: 0)
        try control.waitUntilUp()
        _ = try control.run(["app", "stop", "one"], seconds: 40)
        try control.directory.write("app.py", "print('no licence', flush=True); raise SystemExit(4)")
        let result = try control.run(["app", "start", "one"], seconds: 40)
        #expect(result.ending == .exited(1))
        #expect(result.errors.contains("did not become ready (exited with code 4"), "\(result.errors)")
        #expect(result.errors.contains("no licence"), "\(result.errors)")
        control.site.stop()
    }

    private static let prlimit = "/usr/bin/prlimit"

    @Test("logs costs nobody his life when the supervisor has no descriptor left", .enabled(
        if: FileManager.default.isExecutableFile(atPath: AppCommandTests.prlimit), "needs util-linux"))
    func logsWithoutDescriptors() throws {
        let control = try ControlSite(app: "instances 2;")
        try control.waitUntilUp()
        let before = try control.instances().compactMap { $0["process"] as? Int }
        let supervisor = control.site.gateway.process.pid
        func descriptors() throws -> Set<Int> {
            Set(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(supervisor)/fd").compactMap { Int($0) })
        }
        // It opens files for a moment, the last of them when it saves its state after the start.
        var taken = try descriptors()
        #expect(
            try eventually {
                let before = taken
                usleep(300_000)
                taken = try descriptors()
                return taken == before
            })
        let limit = try #require((0...).first { !taken.contains($0) })
        let usual = try RunningProcess.run(Self.prlimit, ["--pid", "\(supervisor)", "--nofile", "-o", "SOFT", "--noheadings"])
        let limitBefore = try #require(Int(usual.output.trimmingCharacters(in: .whitespacesAndNewlines)))
        func allow(_ count: Int) throws {
            let result = try RunningProcess.run(Self.prlimit, ["--pid", "\(supervisor)", "--nofile=\(count):"])
            #expect(result.succeeded, "\(result.errors)")
        }
        try allow(limit)
        let result = try control.run(["app", "logs", "one"])
        usleep(200_000)
        try allow(limitBefore)
        #expect(result.succeeded && !result.output.contains("booting"), "they could not be had: \(result.output)\(result.errors)")
        #expect(try control.instances().compactMap { $0["process"] as? Int } == before, "\(control.site.gateway.errorLog)")
        #expect(try control.run(["app", "logs", "one"]).output.contains("booting"))
        control.site.stop()
    }

    @Test("what goes on for ever ends when nobody reads it any more", arguments: ["status --watch", "app logs -f one"])
    func unread(words: String) throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let line = "'\(GatewayProcess.goodgate)' \(words) --control '\(control.socket)' | head -n 1"
        let result = try RunningProcess.run("/bin/sh", ["-c", line], seconds: 20)
        #expect(result.succeeded && !result.output.isEmpty, "\(result.ending as Any) \(result.output)\(result.errors)")
        control.site.stop()
    }

    @Test("status --watch shows what changes, and goes on") func watch() throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let watcher = try control.commands.start(["status", "--watch", "--json"], output: control.directory.path + "/watched")
        defer { watcher.kill() }
        /// Whether a line has so many instances that are ready; the last one may not be complete.
        func shows(_ count: Int) -> Bool {
            control.directory.read("watched").split(separator: "\n").contains { line in
                let status = (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
                let instances = (status?["apps"] as? [[String: Any]])?.first?["instances"] as? [[String: Any]] ?? []
                return instances.count { $0["state"] as? String == "ready" } == count
            }
        }
        #expect(eventually { shows(1) } && !shows(2))
        #expect(try control.run(["app", "scale", "one", "2"]).succeeded)
        #expect(eventually { shows(2) }, "\(control.directory.read("watched"))")
        #expect(watcher.poll() == nil)
        control.site.stop()
    }

    @Test("logs has what an app in a crash loop wrote, while it waits for its next start") func logsOfCrashLoop() throws {
        let control = try ControlSite(app: "restart always backoff=3s..5s;", mode: "exit")
        try #require(eventually { (try? control.instances().first?["state"] as? String) == "backing_off" })
        #expect(eventually { (try? control.run(["app", "logs", "one"]).output)?.contains("one.0 out cannot find") == true })
        #expect(try control.run(["app", "logs", "-n", "1", "one"]).output.split(separator: "\n").count == 1)
        control.site.stop()
    }

    @Test("logs has all the last lines, however long, or says how many it has not") func longLogs() throws {
        let control = try ControlSite(mode: "wordy")
        try control.waitUntilUp()
        for count in [200, 150] {
            let lines = try control.run(["app", "logs", "-n", "\(count)", "one"]).output.split(separator: "\n")
            let numbers = lines.compactMap { $0.split(separator: " ").drop { $0 != "wordy" }.dropFirst().first.map(String.init) }
            #expect(numbers == (190 - min(count, 190)..<190).map(String.init), "\(lines.map { $0.prefix(60) })")
        }
        control.site.stop()
    }

    @Test("logs prints the last lines, escaped, and follows") func logs() throws {
        let directory = try TemporaryDirectory()
        let control = try ControlSite(directory: directory)
        try control.waitUntilUp()
        let result = try control.run(["app", "logs", "one"])
        #expect(result.output.contains("one.0 out booting none"), "\(result.output)\(result.errors)")
        let unknown = try control.run(["app", "logs", "nobody"])
        #expect(unknown.ending == .exited(1) && unknown.errors.contains("there is no app \"nobody\""))
        let follower = try control.commands.start(["app", "logs", "-f", "-n", "0", "one"], output: directory.path + "/followed")
        // It may not follow yet when the app is restarted first.
        #expect(eventually(within: 120) {
            _ = try? control.run(["app", "restart", "one"])
            return eventually(within: 3) { directory.read("followed").contains("booting none") }
        })
        #expect(follower.poll() == nil)
        follower.kill()
        control.site.stop()
    }
}
