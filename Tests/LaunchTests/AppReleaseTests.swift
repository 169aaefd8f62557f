import Config
import Glibc
import Machine
import Messages
import TestKit
import Testing

@testable import Supervisor

@Suite("Deploys with real processes", .blocking)
struct AppReleaseTests {
    @Test("a good release: new ones first, then each old one un-routed before its signal; never fewer than before")
    func goodRelease() throws {
        let host = try TestHost()
        defer { host.finish() }
        host.start(host.specification(instances: 2))
        let old = host.processes
        let (answer, release) = host.supervisor.deploy(
            app: "api", DeployOrder(environment: ["VERSION=2"], soakMilliseconds: 600))
        #expect(answer == .accepted && release == 2)
        var least = 9
        #expect(host.run { host in
            least = min(least, host.routes.values.count { $0.share == .full })
            return host.hasEnded(.completed)
        })
        #expect(least == 2)
        #expect(host.history.contains { $0.hasSuffix("slice") })
        #expect(host.run { $0.routes.count == 2 && $0.processes.count == 2 })
        for route in host.routes.values { #expect(TestHost.get(route.address).contains("\r\n\r\n2 ")) }
        for process in old { #expect(!TestKeeper.exists(process)) }
        #expect(host.supervisor.status[0].release == 2)
        // And back.
        let back = host.supervisor.rollback(app: "api")
        #expect(back.answer == .accepted && back.release == 1)
        #expect(host.run { host in host.reports.count { if case .rollEnded(1, .completed) = $0.report { true } else { false } } == 1 })
        #expect(host.run { $0.processes.count == 2 })
        for route in host.routes.values { #expect(TestHost.get(route.address).contains("\r\n\r\n1 ")) }
    }

    @Test("an app that listens nowhere is ready when it runs, taken over, and replaced without a wait for requests")
    func background() throws {
        let host = try TestHost()
        var specification = AppSpecification(name: "worker", command: ["/bin/sleep", "100"], instances: 2, listen: .nowhere)
        specification.startTimeout = .milliseconds(1500)
        host.supervisor.configure([specification])
        #expect(host.run { host in host.reports.count { if case .ready = $0.report { true } else { false } } == 2 })
        #expect(host.outlooks.last == .up)
        let processes = host.processes
        #expect(!host.run(seconds: 1.8) { $0.processes != processes }, "start_timeout is over: \(host.log)")
        host.supervisor.save()
        host.die()

        let next = try TestHost(directory: host.directory)
        defer { next.finish() }
        next.supervisor.configure([specification])
        #expect(!next.run(seconds: 1.8) { $0.processes != processes }, "\(next.log)")
        // It has half a minute to drain, and needs none of it.
        #expect(next.supervisor.deploy(app: "worker", DeployOrder(environment: ["VERSION=2"], soakMilliseconds: 0)).answer == .accepted)
        #expect(next.run { $0.hasEnded(.completed) }, "\(next.log)")
        #expect(Set(next.processes).isDisjoint(with: processes))
        #expect(next.routes.isEmpty)
    }

    @Test("an app without a block goes on while it is still needed; the place that another one is to have is given up at once")
    func keptApp() throws {
        let host = try TestHost()
        defer { host.finish() }
        host.start(host.specification("old"))
        let processes = host.processes
        let new = host.specification("new")
        host.supervisor.configure([new], keeping: ["old"])
        host.supervisor.configure([new], keeping: ["old"])
        #expect(host.run { $0.routes.count == 2 })
        #expect(host.log.count { $0.contains("is stopped when the workers of before have ended") } == 1)
        #expect(Set(processes).isSubset(of: host.processes))
        host.supervisor.configure([new])
        #expect(host.run { $0.processes.count == 1 && Set(processes).isDisjoint(with: $0.processes) }, "\(host.log)")

        var (one, other) = (host.specification("one"), host.specification("other"))
        one.listen = .fixed(.ipv4(0x7F00_0001, port: UInt16(Ports.free())))
        other.listen = one.listen
        host.supervisor.configure([one])
        #expect(host.run { $0.routes.count == 1 && $0.routes.keys.first?.app == "one" }, "\(host.log)")
        host.supervisor.configure([other], keeping: ["one"])
        #expect(host.run { $0.routes.count == 1 && $0.routes.keys.first?.app == "other" }, "\(host.log)")
    }

    @Test("a deploy and a rollback of a stopped app say that nothing was proven")
    func stoppedApp() throws {
        let host = try TestHost()
        defer { host.finish() }
        host.start(host.specification())
        #expect(host.supervisor.stop(app: "api") == .accepted)
        #expect(host.run { $0.supervisor.isGone })
        #expect(host.deploy(["BROKEN=1"]) == .accepted)
        #expect(host.logged("app api: release 2 is taken at the next start, unproven"), "\(host.log)")
        #expect(host.supervisor.rollback(app: "api").answer == .accepted)
        #expect(host.logged("app api: release 1 is taken at the next start, unproven"), "\(host.log)")
        #expect(!host.logged("all instances run it"))
    }

    @Test("a release that does not start leaves the old processes alone")
    func badRelease() throws {
        let host = try TestHost()
        defer { host.finish() }
        host.start(host.specification(instances: 2))
        let old = host.processes
        _ = host.supervisor.deploy(app: "api", DeployOrder(environment: ["BROKEN=1"], soakMilliseconds: 0))
        #expect(host.run { $0.hasEnded(.failed(slot: 0)) })
        #expect(host.run { $0.processes == old })
        #expect(host.routes.count == 2)
        #expect(!host.history.contains { $0.hasPrefix("unroute") })
        #expect(host.supervisor.status[0].release == 1)
    }

    @Test("a release that answers worse during its soak is withdrawn")
    func worseRelease() throws {
        let host = try TestHost()
        defer { host.finish() }
        host.start(host.specification())
        let old = host.processes
        _ = host.supervisor.deploy(app: "api", DeployOrder(environment: ["VERSION=2"], soakMilliseconds: 20_000))
        #expect(host.run { $0.routes.values.contains { $0.share == .slice } })
        let candidate = try #require(host.routes.first { $0.value.share == .slice }?.key.instance)
        host.failingShare[candidate] = SoakComparison.Counts(requests: 20, failures: 10)
        #expect(host.run { host in
            host.reports.contains { if case .rollEnded(2, .worse) = $0.report { true } else { false } }
        })
        #expect(host.run { $0.processes == old && $0.routes.count == 1 })
    }

    @Test("what was counted before an instance came in the middle of a soak is not its own")
    func newcomerDuringSoak() throws {
        let host = try TestHost()
        defer { host.finish() }
        host.supervisor.configure([host.specification()])
        #expect(host.run { $0.routes.count == 1 })
        // Its successor gets its place on the board, and that place's history.
        host.failingShare[InstanceKey(slot: 0, serial: 3)] = SoakComparison.Counts(requests: 2000, failures: 1900)
        _ = host.supervisor.deploy(app: "api", DeployOrder(environment: ["VERSION=2"], soakMilliseconds: 20_000))
        #expect(host.run { $0.routes.values.contains { $0.share == .slice } })
        let candidate = try #require(host.routes.first { $0.value.share == .slice }?.key.instance)
        kill(try #require(host.supervisor.apps["api"]?.instances[InstanceKey(slot: 0, serial: 1)]).process, SIGKILL)
        #expect(host.run { $0.routes.keys.contains { $0.instance.serial == 3 } }, "\(host.log)")
        host.failingShare[candidate] = SoakComparison.Counts(requests: 20, failures: 10)
        #expect(host.run(seconds: 15) { host in
            host.reports.contains { if case .rollEnded(2, .worse) = $0.report { true } else { false } }
        }, "\(host.log)")
    }

    @Test("at a fixed address the old one goes first, and comes back if the new one fails")
    func fixedAddress() throws {
        let host = try TestHost()
        defer { host.finish() }
        var chooser = PortChooser()
        let port = chooser.take() ?? 0
        var specification = host.specification(server: "S(('127.0.0.1', \(port)), H).serve_forever()\n")
        specification.listen = .fixed(.ipv4(0x7F00_0001, port: port))
        host.start(specification)
        _ = host.supervisor.deploy(app: "api", DeployOrder(environment: ["VERSION=2"], soakMilliseconds: 0))
        #expect(host.run { $0.hasEnded(.completed) && $0.routes.count == 1 })
        #expect(TestHost.get(.ipv4(0x7F00_0001, port: port)).contains("\r\n\r\n2 "))
        host.outlooks = []
        _ = host.supervisor.deploy(app: "api", DeployOrder(environment: ["BROKEN=1"], soakMilliseconds: 0))
        #expect(host.run { $0.hasEnded(.reverted) && $0.routes.count == 1 })
        #expect(TestHost.get(.ipv4(0x7F00_0001, port: port)).contains("\r\n\r\n2 "))
        #expect(!host.outlooks.contains(.down), "requests wait meanwhile: \(host.outlooks)")
    }

    @Test("reload: an unchanged block is not touched, a scale is live, an edit rolls")
    func reload() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        host.start(specification)
        let first = host.processes
        host.supervisor.configure([specification])
        #expect(!host.run(seconds: 0.3) { $0.processes != first })
        specification.instances = 3
        specification.stopTimeout = .seconds(4)
        host.start(specification)
        #expect(host.processes.contains(first[0]))
        specification.environment = ["VERSION=5"]
        specification.instances = 2
        host.supervisor.configure([specification])
        #expect(host.run { $0.hasEnded(.completed) && $0.processes.count == 2 && $0.routes.count == 2 })
        for route in host.routes.values { #expect(TestHost.get(route.address).contains("\r\n\r\n5 ")) }
        host.supervisor.configure([])
        #expect(host.run { $0.supervisor.apps.isEmpty })
    }

    @Test("restart is rolling and reads env_file again")
    func restart() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification(instances: 2)
        specification.environmentFiles = [host.directory.file("env", "VERSION=10\n")]
        host.start(specification)
        _ = host.directory.file("env", "VERSION=11\n")
        #expect(host.supervisor.restart(app: "api") == .accepted)
        #expect(host.run { $0.hasEnded(.completed) && $0.processes.count == 2 })
        for route in host.routes.values { #expect(TestHost.get(route.address).contains("\r\n\r\n11 ")) }
    }

    @Test("memory_recycle: new instance first, then the old one")
    func recycle() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification(server: """
            x = bytearray(80 << 20) if not os.path.exists("\(host.directory.path)/once") else b""
            open("\(host.directory.path)/once", "w").close()
            S((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()

            """)
        specification.memoryRecycle = 60 << 20
        host.start(specification)
        let old = host.processes
        var least = 9
        #expect(host.run { host in
            least = min(least, host.routes.count)
            return host.hasEnded(.completed)
        })
        #expect(least == 1)
        #expect(host.run { $0.processes.count == 1 && $0.processes != old })
        #expect(host.logged("more than memory_recycle"))
    }

    @Test("memory_max without a cgroup is watched")
    func memoryMax() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification(server: """
            x = bytearray(120 << 20)
            S((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()

            """)
        specification.memoryMax = 60 << 20
        host.supervisor.configure([specification])
        #expect(host.run { host in host.reports.contains { $0.report == .memoryExceeded } })
        #expect(host.run { host in host.reports.contains { if case .backingOff = $0.report { true } else { false } } })
        #expect(host.logged("exited on signal 9 (killed: it used more than memory_max)"), "\(host.log)")
        #expect(host.supervisor.status[0].instances[0].snapshot.lastExit?.words.contains("memory_max") == true)
    }

    @Test("memory_max with a cgroup: the kernel kills, and the report says so", .enabled(
        if: OwnCgroup.isWritable, "needs root and a v1 memory cgroup"))
    func memoryMaxCgroup() throws {
        let host = try TestHost(usesCgroups: true)
        defer { host.finish() }
        var specification = host.specification(server: "x = bytearray(200 << 20)\ntime.sleep(600)\n")
        specification.memoryMax = 48 << 20
        host.supervisor.configure([specification])
        #expect(host.run { $0.logged("OOM kill") })
        #expect(host.reports.contains { item in
            if case .exited(let exit, _, false) = item.report { exit.outOfMemoryKills == 1 } else { false }
        })
    }
}
