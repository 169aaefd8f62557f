internal import Config
internal import Glibc
internal import Machine

extension AppReport {
    /// The report as a line of the error log.
    func line(app: String, now: Duration) -> (text: String, level: LogLevel) {
        switch self {
        case .started(let process): ("started, process \(process)", .notice)
        case .startFailed(let failure, let count): (Self.words(failure) + Self.times(count), .error)
        case .ready(let time): ("ready after \(time.milliseconds) ms", .notice)
        case .exited(let exit, let runtime, let isExpected):
            ("\(exit.words) after \(runtime.milliseconds) ms", isExpected || exit.isClean ? .notice : .error)
        case .startTimedOut: ("not ready within start_timeout", .error)
        case .watchdogExpired: ("no WATCHDOG=1 within watchdog", .error)
        case .unhealthy: ("its health check fails", .warning)
        case .healthy: ("its health check passes again", .notice)
        case .replacing(let isSilent):
            ((isSilent ? "does not answer its health check" : "its health check still fails") + ", is replaced", .warning)
        case .ignoredStopSignal: ("did not end within stop_timeout of its stop signal, is killed", .warning)
        case .notKilled: ("is still there after SIGKILL (uninterruptible sleep?)", .alert)
        case .memoryExceeded: ("uses more than memory_max, is killed", .error)
        case .keeperLost: ("its keeper died", .alert)
        case .backingOff(let until): ("starts again in \(max(until - now, .zero).milliseconds) ms", .notice)
        case .finished: ("is not started again (restart)", .notice)
        case .rollBegan(let release): ("release \(release): new instances are started", .notice)
        case .soaking(let until): ("the first new instance serves a slice for \((until - now).milliseconds) ms", .notice)
        case .rollEnded(let release, let result): ("release \(release): \(Self.words(result))", result == .completed ? .notice : .error)
        }
    }

    private static func times(_ count: Int) -> String { count > 1 ? ", \(count) times in a row" : "" }

    private static func words(_ failure: StartFailure) -> String {
        // The supervisor itself has words for it.
        if failure.step == .prepare, failure.errorNumber != ECANCELED { return "could not be started" }
        let reason = failure.errorNumber == 0 ? "" : " " + SystemError(code: failure.errorNumber).text
        return "could not be started at step \"\(failure.step)\"\(reason)"
    }

    private static func words(_ result: RollResult) -> String {
        switch result {
        case .completed: "all instances run it"
        case .failed(let slot): "given up, its instance \(slot) did not become or stay ready; the old instances were not touched"
        case .worse(let comparison):
            "given up, \(comparison.new.failures) of \(comparison.new.requests) requests failed, of the old release's "
                + "\(comparison.old.failures) of \(comparison.old.requests)"
        case .reverted: "given up, it did not become ready; the release before it was started again"
        case .cancelled: "cancelled"
        }
    }
}

extension InstanceExit {
    /// `exited with code 3`, `exited on signal 9 (OOM kill)`.
    var words: String {
        let core = hasCore ? " (core dumped)" : ""
        let memory = outOfMemoryKills > 0
            ? " (OOM kill: memory_max or the host's memory was exhausted)"
            : isOverMemoryMax ? " (killed: it used more than memory_max)" : ""
        return switch cause {
        case .status(let status): "exited with code \(status)\(memory)"
        case .signal(let signal): "exited on signal \(signal)\(core)\(memory)"
        case .unknown: "is gone"
        }
    }
}
