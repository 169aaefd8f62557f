/// The workers of one configuration.
struct Generation {
    /// Who is here, and what comes next.
    enum Phase: Equatable {
        /// Workers of a supervisor that died. They serve until a generation of this one does; none is started anew. Next: draining,
        /// stopping, gone.
        case inherited
        /// Not all workers are ready yet. Next: serving; of a reload also draining, when it is given up.
        case starting(since: UInt64)
        /// The current configuration. Next: draining, stopping.
        case serving
        /// A newer one serves, it was given up, or the supervisor quits: no worker is started any more. Next: stopping, gone.
        case draining
        /// As draining, but at once.
        case stopping
    }

    /// 1 for the first configuration, one more with each reload; 0 for workers that were taken over.
    let number: Int
    let plan: GenerationPlan
    var phase: Phase
    var workers: [Worker] = []

    init(number: Int, plan: GenerationPlan, phase: Phase) {
        self.number = number
        self.plan = plan
        self.phase = phase
    }

    var isStarting: Bool { if case .starting = phase { true } else { false } }
    var isDraining: Bool { phase == .draining }
    var isEnding: Bool { phase == .draining || phase == .stopping }
    /// Whether it ended and nobody is left.
    var isGone: Bool { (isEnding || phase == .inherited) && workers.isEmpty }
}

/// One worker of a generation: a process, or the pause before the next one.
struct Worker {
    /// All times in milliseconds of the monotonic clock.
    enum State: Equatable {
        case starting
        case ready
        /// Told to end gracefully; killed at the time given, if any.
        case draining(killAt: UInt64?)
        /// Told to end; killed at the time given; nil: killed already.
        case stopping(killAt: UInt64?)
        /// No process: the next one starts then.
        case resting(until: UInt64)
    }

    let id: WorkerID
    /// Index among the workers of its generation.
    let place: Int
    /// Its column of the board; nil: it has one of another board.
    let column: Int?
    let startedAt: UInt64
    /// Short lives in a row, this one included if it is short.
    var failures: Int
    var state = State.starting
    /// Whether it said that it cannot start.
    var hasRefused = false

    init(id: WorkerID, place: Int, column: Int?, startedAt: UInt64, failures: Int) {
        self.id = id
        self.place = place
        self.column = column
        self.startedAt = startedAt
        self.failures = failures
    }

    /// Whether there is a process.
    var isAlive: Bool { if case .resting = state { false } else { true } }

    /// Whether it was told to end.
    var isEnding: Bool {
        switch state {
        case .draining, .stopping: true
        case .starting, .ready, .resting: false
        }
    }

    /// When something has to be done about it.
    var wakeTime: UInt64? {
        switch state {
        case .starting, .ready: nil
        case .draining(let time), .stopping(let time): time
        case .resting(let time): time
        }
    }
}
