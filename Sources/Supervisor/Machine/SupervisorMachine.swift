internal import Config

/// Decides what the supervisor does: which generations of workers exist, who is started, drained, stopped or given up. Pure: events and the
/// time go in, actions come out; the driver knows processes, files and sockets.
///
///     a generation of workers                       the supervisor
///
///     starting ──all ready──▶ serving               serving ──WINCH──▶ paused ──HUP, new binary gone──▶ serving
///        │ reload only:          │ a newer one         │                 │
///        │ one failed, too slow  │ serves, QUIT        ├──QUIT───────────┴──▶ quitting ──no worker left──▶ ended
///        │                       ▼                     │                         │ TERM, INT
///        └──────────────────▶ draining ──▶ gone        └──TERM, INT──────────────┴──▶ terminating ──▶ ended (TERM, INT: kills apps)
///                                └──5th old──▶ stopping ──▶ gone
///
/// Workers of a supervisor that died are a generation of their own, `inherited`: they serve until a generation of this one does.
///
/// A worker of a serving (or first) generation that ends is started again: at once after a long life, with a growing pause (0.1 s to 10 s)
/// when it keeps dying, so that there is never a storm of forks.
package struct SupervisorMachine: ~Copyable {
    /// The times and numbers of the machine, in milliseconds where not said otherwise.
    package struct Limits: Sendable {
        /// Generations that may drain at one time; one more, and the oldest is stopped.
        package var drainingGenerationsMax = 4
        /// How long a reload waits for its workers to be ready before it gives up.
        package var startTimeout: UInt64 = 60_000
        /// How long a worker may take to stop before it is killed, and how long it may overrun its drain deadline.
        package var killDelay: UInt64 = 5_000
        /// How long another supervisor may take to end, gracefully or at once, before it is told more firmly: it waits for its own workers.
        package var endTimeout: UInt64 = 10_000
        package var backoffMin: UInt64 = 100
        package var backoffMax: UInt64 = 10_000
        /// A worker that lived this long starts anew without a pause.
        package var stableAfter: UInt64 = 10_000
        /// Columns of the board (`BoardLayout.workersMax`): workers of all generations that may live at one time.
        package var columnsMax = 256
        /// Workers of one generation: one that serves and one that starts must have their columns.
        package static let workersMax = 128

        package init() {}
    }

    enum NewBinaryLimit: Equatable { case drain(at: UInt64), stop(at: UInt64), kill(at: UInt64) }
    enum Phase: Equatable { case serving, paused, quitting, terminating, ended }

    let limits: Limits
    /// WINCH is for daemons only: closing a terminal window sends it too.
    let isDaemon: Bool
    /// Oldest first.
    var generations: [Generation] = []
    /// Number of the generation that serves; before any does, of the one that is to.
    var current = 0
    var phase = Phase.serving
    /// A HUP came while an earlier reload was not finished.
    var reloadPending = false
    /// A USR2 came while a reload was not finished.
    var binaryChangePending = false
    var isLoading = false
    var newBinaryLives = false
    /// When the new binary is told to end gracefully, or at once, or killed; nil: it may take its time.
    var newBinaryLimit: NewBinaryLimit?
    /// Whether this process was started by USR2 and the old binary still runs; kept up to date by the driver.
    package var oldBinaryLives = false
    private var nextWorker = 1
    private var nextGeneration = 1
    /// Whether any generation ever served: before that, a configuration that the workers refuse ends the program.
    var hasServed = false
    /// Whether that happened.
    var isRefused = false
    /// Who runs the health checks; and the number of times that somebody was named.
    var checker: WorkerID?
    var checkTerm: UInt32 = 0

    package init(limits: Limits = Limits(), isDaemon: Bool) {
        self.limits = limits
        self.isDaemon = isDaemon
    }
}

extension SupervisorMachine {
    /// Starts the first generation.
    /// - Parameters:
    ///   - inherited: workers of a supervisor that died; they serve until the first generation does, and drain then.
    ///   - now: milliseconds of a monotonic clock, as everywhere here.
    package mutating func start(_ plan: GenerationPlan, inherited: [WorkerID] = [], now: UInt64) -> [SupervisorAction] {
        var actions: [SupervisorAction] = [.log(.notice, "start worker processes")]
        for id in inherited { inherit(id, plan, now: now) }
        addGeneration(plan, now: now, to: &actions)
        checkInvariants()
        return actions
    }

    /// Takes one event. O(workers).
    package mutating func handle(_ event: SupervisorEvent, now: UInt64) -> [SupervisorAction] {
        var actions: [SupervisorAction] = []
        switch event {
        case .signal(let signal): take(signal, now: now, to: &actions)
        case .workerReady(let id): workerReady(id, now: now, to: &actions)
        case .workerFailed(let id, let text): workerFailed(id, text, to: &actions)
        case .workerInherited(let id): workerInherited(id, now: now, to: &actions)
        case .workerExited(let id, _), .spawnFailed(let id): workerGone(id, now: now, to: &actions)
        case .configurationLoaded(let plan): configurationLoaded(plan, now: now, to: &actions)
        case .configurationRejected:
            isLoading = false
            reloadAgainIfWanted(to: &actions)
        case .newBinaryStarted: newBinaryLives = true
        case .newBinaryFailed: newBinaryLives = false
        case .newBinaryAwaited: if newBinaryLives, !isEnding { newBinaryLimit = .drain(at: now + limits.startTimeout) }
        case .newBinaryEnding: if newBinaryLives { newBinaryLimit = .kill(at: now + limits.endTimeout) }
        case .newBinaryExited:
            newBinaryLives = false
            newBinaryLimit = nil
            actions.append(.restorePidFile)
            if phase == .paused { resume(now: now, to: &actions) }
        case .timer: timer(now: now, to: &actions)
        }
        if binaryChangePending { changeBinary(to: &actions) }
        nameChecker(in: &actions)
        endIfDone(&actions)
        checkInvariants()
        return actions
    }

    /// When `timer` is due next, nil for never.
    package var deadline: UInt64? {
        var next: UInt64?
        func consider(_ time: UInt64?) { if let time { next = min(next ?? .max, time) } }
        for generation in generations {
            if case .starting(let since) = generation.phase, hasServed { consider(since + limits.startTimeout) }
            for worker in generation.workers { consider(worker.wakeTime) }
        }
        switch newBinaryLimit {
        case .drain(let time), .stop(let time), .kill(let time): consider(time)
        case nil: break
        }
        return next
    }

    /// Whether the supervisor is on its way out.
    var isEnding: Bool { phase == .quitting || phase == .terminating || phase == .ended }

    /// Number of workers that are processes now.
    private var livingWorkerCount: Int { generations.reduce(0) { $0 + $1.workers.count(where: \.isAlive) } }
}

// MARK: - Signals

extension SupervisorMachine {
    private mutating func take(_ signal: SupervisorSignal, now: UInt64, to actions: inout [SupervisorAction]) {
        switch signal {
        case .terminate, .interrupt:
            // Only the apps are left, each with its stop_timeout. Who says it once more does not want to wait for that.
            if phase == .ended { return actions.append(.killApps) }
            guard phase != .terminating else { return }
            phase = .terminating
            newBinaryLimit = nil
            for index in generations.indices { stop(generation: index, now: now, to: &actions) }
        case .quit:
            guard !isEnding else { return }
            phase = .quitting
            newBinaryLimit = nil
            actions.append(.closeListeners)
            for index in generations.indices { drain(generation: index, now: now, to: &actions) }
        case .reload: reload(now: now, to: &actions)
        case .reopen:
            actions.append(.log(.notice, "reopening logs"))
            actions.append(.reopenLogs)
        case .changeBinary:
            guard !oldBinaryLives, !newBinaryLives, !isEnding else {
                actions.append(
                    .log(
                        .critical,
                        "the changing binary signal is ignored: "
                            + "you should shutdown or terminate before either old or new binary's process"))
                return
            }
            binaryChangePending = true
            if isReloading { actions.append(.log(.notice, "changing binary when the reload is over")) }
        case .stopAccepting:
            guard isDaemon, phase == .serving else { return }
            phase = .paused
            for index in generations.indices { drain(generation: index, now: now, to: &actions) }
        }
    }

    /// Starts the new binary, unless a reload is under way: it takes the apps over and inherits the sockets of the configuration in force,
    /// and a generation that came to serve beside it would take the apps back.
    private mutating func changeBinary(to actions: inout [SupervisorAction]) {
        guard !isReloading, !isEnding else { return }
        binaryChangePending = false
        actions.append(.log(.notice, "changing binary"))
        // From now on: another signal may be handled before the answer.
        newBinaryLives = true
        actions.append(.startNewBinary)
    }

    private mutating func reload(now: UInt64, to actions: inout [SupervisorAction]) {
        guard !isEnding else { return }
        if newBinaryLives {
            // The configuration is the new binary's business now; the old one only takes its workers back.
            if phase == .paused { resume(now: now, to: &actions) }
            return
        }
        guard !isLoading, !isAwaitingGeneration else {
            reloadPending = true
            return
        }
        load(to: &actions)
    }

    private mutating func reloadAgainIfWanted(to actions: inout [SupervisorAction]) {
        guard reloadPending, !isLoading, !isAwaitingGeneration, !isEnding, !newBinaryLives else { return }
        load(to: &actions)
    }

    /// Whether a generation is on its way that a reload has to wait for. A first one whose workers keep dying does not keep a better
    /// configuration waiting.
    private var isAwaitingGeneration: Bool {
        generations.contains { $0.isStarting && (hasServed || !$0.workers.contains { $0.failures > 0 }) }
    }

    private var isReloading: Bool { isLoading || hasServed && isAwaitingGeneration }

    private mutating func load(to actions: inout [SupervisorAction]) {
        reloadPending = false
        isLoading = true
        actions.append(.log(.notice, "reconfiguring"))
        actions.append(.loadConfiguration)
    }

    /// Ends the pause: the current configuration gets workers again.
    private mutating func resume(now: UInt64, to actions: inout [SupervisorAction]) {
        phase = .serving
        guard let index = generations.firstIndex(where: { $0.number == current }), generations[index].isEnding else { return }
        actions.append(.log(.notice, "start worker processes"))
        generations[index].phase = .serving
        hasServed = true
        for place in 0..<generations[index].plan.workerCount { spawn(generation: index, place: place, failures: 0, now: now, to: &actions) }
    }
}

// MARK: - Generations

extension SupervisorMachine {
    private mutating func configurationLoaded(_ plan: GenerationPlan, now: UInt64, to actions: inout [SupervisorAction]) {
        isLoading = false
        guard !isEnding else {
            actions.append(.discardConfiguration(generation: nextGeneration))
            nextGeneration += 1
            return
        }
        if !hasServed {
            for index in generations.indices where generations[index].phase != .inherited {
                drain(generation: index, now: now, to: &actions)
            }
        }
        actions.append(.log(.notice, "start worker processes"))
        addGeneration(plan, now: now, to: &actions)
        removeEmptyGenerations(&actions)
    }

    private mutating func addGeneration(_ plan: GenerationPlan, now: UInt64, to actions: inout [SupervisorAction]) {
        generations.append(Generation(number: nextGeneration, plan: plan, phase: .starting(since: now)))
        if !hasServed { current = nextGeneration }
        nextGeneration += 1
        let index = generations.count - 1
        for place in 0..<plan.workerCount { spawn(generation: index, place: place, failures: 0, now: now, to: &actions) }
    }

    private mutating func spawn(generation index: Int, place: Int, failures: Int, now: UInt64, to actions: inout [SupervisorAction]) {
        let id = WorkerID(nextWorker)
        nextWorker += 1
        guard let column = freeColumn() else {
            return awaitColumn(for: id, generation: index, place: place, failures: failures, now: now, to: &actions)
        }
        generations[index].workers.append(Worker(id: id, place: place, column: column, startedAt: now, failures: failures))
        actions.append(.spawn(id, generation: generations[index].number, index: place, column: column))
    }

    /// All columns are taken: the oldest generation that drains has to go, and the worker starts when there is room.
    private mutating func awaitColumn(
        for id: WorkerID, generation index: Int, place: Int, failures: Int, now: UInt64, to actions: inout [SupervisorAction]
    ) {
        var worker = Worker(id: id, place: place, column: nil, startedAt: now, failures: failures)
        worker.state = .resting(until: now + limits.backoffMin)
        generations[index].workers.append(worker)
        guard !generations.contains(where: { $0.phase == .stopping }), let oldest = generations.firstIndex(where: \.isDraining)
        else { return }
        actions.append(.log(.warning, "too many worker processes: stopping generation \(generations[oldest].number)"))
        stop(generation: oldest, now: now, to: &actions)
    }

    /// The lowest column of the board that no living worker has; nil: all are taken.
    private func freeColumn() -> Int? {
        var taken = Set<Int>()
        for generation in generations {
            for worker in generation.workers where worker.isAlive { if let column = worker.column { taken.insert(column) } }
        }
        return (0..<limits.columnsMax).first { !taken.contains($0) }
    }

    /// The generation serves: the ones before it drain.
    private mutating func serve(generation index: Int, now: UInt64, to actions: inout [SupervisorAction]) {
        generations[index].phase = .serving
        current = generations[index].number
        hasServed = true
        if phase == .paused { phase = .serving }
        actions.append(.commitConfiguration(generation: generations[index].number))
        for older in 0..<index { drain(generation: older, now: now, to: &actions) }
        stopExcess(now: now, to: &actions)
        removeEmptyGenerations(&actions)
        reloadAgainIfWanted(to: &actions)
    }

    private mutating func drain(generation index: Int, now: UInt64, to actions: inout [SupervisorAction]) {
        switch generations[index].phase {
        case .draining, .stopping: return
        case .inherited, .starting, .serving: break
        }
        discardIfNew(generation: index, to: &actions)
        generations[index].phase = .draining
        let timeout = generations[index].plan.shutdownTimeout
        let giveUp = timeout.map { now + $0 + limits.killDelay }
        generations[index].workers.removeAll { !$0.isAlive }
        for place in generations[index].workers.indices where !generations[index].workers[place].isEnding {
            generations[index].workers[place].state = .draining(killAt: giveUp)
            actions.append(.drain(generations[index].workers[place].id, deadline: timeout))
        }
    }

    private mutating func stop(generation index: Int, now: UInt64, to actions: inout [SupervisorAction]) {
        discardIfNew(generation: index, to: &actions)
        generations[index].phase = .stopping
        generations[index].workers.removeAll { !$0.isAlive }
        for place in generations[index].workers.indices { stop(generation: index, place: place, now: now, to: &actions) }
    }

    /// A reload's generation ends before it ever served.
    private func discardIfNew(generation index: Int, to actions: inout [SupervisorAction]) {
        guard generations[index].isStarting, generations[index].number != current else { return }
        actions.append(.discardConfiguration(generation: generations[index].number))
    }

    private mutating func stop(generation index: Int, place: Int, now: UInt64, to actions: inout [SupervisorAction]) {
        if case .stopping = generations[index].workers[place].state { return }
        generations[index].workers[place].state = .stopping(killAt: now + limits.killDelay)
        actions.append(.stop(generations[index].workers[place].id))
    }

    /// So many generations may drain at one time: the oldest ones go.
    private mutating func stopExcess(now: UInt64, to actions: inout [SupervisorAction]) {
        var excess = generations.count(where: \.isDraining) - limits.drainingGenerationsMax
        for index in generations.indices where excess > 0 && generations[index].isDraining {
            actions.append(.log(.warning, "too many old worker generations: stopping generation \(generations[index].number)"))
            stop(generation: index, now: now, to: &actions)
            excess -= 1
        }
    }

    /// A reload's generation that never served is given up; the one before it goes on. Workers that are ready have clients already.
    private mutating func rollBack(generation index: Int, now: UInt64, why: String, to actions: inout [SupervisorAction]) {
        actions.append(.log(.alert, "\(why): the new configuration is given up, the running one stays"))
        for place in generations[index].workers.indices where generations[index].workers[place].state == .starting {
            stop(generation: index, place: place, now: now, to: &actions)
        }
        drain(generation: index, now: now, to: &actions)
        stopExcess(now: now, to: &actions)
        removeEmptyGenerations(&actions)
        reloadAgainIfWanted(to: &actions)
    }

    private mutating func removeEmptyGenerations(_ actions: inout [SupervisorAction]) {
        // In a pause, the current generation stays although it has no workers: it gets them back.
        let kept = phase == .paused ? current : nil
        for generation in generations where generation.isGone && generation.number != kept {
            actions.append(.releaseGeneration(generation.number))
        }
        generations.removeAll { $0.isGone && $0.number != kept }
    }

    private mutating func endIfDone(_ actions: inout [SupervisorAction]) {
        guard phase == .quitting || phase == .terminating, livingWorkerCount == 0 else { return }
        phase = .ended
        actions.append(.exit(isRefused ? 1 : 0))
    }
}

// MARK: - Workers

extension SupervisorMachine {
    /// A worker that this supervisor did not start.
    private mutating func inherit(_ id: WorkerID, _ plan: GenerationPlan, now: UInt64) {
        if generations.first?.number != 0 { generations.insert(Generation(number: 0, plan: plan, phase: .inherited), at: 0) }
        var worker = Worker(id: id, place: 0, column: nil, startedAt: now, failures: 0)
        worker.state = .ready
        generations[0].workers.append(worker)
    }

    /// One more was taken over, while this supervisor has workers already.
    private mutating func workerInherited(_ id: WorkerID, now: UInt64, to actions: inout [SupervisorAction]) {
        inherit(id, generations.last?.plan ?? GenerationPlan(workerCount: 1, shutdownTimeout: nil), now: now)
        guard hasServed || isEnding else { return }
        // The others of them may be on their way out already; this one follows.
        generations[0].phase = .inherited
        if phase == .terminating { stop(generation: 0, now: now, to: &actions) } else { drain(generation: 0, now: now, to: &actions) }
    }

    private func find(_ id: WorkerID) -> (generation: Int, place: Int)? {
        for (index, generation) in generations.enumerated() {
            if let place = generation.workers.firstIndex(where: { $0.id == id }) { return (index, place) }
        }
        return nil
    }

    private mutating func workerReady(_ id: WorkerID, now: UInt64, to actions: inout [SupervisorAction]) {
        guard let (index, place) = find(id), case .starting = generations[index].workers[place].state else { return }
        generations[index].workers[place].state = .ready
        if generations[index].isStarting, generations[index].workers.allSatisfy({ $0.state == .ready }) {
            serve(generation: index, now: now, to: &actions)
        }
    }

    private mutating func workerFailed(_ id: WorkerID, _ text: String, to actions: inout [SupervisorAction]) {
        guard let (index, place) = find(id) else { return }
        generations[index].workers[place].hasRefused = true
        actions.append(.log(.emergency, text))
    }

    private mutating func workerGone(_ id: WorkerID, now: UInt64, to actions: inout [SupervisorAction]) {
        guard let (index, place) = find(id), generations[index].workers[place].isAlive else { return }
        let worker = generations[index].workers[place]
        if let column = worker.column { actions.append(.releaseColumn(column)) }
        switch generations[index].phase {
        case .draining, .stopping, .inherited:
            generations[index].workers.remove(at: place)
            removeEmptyGenerations(&actions)
        case .starting where hasServed:
            generations[index].workers.remove(at: place)
            rollBack(generation: index, now: now, why: "a worker process of the new configuration did not start", to: &actions)
        case .starting where worker.hasRefused:
            generations[index].workers.remove(at: place)
            isRefused = true
            phase = .terminating
            // Who served before goes on serving.
            generations.removeAll { $0.phase == .inherited }
            for index in generations.indices { stop(generation: index, now: now, to: &actions) }
        case .starting, .serving:
            if worker.isEnding {
                // Drained in a pause that is over: somebody else has its place.
                generations[index].workers.remove(at: place)
            } else {
                startAgain(generation: index, place: place, now: now, to: &actions)
                reloadAgainIfWanted(to: &actions)
            }
        }
    }

    private mutating func startAgain(generation index: Int, place: Int, now: UInt64, to actions: inout [SupervisorAction]) {
        let worker = generations[index].workers[place]
        let failures = now - worker.startedAt >= limits.stableAfter ? 0 : worker.failures
        guard failures > 0 else {
            generations[index].workers.remove(at: place)
            spawn(generation: index, place: worker.place, failures: 1, now: now, to: &actions)
            return
        }
        let pause = min(limits.backoffMin << UInt64(min(failures - 1, 16)), limits.backoffMax)
        actions.append(.log(.error, "worker process keeps ending: the next start is in \(pause) ms"))
        generations[index].workers[place].state = .resting(until: now + pause)
        generations[index].workers[place].failures = failures + 1
    }

    /// What was awaited of the new binary has not come.
    private mutating func limitNewBinary(now: UInt64, to actions: inout [SupervisorAction]) {
        switch newBinaryLimit {
        case .drain(let time) where now >= time:
            newBinaryLimit = .stop(at: now + limits.endTimeout)
            // Some of its workers may be ready, and serve clients beside ours.
            actions.append(.log(.alert, "the new binary does not serve in time: it is told to end"))
            actions.append(.drainNewBinary)
        case .stop(let time) where now >= time:
            newBinaryLimit = .kill(at: now + limits.endTimeout)
            actions.append(.log(.alert, "the new binary still has requests: it is told to end at once"))
            actions.append(.stopNewBinary)
        case .kill(let time) where now >= time:
            newBinaryLimit = nil
            actions.append(.log(.alert, "the new binary does not end: killing it"))
            actions.append(.killNewBinary)
        default: break
        }
    }

    private mutating func timer(now: UInt64, to actions: inout [SupervisorAction]) {
        limitNewBinary(now: now, to: &actions)
        for index in generations.indices {
            if case .starting(let since) = generations[index].phase, hasServed, now >= since + limits.startTimeout {
                let why = "the worker processes of the new configuration are not ready in time"
                rollBack(generation: index, now: now, why: why, to: &actions)
                break
            }
        }
        for index in generations.indices {
            var rested: [(place: Int, failures: Int)] = []
            for place in generations[index].workers.indices {
                let worker = generations[index].workers[place]
                guard let time = worker.wakeTime, now >= time else { continue }
                switch worker.state {
                case .resting: rested.append((worker.place, worker.failures))
                case .draining, .stopping:
                    generations[index].workers[place].state = .stopping(killAt: nil)
                    actions.append(.kill(worker.id))
                case .starting, .ready: break
                }
            }
            guard !rested.isEmpty else { continue }
            generations[index].workers.removeAll { if case .resting(let until) = $0.state { now >= until } else { false } }
            for (place, failures) in rested { spawn(generation: index, place: place, failures: failures, now: now, to: &actions) }
        }
    }
}
