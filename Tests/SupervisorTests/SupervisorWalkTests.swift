import struct TestKit.SeededGenerator
import Testing

@testable import Supervisor

/// A driver that obeys the machine in its own time, and keeps books of what it was told.
private struct Walk: ~Copyable {
    var machine: SupervisorMachine
    var random: SeededGenerator
    var now: UInt64 = 1_000_000
    /// Workers that are processes, with their generation; 0: another supervisor started them.
    var alive: [WorkerID: Int] = [:]
    var columns: [WorkerID: Int] = [:]
    var told: Set<WorkerID> = []
    var killed: [WorkerID] = []
    /// Events until the configuration is loaded; nil: none is being loaded.
    var loading: Int?
    var newBinaryLives = false
    var committed: Set<Int> = []
    var discarded: Set<Int> = []
    var exitStatus: Int32?
    var faults: [String] = []
    private var nextFormer = 1 << 32

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        var limits = SupervisorMachine.Limits()
        limits.columnsMax = 8
        machine = SupervisorMachine(limits: limits, isDaemon: seed % 3 > 0)
        var inherited: [WorkerID] = []
        for _ in 0..<next(3) { inherited.append(former()) }
        for id in inherited { alive[id] = 0 }
        note(machine.start(plan(), inherited: inherited, now: now))
    }

    mutating func next(_ limit: Int) -> Int { random.next(below: limit) }

    private mutating func former() -> WorkerID {
        defer { nextFormer += 1 }
        return WorkerID(nextFormer)
    }

    mutating func plan() -> GenerationPlan { GenerationPlan(workerCount: 1 + next(3), shutdownTimeout: next(2) == 0 ? nil : 50) }

    mutating func send(_ event: SupervisorEvent, after time: UInt64 = 0) {
        guard exitStatus == nil else { return }
        now += time
        switch event {
        case .workerExited(let id, _), .spawnFailed(let id):
            alive[id] = nil
            killed.removeAll { $0 == id }
        case .workerInherited(let id): alive[id] = 0
        case .newBinaryStarted: newBinaryLives = true
        case .newBinaryExited: newBinaryLives = false
        case .configurationLoaded, .configurationRejected: loading = nil
        default: break
        }
        note(machine.handle(event, now: now))
    }

    private mutating func note(_ actions: [SupervisorAction]) {
        for action in actions {
            if exitStatus != nil { faults.append("\(action) after the exit") }
            switch action {
            case .spawn(let id, let generation, _, let column):
                if columns.values.contains(column) { faults.append("column \(column) has two workers") }
                if discarded.contains(generation) { faults.append("a worker of generation \(generation), which was given up") }
                alive[id] = generation
                columns[id] = column
            case .releaseColumn(let column):
                guard let owner = columns.first(where: { $0.value == column })?.key else {
                    faults.append("column \(column) is released, and nobody has it")
                    continue
                }
                if alive[owner] != nil { faults.append("column \(column) is taken from a worker that lives") }
                columns[owner] = nil
            case .commitConfiguration(let generation):
                if discarded.contains(generation) || !committed.insert(generation).inserted { faults.append("commit \(generation)") }
                if generation < committed.max() ?? 0 { faults.append("generation \(generation) serves after a newer one") }
            case .discardConfiguration(let generation):
                if committed.contains(generation) || !discarded.insert(generation).inserted { faults.append("discard \(generation)") }
            case .drain(let id, _), .stop(let id):
                if alive[id] == nil { faults.append("\(action) of nobody") }
                told.insert(id)
            case .kill(let id): killed.append(id)
            case .loadConfiguration:
                if loading != nil { faults.append("two configurations are loaded at one time") }
                loading = next(6)
            case .startNewBinary:
                if newBinaryLives { faults.append("a second new binary") }
                send(next(3) == 0 ? .newBinaryFailed : .newBinaryStarted)
                if next(2) == 0 { send(.newBinaryAwaited) }
            case .drainNewBinary, .stopNewBinary, .killNewBinary: if !newBinaryLives { faults.append("\(action), and there is none") }
            case .exit(let status):
                if !alive.isEmpty && !alive.values.allSatisfy({ $0 == 0 }) { faults.append("the end, and workers live") }
                exitStatus = status
            default: break
            }
        }
    }

    /// One thing happens.
    mutating func step() {
        let time = UInt64(next(4) == 0 ? 20_000 : next(50))
        // What was killed is gone soon.
        if let id = killed.first, next(2) == 0 { return send(.workerExited(id, .signal(9)), after: time) }
        if let left = loading {
            loading = left - 1
            if left == 0 { return send(next(4) == 0 ? .configurationRejected : .configurationLoaded(plan()), after: time) }
        }
        let ids = alive.keys.sorted()
        let own = ids.filter { alive[$0] != 0 }
        switch next(15) {
        case 0...3: if !own.isEmpty { return send(.workerReady(own[next(own.count)]), after: time) }
        case 4: if !ids.isEmpty { return send(.workerExited(ids[next(ids.count)], next(2) == 0 ? .code(0) : .signal(11)), after: time) }
        case 5: if let id = ids.first(where: { told.contains($0) }) { return send(.workerExited(id, .code(0)), after: time) }
        case 6, 7: return send(.signal(.reload), after: time)
        case 8: return send(.signal([.quit, .reopen, .changeBinary][next(8) == 0 ? 0 : 1 + next(2)]), after: time)
        case 9: if !own.isEmpty { return send(.workerFailed(own[next(own.count)], text: "no"), after: time) }
        case 10: if newBinaryLives { return send(.newBinaryExited, after: time) }
        case 11: return send(.signal(.stopAccepting), after: time)
        case 12: if !own.isEmpty { return send(.spawnFailed(own[next(own.count)]), after: time) }
        case 13:
            if next(4) == 0 { return send(.workerInherited(former()), after: time) }
            machine.oldBinaryLives = next(4) == 0
        default: break
        }
        send(.timer, after: time)
    }

    /// TERM, and whoever is left goes.
    mutating func finish() {
        send(.signal(.terminate))
        for id in alive.keys.sorted() { send(.workerExited(id, .code(0))) }
        if exitStatus == nil { faults.append("no end") }
    }
}

@Suite struct SupervisorWalkTests {
    /// Any order of events keeps the invariants (the machine checks them itself after each) and the driver's books; whatever happened, TERM
    /// ends it all.
    @Test(arguments: 0..<400 as Range<UInt64>) func anyWalkEndsByTerminate(seed: UInt64) {
        var walk = Walk(seed: seed)
        for _ in 0..<200 where walk.exitStatus == nil { walk.step() }
        walk.finish()
        #expect(walk.faults == [])
    }
}
