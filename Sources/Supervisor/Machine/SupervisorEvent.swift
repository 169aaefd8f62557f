/// What happens to the supervisor.
package enum SupervisorEvent: Equatable, Sendable {
    /// A signal for the supervisor itself.
    case signal(SupervisorSignal)
    /// A worker accepts connections.
    case workerReady(WorkerID)
    /// A worker says that it cannot start, and why; its exit follows.
    case workerFailed(WorkerID, text: String)
    /// A worker ended.
    case workerExited(WorkerID, WorkerEnd)
    /// A worker whose supervisor died follows this one now.
    case workerInherited(WorkerID)
    /// A worker could not be started at all.
    case spawnFailed(WorkerID)
    /// The answer to `SupervisorAction.loadConfiguration`: it is parsed, its sockets listen, its files are open.
    case configurationLoaded(GenerationPlan)
    /// The other answer: the old one stays. The driver has logged why.
    case configurationRejected
    /// The answers to `SupervisorAction.startNewBinary`.
    case newBinaryStarted
    case newBinaryFailed
    /// Somebody waits for the new binary to serve: it has the time of a reload.
    case newBinaryAwaited
    /// The new binary is in its last steps, and the end of this program waits for its end.
    case newBinaryEnding
    /// The new binary ended.
    case newBinaryExited
    /// `SupervisorMachine.deadline` has come.
    case timer
}

/// The signals that mean something to the supervisor.
package enum SupervisorSignal: String, CaseIterable, Sendable {
    case terminate, interrupt, quit, reload, reopen, changeBinary, stopAccepting
}

/// How a worker ended.
package enum WorkerEnd: Equatable, Sendable {
    case code(Int32)
    case signal(Int32)
}

/// What a configuration asks of the supervisor's machine.
package struct GenerationPlan: Equatable, Sendable {
    /// Number of workers, >= 1.
    package var workerCount: Int
    /// `worker_shutdown_timeout` in milliseconds; nil: none.
    package var shutdownTimeout: UInt64?

    package init(workerCount: Int, shutdownTimeout: UInt64?) {
        self.workerCount = max(1, workerCount)
        self.shutdownTimeout = shutdownTimeout
    }
}

/// A worker's place: never reused while the supervisor lives.
package struct WorkerID: Hashable, Sendable, Comparable {
    package var number: Int

    package init(_ number: Int) { self.number = number }
    package static func < (left: WorkerID, right: WorkerID) -> Bool { left.number < right.number }
}
