import Foundation
import Testing
import TestKit

/// `goodgate upgrade`.
@Suite("goodgate upgrade", .blocking, .enabled(if: Target.isGoodgate))
struct UpgradeCommandTests {
    @Test("replaces the program under load; apps are not restarted, and the commands go on") func good() throws {
        let control = try ControlSite(app: "instances 2;")
        try control.waitUntilUp()
        let old = control.site.gateway.process.pid
        let apps = Set(try control.instances().compactMap { $0["process"] as? Int })
        let load = Load(port: control.site.port, clients: 4, pause: 0.005)
        let result = try control.run(["upgrade"], seconds: 40)
        #expect(result.succeeded, "\(result.errors)\(control.site.gateway.errorLog)")
        #expect(control.site.gateway.process.wait(seconds: 60) == .exited(0))
        let new = try #require(control.site.gateway.pid)
        defer { kill(new, SIGKILL) }
        #expect(new != old)
        #expect(eventually { (try? control.status())?["process"] as? Int32 == new }, "\(control.site.gateway.errorLog)")
        #expect(eventually { (try? Set(control.instances().compactMap { $0["process"] as? Int })) == apps })
        let before = load.count
        #expect(eventually { load.count > before + 50 })
        #expect(load.finish().failures == [])
        kill(new, SIGTERM)
        #expect(eventually { !LiveProcess(new).isAlive })
    }

    @Test("right after a deploy keeps the new release") func afterDeploy() throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let old = control.site.gateway.process.pid
        let deployed = try control.run(["deploy", "one", "--env", "VERSION=two", "--soak", "0s"], seconds: 40)
        #expect(deployed.succeeded, "\(deployed.errors)")
        let result = try control.run(["upgrade"], seconds: 40)
        #expect(result.succeeded, "\(result.errors)\(control.site.gateway.errorLog)")
        #expect(control.site.gateway.process.wait(seconds: 60) == .exited(0))
        let new = try #require(control.site.gateway.pid)
        defer { kill(new, SIGKILL) }
        #expect(eventually { (try? control.status())?["process"] as? Int32 == new && old != new })
        let app = (try control.status()["apps"] as? [[String: Any]])?.first
        #expect(app?["release"] as? Int == 2 && app?["previous_release"] as? Int == 1, "\(app ?? [:])")
        #expect(try control.site.client(timeout: 20).request().text.hasSuffix("two"))
        kill(new, SIGTERM)
        #expect(eventually { !LiveProcess(new).isAlive })
    }

    @Test("while a reload starts comes after it: the new program has the apps") func duringReload() throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let supervisor = control.site.gateway.process
        let apps = Set(try control.instances().compactMap { $0["process"] as? Int })
        // Both are found in one turn.
        supervisor.signal(SIGSTOP)
        supervisor.signal(SIGHUP)
        supervisor.signal(SIGUSR2)
        supervisor.signal(SIGCONT)
        #expect(eventually { control.site.gateway.pid.map { $0 != supervisor.pid } ?? false })
        let new = try #require(control.site.gateway.pid)
        defer { kill(new, SIGKILL) }
        // It looks for the apps before it starts workers.
        #expect(eventually { !LiveProcess(new).children.isEmpty })
        #expect(!control.site.gateway.errorLog.contains("apps are not started yet"))
        supervisor.signal(SIGQUIT)
        #expect(supervisor.wait(seconds: 30) == .exited(0), "\(control.site.gateway.errorLog)")
        #expect(try control.site.client(timeout: 20).request().status == 200, "\(control.site.gateway.errorLog)")
        #expect(eventually { (try? control.status())?["process"] as? Int32 == new })
        #expect(eventually { (try? Set(control.instances().compactMap { $0["process"] as? Int })) == apps })
        kill(new, SIGTERM)
        #expect(eventually { !LiveProcess(new).isAlive })
    }

    @Test("leaves the old program alone when the new one cannot start") func bad() throws {
        let control = try ControlSite()
        try control.waitUntilUp()
        let old = control.site.gateway.process.pid
        // What the new program would read does not parse.
        try control.directory.write(GatewayProcess.configurationName, "events { } nonsense;")
        let result = try control.run(["upgrade"], seconds: 40)
        #expect(result.ending == .exited(1))
        #expect(result.errors.contains("the new program did not start"), "\(result.errors)")
        #expect(try control.status()["process"] as? Int32 == old)
        #expect(eventually { (try? control.instances().contains { $0["state"] as? String == "ready" }) == true })
        #expect(try control.site.client(timeout: 20).request().status == 200)
        control.site.stop(allowing: ["nonsense"])
    }
}
