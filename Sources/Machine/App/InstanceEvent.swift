/// What a keeper, a check, the workers or the operating system say about one instance.
package enum InstanceEvent: Hashable, Sendable {
    /// What an instance says over NOTIFY_SOCKET.
    package enum Notice: Hashable, Sendable {
        /// `READY=1`
        case ready
        /// `STOPPING=1`
        case stopping
        /// `RELOADING=1`
        case reloading
        /// `WATCHDOG=1`
        case watchdog
    }

    /// The process runs: `exec` succeeded.
    case started(processID: Int32)
    /// No process came to be. Its keeper is gone, or about to go.
    case startFailed(StartFailure)
    /// The main process ended. Others of its group may still live.
    case exited(InstanceExit)
    /// No process of the instance is left.
    case emptied
    /// The keeper died first. The main process dies with it; the rest of the group has to be killed.
    case keeperLost
    /// The instance accepted a connection on its address.
    case portAccepts
    /// The active check passed often enough.
    case healthPassed
    /// The active check failed often enough; silent: the instance does not answer at all. May come again when that changes.
    case healthFailed(isSilent: Bool)
    /// A message of the instance itself.
    case notified(Notice)
    /// No request is in flight to the instance any more.
    case drained
    /// Its resident set is beyond `memory_max` and no cgroup enforces it.
    case memoryExceeded
}
