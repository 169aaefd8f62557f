import Foundation
import Testing
import TestKit

/// `goodgate deploy`, `rollback` and `app`, with a real app under load.
@Suite("A deploy", .blocking, .enabled(if: Target.isGoodgate))
struct DeployTests {
    /// Which release answers: `process version`.
    private func version(_ control: ControlSite) throws -> String {
        let reply = try control.site.client(timeout: 20).request()
        return reply.text.split(separator: " ").last.map(String.init) ?? "\(reply.status)"
    }

    private func app(_ control: ControlSite) throws -> [String: Any] {
        let result = try control.run(["app", "list", "--json"])
        let apps = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]] ?? []
        return try #require(apps.first, "\(result.errors)")
    }

    @Test("brings a new release under load without a failed request, and back again") func good() throws {
        let control = try ControlSite(app: "instances 2; env VERSION=one;", workers: 2)
        try control.waitUntilUp()
        let load = Load(port: control.site.port, clients: 8, pause: 0.005)
        #expect(eventually { load.count > 50 })
        let deployed = try control.run(["deploy", "one", "--env", "VERSION=two", "--soak", "500ms"], seconds: 60)
        #expect(deployed.succeeded, "\(deployed.output)\(deployed.errors)\(control.site.gateway.errorLog)")
        #expect(deployed.output.contains("release 2: all instances run it"))
        let progress = deployed.output.split(separator: "\n").last { $0.contains("instances ready") }
        #expect(progress?.hasPrefix("2 of 2 ") == true, "\(deployed.output)")
        #expect(try version(control) == "two")
        let differences = try app(control)["differences"] as? [String]
        #expect(differences == ["env VERSION"])
        #expect(try control.run(["app", "list"]).output.contains("differs from the block: env VERSION"))
        let back = try control.run(["rollback", "one"], seconds: 60)
        #expect(back.succeeded, "\(back.output)\(back.errors)")
        #expect(try version(control) == "one")
        let before = load.count
        #expect(eventually { load.count > before + 50 })
        let result = load.finish()
        #expect(result.failures == [], "\(control.site.gateway.errorLog)")
        #expect(try app(control)["differences"] as? [String] == [])
        control.site.stop()
    }

    @Test("whose control process dies goes on, and is followed to its end", arguments: [true, false])
    func controlProcessDies(isGood: Bool) throws {
        let control = try ControlSite(app: "env VERSION=one;")
        try control.waitUntilUp()
        let output = control.directory.path + "/deploy"
        let soak = isGood ? "2s" : "600s"
        let deploy = try control.commands.start(["deploy", "one", "--env", "VERSION=two", "--soak", soak], output: output)
        #expect(eventually { control.directory.read("deploy").contains("serves a slice") })
        kill(try #require(control.controlProcess), SIGKILL)
        if !isGood {
            let candidate = try eventuallyInstance(control, release: 2)
            kill(candidate, SIGKILL)
        }
        #expect(deploy.wait(seconds: 30) == .exited(isGood ? 0 : 1), "\(control.directory.read("deploy"))")
        if isGood { #expect(control.directory.read("deploy").contains("release 2 runs")) }
        #expect(try version(control) == (isGood ? "two" : "one"))
        control.site.stop(allowing: ["control process"])
    }

    /// The process of the instance that runs a release.
    private func eventuallyInstance(_ control: ControlSite, release: Int) throws -> pid_t {
        var found: pid_t?
        _ = eventually {
            found = (try? control.instances())?.first { $0["release"] as? Int == release }.flatMap { $0["process"] as? Int }.map(pid_t.init)
            return found != nil
        }
        return try #require(found)
    }

    @Test("that exits at boot leaves the old release alone, and its last lines are printed, escaped") func exitsAtBoot() throws {
        let control = try ControlSite(app: "env VERSION=one;")
        try control.waitUntilUp()
        let before = try control.site.get().text
        let load = Load(port: control.site.port, clients: 4, pause: 0.005)
        let command = ControlSite.command(control.directory, mode: "exit")
        let result = try control.run(["deploy", "one", "--command", command, "--env", "VERSION=two", "--soak", "0s"], seconds: 30)
        #expect(result.ending == .exited(1), "\(result.output)\(result.errors)")
        #expect(result.errors.contains("release 2: given up, its instance 0 did not become or stay ready"), "\(result.errors)")
        #expect(!result.output.contains("given up"), "once is enough: \(result.output)")
        #expect(result.errors.contains("last lines of one.0#2 (release 2):"), "\(result.errors)")
        #expect(result.errors.contains("booting two"))
        #expect(result.errors.contains("cannot find \\x1b[31mmodule\\x1b[0m 'database'"))
        #expect(!result.errors.utf8.contains(0x1b))
        #expect(try control.site.get().text == before)
        #expect(load.finish().failures == [])
        #expect(try app(control)["release"] as? Int == 1)
        // What failed is nothing that one can go back to.
        let back = try control.run(["rollback", "one"])
        #expect(back.errors.contains("has no release before this one"))
        control.site.stop()
    }

    @Test("that passes its check and fails under traffic is withdrawn, and its last lines are printed", arguments: ["failing", "closing"])
    func worseUnderTraffic(mode: String) throws {
        let control = try ControlSite(app: "instances 2; health uri=/health interval=100ms; env VERSION=one;", workers: 2)
        try control.waitUntilUp()
        let before = Set(try control.instances().compactMap { $0["process"] as? Int })
        let load = Load(port: control.site.port, clients: 8, pause: 0.002)
        let command = ControlSite.command(control.directory, mode: mode)
        // Without a count of what fails it would be in force after this time.
        let result = try control.run(["deploy", "one", "--command", command, "--env", "VERSION=two", "--soak", "60s"], seconds: 50)
        #expect(result.ending == .exited(1), "\(result.output)\(result.errors)\(control.site.gateway.errorLog)")
        let verdict = /release 2: given up, \d+ of \d+ requests failed, of the old release's 0 of \d+/
        #expect(result.errors.contains(verdict), "\(result.errors)")
        #expect(result.errors.contains("last lines of one.0#3 (release 2):") && result.errors.contains("booting two"), "\(result.errors)")
        #expect(eventually { (try? Set(control.instances().compactMap { $0["process"] as? Int })) == before })
        #expect(try version(control) == "one")
        #expect(try app(control)["release"] as? Int == 1)
        let failures = load.finish().failures
        // What an app answers is passed on; what it does not answer goes to the old release.
        #expect(failures.allSatisfy { mode == "failing" && $0 == "status 500" }, "\(failures)")
        control.site.stop()
    }

    @Test("whose process crashes under a request is named as the culprit, and going back mends it") func culprit() throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let up = ContinuousClock.now
        func crash() throws -> Int { try control.site.get("/crash", method: "POST", body: Bytes("x")).status }
        #expect(try crash() == 200)
        usleep(2_000_000)
        let before = ContinuousClock.now
        let command = ControlSite.command(control.directory, mode: "fragile")
        let deployed = try control.run(["deploy", "one", "--command", command, "--soak", "0s"])
        #expect(deployed.succeeded, "\(deployed.output)\(deployed.errors)")
        #expect(try crash() == 502)
        // That it is the release is only concluded if the former one had served for longer than the new one.
        let isClear = ContinuousClock.now - before < before - up
        var verdict: [String: Any] = [:]
        #expect(eventually {
            let output = (try? control.run(["why", "--json"]).output) ?? ""
            let report = try? JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any]
            verdict = report?["verdict"] as? [String: Any] ?? [:]
            let name = (verdict["culprit"] as? [String: Any])?["name"] as? String
            return verdict["rule"] as? String == "P07" && (!isClear || name == "release 2 of app one")
        }, "\(verdict)")
        if isClear {
            let evidence = (verdict["evidence"] as? [[String: Any]] ?? []).compactMap { $0["text"] as? String }
            #expect(evidence.contains { $0.hasPrefix("release 2 came into force, ") }, "\(evidence)")
            #expect(evidence.contains { $0.hasPrefix("release 1 had served for ") }, "\(evidence)")
            #expect(((verdict["fix"] as? [String: Any])?["commands"] as? [String])?.first == "goodgate rollback one")
        }
        let back = try control.run(["rollback", "one"])
        #expect(back.succeeded && back.output.contains("release 1"), "\(back.output)\(back.errors)")
        #expect(try crash() == 200)
        control.site.stop(allowing: ["upstream", "exited with code 7"])
    }

    @Test("that never gets ready leaves the old release alone") func neverReady() throws {
        let control = try ControlSite(app: "start_timeout 1s; stop_timeout 1s;")
        try control.waitUntilUp()
        let before = try control.site.get().text
        let command = ControlSite.command(control.directory, mode: "deaf")
        let result = try control.run(["deploy", "one", "--command", command, "--soak", "0s"], seconds: 30)
        #expect(result.ending == .exited(1))
        #expect(result.output.contains("not ready within start_timeout"), "\(result.output)\(result.errors)")
        #expect(result.errors.contains("booting none"), "\(result.errors)")
        #expect(try control.site.get().text == before)
        control.site.stop()
    }

    @Test("of a program that is not there says so") func missingProgram() throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let before = try control.site.get().text
        let result = try control.run(["deploy", "one", "--command", "/nonexistent/app", "--soak", "0s"], seconds: 30)
        #expect(result.ending == .exited(1))
        #expect((result.output + result.errors).contains("No such file or directory"), "\(result.output)\(result.errors)")
        #expect(try control.site.get().text == before)
        control.site.stop()
    }

    @Test("during a deploy is refused as busy, and the first one goes on") func busy() throws {
        let control = try ControlSite(app: "start_timeout 60s;")
        try control.waitUntilUp()
        // Starts when it is told to.
        let script = "while [ ! -e go ]; do sleep 0.05; done; exec \(ControlSite.command(control.directory))\n"
        try control.directory.write("slow.sh", script)
        let slow = try control.commands.start(
            ["deploy", "one", "--command", "/bin/sh \(control.directory.path)/slow.sh", "--soak", "0s"],
            output: control.directory.path + "/slow")
        #expect(eventually { control.directory.read("slow").contains("new instances are started") })
        for words in [["deploy", "one"], ["app", "restart", "one"]] {
            let second = try control.run(words)
            #expect(second.ending == .exited(1))
            #expect(second.errors.contains("another deploy or restart of this app is under way"), "\(second.errors)")
            let waiting = /one\.0#\d+ of release 2 is not ready yet \(it is given up in \d+ s\)/
            #expect(second.errors.contains(waiting), "\(second.errors)")
            #expect(second.errors.contains("\"goodgate app stop one\""), "\(second.errors)")
        }
        try control.directory.write("go", "")
        #expect(slow.wait(seconds: 90) == .exited(0), "\(control.directory.read("slow"))")
        control.site.stop()
    }

    @Test("of an app at a fixed address stops, starts, and goes back when that fails") func fixedAddress() throws {
        let port = Ports.free()
        let control = try ControlSite(app: "listen 127.0.0.1:\(port); env PORT=\(port); env VERSION=one; stop_timeout 2s;")
        try control.waitUntilUp()
        let two = try control.run(["app", "scale", "one", "2"])
        #expect(two.ending == .exited(1))
        #expect(two.errors.contains("listens at a fixed address at 127.0.0.1:\(port), so there can be only one instance"), "\(two.errors)")
        let load = Load(port: control.site.port, clients: 2, pause: 0.01)
        let good = try control.run(["deploy", "one", "--env", "VERSION=two", "--soak", "0s"], seconds: 30)
        #expect(good.succeeded, "\(good.output)\(good.errors)")
        #expect(try version(control) == "two")
        let command = ControlSite.command(control.directory, mode: "exit")
        let bad = try control.run(["deploy", "one", "--command", command, "--soak", "0s"], seconds: 30)
        #expect(bad.ending == .exited(1))
        #expect(bad.errors.contains("the release before it was started again"), "\(bad.errors)")
        #expect(try version(control) == "two")
        #expect(load.finish().failures == [])
        control.site.stop()
    }

    @Test("takes another folder and other variables, named from where one is; a rollback gives them back") func places() throws {
        let control = try ControlSite(app: "env_file old.env;", directory: {
            let directory = try TemporaryDirectory()
            try directory.write("old.env", "VERSION=old\n")
            return directory
        }())
        try control.waitUntilUp()
        let folder = control.directory.path
        try control.directory.write("next/app.py", control.directory.read("app.py"))
        try control.directory.write("next.env", "VERSION=new\n")
        func deploy(_ words: [String]) throws -> RunningProcess.Output {
            let common = ["deploy", "one", "--soak", "0s", "--control", control.socket]
            return try RunningProcess.run(GatewayProcess.binary, common + words, directory: folder)
        }
        func place() throws -> String {
            let process = try #require(try control.instances().first?["process"] as? Int)
            return try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")
        }
        #expect(try version(control) == "old" && place() == folder)
        let result = try deploy(["--directory", "next", "--env-file", "next.env", "--command", "/usr/bin/python3 app.py 0 serve"])
        #expect(result.succeeded, "\(result.output)\(result.errors)")
        #expect(try version(control) == "new" && place() == folder + "/next")
        let differences = try app(control)["differences"] as? [String] ?? []
        let files = ["env_file \(folder)/next.env", "no env_file \(folder)/old.env"]
        #expect(Set(files).isSubset(of: differences), "\(differences)")
        for (words, complaint) in [
            (["--env-file", "gone.env"], "env_file \"\(folder)/gone.env\" cannot be read (2: No such file or directory)"),
            (["--directory", "gone"], "\(folder)/gone"),
        ] {
            let refused = try deploy(words)
            #expect(refused.ending == .exited(1) && (refused.output + refused.errors).contains(complaint), "\(refused)")
        }
        #expect(try version(control) == "new")
        #expect(try control.run(["rollback", "one"]).succeeded)
        #expect(try version(control) == "old" && place() == folder)
        control.site.stop()
    }

    @Test("prints its progress as JSON lines") func json() throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let result = try control.run(["deploy", "one", "--soak", "0s", "--json"], seconds: 30)
        #expect(result.succeeded)
        let lines = try result.output.split(separator: "\n").map {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
        }
        #expect(lines.contains { $0["event"] as? String == "rollBegan" })
        #expect(lines.last?["kind"] as? String == "result")
        #expect(lines.last?["succeeded"] as? Bool == true)
        #expect(lines.last?["release"] as? Int == 2)
        control.site.stop()
    }
}
