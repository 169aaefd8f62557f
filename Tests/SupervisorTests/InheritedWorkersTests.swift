import Testing

@testable import Supervisor

/// Workers of a supervisor that died, as the machine of the next one sees them.
@Suite struct InheritedWorkersTests {
    private static let orphans = [WorkerID(101), WorkerID(102)]

    /// A machine that was started with two orphans.
    private func rig(workers: Int = 2) -> MachineRig {
        var rig = MachineRig(workers: workers, inherited: Self.orphans)
        for id in Self.orphans { rig.alive[id] = 0 }
        return rig
    }

    @Test func theyServeUntilTheFirstGenerationDoes() {
        var rig = rig()
        #expect(rig.told.isEmpty)
        let own = rig.workers(of: 1)
        rig.send(.workerReady(own[0]))
        #expect(rig.told.isEmpty)
        rig.send(.workerReady(own[1]))
        for id in Self.orphans { #expect(rig.told[id] == .drain(id, deadline: nil)) }
        #expect(!rig.send(.workerExited(Self.orphans[0], .code(0))).contains(.releaseGeneration(0)))
        #expect(rig.send(.workerExited(Self.orphans[1], .code(0))).contains(.releaseGeneration(0)))
        #expect(rig.alive.count == 2)
    }

    @Test func onesThatEndEarlierAreNotStartedAgain() {
        var rig = rig()
        for id in Self.orphans { rig.send(.workerExited(id, .signal(9))) }
        #expect(rig.alive.values.allSatisfy { $0 == 1 })
        rig.makeReady(1)
        #expect(rig.told.isEmpty)
    }

    @Test func theyServeOnWhenTheStartIsRefused() {
        var rig = rig(workers: 1)
        let own = rig.workers(of: 1)[0]
        rig.send(.workerFailed(own, text: "no"))
        rig.send(.workerExited(own, .code(2)))
        #expect(rig.exitStatus == 1)
        #expect(rig.told.isEmpty)
        let isRefused = rig.machine.isRefused
        #expect(isRefused)
    }

    @Test func theyServeOnWhileTheFirstWorkersKeepDyingAndAReloadBringsABetterConfiguration() {
        var rig = rig(workers: 1)
        for _ in 0..<3 {
            rig.send(.workerExited(rig.workers(of: 1)[0], .signal(11)))
            rig.send(.timer, after: 10_000)
        }
        rig.reload()
        #expect(Self.orphans.allSatisfy { rig.told[$0] == nil })
        rig.makeReady(2)
        for id in Self.orphans { #expect(rig.told[id] == .drain(id, deadline: nil)) }
    }

    @Test(arguments: [SupervisorSignal.quit, .terminate]) func anEndEndsThemToo(signal: SupervisorSignal) {
        var rig = rig()
        rig.send(.signal(signal))
        let wanted: (WorkerID) -> SupervisorAction = { signal == .quit ? .drain($0, deadline: nil) : .stop($0) }
        for id in rig.alive.keys { #expect(rig.told[id] == wanted(id)) }
        for id in Array(rig.alive.keys) { rig.send(.workerExited(id, .code(0))) }
        #expect(rig.exitStatus == 0)
    }

    @Test func oneThatComesLateDrainsAtOnceAlsoAfterTheOthers() {
        var rig = MachineRig()
        rig.makeReady(1)
        for id in Self.orphans {
            rig.alive[id] = 0
            rig.send(.workerInherited(id))
            #expect(rig.told[id] == .drain(id, deadline: nil))
        }
        rig.send(.signal(.terminate))
        for id in Self.orphans { #expect(rig.told[id] == .stop(id)) }
        rig.send(.timer, after: 5_000)
        for id in Self.orphans { #expect(rig.told[id] == .kill(id)) }
    }
}
