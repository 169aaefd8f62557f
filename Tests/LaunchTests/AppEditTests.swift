import Config
import Glibc
import Machine
import TestKit
import Testing

@testable import Supervisor

/// An edited block means what it says, whatever the app is doing when it comes.
@Suite("Edits of an app that is stopped, rolling, or was refused an edit", .blocking)
struct AppEditTests {
    @Test("a block that was edited while its app was stopped and Goodgate was away is what the app starts with", arguments: [false, true])
    func editedWhileStopped(isDeath: Bool) throws {
        let first = try TestHost()
        defer { first.finish() }
        var specification = first.specification()
        first.start(specification)
        #expect(first.supervisor.stop(app: "api") == .accepted)
        #expect(first.run { $0.supervisor.isGone && $0.supervisor.saveAt == nil })
        if !isDeath { first.finish() }
        first.die()
        let host = try TestHost(directory: first.directory)
        defer { host.finish() }
        specification.environment = ["VERSION=2"]
        host.supervisor.configure([specification])
        #expect(!host.run(seconds: 0.3) { !$0.processes.isEmpty }, "it stays stopped")
        #expect(host.supervisor.start(app: "api") == .accepted)
        #expect(host.run { $0.routes.count == 1 }, "\(host.log)")
        #expect(host.versions == ["2"])
        #expect(host.supervisor.status[0].refusedBlock == nil)
    }

    @Test("a refused block is tried again when only what needs no new process was changed in it")
    func mendedByTimeout() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        host.start(specification)
        // It gets ready when a file is there; for that its time is too short at first.
        let path = host.directory.path + "/go"
        let command = specification.command.joined(separator: " ")
        specification.command = ["/bin/sh", "-c", "while [ ! -e \(path) ]; do sleep 0.05; done; exec " + command]
        specification.environment = ["VERSION=2"]
        specification.startTimeout = .milliseconds(300)
        host.supervisor.configure([specification])
        #expect(host.run { $0.hasEnded(.failed(slot: 0)) && $0.processes.count == 1 }, "\(host.log)")
        _ = host.directory.file("go", "")
        specification.startTimeout = .seconds(60)
        host.supervisor.configure([specification])
        #expect(host.run { $0.hasEnded(.completed) && $0.routes.count == 1 && $0.processes.count == 1 }, "\(host.log)")
        #expect(host.versions == ["2"])
        #expect(host.supervisor.status[0].refusedBlock == nil)
    }

    @Test("a block that goes in the middle of its roll brings no release any more; one that comes back before the end does", arguments: [
        false, true,
    ])
    func removedInRoll(comesBack: Bool) throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        specification.drainTimeout = .seconds(60)
        host.start(specification)
        // It gets ready when a file is there.
        let command = specification.command.joined(separator: " ")
        specification.command = ["/bin/sh", "-c", "while [ ! -e \(host.directory.path)/go ]; do sleep 0.05; done; exec " + command]
        specification.environment = ["VERSION=2"]
        host.supervisor.configure([specification])
        #expect(host.run { $0.processes.count == 2 })
        // The old one is on its way out for as long as somebody has requests there.
        host.drainMilliseconds = nil
        host.supervisor.configure([])
        #expect(host.hasEnded(.cancelled) && !host.hasEnded(.completed), "\(host.log)")
        #expect(host.run { $0.processes.count == 1 })
        if comesBack {
            host.supervisor.configure([specification])
            _ = host.directory.file("go", "")
        }
        host.supervisor.drained(app: "api", instance: InstanceKey(slot: 0, serial: 1))
        if comesBack {
            #expect(host.run { $0.routes.count == 1 }, "\(host.log)")
            #expect(host.versions == ["2"])
        } else {
            #expect(host.run { $0.supervisor.apps.isEmpty }, "\(host.log)")
            #expect(!host.hasEnded(.completed), "\(host.log)")
        }
    }

    /// The checks of all instances pass.
    private func pass(_ host: TestHost) {
        for key in Array(host.checked.keys) { host.supervisor.healthChanged(app: "api", instance: key, isHealthy: true) }
    }

    @Test("after a refused edit what runs keeps its own check and its own times, also with the next supervisor", arguments: [false, true])
    func ownCheck(isNext: Bool) throws {
        let first = try TestHost()
        defer { first.finish() }
        let own = AppHealth(uri: "/own", interval: .milliseconds(1500), fails: 2, match: "well")
        var specification = first.specification()
        specification.health = own
        first.supervisor.configure([specification])
        #expect(first.run { $0.checked.count == 1 })
        pass(first)
        #expect(first.routes.count == 1)
        specification.environment = ["BOOT=60"]
        specification.health = AppHealth(uri: "/new")
        specification.startTimeout = .milliseconds(1)
        first.supervisor.configure([specification])
        #expect(first.run { $0.hasEnded(.failed(slot: 0)) && $0.processes.count == 1 && $0.supervisor.saveAt == nil }, "\(first.log)")
        var host = first
        if isNext {
            first.die()
            host = try first.successor(specification)
            #expect(host.run { $0.hasEnded(.failed(slot: 0)) && $0.processes.count == 1 }, "\(host.log)")
        }
        defer { if isNext { host.finish() } }
        #expect(host.routes.count == 1 && host.checked.keys.map { host.checks[$0] } == [own])
        let old = host.processes
        kill(old[0], SIGKILL)
        #expect(host.run { $0.processes.count == 1 && $0.processes != old && $0.checked.count == 1 }, "\(host.log)")
        #expect(host.checked.keys.map { host.checks[$0] } == [own])
        pass(host)
        #expect(host.routes.count == 1, "\(host.log)")
    }

    @Test("an instance is checked anew when only its check is edited")
    func editedCheck() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        specification.health = AppHealth(uri: "/one")
        host.supervisor.configure([specification])
        #expect(host.run { $0.checked.count == 1 })
        let processes = host.processes
        for health in [AppHealth(uri: "/two"), AppHealth(uri: "/two", fails: 7)] {
            specification.health = health
            host.supervisor.configure([specification])
            #expect(host.checked.keys.map { host.checks[$0] } == [health])
        }
        #expect(host.processes == processes)
    }
}
