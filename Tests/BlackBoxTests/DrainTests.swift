import Foundation
import Testing
import TestKit

/// `goodgate drain` and `undrain`.
@Suite("A drained server", .blocking, .enabled(if: Target.isGoodgate))
struct DrainTests {
    @Test("gets no new clients, over reloads and new workers, until it is given back") func plain() throws {
        let one = try Origin(answer: "one")
        let two = try Origin(answer: "two")
        let addresses = ["127.0.0.1:\(one.port)", "127.0.0.1:\(two.port)"]
        let http = "upstream back { server \(addresses[0]); server \(addresses[1]); }"
        let main = "control unix:c/s.sock;"
        let site = try Site(http: http, server: "location / { proxy_pass http://back; }", main: main, workers: 2)
        let commands = Commands(socket: site.gateway.directory.path + "/c/s.sock")
        func answers(_ count: Int) throws -> Set<String> { Set(try (0..<count).map { _ in try site.get().text }) }
        #expect(eventually { commands.areAnswered })
        #expect(try answers(12) == ["one", "two"])
        let drained = try commands.run(["drain", addresses[0]])
        #expect(drained.succeeded, "\(drained.errors)")
        #expect(drained.output == "\(addresses[0]) gets no new clients (back)\nno request runs there\n")
        #expect(eventually { (try? answers(8)) == ["two"] })
        #expect(try commands.run(["status"]).output.contains("draining"))
        for worker in site.gateway.workers { kill(worker, SIGKILL) }
        #expect(eventually { (try? answers(8)) == ["two"] })
        site.gateway.signal(SIGHUP)
        #expect(eventually { (try? commands.run(["status", "--json"]))?.output.contains("\"generation\" : 2") == true })
        #expect(try answers(8) == ["two"])
        #expect(try commands.run(["drain", addresses[1]]).output.contains("there is no other server in back"))
        #expect(eventually { (try? site.get().status) == 502 })
        for address in addresses { #expect(try commands.run(["undrain", address]).succeeded) }
        #expect(eventually { (try? answers(12)) == ["one", "two"] })
        for (words, text) in [
            (["drain", "127.0.0.1:1"], "no upstream has a server \"127.0.0.1:1\""),
            (["undrain", addresses[0]], "server \"\(addresses[0])\" is not drained"),
            (["drain", addresses[0], "--upstream", "nowhere"], "there is no upstream \"nowhere\""),
        ] {
            let result = try commands.run(words)
            #expect(result.ending == .exited(1) && result.errors.contains(text), "\(result.errors)")
        }
        site.stop(allowing: ["worker process"])
    }

    @Test("stays so when the supervisor is killed and started again, and when it is upgraded") func nextSupervisor() throws {
        let control = try ControlSite(app: "instances 2;")
        try control.waitUntilUp()
        #expect(try control.run(["drain", "one.0"]).succeeded)
        func state() throws -> String? {
            let upstreams = try control.status()["upstreams"] as? [[String: Any]]
            let servers = upstreams?.first?["servers"] as? [[String: Any]]
            return servers?.first { $0["name"] as? String == "one.0" }?["state"] as? String
        }
        #expect(try state() == "draining")
        let first = try #require(try control.instances().first?["process"] as? Int)
        func isSpared() -> Bool { (try? (0..<8).allSatisfy { _ in try !control.site.get().text.hasPrefix("\(first) ") }) == true }

        #expect(try control.run(["upgrade"], seconds: 60).succeeded)
        #expect(eventually { (try? state()) == "draining" })
        #expect(isSpared())
        let master = try #require(control.site.gateway.pid)
        defer { kill(master, SIGKILL) }
        kill(master, SIGKILL)
        #expect(eventually { !LiveProcess(master).isAlive })
        try FileManager.default.removeItem(atPath: control.directory.path + "/gateway.pid")
        let text = control.directory.read(GatewayProcess.configurationName)
        let next = try GatewayProcess(configuration: text, directory: control.directory)
        #expect(eventually { (try? state()) == "draining" }, "\(next.errorLog)")
        #expect(isSpared())
        #expect(try control.run(["undrain", "one.0"]).succeeded)
        #expect(eventually { !isSpared() })
        next.stop(SIGQUIT, seconds: 20, allowing: ["worker process"])
    }

    @Test("can be an instance of an app") func instance() throws {
        let control = try ControlSite(app: "instances 2;")
        try control.waitUntilUp()
        #expect(try control.run(["drain", "one.0"]).succeeded)
        let first = try #require(try control.instances().first?["process"] as? Int)
        #expect(eventually { (try? (0..<8).allSatisfy { _ in try !control.site.get().text.hasPrefix("\(first) ") }) == true })
        // Both: as when the app is stopped.
        #expect(try control.run(["drain", "one.1"]).succeeded)
        #expect(eventually { (try? control.site.get().status) == 503 })
        #expect(try control.site.get()["Retry-After"] == "5")
        #expect(try control.run(["undrain", "one.1"]).succeeded)
        #expect(eventually { (try? control.site.get().status) == 200 })
        #expect(try control.run(["undrain", "one.0"]).succeeded)
        #expect(eventually { (try? (0..<8).contains { _ in try control.site.get().text.hasPrefix("\(first) ") }) == true })
        control.site.stop()
    }
}
