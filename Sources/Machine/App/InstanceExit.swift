/// How the main process of an instance ended, as its keeper collected it.
package struct InstanceExit: Hashable, Sendable {
    /// The two ways in which a process ends.
    package enum Cause: Hashable, Sendable {
        /// It called `exit` with this status, 0...255.
        case status(Int32)
        /// This signal ended it.
        case signal(Int32)
        /// Nobody knows: its keeper died before it.
        case unknown
    }

    /// Status or signal.
    package let cause: Cause
    /// The kernel wrote a core file.
    package let hasCore: Bool
    /// Processes of the instance's cgroup that the kernel's OOM killer ended while it ran; 0 without a cgroup.
    package let outOfMemoryKills: UInt32
    /// Processes of its group that were still there when the main process ended. They are killed.
    package let processesLeft: UInt32

    /// It was killed because it used more than `memory_max`, which no cgroup enforced.
    package var isOverMemoryMax = false

    /// Makes the description of an end.
    package init(cause: Cause, hasCore: Bool = false, outOfMemoryKills: UInt32 = 0, processesLeft: UInt32 = 0) {
        self.cause = cause
        self.hasCore = hasCore
        self.outOfMemoryKills = outOfMemoryKills
        self.processesLeft = processesLeft
    }

    /// Whether `restart on-failure` leaves the app at rest after this end: status 0, or one of the signals by which
    /// a person or a service manager asks a process to end (HUP, INT, PIPE, TERM; systemd's list).
    package var isClean: Bool {
        guard outOfMemoryKills == 0 else { return false }
        return switch cause {
        case .status(let status): status == 0
        case .signal(let signal): signal == 1 || signal == 2 || signal == 13 || signal == 15
        case .unknown: false
        }
    }
}
