internal import CLinux
internal import Config
package import Machine

/// Runs the apps of a configuration: owns their machines, executes their actions by keepers, and tells the machines
/// what keepers, sockets and workers say. One object, one thread: that of the supervisor's loop, which
///
/// - watches `descriptor` for reading and calls `serve`,
/// - calls `timerFired` at `deadline`,
/// - asks `childEnded` of each child that it collects,
/// - implements `AppHost` and tells `drained` and `healthChanged`.
package final class AppSupervisor {
    unowned let host: any AppHost
    let directories: AppDirectories
    /// Path of goodgate-launch.
    let launcher: String
    let cgroups: CgroupTree
    /// The supervisor's own environment.
    let inherited: [String]
    /// The supervisor's standard error, for `log stderr`.
    let standardError: Int32
    let boot: String

    /// Held while this supervisor is the one that has the apps of the directory.
    var lock: Descriptor?
    /// Blocks that wait for the lock, and when it is tried again.
    var waitingBlocks: [AppSpecification]?
    var retryAt: Duration = .zero
    var apps: [String: ManagedApp] = [:]
    var ports: PortChooser
    let poll: EventPoll
    var instancesByTag: [UInt64: (app: String, key: InstanceKey)] = [:]
    /// Keepers of a former supervisor that did not answer in time.
    var lateKeepers: [UInt64: KeeperChannel] = [:]
    /// Instances that are forgotten, but for their last lines, which are on their way. By tag.
    var parting: [UInt64: AppInstance] = [:]
    /// Keepers that were told to go, until they are collected.
    var partingKeepers: Set<Int32> = []
    private var nextTag: UInt64 = 1
    /// Events that came up while actions were executed.
    var pending: [(app: String, key: InstanceKey, event: InstanceEvent)] = []
    private var isHandling = false
    /// When the state is written next; nil: nothing to write.
    var saveAt: Duration?
    /// Connections taken out of accept queues: open until the workers have surely let go of their ends.
    var rescued: [(until: Duration, sockets: [Descriptor])] = []
    /// What was written last of that which has to last, and what could not be.
    var lastLasting: AppState?
    var lostLasting: AppState?
    /// Number of the last save, over all supervisors of these apps.
    var saves: UInt64 = 0
    /// Descriptors that this process may have.
    var descriptorsMax = System.descriptorsMax
    /// All apps are being stopped: the state file keeps what they were before.
    var isEnding = false
    /// What probes and samples look at.
    var sockets = ProcSnapshot { SocketTable.read() }
    var processTree = ProcSnapshot { ProcessTree.read() }
    /// Spawns that wait for their turn: starting hundreds at once would leave no time for anything else.
    var spawnQueue: [(app: String, key: InstanceKey, release: UInt32)] = []
    var spawnsLeft = AppSupervisor.spawnsPerTurn
    /// When memory is looked at next; nil: no app has a limit to watch.
    var sampleAt: Duration?

    /// - Parameters:
    ///   - stateDirectory: Made if need be. The keepers' sockets in it must fit into a socket address: at most 50 bytes.
    ///   - lastingDirectory: For what has to last over a reboot; made if need be.
    ///   - launcher: Path of goodgate-launch.
    ///   - usesCgroups: Whether to look for writable cgroups.
    /// - Throws: When the directories cannot be made.
    package init(
        host: any AppHost, stateDirectory: String, lastingDirectory: String? = nil, launcher: String,
        usesCgroups: Bool = true, standardError: Int32 = 2
    ) throws(SystemError) {
        self.host = host
        directories = AppDirectories(root: stateDirectory, lasting: lastingDirectory)
        self.launcher = launcher
        self.standardError = standardError
        inherited = System.environment
        boot = ProcessFacts.bootIdentifier
        ports = PortChooser()
        poll = try EventPoll()
        cgroups = usesCgroups ? CgroupTree.find() : .unavailable
        try directories.prepare()
    }

    /// Readable when `serve` has something to do.
    package var descriptor: Int32 { poll.descriptor.number }

    /// When `timerFired` is due; nil: nothing is awaited.
    package var deadline: Duration? {
        var result = earlier(saveAt, sampleAt)
        if waitingBlocks != nil { result = earlier(result, retryAt) }
        result = earlier(result, rescued.first?.until)
        if !spawnQueue.isEmpty { result = host.now }
        for app in apps.values {
            result = earlier(result, app.machine.deadline)
            result = earlier(result, app.soak?.nextAt)
            for listener in app.listeners.values.joined() { result = earlier(result, listener.lookAt) }
            for instance in app.instances.values {
                result = earlier(result, instance.killRemainsAt)
                if case .waiting(let time, _, _) = instance.probe { result = earlier(result, time) }
            }
        }
        return result
    }

    /// Whether no process of any app is left.
    package var isGone: Bool { apps.values.allSatisfy { $0.machine.isGone } }

    // MARK: - Inputs

    /// Reads what keepers say.
    package func serve() {
        for event in poll.wait(milliseconds: 0) {
            serveLateKeeper(event.tag)
            readParting(event.tag)
            guard let (app, key) = instancesByTag[event.tag], let instance = apps[app]?.instances[key] else { continue }
            readKeeper(of: instance, app: app)
        }
        settle()
    }

    /// Does what is due.
    package func timerFired() {
        let now = host.now
        rescued.removeAll { $0.until <= now }
        spawnWaiting()
        if let blocks = waitingBlocks, retryAt <= now { configure(blocks) }
        for app in Array(apps.values) {
            if let deadline = app.machine.deadline, deadline <= now {
                act(app) { machine, now, actions in machine.timerFired(now: now, actions: &actions) }
            }
            for instance in Array(app.instances.values) {
                if let time = instance.killRemainsAt, time <= now { killRemains(of: instance, app: app) }
                if case .waiting(let time, _, _) = instance.probe, time <= now { probe(instance, app: app) }
            }
            if let soak = app.soak, soak.nextAt <= now { sampleSoak(app) }
            lookAtQueues(of: app)
        }
        if let time = sampleAt, time <= now { sampleMemory() }
        settle()
        if let time = saveAt, time <= host.now { save() }
    }

    /// A child of this process ended.
    ///
    /// - Returns: Whether it was a keeper.
    package func childEnded(_ process: Int32) -> Bool {
        if partingKeepers.remove(process) != nil { return true }
        for app in apps.values {
            for instance in app.instances.values where instance.keeperProcess == process {
                instance.keeperProcess = nil
                readKeeper(of: instance, app: app.name)
                settle()
                return true
            }
        }
        return false
    }

    /// No request is in flight to an instance that was un-routed.
    package func drained(app: String, instance: InstanceKey) {
        pending.append((app, instance, .drained))
        settle()
    }

    /// The check of an instance passed, or failed, as often as it must; silent: it got no answer.
    package func healthChanged(app: String, instance: InstanceKey, isHealthy: Bool, isSilent: Bool = false) {
        pending.append((app, instance, isHealthy ? .healthPassed : .healthFailed(isSilent: isSilent)))
        settle()
    }

    /// The check of an instance that has not passed yet failed for this reason.
    package func checkFailed(app: String, instance: InstanceKey, why: String) { apps[app]?.instances[instance]?.complaint = why }

    // MARK: - Machines

    /// Gives a machine something and executes what it orders.
    func act(_ app: ManagedApp, _ body: (inout AppMachine, Duration, inout [AppAction]) -> Void) {
        // What the host answers at once has to wait until all actions are done.
        let wasHandling = isHandling
        isHandling = true
        defer { isHandling = wasHandling }
        var actions: [AppAction] = []
        let release = app.machine.activeRelease
        body(&app.machine, host.now, &actions)
        // A roll was committed: the next supervisor is to know of it, however soon it comes.
        if app.machine.activeRelease != release { changed(within: .zero) }
        for action in actions { perform(action, app: app) }
    }

    /// Feeds the events that wait, until none is left.
    func settle() {
        guard !isHandling else { return }
        isHandling = true
        defer { isHandling = false }
        repeat {
            while !pending.isEmpty {
                let (name, key, event) = pending.removeFirst()
                guard let app = apps[name] else { continue }
                act(app) { machine, now, actions in machine.handle(event, for: key, now: now, actions: &actions) }
            }
            for app in Array(apps.values) { finishApp(app) }
        } while !pending.isEmpty
    }

    func makeTag() -> UInt64 {
        defer { nextTag += 1 }
        return nextTag
    }

    /// The state is to be written: soon, so that a burst of changes costs one write.
    func changed(within delay: Duration = .milliseconds(200)) { saveAt = earlier(saveAt, host.now + delay) }

    static let spawnsPerTurn = 16
    static let soakInterval: Duration = .milliseconds(100)
    static let keeperDelay: Duration = .milliseconds(500)
    static let lockInterval: Duration = .milliseconds(200)
    static let sampleInterval: Duration = .seconds(1)
}

/// The earlier of two times, of which either may be missing.
func earlier(_ first: Duration?, _ second: Duration?) -> Duration? {
    guard let first else { return second }
    return min(first, second ?? first)
}
