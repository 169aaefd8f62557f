/// One line of an app's history, for the log, the state file and the incidents.
package enum AppReport: Hashable, Sendable {
    /// What a deploy or a rolling restart came to.
    package enum RollResult: Hashable, Sendable {
        /// Every slot runs the new process.
        case completed
        /// The new instance in this slot did not become or stay ready; the old ones were not touched.
        case failed(slot: Int)
        /// The new release answered with more errors than the old one during its soak.
        case worse(SoakComparison)
        /// As `failed`, for a fixed address: the old release was started again.
        case reverted
        /// A stop came in between.
        case cancelled
    }

    /// The process runs.
    case started(processID: Int32)
    /// It never ran.
    case startFailed(StartFailure, failuresInRow: Int)
    /// It takes requests, this long after its start.
    case ready(after: Duration)
    /// It ended, this long after its start.
    case exited(InstanceExit, runtime: Duration, expected: Bool)
    /// It was not ready within `start_timeout`.
    case startTimedOut
    /// It sent no `WATCHDOG=1` in time.
    case watchdogExpired
    /// Its check fails.
    case unhealthy
    /// Its check passes again.
    case healthy
    /// Its check failed for too long: another one is started, and takes its place when it is ready.
    case replacing(isSilent: Bool)
    /// It did not end within `stop_timeout` of its stop signal and was killed.
    case ignoredStopSignal
    /// Not even SIGKILL ended it (a process in uninterruptible sleep).
    case notKilled
    /// It was beyond `memory_max`.
    case memoryExceeded
    /// Its keeper died.
    case keeperLost
    /// It is started again at this time.
    case backingOff(until: Duration)
    /// Its restart policy leaves it at rest.
    case finished
    /// A roll to this release began.
    case rollBegan(release: UInt32)
    /// The new release takes its slice until this time.
    case soaking(until: Duration)
    /// The roll ended.
    case rollEnded(release: UInt32, RollResult)
}
