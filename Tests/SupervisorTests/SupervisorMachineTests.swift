import Board
import Testing

@testable import Supervisor

/// A machine with its clock and the workers it has asked for.
struct MachineRig: ~Copyable {
    var machine: SupervisorMachine
    var now: UInt64 = 1_000_000
    /// Workers that are processes, by id, with their generation.
    var alive: [WorkerID: Int] = [:]
    var told: [WorkerID: SupervisorAction] = [:]
    var exitStatus: Int32?
    var ended: [SupervisorAction] = []

    init(
        workers: Int = 1, shutdownTimeout: UInt64? = nil, isDaemon: Bool = true, inherited: [WorkerID] = [],
        limits: SupervisorMachine.Limits = .init()
    ) {
        machine = SupervisorMachine(limits: limits, isDaemon: isDaemon)
        let plan = GenerationPlan(workerCount: workers, shutdownTimeout: shutdownTimeout)
        note(machine.start(plan, inherited: inherited, now: now))
    }

    /// Keeps the books of what the machine asked for.
    mutating func note(_ actions: [SupervisorAction]) {
        for action in actions {
            switch action {
            case .spawn(let id, let generation, _, _): alive[id] = generation
            case .drain(let id, _), .stop(let id), .kill(let id): told[id] = action
            case .exit(let status): exitStatus = status
            default: break
            }
        }
    }

    @discardableResult
    mutating func send(_ event: SupervisorEvent, after milliseconds: UInt64 = 0) -> [SupervisorAction] {
        now += milliseconds
        if case .workerExited(let id, _) = event { alive[id] = nil }
        let actions = machine.handle(event, now: now)
        note(actions)
        return actions
    }

    /// Every worker of a generation is ready.
    mutating func makeReady(_ generation: Int) {
        for id in workers(of: generation) { send(.workerReady(id)) }
    }

    func workers(of generation: Int) -> [WorkerID] { alive.filter { $0.value == generation }.map(\.key).sorted() }

    mutating func reload(workers: Int = 1) {
        send(.signal(.reload))
        send(.configurationLoaded(GenerationPlan(workerCount: workers, shutdownTimeout: nil)))
    }
}

@Suite struct SupervisorMachineTests {
    @Test func aReloadWithoutAFreeColumnStopsTheOldestThatDrains() {
        var limits = SupervisorMachine.Limits()
        limits.columnsMax = 5
        var rig = MachineRig(workers: 2, limits: limits)
        rig.makeReady(1)
        rig.reload(workers: 2)
        rig.makeReady(2)
        // Two drain, two serve: one column is left for two workers.
        rig.reload(workers: 2)
        #expect(rig.workers(of: 3).count == 1)
        for id in rig.workers(of: 1) { #expect(rig.told[id] == .stop(id)) }
        rig.makeReady(3)
        #expect(rig.machine.current == 2, "not all are there")
        rig.send(.timer, after: 100)
        #expect(rig.workers(of: 3).count == 1, "nobody has ended yet")
        for id in rig.workers(of: 1) { rig.send(.workerExited(id, .code(0))) }
        rig.send(.timer, after: 100)
        #expect(rig.workers(of: 3).count == 2)
        rig.makeReady(3)
        #expect(rig.machine.current == 3)
    }

    @Test func twoOrdersInARowStartOneBinary() {
        var rig = MachineRig()
        rig.makeReady(1)
        #expect(rig.send(.signal(.changeBinary)).contains(.startNewBinary))
        #expect(!rig.send(.signal(.changeBinary)).contains(.startNewBinary), "before the first one has answered")
        rig.send(.newBinaryFailed)
        #expect(rig.send(.signal(.changeBinary)).contains(.startNewBinary))
    }

    @Test(arguments: ["served", "given up", "rejected", "paused"]) func aNewBinaryWaitsForTheEndOfAReload(_ end: String) {
        var rig = MachineRig()
        rig.makeReady(1)
        rig.send(.signal(.reload))
        #expect(!rig.send(.signal(.changeBinary)).contains(.startNewBinary), "while it is loaded")
        if end == "rejected" { return #expect(rig.send(.configurationRejected).contains(.startNewBinary)) }
        rig.send(.configurationLoaded(GenerationPlan(workerCount: 1, shutdownTimeout: nil)))
        #expect(!rig.send(.signal(.changeBinary)).contains(.startNewBinary), "while its workers start")
        let new = rig.workers(of: 2)[0]
        let actions =
            switch end {
            case "served": rig.send(.workerReady(new))
            case "given up": rig.send(.workerExited(new, .signal(11)))
            default: rig.send(.signal(.stopAccepting))
            }
        #expect(actions.count { $0 == .startNewBinary } == 1)
        if let commit = actions.firstIndex(of: .commitConfiguration(generation: 2)), let start = actions.firstIndex(of: .startNewBinary) {
            #expect(commit < start, "it inherits the sockets of the new one")
        }
        #expect(rig.send(.newBinaryFailed).isEmpty)
    }

    @Test func aNewBinaryWaitsForAllReloadsThatWereAskedFor() {
        var rig = MachineRig()
        rig.makeReady(1)
        rig.reload()
        for signal in [SupervisorSignal.changeBinary, .reload] { rig.send(.signal(signal)) }
        let actions = rig.send(.workerReady(rig.workers(of: 2)[0]))
        #expect(actions.contains(.loadConfiguration) && !actions.contains(.startNewBinary))
        #expect(rig.send(.configurationRejected).contains(.startNewBinary))
    }

    @Test func noNewBinaryIsStartedOnTheWayOut() {
        var rig = MachineRig()
        rig.makeReady(1)
        rig.reload()
        rig.send(.signal(.changeBinary))
        #expect(!rig.send(.signal(.quit)).contains(.startNewBinary))
        for id in rig.alive.keys.sorted() { #expect(!rig.send(.workerExited(id, .code(0))).contains(.startNewBinary)) }
        #expect(rig.exitStatus == 0)
    }

    @Test(arguments: [SupervisorSignal.terminate, .interrupt]) func aFurtherEndDoesNotWaitForTheApps(_ signal: SupervisorSignal) {
        var rig = MachineRig()
        rig.makeReady(1)
        rig.send(.signal(.terminate))
        #expect(!rig.send(.signal(signal)).contains(.killApps), "the workers are told already")
        rig.send(.workerExited(rig.workers(of: 1)[0], .code(0)))
        #expect(rig.exitStatus == 0)
        #expect(rig.send(.signal(.quit)) == [])
        #expect(rig.send(.signal(signal)) == [.killApps])
    }

    @Test func theBoardHasAColumnForEachWorkerTheMachineMayHave() {
        #expect(SupervisorMachine.Limits().columnsMax == BoardLayout.workersMax)
    }

    @Test(arguments: [
        (1, 2, 0, true), (1, 3, 0, false), (8, 10, 0, true), (8, 11, 0, false), (40, 128, 0, true), (1, 1, 256, true), (1, 1, 257, false),
    ])
    func aBoardHasRoomForAllGenerations(first: Int, next: Int, peers: Int, fits: Bool) throws {
        #expect(try BoardMemory(workers: first, peers: 0).hasRoom(workers: next, peers: peers) == fits)
    }

    @Test func aNewBoardHasTheColumnsOfTheOneBefore() throws {
        let old = try BoardMemory(workers: 40, peers: 0)
        #expect(try BoardMemory(workers: 1, peers: 1000, after: old).hasRoom(workers: 40, peers: 1000))
    }

    @Test func aStartSpawnsEveryWorkerInItsOwnColumn() {
        var rig = MachineRig(workers: 3)
        #expect(rig.workers(of: 1).count == 3)
        let ids = rig.workers(of: 1)
        rig.send(.workerReady(ids[0]))
        #expect(!rig.send(.workerReady(ids[1])).contains(.commitConfiguration(generation: 1)))
        #expect(rig.send(.workerReady(ids[2])).contains(.commitConfiguration(generation: 1)))
    }

    @Test func aReloadDrainsTheOldGenerationOnlyWhenTheNewOneIsReady() {
        var rig = MachineRig(workers: 2, shutdownTimeout: 10)
        rig.makeReady(1)
        let old = rig.workers(of: 1)
        #expect(rig.send(.signal(.reload)).contains(.loadConfiguration))
        rig.send(.configurationLoaded(GenerationPlan(workerCount: 2, shutdownTimeout: nil)))
        #expect(rig.told.isEmpty)
        rig.makeReady(2)
        for id in old { #expect(rig.told[id] == .drain(id, deadline: 10)) }
        rig.send(.workerExited(old[0], .code(0)))
        #expect(rig.send(.workerExited(old[1], .code(0))).contains(.releaseGeneration(1)))
        #expect(rig.workers(of: 2).count == 2)
    }

    @Test func aRejectedConfigurationChangesNothing() {
        var rig = MachineRig()
        rig.makeReady(1)
        rig.send(.signal(.reload))
        #expect(rig.send(.configurationRejected).isEmpty)
        #expect(rig.told.isEmpty)
        #expect(rig.send(.signal(.reload)).contains(.loadConfiguration))
    }

    @Test(arguments: [true, false]) func aReloadWhoseWorkersDoNotStartIsGivenUp(crashes: Bool) {
        var rig = MachineRig(workers: 2)
        rig.makeReady(1)
        rig.reload(workers: 2)
        let new = rig.workers(of: 2)
        let actions = crashes ? rig.send(.workerExited(new[0], .signal(11))) : rig.send(.timer, after: 60_000)
        #expect(actions.contains(.discardConfiguration(generation: 2)))
        #expect(rig.told[new[1]] == .stop(new[1]))
        #expect(rig.workers(of: 1).allSatisfy { rig.told[$0] == nil })
        for id in rig.workers(of: 2) { rig.send(.workerExited(id, .code(0))) }
        #expect(rig.send(.signal(.reload)).contains(.loadConfiguration))
    }

    @Test(arguments: [true, false]) func readyWorkersOfAReloadThatIsGivenUpKeepTheirRequests(crashes: Bool) {
        var rig = MachineRig(workers: 3)
        rig.makeReady(1)
        rig.reload(workers: 3)
        let new = rig.workers(of: 2)
        rig.send(.workerReady(new[0]))
        if crashes { rig.send(.workerExited(new[1], .signal(9))) } else { rig.send(.timer, after: 60_000) }
        #expect(rig.told[new[0]] == .drain(new[0], deadline: nil))
        #expect(rig.told[new[2]] == .stop(new[2]), "it never had a request, and may hang")
        for id in new[1...] where rig.alive[id] != nil { rig.send(.workerExited(id, .code(0))) }
        #expect(rig.machine.deadline == nil, "the drain takes its time")
        #expect(rig.send(.signal(.reload)).contains(.loadConfiguration), "and no reload waits for it")
        #expect(rig.send(.workerExited(new[0], .code(0))).contains(.releaseGeneration(2)))
    }

    @Test(arguments: [SupervisorSignal.quit, .terminate, .stopAccepting])
    func aReloadThatIsCutShortIsDiscarded(_ signal: SupervisorSignal) {
        var rig = MachineRig()
        rig.makeReady(1)
        rig.reload()
        let actions = rig.send(.signal(signal))
        #expect(actions.count { $0 == .discardConfiguration(generation: 2) } == 1)
        #expect(!actions.contains(.discardConfiguration(generation: 1)), "it served")
        #expect(!rig.send(.workerExited(rig.workers(of: 2)[0], .code(0))).contains(.discardConfiguration(generation: 2)))
    }

    @Test func reloadsThatAreGivenUpInARowDrainInAtMostFourGenerations() {
        var rig = MachineRig(workers: 2)
        rig.makeReady(1)
        for generation in 2...6 {
            rig.reload(workers: 2)
            let new = rig.workers(of: generation)
            rig.send(.workerReady(new[0]))
            rig.send(.workerExited(new[1], .signal(9)))
        }
        let first = rig.workers(of: 2)[0]
        #expect(rig.told[first] == .stop(first))
        for generation in 3...6 { for id in rig.workers(of: generation) { #expect(rig.told[id] == .drain(id, deadline: nil)) } }
    }

    @Test func aReloadDuringAReloadWaitsForIt() {
        var rig = MachineRig()
        rig.makeReady(1)
        rig.reload()
        #expect(rig.send(.signal(.reload)).isEmpty)
        let actions = rig.send(.workerReady(rig.workers(of: 2)[0]))
        #expect(actions.contains(.commitConfiguration(generation: 2)))
        #expect(actions.last == .loadConfiguration)
    }

    @Test func aReloadWaitsForTheFirstWorkersUnlessTheyKeepDying() {
        var rig = MachineRig()
        #expect(rig.send(.signal(.reload)).isEmpty)
        var healthy = MachineRig()
        healthy.send(.signal(.reload))
        #expect(healthy.send(.workerReady(healthy.workers(of: 1)[0])).last == .loadConfiguration)
        #expect(rig.send(.workerExited(rig.workers(of: 1)[0], .signal(11))).last == .loadConfiguration)
        rig.send(.configurationLoaded(GenerationPlan(workerCount: 1, shutdownTimeout: nil)))
        rig.makeReady(2)
        #expect(rig.told.values.allSatisfy { if case .drain = $0 { true } else { false } })
    }

    @Test func atMostFourOldGenerationsDrain() {
        var rig = MachineRig()
        rig.makeReady(1)
        for generation in 2...5 {
            rig.reload()
            rig.makeReady(generation)
        }
        #expect(rig.told.values.allSatisfy { if case .drain = $0 { true } else { false } })
        rig.reload()
        rig.makeReady(6)
        let first = WorkerID(1)
        #expect(rig.told[first] == .stop(first))
        #expect(rig.told.values.count { if case .stop = $0 { true } else { false } } == 1)
    }

    @Test func aWorkerThatKeepsDyingIsStartedEverMoreSlowly() {
        var rig = MachineRig()
        rig.makeReady(1)
        var pauses: [UInt64] = []
        for _ in 0..<12 {
            guard let id = rig.workers(of: 1).first else { break }
            rig.send(.workerExited(id, .signal(11)))
            if rig.workers(of: 1).isEmpty, let deadline = rig.machine.deadline {
                pauses.append(deadline - rig.now)
                #expect(rig.send(.timer).allSatisfy { if case .spawn = $0 { false } else { true } })
                rig.send(.timer, after: deadline - rig.now)
            }
            #expect(rig.workers(of: 1).count == 1)
        }
        #expect(pauses == [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000, 10_000])
    }

    @Test func aWorkerThatLivedLongIsReplacedAtOnce() {
        var rig = MachineRig()
        rig.makeReady(1)
        for _ in 0..<3 {
            rig.send(.workerExited(rig.workers(of: 1)[0], .signal(9)), after: 10_000)
            #expect(rig.workers(of: 1).count == 1)
        }
    }

    @Test func aConfigurationThatWorkersRefuseEndsTheStart() {
        var rig = MachineRig(workers: 2)
        let ids = rig.workers(of: 1)
        rig.send(.workerFailed(ids[0], text: "no"))
        rig.send(.workerExited(ids[0], .code(1)))
        #expect(rig.told[ids[1]] == .stop(ids[1]))
        rig.send(.workerExited(ids[1], .code(0)))
        #expect(rig.exitStatus == 1)
    }

    @Test func quitWaitsForTheWorkers() {
        var rig = MachineRig(workers: 2)
        rig.makeReady(1)
        let ids = rig.workers(of: 1)
        #expect(rig.send(.signal(.quit)).first == .closeListeners)
        rig.send(.workerExited(ids[0], .code(0)))
        #expect(rig.exitStatus == nil)
        rig.send(.workerExited(ids[1], .code(0)))
        #expect(rig.exitStatus == 0)
    }

    @Test func terminateOverridesQuitAndKillsWhoDoesNotListen() {
        var rig = MachineRig()
        rig.makeReady(1)
        let id = rig.workers(of: 1)[0]
        rig.send(.signal(.quit))
        #expect(rig.send(.signal(.terminate)).contains(.stop(id)))
        #expect(rig.send(.timer, after: 4_999).isEmpty)
        #expect(rig.send(.timer, after: 1).contains(.kill(id)))
        rig.send(.workerExited(id, .signal(9)))
        #expect(rig.exitStatus == 0)
    }

    @Test func aWorkerThatOverrunsItsDrainDeadlineIsKilled() {
        var rig = MachineRig(shutdownTimeout: 500)
        rig.makeReady(1)
        let id = rig.workers(of: 1)[0]
        rig.send(.signal(.quit))
        #expect(rig.machine.deadline == rig.now + 5_500)
        #expect(rig.send(.timer, after: 5_500).contains(.kill(id)))
    }

    @Test func windowChangeStopsTheWorkersOfADaemonOnly() {
        var terminal = MachineRig(isDaemon: false)
        terminal.makeReady(1)
        #expect(terminal.send(.signal(.stopAccepting)).isEmpty)
        var rig = MachineRig(workers: 2)
        rig.makeReady(1)
        let ids = rig.workers(of: 1)
        rig.send(.signal(.stopAccepting))
        for id in ids { rig.send(.workerExited(id, .code(0))) }
        #expect(rig.exitStatus == nil)
        #expect(rig.alive.isEmpty)
        rig.reload(workers: 2)
        rig.makeReady(2)
        #expect(rig.workers(of: 2).count == 2)
    }

    @Test func theOldBinaryTakesOverAgainWhenTheNewOneIsGone() {
        var rig = MachineRig()
        rig.makeReady(1)
        #expect(rig.send(.signal(.changeBinary)).contains(.startNewBinary))
        rig.send(.newBinaryStarted)
        rig.send(.signal(.stopAccepting))
        rig.send(.workerExited(rig.workers(of: 1)[0], .code(0)))
        #expect(rig.alive.isEmpty)
        #expect(rig.send(.newBinaryExited).contains(.restorePidFile))
        #expect(rig.workers(of: 1).count == 1)
    }

    @Test func aNewBinaryThatIsAwaitedHasTheTimeOfAReload() {
        var rig = MachineRig()
        rig.makeReady(1)
        rig.send(.signal(.changeBinary))
        rig.send(.newBinaryStarted)
        #expect(rig.machine.deadline == nil, "one that nobody waits for may take its time")
        rig.send(.newBinaryAwaited)
        #expect(rig.machine.deadline == rig.now + 60_000)
        #expect(!rig.send(.timer, after: 59_999).contains(.drainNewBinary))
        let actions = rig.send(.timer, after: 1)
        #expect(actions.contains(.drainNewBinary) && !actions.contains(.stopNewBinary), "some of its workers may have requests")
        #expect(rig.machine.deadline == rig.now + 10_000)
        #expect(rig.send(.timer, after: 10_000).contains(.stopNewBinary))
        #expect(rig.machine.deadline == rig.now + 10_000)
        #expect(rig.send(.timer, after: 10_000).contains(.killNewBinary))
        #expect(rig.machine.deadline == nil)
        #expect(rig.send(.newBinaryExited).contains(.restorePidFile))
        #expect(rig.send(.signal(.changeBinary)).contains(.startNewBinary), "the next one may try")
    }

    @Test(arguments: [SupervisorEvent.signal(.quit), .signal(.terminate), .newBinaryExited])
    func aNewBinaryIsNotLimitedOnceItIsDecided(_ event: SupervisorEvent) {
        var rig = MachineRig()
        rig.makeReady(1)
        rig.send(.signal(.changeBinary))
        rig.send(.newBinaryStarted)
        rig.send(.newBinaryAwaited)
        rig.send(event)
        #expect(rig.machine.newBinaryLimit == nil)
        rig.send(.newBinaryAwaited)
        #expect(rig.machine.newBinaryLimit == nil)
    }

    @Test func theEndWaitsForANewBinarysLastStepsAndNotLonger() {
        var rig = MachineRig()
        rig.makeReady(1)
        rig.send(.signal(.changeBinary))
        rig.send(.newBinaryStarted)
        rig.send(.signal(.terminate))
        rig.send(.workerExited(rig.workers(of: 1)[0], .code(0)))
        #expect(rig.exitStatus == 0)
        rig.send(.newBinaryEnding)
        #expect(rig.send(.timer, after: 10_000).contains(.killNewBinary))
        #expect(rig.machine.deadline == nil)
    }

    @Test func reloadGivesAPausedOldBinaryItsWorkersBackWithoutReadingFiles() {
        var rig = MachineRig()
        rig.makeReady(1)
        rig.send(.signal(.changeBinary))
        rig.send(.newBinaryStarted)
        rig.send(.signal(.stopAccepting))
        let actions = rig.send(.signal(.reload))
        #expect(!actions.contains(.loadConfiguration))
        #expect(rig.workers(of: 1).count == 2, "the drained one and the new one")
    }

    @Test(arguments: [true, false]) func changeBinaryIsRefusedWhileTwoBinariesLive(isOld: Bool) {
        var rig = MachineRig()
        rig.makeReady(1)
        if isOld { rig.send(.newBinaryStarted) } else { rig.machine.oldBinaryLives = true }
        let actions = rig.send(.signal(.changeBinary))
        #expect(!actions.contains(.startNewBinary))
        #expect(actions.count == 1)
    }

    @Test func signalsOnTheWayOutAreQuiet() {
        var rig = MachineRig()
        rig.makeReady(1)
        rig.send(.signal(.terminate))
        for signal in [SupervisorSignal.reload, .quit, .stopAccepting, .terminate] { #expect(rig.send(.signal(signal)).isEmpty) }
    }

    @Test func oneWorkerRunsTheChecksAtAnyTime() {
        func named(_ actions: [SupervisorAction]) -> [SupervisorAction] {
            actions.filter {
                switch $0 {
                case .beginChecks, .endChecks: true
                default: false
                }
            }
        }
        var rig = MachineRig(workers: 2)
        let first = rig.workers(of: 1)
        #expect(named(rig.send(.workerReady(first[1]))) == [.beginChecks(first[1], term: 1)], "the first that can")
        #expect(named(rig.send(.workerReady(first[0]))).isEmpty)
        #expect(named(rig.send(.workerExited(first[1], .signal(9)))) == [.beginChecks(first[0], term: 2)])
        #expect(named(rig.send(.workerReady(rig.workers(of: 1)[1]))).isEmpty, "it stays the one")
        rig.reload(workers: 1)
        let second = rig.workers(of: 2)[0]
        #expect(named(rig.send(.workerReady(second))) == [.endChecks(first[0]), .beginChecks(second, term: 3)])
        #expect(named(rig.send(.workerExited(first[0], .code(0)))).isEmpty)
        #expect(named(rig.send(.signal(.quit))) == [.endChecks(second)])
    }
}
