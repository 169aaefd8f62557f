package import Config

/// What the driver is to do, in this order.
package enum SupervisorAction: Equatable, Sendable {
    /// Write a line to the error log.
    case log(LogLevel, String)
    /// Start one worker of a generation in a column of the board that nobody else uses.
    case spawn(WorkerID, generation: Int, index: Int, column: Int)
    /// Tell a worker to end gracefully; with a deadline, in milliseconds from now.
    case drain(WorkerID, deadline: UInt64?)
    /// Tell a worker to end at once.
    case stop(WorkerID)
    /// End a worker that did not listen: SIGKILL.
    case kill(WorkerID)
    /// This worker runs the health checks from now on, in this term. Nobody else does.
    case beginChecks(WorkerID, term: UInt32)
    /// This worker ends its health checks: another one runs them, or nobody has to.
    case endChecks(WorkerID)
    /// A worker's column of the board is free: zero it.
    case releaseColumn(Int)
    /// Parse the configuration again and prepare everything for it; answered by `configurationLoaded` or `configurationRejected`.
    case loadConfiguration
    /// The new generation serves: what only the configurations before it need (listeners, files) can be closed.
    case commitConfiguration(generation: Int)
    /// The new generation never served: close what was opened for it, go back to the one before. Some of its workers may drain.
    case discardConfiguration(generation: Int)
    /// Nobody of this generation is left.
    case releaseGeneration(Int)
    /// Open the log files again and hand them to every worker.
    case reopenLogs
    /// Start the program again beside this one, with the listening sockets; answered by `newBinaryStarted` or `newBinaryFailed`.
    case startNewBinary
    /// The new binary is told to end gracefully: what is awaited of it has not come in time.
    case drainNewBinary
    /// The new binary is told to end at once.
    case stopNewBinary
    /// End the new binary, which did not listen: SIGKILL.
    case killNewBinary
    /// The new binary is gone: the pid file gets its name back.
    case restorePidFile
    /// Nothing more is accepted: close the listening sockets.
    case closeListeners
    /// The apps, which are being stopped, are not waited for any longer: SIGKILL.
    case killApps
    /// All is done: stop the apps, remove the pid file, end with this status.
    case exit(Int32)
}
