/// The life cycle of the process in one slot of an app: values in, actions out, no clock.
///
/// ```
///             start                 started               ready (1)
///  stopped ─────────► starting ───────────────► probing ────────────► ready
///     ▲                  │ startFailed             │ start_timeout,     │ retire, watchdog (2),
///     │                  │                         │ retire             │ sick (3)
///     │                  │                         │                    ▼
///     │                  │                         │                 draining
///     │                  │                         │                    │ drained, drain_timeout
///     │                  │                         ▼                    ▼
///     │                  │       exited         stopping ◄──────────────┘
///     │                  │    ┌────────────────────┤ stop_timeout
///     │                  │    ▼                    ▼
///     │  goal is stop    ├─ emptying ◄───────── killing
///     ├──────────────────┤ emptied       exited
///     │                  │ goal is run: by the restart policy
///     │                  ▼
///     └────────────── backingOff ──► starting        or ──► finished (policy: at rest)
/// ```
/// `exited`, `emptied` and `keeperLost` may come in any state with a process; an instance that has traffic is
/// un-routed first, whatever else follows. (1) A passed check, `READY=1`, or, without a check, an accepting port.
/// (2) An expired watchdog goes straight to stopping, with SIGABRT. (3) A failing check makes a ready instance due for a
/// replacement after a time; what comes of that is the affair of `AppMachine`, which knows the others.
///
/// It is a copyable struct, unlike the other machines, because several of them stand in an array of `AppMachine`,
/// and Swift 6.3's arrays hold no noncopyable elements.
package struct InstanceMachine: Sendable {
    /// What is to become of the slot once the process is gone.
    package enum Goal: Hashable, Sendable {
        /// The restart policy decides.
        case run
        /// It stays at rest.
        case stop
    }

    /// Where the instance stands. Each case says what may come next.
    enum State: Hashable, Sendable {
        /// No process, and none wanted. Next: `start`.
        case stopped
        /// No process: the restart policy leaves it so. Next: `start`.
        case finished
        /// No process until this time. Next: the time comes, or `retire`.
        case backingOff(until: Duration)
        /// A keeper was asked for. Next: `started`, `startFailed`, the deadline.
        case starting(deadline: Duration)
        /// The process runs and is not ready. Next: readiness, its end, the deadline.
        case probing(deadline: Duration)
        /// It is ready.
        case ready(Readiness)
        /// Its un-routing was ordered, requests may be in flight. Next: `drained`, its end, the deadline.
        case draining(deadline: Duration)
        /// The stop signal was sent. Next: its end, the deadline.
        case stopping(deadline: Duration)
        /// SIGKILL was sent to the whole group, and is sent again at the deadline.
        case killing(deadline: Duration)
        /// The main process is gone, others of its group are being killed. Next: `emptied`.
        case emptying(deadline: Duration)
    }

    /// What has to be watched while an instance is ready.
    struct Readiness: Hashable, Sendable {
        /// When it became ready.
        var since: Duration
        /// When it makes up for the failed starts before it; nil: there were none.
        var provenAt: Duration?
        /// When its watchdog expires.
        var watchdogDeadline: Duration?
        /// Since when its check fails; nil: it passes, or there is none.
        var failingSince: Duration?
        /// When its failing check makes it due for a replacement; nil: it passes, or is due.
        var unhealthyDeadline: Duration?
        /// Its check failed for so long that it is to be replaced.
        var isDue = false
        /// Its check gets no answer: it hangs.
        var isSilent = false
        /// When a reload that it announced must be over. Until then a failing check is no reason for a restart.
        var reloadDeadline: Duration?
    }

    /// Time between two attempts to kill a group that does not go away.
    static let killInterval: Duration = .seconds(1)

    /// Who was ready for so long has started. Many a program listens first, and fails then: it finds no database.
    static let provenTime: Duration = .seconds(1)

    /// Slot within the app.
    package let slot: Int
    /// Release that it runs.
    package let release: UInt32
    /// Number of its present or last spawn.
    package internal(set) var serial: UInt32
    /// Whether it restarts by itself. A candidate of a roll does not.
    package internal(set) var isCandidate: Bool
    /// What it may get of the traffic while it is ready.
    package internal(set) var share: RouteShare
    /// Process identifier of the main process while there is one.
    package internal(set) var processID: Int32?
    /// Times it was started again.
    package internal(set) var restarts: UInt64 = 0
    /// Starts in a row that did not lead to a run that was ready for `provenTime`.
    package internal(set) var failedStartsInRow = 0
    /// How the last run ended.
    package internal(set) var lastExit: InstanceExit?
    /// When the present run began.
    package internal(set) var startedAt: Duration = .zero

    var state = State.stopped
    var goal = Goal.stop
    var policy: InstancePolicy
    var backoff = RestartBackoff()
    /// The present run was ready for `provenTime`.
    var isProven = false
    /// The present run is at an end for a reason that counts as a failure, whatever its exit status will say.
    var endsInFailure = false
    /// It is being killed because of its memory.
    var isOverMemoryMax = false
    /// A start was asked for while the process was on its way out: it follows at once, whatever the policy says.
    var startsAgain = false
    /// A `route` is in force.
    var isRouted = false
    /// It was taken over, and workers of the supervisor before may have sent it requests: its un-routing was not ordered yet.
    var mayHaveTraffic = false
    /// It hangs, and the next one has to wait for its end: requests in flight and the stop signal get little time.
    var isHurried = false

    /// An instance at rest.
    package init(
        slot: Int, release: UInt32, policy: InstancePolicy, isCandidate: Bool = false, share: RouteShare = .full
    ) {
        self.slot = slot
        self.release = release
        self.policy = policy
        self.isCandidate = isCandidate
        self.share = share
        serial = 0
    }

    /// Name of the present or last spawn.
    package var key: InstanceKey { InstanceKey(slot: slot, serial: serial) }
}
