/// Why an instance never became a running process.
package struct StartFailure: Hashable, Sendable {
    /// The step that failed. The raw values are those of Sources/Launch/protocol.h (`GG_STEP_…`).
    package enum Step: UInt32, Hashable, Sendable, CaseIterable {
        /// The supervisor could not start the keeper, or found no port, user or env_file.
        case prepare = 0
        /// The keeper refused or could not read its instructions.
        case instructions = 1
        /// Binding the keeper's own socket or the notify socket.
        case socket = 2
        /// `fork`.
        case fork = 3
        /// Joining the cgroup.
        case cgroup = 4
        /// `setsid`.
        case session = 5
        /// Standard input, output and error.
        case streams = 6
        /// Placing the listening descriptors and closing all others.
        case descriptors = 7
        /// `setrlimit`.
        case limits = 8
        /// `setgroups`.
        case groups = 9
        /// `setgid`.
        case group = 10
        /// `setuid`.
        case user = 11
        /// `PR_SET_NO_NEW_PRIVS` and the signal at the keeper's death.
        case privileges = 12
        /// `chdir`.
        case directory = 13
        /// `execve`.
        case execute = 14
    }

    /// The step.
    package let step: Step
    /// The error number of the failed call, or 0 where there was no call.
    package let errorNumber: Int32

    /// Makes a description.
    package init(step: Step, errorNumber: Int32) {
        self.step = step
        self.errorNumber = errorNumber
    }
}
