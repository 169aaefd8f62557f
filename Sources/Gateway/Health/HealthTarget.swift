import Board
import Config
import Loop
import Machine
import Messages
import Wire

/// Who is checked.
enum HealthSubject: Hashable {
    /// A peer, by the check of that number of its upstream.
    case peer(upstream: Int, key: PeerKey, check: Int)
    /// An instance of an app, by the app's `health`. It need not be a peer yet.
    case instance(InstanceName)
}

/// One check of one subject, in the worker that runs the checks: the machine that decides, and the exchange under way.
///
/// ```
/// resting ─► connecting ─► sending ─► readingHead ─► readingBody ─► resting
///    │                        ▲            └─ no need of the body ─────▲
///    └─ a kept connection ────┘      any of them: failed, timed out ───┘
/// ```
struct HealthTarget: ~Copyable, SlabValue {
    enum Phase: UInt8 { case resting, connecting, sending, readingHead, readingBody }

    let slot: UInt32
    var generation: UInt32 = 0
    var worker: WorkerRef?
    var subject: HealthSubject?
    var check: Ref<HealthCheckRuntime>?
    var address = SocketAddress()
    /// What log lines call it.
    var name = ""
    var machine: HealthCheckMachine
    /// An instance of an app that never passed: nobody has to hear that it does not.
    var isProving = false
    /// It was healthy once, as far as that is known.
    var hasPassed = false
    /// The last check ran out of time.
    var isUnresponsive = false
    /// Why the checks of an instance that never passed fail, as the supervisor was told.
    var complaint = ""
    /// What the supervisor still has to be told.
    var report: InstanceHealth?
    /// Failed checks in a row.
    var failures = 0
    var timer = TimerID.none

    // The exchange.
    var phase = Phase.resting
    var descriptor: Int32 = -1
    var openedAt: UInt64 = 0
    /// The connection has served a check before.
    var isReused = false
    var isReadable = false
    var sent = 0
    var input: Ref<Buffer>?
    var parser = ResponseHeadParser(options: HeadOptions())
    var fields = FieldTable(capacity: 16)
    var body: Ref<Buffer>?
    var interimCount = 0
    var framing = AnswerFraming.none
    var remaining: UInt64 = 0
    var decoder = ChunkedDecoder()

    init(slot: UInt32) {
        self.slot = slot
        var random = RandomSource(seed: 0)
        machine = HealthCheckMachine(settings: HealthCheckSettings(), known: nil, now: 0, random: &random)
    }
}

extension Ref where Value == HealthTarget {
    var worker: WorkerRef { value.worker! }
    var check: Ref<HealthCheckRuntime> { value.check! }
    var token: Token { Token(kind: EventKind.health, slot: value.slot, generation: value.generation) }
    private var now: Machine.Milliseconds { Machine.Milliseconds(worker.now) }
    private var settings: Machine.HealthCheckSettings { value.isProving ? check.value.provingSettings : check.value.settings }

    /// Begins to check. The first check is due at once.
    /// - Parameters:
    ///   - known: what is known already; nil: nothing.
    ///   - hasPassed: whether it was ever healthy, if it is not now.
    func start(known: HealthState?, hasPassed: Bool = true) {
        if value.timer == .none { value.timer = worker.value.loop.timers.make(token) }
        worker.value.loop.timers.rebind(value.timer, to: token)
        value.failures = 0
        value.isUnresponsive = false
        value.report = nil
        value.complaint = ""
        setMachine(known: known)
        value.hasPassed = hasPassed && value.machine.state != .unproven
    }

    /// An instance turned out to be ready by other means than its check.
    func believe() {
        guard value.isProving else { return }
        endExchange(keeps: false)
        setMachine(known: .healthy)
    }

    private func setMachine(known: HealthState?) {
        var known = known
        value.isProving = false
        if case .instance = value.subject, known == nil || known == .unproven {
            // It has to pass as often as an unhealthy one, and nothing is said of its failures until then.
            value.isProving = true
            known = .unhealthy
        }
        value.machine = HealthCheckMachine(settings: settings, known: known, now: now, random: &worker.value.random)
        arm()
    }

    private func arm() { worker.value.loop.timers.arm(value.timer, at: UInt64(clamping: max(1, value.machine.deadline))) }

    /// Limits the wait of the present phase; the whole check has its own limit.
    func setTimer(after milliseconds: UInt64) {
        let whole = UInt64(clamping: value.machine.deadline)
        worker.value.loop.timers.arm(value.timer, at: max(1, min(worker.now &+ milliseconds, whole)))
    }

    /// A check is due, or has run out of time.
    func timerFired() {
        if value.machine.isChecking { return finish(timeoutComplaint, isTimeout: true) }
        let action = value.machine.advance(settings: settings, now: now, random: &worker.value.random)
        if action == .startCheck { begin() } else { arm() }
    }

    private var timeoutComplaint: String {
        switch value.phase {
        case .resting, .connecting: "connecting to it timed out"
        case .sending: "sending to it timed out"
        case .readingHead: "it did not answer in time"
        case .readingBody: "its answer did not end in time"
        }
    }

    /// The check ended.
    /// - Parameters:
    ///   - complaint: why it failed; nil: it passed.
    ///   - keeps: the connection may serve the next check.
    ///   - isTimeout: nothing came in time.
    func finish(_ complaint: String?, keeps: Bool = false, isTimeout: Bool = false) {
        endExchange(keeps: keeps)
        let wasUnresponsive = value.isUnresponsive
        value.isUnresponsive = isTimeout
        value.failures = complaint == nil ? 0 : value.failures + 1
        let action = value.machine.result(
            passed: complaint == nil, check: value.machine.checkSerial, settings: settings, now: now,
            random: &worker.value.random)
        if case .changed(let state) = action {
            changed(to: state, complaint)
        } else if value.machine.state == .unhealthy, !value.isProving, isTimeout != wasUnresponsive {
            worker.publishHealth(of: self)
            makeReport()
        } else if value.isProving, let complaint {
            tell(complaint)
        }
        arm()
        if value.report != nil { sendReport() }
    }

    /// What the board is told.
    var checkState: PeerCheckState {
        switch value.machine.state {
        case .unproven: .unproven
        case .healthy: .healthy
        case .unhealthy:
            check.value.isMandatory && !value.hasPassed ? .refused : value.isUnresponsive ? .unresponsive : .unhealthy
        }
    }

    private func changed(to state: HealthState, _ complaint: String?) {
        value.isProving = false
        if state == .healthy { value.hasPassed = true }
        // Who reads the line finds all workers of one mind.
        worker.publishHealth(of: self)
        if state == .healthy {
            worker.log(.notice, "health check: \(value.name) is healthy")
        } else {
            let times = value.failures == 1 ? "a check" : "\(value.failures) checks in a row"
            worker.log(.error, "health check: \(value.name) is unhealthy: \(times) failed, \(complaint ?? "")")
        }
        makeReport()
    }

    /// Tells the supervisor what hinders an instance that is starting, when that is new.
    private func tell(_ complaint: String) {
        guard complaint != value.complaint, case .instance(let instance) = value.subject else { return }
        let report = CheckComplaint(instance: instance, text: String(complaint.prefix(Self.complaintMax)), term: worker.value.health.term)
        if worker.report(.complaint(report)) { value.complaint = complaint }
    }

    private static var complaintMax: Int { 200 }

    private func makeReport() {
        guard case .instance(let instance) = value.subject else { return }
        value.report = InstanceHealth(
            instance: instance, isHealthy: value.machine.state == .healthy, isSilent: value.isUnresponsive,
            term: worker.value.health.term)
    }

    /// Tells the supervisor. Where the channel is full, with the next check.
    private func sendReport() {
        guard let report = value.report, worker.report(.health(report)) else { return }
        value.report = nil
    }

    /// Ends all that goes on and gives the slot back.
    func release() {
        endExchange(keeps: false)
        worker.value.loop.timers.clear(value.timer)
        value.subject = nil
        value.check = nil
        worker.value.health.targets.give(self)
    }
}
