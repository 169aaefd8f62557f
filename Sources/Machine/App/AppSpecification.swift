/// What an `app` block says, with all defaults filled in: the input of the machines and of the driver.
package struct AppSpecification: Hashable, Sendable {
    /// Name of the block, unique within a configuration.
    package var name: String
    /// Program and its arguments, exec'd without a shell.
    package var command: [String]
    /// Working directory; nil: the root directory.
    package var directory: String?
    /// User the instances run as; nil: the supervisor's.
    package var user: String?
    /// Group they run as; nil: the user's.
    package var group: String?
    /// `env NAME=VALUE`, and `env NAME` for a variable of the supervisor's, in order; a later one wins.
    package var environment: [String]
    /// `env_file`, absolute paths: read anew at every start.
    package var environmentFiles: [String] = []
    /// Number of instances, at least 1 (`auto` is resolved before).
    package var instances: Int
    /// How an instance gets its address.
    package var listen: AppListen
    /// The active check; nil: READY=1 or an accepting port makes an instance ready.
    package var health: AppHealth?
    /// Time from the start of an instance until it must be ready.
    package var startTimeout: Duration = .seconds(30)
    /// Signal that asks an instance to end.
    package var stopSignal: Int32 = 15
    /// Time from the stop signal until the whole group is killed.
    package var stopTimeout: Duration = .seconds(30)
    /// Time that requests in flight get between un-routing and the stop signal.
    package var drainTimeout: Duration = .seconds(30)
    /// When ended instances are started again.
    package var restart = RestartPolicy()
    /// `memory_max` in bytes: limit of the cgroup, or of the watched resident set.
    package var memoryMax: UInt64?
    /// `memory_recycle` in bytes: beyond it an instance is replaced by a new one.
    package var memoryRecycle: UInt64?
    /// `nofile`: soft and hard limit of open files.
    package var openFilesMax: UInt64?
    /// File creation mask of the instances.
    package var creationMask: UInt32 = 0o022
    /// `watchdog`: longest time between two `WATCHDOG=1` of a ready instance.
    package var watchdog: Duration?
    /// Where output goes; nil: only the last lines are kept, in memory.
    package var log: AppLog?

    /// Makes a specification with the directives' defaults.
    package init(
        name: String, command: [String], instances: Int = 1, listen: AppListen = .port, environment: [String] = []
    ) {
        self.name = name
        self.command = command
        self.instances = max(instances, 1)
        self.listen = listen
        self.environment = environment
    }
}
