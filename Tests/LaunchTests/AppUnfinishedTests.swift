import Config
import Glibc
import Machine
import TestKit
import Testing

@testable import Supervisor

/// Nobody's edit and nobody's deploy is lost, whatever comes between its beginning and its end.
@Suite("Rolls that are interrupted, or have to wait", .blocking)
struct AppUnfinishedTests {
    private func isBusy(_ host: TestHost) -> Bool { host.supervisor.apps["api"]?.machine.isBusy ?? false }

    /// An app that binds an address of its own.
    private func fixed(_ host: TestHost) -> AppSpecification {
        let port = UInt16(Ports.free())
        var specification = host.specification(server: "S(('127.0.0.1', \(port)), H).serve_forever()\n")
        specification.listen = .fixed(.ipv4(0x7F00_0001, port: port))
        return specification
    }

    /// Deploys, and lets the supervisor die as soon as the new instance runs, and is not ready.
    /// - Returns: its process.
    private func dieInRoll(_ host: TestHost, to environment: [String]) throws -> Int32 {
        let old = host.processes
        #expect(host.deploy(environment) == .accepted)
        #expect(host.run { host in
            host.processes.contains { !old.contains($0) } && host.supervisor.saveAt == nil && host.supervisor.status[0].isRolling
        }, "\(host.log)")
        let process = try #require(host.processes.first { !old.contains($0) })
        host.die()
        return process
    }

    @Test("a block that is mended while a withdrawn instance is still on its way out comes into force when that is gone")
    func mendedWhileWithdrawn() throws {
        let host = try TestHost()
        defer { host.finish() }
        // The first new instance lingers, the second one fails.
        var specification = host.specification(server: """
            if os.environ.get("VERSION") == "2":
                try: os.open("\(host.directory.path)/first", os.O_CREAT | os.O_EXCL)
                except FileExistsError: sys.exit(3)
                signal.signal(signal.SIGTERM, lambda *a: None)
            S((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()

            """, instances: 2)
        specification.stopTimeout = .seconds(2)
        host.start(specification)
        specification.environment = ["VERSION=2"]
        host.supervisor.configure([specification])
        #expect(host.run { $0.hasEnded(.failed(slot: 1)) }, "\(host.log)")
        let wasBusy = isBusy(host)
        #expect(wasBusy)
        specification.environment = ["VERSION=3"]
        host.supervisor.configure([specification])
        // A reload in between, of something else.
        host.supervisor.configure([specification])
        #expect(host.run { $0.hasEnded(.completed) && $0.routes.count == 2 && $0.processes.count == 2 }, "\(host.log)")
        #expect(host.versions == ["3"])
        #expect(host.supervisor.status[0].refusedBlock == nil)
    }

    @Test("a block that failed is not tried again by a reload that does not change it")
    func refusedStays() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        host.start(specification)
        specification.environment = ["BROKEN=1"]
        host.supervisor.configure([specification])
        #expect(host.run { $0.hasEnded(.failed(slot: 0)) && $0.processes.count == 1 }, "\(host.log)")
        host.supervisor.configure([specification])
        #expect(!host.run(seconds: 0.3) { $0.supervisor.status[0].isRolling })
    }

    @Test("an edited block goes on, with its new process, when the supervisor dies or hands over while that starts", arguments: [
        false, true,
    ])
    func editSurvives(isHandedOver: Bool) throws {
        let first = try TestHost()
        defer { first.finish() }
        var specification = first.specification()
        first.start(specification)
        let old = first.processes
        specification.environment = ["VERSION=7", "BOOT=2"]
        first.supervisor.configure([specification])
        #expect(first.run { $0.processes.count == 2 && $0.supervisor.saveAt == nil }, "\(first.log)")
        let new = try #require(first.processes.first { !old.contains($0) })
        if isHandedOver { first.supervisor.handOver() } else { first.die() }

        let host = try first.successor(specification)
        defer { host.finish() }
        #expect(host.logged("the roll to release 2 goes on"), "\(host.log)")
        #expect(host.run { $0.hasEnded(.completed) && $0.processes == [new] && $0.routes.count == 1 }, "\(host.log)")
        #expect(host.versions == ["7"])
        #expect(host.supervisor.status[0].release == 2)
    }

    @Test("an app that is stopped in the middle of a roll to an edited block runs that block when it is started again")
    func stoppedInRoll() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        host.start(specification)
        specification.environment = ["VERSION=7", "BOOT=0.5"]
        host.supervisor.configure([specification])
        #expect(host.run { $0.processes.count == 2 })
        #expect(host.supervisor.stop(app: "api") == .accepted)
        #expect(host.run { $0.supervisor.isGone })
        #expect(host.supervisor.start(app: "api") == .accepted)
        #expect(host.run { $0.routes.count == 1 }, "\(host.log)")
        #expect(host.versions == ["7"])
        #expect(host.supervisor.status[0].refusedBlock == nil)
    }

    @Test("at a fixed address, and beside an app that crashes, a deploy goes on after a kill -9, and its release stays", arguments: [
        true, false,
    ])
    func deploySurvives(isFixed: Bool) throws {
        let first = try TestHost()
        defer { first.finish() }
        var specification = isFixed ? fixed(first) : first.specification()
        if !isFixed { specification.environment = ["BROKEN=1"] }
        specification.restart.firstDelay = .milliseconds(isFixed ? 50 : 10_000)
        specification.restart.lastDelay = max(specification.restart.firstDelay, specification.restart.lastDelay)
        first.supervisor.configure([specification])
        #expect(first.run { isFixed ? $0.routes.count == 1 : $0.logged("starts again in 1") }, "\(first.log)")
        let process = try dieInRoll(first, to: ["BROKEN=", "VERSION=2", "BOOT=2"])

        let host = try first.successor(specification)
        defer { host.finish() }
        #expect(host.supervisor.status[0].isRolling, "who waits for the deploy goes on waiting")
        #expect(host.run { $0.hasEnded(.completed) && $0.processes == [process] && $0.routes.count == 1 }, "\(host.log)")
        #expect(host.supervisor.status[0].release == 2 && host.supervisor.status[0].previousRelease == 1)
        kill(process, SIGKILL)
        #expect(host.run { $0.routes.isEmpty })
        #expect(host.run { $0.routes.count == 1 }, "\(host.log)")
        #expect(host.versions == ["2"])
    }

    @Test("a deploy that goes on after a kill -9 may still fail, and what ran before is started again")
    func deployFailsLater() throws {
        let first = try TestHost()
        defer { first.finish() }
        let specification = fixed(first)
        first.start(specification)
        _ = try dieInRoll(first, to: ["BROKEN=1", "BOOT=2"])

        let host = try first.successor(specification)
        defer { host.finish() }
        #expect(host.run { $0.hasEnded(.reverted) && $0.routes.count == 1 }, "\(host.log)")
        #expect(host.versions == ["1"])
        #expect(host.supervisor.status[0].release == 1 && host.supervisor.status[0].previousRelease == nil)
    }

    @Test("the new instance of a roll is withdrawn if the block was edited before the next supervisor came")
    func editedInRoll() throws {
        let first = try TestHost()
        defer { first.finish() }
        var specification = fixed(first)
        first.start(specification)
        let process = try dieInRoll(first, to: ["VERSION=2", "BOOT=2"])

        let host = try TestHost(directory: first.directory)
        defer { host.finish() }
        specification.environment = ["VERSION=3"]
        host.supervisor.configure([specification])
        #expect(host.logged("the roll to release 2 is given up, the block was edited"), "\(host.log)")
        #expect(host.run { $0.routes.count == 1 && !$0.processes.contains(process) }, "\(host.log)")
        #expect(host.versions == ["3"])
    }

    @Test("an instance of a release that nobody had come to is replaced, if the state knows of no roll")
    func unknownRoll() throws {
        let first = try TestHost()
        defer { first.finish() }
        let specification = fixed(first)
        first.start(specification)
        let process = try dieInRoll(first, to: ["VERSION=2", "BOOT=2"])
        // As a version before wrote it.
        var state = try AppState(decoding: try System.readFile(first.directory.path + "/s/apps.state"))
        #expect(state.apps[0].roll == AppState.Roll(release: 2, from: 1))
        state.apps[0].roll = nil
        _ = first.directory.file("s/apps.state", String(decoding: state.encoded, as: UTF8.self), mode: 0o600)

        let host = try first.successor(specification)
        defer { host.finish() }
        #expect(host.run { $0.routes.count == 1 && !$0.processes.contains(process) }, "\(host.log)")
        #expect(host.versions == ["1"])
        #expect(host.supervisor.status[0].release == 1)
    }

    @Test("a roll that an orderly end interrupts before its commit is over")
    func endedInRoll() throws {
        let first = try TestHost()
        let specification = first.specification()
        first.start(specification)
        #expect(first.deploy(["VERSION=2", "BOOT=2"]) == .accepted)
        #expect(first.run { $0.processes.count == 2 })
        first.finish()
        first.die()
        let host = try first.successor(specification)
        defer { host.finish() }
        #expect(host.run { $0.routes.count == 1 })
        #expect(!host.run(seconds: 0.3) { $0.supervisor.status[0].isRolling })
        #expect(host.versions == ["1"])
    }

    @Test("a rollback goes to the release before, also when the supervisor died while the old instances were leaving")
    func rollbackAfterDeath() throws {
        let first = try TestHost()
        defer { first.finish() }
        var specification = first.specification()
        specification.drainTimeout = .seconds(60)
        first.start(specification)
        #expect(first.deploy(["VERSION=2"]) == .accepted)
        #expect(first.run { $0.hasEnded(.completed) && $0.processes.count == 1 }, "\(first.log)")
        first.drainMilliseconds = nil
        #expect(first.deploy(["VERSION=3"]) == .accepted)
        #expect(first.run { $0.supervisor.status[0].release == 3 && $0.routes.count == 1 && $0.supervisor.saveAt == nil }, "\(first.log)")
        #expect(first.processes.count == 2)
        first.die()

        let host = try first.successor(specification)
        defer { host.finish() }
        #expect(host.supervisor.status[0].previousRelease == 2)
        #expect(host.run { $0.processes.count == 1 }, "\(host.log)")
        let back = host.supervisor.rollback(app: "api")
        #expect(back.answer == .accepted && back.release == 2)
        #expect(host.run { $0.hasEnded(.completed) && $0.routes.count == 1 && $0.processes.count == 1 }, "\(host.log)")
        #expect(host.versions == ["2"])
    }

    @Test("the end of a soak is known to the next supervisor, also while the old instances are leaving")
    func deathAfterSoak() throws {
        let first = try TestHost()
        defer { first.finish() }
        var specification = first.specification()
        specification.drainTimeout = .seconds(60)
        first.start(specification)
        first.drainMilliseconds = nil
        #expect(first.deploy(["VERSION=2"], soak: 1500) == .accepted)
        #expect(first.run { $0.supervisor.status[0].release == 2 && $0.supervisor.saveAt == nil }, "\(first.log)")
        let state = try AppState(decoding: try System.readFile(first.directory.path + "/s/apps.state"))
        #expect(state.apps[0].activeRelease == 2)
    }

    @Test("without a state file an instance is dialled where it was told to listen, not at another port of its process", arguments: [
        AppListen.port, .descriptor,
    ])
    func otherPorts(listen: AppListen) throws {
        let first = try TestHost()
        defer { first.finish() }
        var specification = first.specification(server: """
            others = [socket.create_server(("127.0.0.1", 0)) for i in range(12)]
            if os.environ.get("MODE") == "fd":
                S.server_bind = lambda self: None; S.server_activate = lambda self: None
                s = S(("", 0), H, bind_and_activate=False); s.socket = socket.socket(fileno=3); s.serve_forever()
            S((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()

            """)
        specification.listen = listen
        if listen == .descriptor { specification.environment = ["MODE=fd"] }
        first.start(specification)
        let place = try #require(first.routes.values.first?.address)
        #expect(first.run { $0.supervisor.saveAt == nil })
        first.die()
        try System.remove(first.directory.path + "/s/apps.state")
        let host = try first.successor(specification)
        defer { host.finish() }
        #expect(host.run { $0.routes.count == 1 }, "\(host.log)")
        #expect(host.routes.values.first?.address == place)
        #expect(host.versions == ["1"])
    }

    @Test("what is being stopped, and has long, is killed when it is told so once more")
    func killAll() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification(server: """
            signal.signal(signal.SIGTERM, lambda *a: None)
            S((os.environ['HOST'], int(os.environ['PORT'])), H).serve_forever()

            """)
        specification.stopTimeout = .seconds(600)
        host.start(specification)
        host.supervisor.killAll()
        #expect(!host.run(seconds: 0.3) { $0.routes.isEmpty }, "nothing of an app that is to run")
        host.supervisor.stopAll()
        #expect(!host.run(seconds: 0.3) { $0.supervisor.isGone })
        host.supervisor.killAll()
        #expect(host.run { $0.supervisor.isGone }, "\(host.log)")
    }

    @Test("the longest watchdog that can be written is one") func longWatchdog() throws {
        let host = try TestHost()
        defer { host.finish() }
        var specification = host.specification()
        specification.watchdog = .milliseconds(Int64.max)
        host.start(specification)
    }
}
