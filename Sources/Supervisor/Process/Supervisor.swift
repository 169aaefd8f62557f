internal import Config
internal import CLinux
internal import Glibc
internal import Machine
internal import Messages

/// The running supervisor: executes what `SupervisorMachine` decides, and tells it what happens. One thread, one loop.
final class Supervisor {
    let loader: ConfigurationLoader
    let identity: Identity
    let log: ErrorLog
    let executables: Executables
    /// The arguments the program was started with, for a binary upgrade and the title.
    let arguments: [String]
    /// Whether an old binary started this one, and who that was.
    let upgradedFrom: Int32?
    let oldPidFile: String?

    var machine: SupervisorMachine
    /// By generation. The one that serves is `current`.
    var configurations: [Int: PreparedConfiguration] = [:]
    var current: Int = 1
    /// A reload's configuration until its generation has a number.
    var loaded: PreparedConfiguration?
    var workers: [WorkerID: WorkerProcess] = [:]
    let sessions = SessionStore()
    let limitZones = LimitZones()
    var newBinary: Int32?
    /// The pid file has the old binary's name, since a new one was started.
    var hasOldPidName = false
    var hasRemovedSocketFiles = false
    var exitStatus: Int32?

    /// nil while there is no app.
    var apps: AppSupervisor?
    /// Where the state of this supervisor is, for as long as it lives; nil: the place belongs to somebody else.
    let stateDirectories: AppDirectories?
    /// Workers that other supervisors started; nil once this is settled for good.
    var formerWorkers: FormerWorkers?
    /// What the orphans among them listened on, until the first own generation serves.
    var inheritedListeners: ListenerTable?
    var hasToldNoTakeover = false
    var failedTakeovers = RepeatedLine()
    let serviceManager = ServiceManager(socket: System.environment("NOTIFY_SOCKET"))
    var hasToldStopping = false
    var hasToldReady = false
    /// Readable when the old binary has ended.
    var oldBinaryEnd: Descriptor?
    /// By app.
    var routes: [String: AppRoute] = [:]
    /// When workers of the old binary are looked for next.
    var lookAt: UInt64 = 0
    /// Apps of which the workers have to be told.
    var changedApps: Set<String> = []
    /// Instances whose health the workers check.
    var checkedInstances: [InstanceName: CheckedInstance] = [:]
    /// The exit status, while the apps are being stopped.
    var statusAfterApps: Int32?

    /// Says who ends last, after an upgrade.
    var bond = UpgradeBond.inherited()
    /// The other binary was on its way out before this one was.
    var hasOutlastedOther = false
    /// The exit status, while the last steps of a new binary that leaves its apps to this program are awaited.
    var statusAfterNewBinary: Int32?

    /// `goodgate upgrade` under way.
    var upgrade: UpgradeOrder?
    /// Where to say that this program serves; nil: nobody waits for it.
    var servingWriter = Supervisor.takeServingWriter()
    /// When the control process goes, because that of the new program takes its place.
    var controlEndsAt: UInt64?

    /// Servers that an operator has taken out, until he gives them back.
    var drains: [ServerDrain] = []

    /// nil while it does not run.
    var control: ControlProcess?
    var controlMachine = ControlMachine()
    /// What it is started with; nil: it is not to run.
    var controlSettings: ControlProcessSettings?
    /// What it found out about open incidents, for workers that come.
    var verdicts = VerdictTable()
    var verdictBudget = SecondBudget(max: ControlRequest.verdictsPerSecondMax)
    /// Attempt records that were dropped on the way to control processes that are gone.
    var attemptsDropped: UInt64 = 0
    /// Wall clock, nanoseconds since 1970.
    let startedAt = System.wallClock

    /// When a packet that the system did not take is tried again; nil: there is none.
    private var flushAt: UInt64?

    private let signals: SignalSource
    private let poll: EventPoll
    private var events: [SupervisorEvent] = []

    init(
        loader: ConfigurationLoader, executables: Executables, arguments: [String], old: OldBinary?,
        prepared: PreparedConfiguration, isDaemon: Bool, stateDirectories: AppDirectories?, formerWorkers: FormerWorkers?,
        inheritedListeners: ListenerTable?, signals: SignalSource, poll: EventPoll
    ) throws(SystemError) {
        self.loader = loader
        identity = loader.identity
        log = loader.log
        self.executables = executables
        self.arguments = arguments
        upgradedFrom = old?.process
        oldPidFile = old?.pidFile
        machine = SupervisorMachine(isDaemon: isDaemon)
        configurations[1] = prepared
        self.stateDirectories = stateDirectories
        self.formerWorkers = formerWorkers
        self.inheritedListeners = inheritedListeners
        self.signals = signals
        self.poll = poll
        try poll.add(signals.descriptor, tag: LoopSource.signals.tag)
        oldBinaryEnd = oldBinaryLives ? upgradedFrom.flatMap { try? System.endOfProcess($0) } : nil
        if let oldBinaryEnd { try poll.add(oldBinaryEnd, tag: LoopSource.oldBinary.tag) }
    }

    /// Whether the old binary that started this one still runs.
    var oldBinaryLives: Bool { upgradedFrom.map { $0 == System.parentProcess } ?? false }

    /// Whether apps and files are this program's alone: no other binary lives, or it has left them to this one, and nobody serves on.
    var isLast: Bool { (hasOutlastedOther || newBinary == nil && !oldBinaryLives) && !leavesWorkers }

    /// Runs until the end.
    /// - Returns: the exit status of the process.
    func run() -> Int32 {
        guard let plan = configurations[1]?.settings.plan else { return 1 }
        takeOverDrains()
        let inherited = adoptFormerWorkers()
        configureApps()
        perform(machine.start(plan, inherited: inherited, now: System.now))
        configureControl()
        handlePending()
        while exitStatus == nil {
            let timeout = [machine.deadline, appsDeadline, controlDeadline, flushAt].compactMap { $0 }.min().map { deadline in
                let now = System.now
                return deadline > now ? deadline - now : 0
            }
            for event in poll.wait(milliseconds: timeout) {
                switch LoopSource(tag: event.tag) {
                case .signals: readSignals()
                case .apps: apps?.serve()
                case .control: serveControl(event)
                case .oldBinary: oldBinaryEnded()
                case .upgrade: serveUpgrade()
                case .worker(let id): serveChannel(of: id, event)
                }
            }
            serveApps()
            serveControl()
            flushChannels()
            if let deadline = machine.deadline, System.now >= deadline { events.append(.timer) }
            handlePending()
            tellServing()
        }
        return exitStatus ?? 0
    }

    /// Feeds an event to the machine, after those that wait.
    func post(_ event: SupervisorEvent) { events.append(event) }

    private func handlePending() {
        while !events.isEmpty, exitStatus == nil {
            let event = events.removeFirst()
            machine.oldBinaryLives = oldBinaryLives
            perform(machine.handle(event, now: System.now))
            tellStoppingIfSo()
        }
    }

    // MARK: - Signals

    private func readSignals() {
        while let signal = signals.next() {
            if signal.number == SIGCHLD {
                tell(signal, "")
                reapChildren()
                continue
            }
            let ignoresUpgrade = oldBinaryLives || newBinary != nil
            guard
                let meaning = SignalSource.meaning(of: signal.number, isDaemon: machine.isDaemon, ignoresUpgrade: ignoresUpgrade)
            else { continue }
            tell(signal, meaning.words)
            post(.signal(meaning.signal))
        }
    }

    private func tell(_ signal: SignalSource.Received, _ words: String) {
        let sender = signal.sender != 0 ? " from \(signal.sender)" : ""
        log.write(.notice, "signal \(signal.number) (\(SignalSource.name(of: signal.number))) received\(sender)\(words)")
    }

    private func reapChildren() {
        while let ended = System.reap() {
            if apps?.childEnded(ended.process) == true || controlEnded(ended) { continue }
            let worker = workers.values.first { $0.process == ended.process }
            let name = worker != nil ? "worker process" : ended.process == newBinary ? "new binary process" : "unknown process"
            // What it said last comes before its end: all that a socket holds. Not "to the end": a child of it may still be writing.
            if let worker { readReports(of: worker, most: 4096) }
            switch ended.end {
            case .code(let code): log.write(.notice, "\(name) \(ended.process) exited with code \(code)")
            case .signal(let number):
                let core = ended.hasDumpedCore ? " (core dumped)" : ""
                log.write(.alert, "\(name) \(ended.process) exited on signal \(number)\(core)")
            }
            if let worker {
                ignore(worker.channel)
                workerEnded(worker)
                post(.workerExited(worker.id, ended.end))
            } else if ended.process == newBinary {
                newBinary = nil
                upgradeFailed()
                post(.newBinaryExited)
            }
        }
    }

    // MARK: - Channels

    /// Listens to a descriptor from now on.
    func listen(to descriptor: Descriptor, as source: LoopSource) throws(SystemError) { try poll.add(descriptor, tag: source.tag) }
    /// Listens to it no more.
    func ignore(_ descriptor: Descriptor) { poll.remove(descriptor) }

    /// Asks for room in the control process's channel while something waits for it.
    func watchControl(_ control: ControlProcess) {
        poll.watch(control.channel, tag: LoopSource.control.tag, writes: control.awaitsRoom)
        flushLater(control.retryAt)
        guard let error = control.takeFailure() else { return }
        log.write(.alert, "control process \(control.process) cannot be told what it has to know \(error.text): killing it")
        try? System.kill(control.process, signal: SIGKILL)
    }

    func add(_ worker: WorkerProcess) {
        workers[worker.id] = worker
        do throws(SystemError) {
            try listen(to: worker.channel, as: .worker(worker.id))
        } catch { kill(worker, because: "cannot be listened to \(error.text)") }
        watch(worker)
    }

    /// Asks for room in the channel while something waits for it.
    func watch(_ worker: WorkerProcess) {
        poll.watch(worker.channel, tag: LoopSource.worker(worker.id).tag, writes: worker.awaitsRoom)
        flushLater(worker.retryAt)
        switch worker.takeTrouble() {
        case nil: break
        case .tooLarge: log.write(.alert, "a message to worker process \(worker.process) is too large for a packet, not sent")
        case .deaf: giveUp(worker, because: "does not read what it is told")
        case .unreachable(let error): giveUp(worker, because: "cannot be told what it has to know \(error.text)")
        }
    }

    private func flushLater(_ time: UInt64?) {
        if let time { flushAt = min(flushAt ?? .max, time) }
    }

    /// Tries again where the system did not take a packet.
    private func flushChannels() {
        guard let time = flushAt, System.now >= time else { return }
        flushAt = nil
        for worker in Array(workers.values) + othersWorkers where worker.retryAt != nil {
            worker.flush()
            watch(worker)
        }
        guard let control, control.retryAt != nil else { return }
        control.flush()
        watchControl(control)
    }

    private func giveUp(_ worker: WorkerProcess, because reason: String) {
        guard othersWorkers.contains(where: { $0 === worker }) else { return kill(worker, because: reason) }
        log.write(.alert, "worker process \(worker.process) of another supervisor \(reason): it is told no more")
    }

    private func serveChannel(of id: WorkerID, _ event: EventPoll.Event) {
        if serveFormer(id, isHungUp: event.isHungUp) { return }
        guard let worker = workers[id] else { return }
        if event.isWritable {
            worker.flush()
            watch(worker)
        }
        readReports(of: worker)
        // A closed channel is readable for ever; the exit will tell the rest.
        if event.isHungUp { ignore(worker.channel) }
    }

    /// - Parameter most: Packets at one time. A worker reads what strangers send and may be in their hands: one that talks without a pause
    ///   must not keep the supervisor from everybody else. What is left comes with the next turn.
    func readReports(of worker: WorkerProcess, most: Int = 128) {
        for _ in 0..<most {
            guard let report = worker.receive() else { return }
            switch report {
            case .success(.health(let health)): take(health, from: worker)
            case .success(.complaint(let complaint)): take(complaint, from: worker)
            case .success(.peersChanged): relayPeers(from: worker)
            case .success(.peerFound(let found)): take(found, from: worker)
            case .success(.ready): post(.workerReady(worker.id))
            case .success(.failed(let text)): post(.workerFailed(worker.id, text: text))
            case .success(.session(let session)): relay(session, from: worker)
            case .success(.attempt(let record)): forward(record)
            case .success(.failures(let tally)): forward(tally)
            case .success(.inheritance): break
            case .failure(let error):
                guard let others = worker.strayMessages.tell(now: System.now) else { continue }
                let more = others > 0 ? ", and \(others) more before it" : ""
                log.write(.alert, "worker process \(worker.process) sent a message that is not understood (\(error))\(more), ignored")
            }
        }
    }
}
