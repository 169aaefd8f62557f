import Config
import Glibc
import Machine
import TestKit
import Testing

@testable import Supervisor

/// What several reloads, deploys and orders one after the other come to.
@Suite("Reloads and deploys, one after the other", .blocking)
struct AppReloadTests {
    private func ends(_ host: TestHost) -> Int {
        host.reports.count { if case .rollEnded = $0.report { true } else { false } }
    }

    @Test("a block that is put back before its app has ended: it runs again, unless it had been stopped", arguments: [
        (false, "1"), (false, "5"), (true, "1"),
    ])
    func putBack(wasStopped: Bool, version: String) throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        host.start(specification)
        host.drainMilliseconds = 400
        if wasStopped { _ = host.supervisor.stop(app: "api") }
        host.supervisor.configure([])
        // A reload in between, of something else.
        host.supervisor.configure([])
        #expect(host.run { $0.routes.isEmpty && $0.supervisor.apps["api"] != nil })
        if version != "1" { specification.environment = ["VERSION=\(version)"] }
        host.supervisor.configure([specification])
        let saved = try #require(host.supervisor.directories.load(isExpected: true) { _ in }.first?.state.apps.first)
        #expect(saved.isRunning == !wasStopped)
        if wasStopped {
            #expect(host.run { $0.processes.isEmpty })
            #expect(!host.run(seconds: 0.3) { !$0.processes.isEmpty })
        } else {
            #expect(host.run { $0.routes.count == 1 }, "\(host.log)")
            #expect(host.versions == [version])
        }
    }

    @Test("a deploy while another one retires the old instances is busy, and harms neither it nor the way back")
    func secondDeploy() throws {
        let host = try TestHost()
        defer { host.finish() }
        host.start(host.specification(instances: 3))
        host.drainMilliseconds = 300
        #expect(host.deploy(["VERSION=2"]) == .accepted)
        #expect(host.run { host in host.history.contains { $0.hasPrefix("unroute") } })
        #expect(host.deploy(["VERSION=3"]) == .busy)
        #expect(host.run { $0.hasEnded(.completed) }, "\(host.log)")
        #expect(host.run { $0.routes.count == 3 && $0.processes.count == 3 })
        #expect(host.versions == ["2"])
        let back = host.supervisor.rollback(app: "api")
        #expect(back.answer == .accepted && back.release == 1)
    }

    @Test("a deploy that supersedes one that cannot end brings its own release, and the way back leads to what ran")
    func superseded() throws {
        let host = try TestHost()
        defer { host.finish() }
        let broken = host.directory.path + "/broken"
        var specification = host.specification(server: """
            if os.path.exists("\(broken)"): sys.exit(3)
            S((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()

            """, instances: 2)
        specification.restart.firstDelay = .seconds(5)
        host.start(specification)
        host.drainMilliseconds = 500
        #expect(host.deploy(["VERSION=2"]) == .accepted)
        #expect(host.run { host in host.history.contains { $0.hasPrefix("unroute") } })
        _ = host.directory.file("broken", "")
        // The successor of the one that has not been retired yet.
        let key = try #require(host.routes.keys.first { $0.instance.serial > 2 && $0.instance.slot == 1 }).instance
        try System.kill(try #require(host.supervisor.apps["api"]?.instances[key]).process, signal: SIGKILL)
        #expect(host.run { host in
            let instances = host.supervisor.status[0].instances.map(\.snapshot)
            return instances.contains { $0.phase == .backingOff } && !instances.contains { $0.key == InstanceKey(slot: 0, serial: 1) }
        }, "\(host.log)")
        try System.remove(broken)
        #expect(host.deploy(["VERSION=3"]) == .accepted)
        #expect(host.run { $0.hasEnded(.completed) && $0.routes.count == 2 }, "\(host.log)")
        #expect(host.run { $0.processes.count == 2 })
        #expect(host.versions == ["3"])
        #expect(host.supervisor.rollback(app: "api").release == 2)
    }

    @Test("a block that waits for the end of a deploy and is taken back meanwhile does not come into force")
    func takenBack() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        host.start(specification)
        #expect(host.deploy(["VERSION=2"], soak: 600) == .accepted)
        var edited = specification
        edited.environment = ["VERSION=5"]
        host.supervisor.configure([edited])
        specification.stopTimeout = .seconds(4)
        host.supervisor.configure([specification])
        #expect(host.run { $0.hasEnded(.completed) })
        #expect(!host.run(seconds: 0.3) { $0.supervisor.status[0].isRolling })
        #expect(host.supervisor.status[0].release == 2 && host.versions == ["2"])
    }

    @Test("an edited block is the end of history: a rollback does not go past it")
    func editAndRollback() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        host.start(specification)
        #expect(host.deploy(["VERSION=2"]) == .accepted)
        #expect(host.run { ends($0) == 1 })
        specification.environment = ["VERSION=5"]
        host.supervisor.configure([specification])
        #expect(host.run { ends($0) == 2 })
        #expect(host.supervisor.status[0].previousRelease == nil)
        #expect(host.supervisor.rollback(app: "api").answer == .refused)
        #expect(host.deploy(["VERSION=6"]) == .accepted)
        #expect(host.run { ends($0) == 3 })
        let back = host.supervisor.rollback(app: "api")
        #expect(back.answer == .accepted && back.release == 3)
        #expect(host.run { ends($0) == 4 && $0.processes.count == 1 && $0.routes.count == 1 })
        #expect(host.versions == ["5"])
    }

    @Test("a scale set by hand is kept until the block asks for another number")
    func scale() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        host.start(specification)
        #expect(host.supervisor.scale(app: "api", to: 2) == .accepted)
        specification.stopTimeout = .seconds(3)
        host.supervisor.configure([specification])
        #expect(host.run { $0.routes.count == 2 })
        #expect(host.supervisor.status[0].count == 2)
        specification.instances = 3
        host.start(specification)
        #expect(host.supervisor.status[0].count == 3)
    }

    @Test("memory is watched again when an app was stopped for a while")
    func memoryAfterStop() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        // Everything is more than that.
        specification.memoryRecycle = 1
        host.supervisor.configure([specification])
        #expect(host.run { $0.logged("more than memory_recycle") })
        #expect(host.run { ends($0) > 0 })
        _ = host.supervisor.stop(app: "api")
        #expect(host.run { $0.supervisor.isGone })
        // Longer than from one look to the next.
        #expect(!host.run(seconds: 1.2) { _ in false })
        host.log = []
        _ = host.supervisor.start(app: "api")
        #expect(host.run { $0.logged("more than memory_recycle") })
    }
}
