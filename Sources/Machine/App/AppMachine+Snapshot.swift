extension AppMachine {
    /// One instance as `app list` shows it.
    package struct InstanceSnapshot: Hashable, Sendable {
        /// Name of the spawn.
        package var key: InstanceKey
        /// Part in a roll.
        package var role: Role
        /// Release it runs.
        package var release: UInt32
        /// Where it stands.
        package var phase: InstanceMachine.Phase
        /// Its check, if any, passes.
        package var isHealthy: Bool
        /// Main process, if there is one.
        package var processID: Int32?
        /// Times it was started again.
        package var restarts: UInt64
        /// Failed starts in a row.
        package var failedStartsInRow: Int
        /// End of the run before the present one.
        package var lastExit: InstanceExit?
        /// Monotonic time of its start.
        package var startedAt: Duration
        /// When something happens by itself: its next start, the end of its patience.
        package var deadline: Duration?
    }

    /// All instances, by slot. Allocates; for status and the state file.
    package var snapshots: [InstanceSnapshot] {
        occupants.map { occupant in
            let instance = occupant.instance
            return InstanceSnapshot(
                key: instance.key, role: occupant.role, release: instance.release, phase: instance.phase,
                isHealthy: instance.isHealthy, processID: instance.processID, restarts: instance.restarts,
                failedStartsInRow: instance.failedStartsInRow, lastExit: instance.lastExit,
                startedAt: instance.startedAt, deadline: instance.deadline)
        }.sorted { ($0.key.slot, $0.key.serial) < ($1.key.slot, $1.key.serial) }
    }

    /// Whether nothing of the app is left that could hold a process.
    package var isGone: Bool { occupants.allSatisfy { !$0.instance.hasProcess } }
}
