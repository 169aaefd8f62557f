@testable import Machine

/// Keepers, processes and workers of one app, played by a seed: executes the machine's actions, answers late, early or
/// in an odd order, lets processes die at random, ignore signals, never get ready, fork away, and checks the rules
/// that must hold whatever happens.
struct FakeKernel: ~Copyable {
    struct Process {
        var key: InstanceKey
        var release: UInt32
        var started = false
        var exited = false
        var emptied = false
        var forgotten = false
        var routed = false
        var signalled = false
        var ignoresStop = false
    }
    struct Pending: Comparable {
        var at: Duration
        var order: Int
        var event: InstanceEvent
        var key: InstanceKey
        static func < (a: Pending, b: Pending) -> Bool { (a.at, a.order) < (b.at, b.order) }
        static func == (a: Pending, b: Pending) -> Bool { a.order == b.order }
    }
    /// How unkind the world is, in percent.
    struct Mood {
        var crashOnBoot = 5
        var execFails = 3
        var neverReady = 3
        var ignoresStop = 10
        var crashLater = 20
        var keeperDies = 2
        /// Falls silent some seconds after it got ready, for good.
        var hangs = false
    }

    var random: RandomSource
    var mood = Mood()
    var moodByRelease: [UInt32: Mood] = [:]
    var now: Duration = .seconds(1)
    var machine: AppMachine
    var hasHealth: Bool
    var processes: [InstanceKey: Process] = [:]
    var pending: [Pending] = []
    var order = 0
    var violations: [String] = []
    var reports: [AppReport] = []
    var outlook = AppOutlook.down
    var actionsThisSecond = 0
    var actionsPerSecondMax = 0
    var second: Duration = .zero
    var allowsTwo: Bool
    var spawned = 0

    init(seed: UInt64, specification: AppSpecification) {
        random = RandomSource(seed: seed)
        machine = AppMachine(specification: specification, release: 1)
        hasHealth = specification.health != nil
        allowsTwo = specification.listen.allowsTwo
    }

    mutating func violate(_ text: String) { violations.append("\(now): \(text)") }

    mutating func later(_ range: ClosedRange<Int>, _ event: InstanceEvent, _ key: InstanceKey) {
        order += 1
        pending.append(Pending(at: now + random.milliseconds(range), order: order, event: event, key: key))
    }

    /// Gives the machine something and executes what it orders.
    mutating func act(_ body: (inout AppMachine, Duration, inout [AppAction]) -> Void) {
        var actions: [AppAction] = []
        body(&machine, now, &actions)
        if now - second >= .seconds(1) {
            second = now
            actionsThisSecond = 0
        }
        actionsThisSecond += actions.count
        actionsPerSecondMax = max(actionsPerSecondMax, actionsThisSecond)
        for action in actions { execute(action) }
        check()
    }

    private mutating func execute(_ action: AppAction) {
        switch action {
        case .spawn(let key, let release): spawn(key, release)
        case .route(let key, let share):
            guard let process = processes[key] else { return violate("route of unknown \(key)") }
            if process.exited { violate("route of dead \(key)") }
            if share == .none { violate("route with no share") }
            processes[key]?.routed = true
        case .unroute(let key):
            if processes[key]?.routed != true { violate("unroute of unrouted \(key)") }
            processes[key]?.routed = false
            if processes[key]?.exited == false, random.chance(90) { later(0...5000, .drained, key) }
        case .stop(let key, _, let killAfter): stop(key, killAfter: killAfter)
        case .kill(let key): kill(key)
        case .forget(let key):
            guard let process = processes[key] else { return violate("forget of unknown \(key)") }
            if process.started, !process.emptied { violate("forget before the end of \(key)") }
            processes[key]?.forgotten = true
        case .outlook(let new):
            if new == outlook { violate("outlook repeated") }
            outlook = new
        case .report(_, let report): reports.append(report)
        }
    }

    private mutating func spawn(_ key: InstanceKey, _ release: UInt32) {
        spawned += 1
        if processes[key] != nil { violate("\(key) spawned twice") }
        let inSlot = processes.values.filter { $0.key.slot == key.slot && !$0.emptied }
        if inSlot.count > 1 { violate("third instance in slot \(key.slot)") }
        let leaving: Set<InstanceMachine.Phase> = [.draining, .stopping, .killing, .emptying]
        let snapshots = machine.snapshots
        for other in inSlot where !machine.isRolling {
            let phase = snapshots.first { $0.key == other.key }?.phase
            if let phase, leaving.contains(phase) { continue }
            violate("second instance in slot \(key.slot) without a roll")
        }
        if !inSlot.isEmpty, !allowsTwo { violate("two instances at a fixed address") }
        let mood = moodByRelease[release] ?? self.mood
        var process = Process(key: key, release: release)
        process.ignoresStop = random.chance(mood.ignoresStop)
        if random.chance(mood.execFails) {
            process.emptied = true
            processes[key] = process
            return later(1...20, .startFailed(StartFailure(step: .execute, errorNumber: 2)), key)
        }
        processes[key] = process
        later(1...10, .started(processID: Int32(1000 + spawned)), key)
        if random.chance(mood.keeperDies) { later(1...60_000, .keeperLost, key) }
        if random.chance(mood.crashOnBoot) {
            return later(11...300, .exited(InstanceExit(cause: .status(1))), key)
        }
        if random.chance(mood.neverReady) { return }
        let ready: [InstanceEvent] = hasHealth ? [.healthPassed, .notified(.ready)] : [.portAccepts, .notified(.ready)]
        later(11...4000, ready[random.below(2)], key)
        if random.chance(mood.crashLater) {
            later(11...40_000, .exited(InstanceExit(cause: .signal(9), processesLeft: 1)), key)
        }
        if random.chance(20) { later(11...40_000, .healthFailed(isSilent: random.chance(50)), key) }
        if mood.hangs {
            later(4000...9000, .healthFailed(isSilent: true), key)
            return
        }
        if random.chance(50) { later(11...40_000, .healthPassed, key) }
        if random.chance(10) { later(11...40_000, .notified(.reloading), key) }
        if random.chance(5) { later(11...40_000, .notified(.stopping), key) }
        if random.chance(2) { later(11...40_000, .memoryExceeded, key) }
    }

    private mutating func stop(_ key: InstanceKey, killAfter: Duration) {
        guard let process = processes[key], !process.emptied else { return violate("signal to nobody \(key)") }
        if process.routed { violate("signal before unroute \(key)") }
        processes[key]?.signalled = true
        if !process.ignoresStop { later(1...3000, .exited(InstanceExit(cause: .signal(15))), key) }
    }

    private mutating func kill(_ key: InstanceKey) {
        guard let process = processes[key] else { return violate("kill of unknown \(key)") }
        if process.routed { violate("kill before unroute \(key)") }
        if process.emptied { return }
        if random.chance(90) {
            if !process.exited { later(0...5, .exited(InstanceExit(cause: .signal(9))), key) }
            later(6...20, .emptied, key)
        }
    }

    /// Runs until a time, or until nothing is left to happen.
    mutating func run(until end: Duration) {
        var steps = 0
        while steps < 100_000 {
            steps += 1
            let next = pending.min()
            let timer = machine.deadline
            guard let due = earliest(next?.at, timer), due <= end else { break }
            if let timer, timer <= (next?.at ?? timer) {
                now = max(now, timer)
                act { machine, now, actions in machine.timerFired(now: now, actions: &actions) }
                if machine.deadline == timer { violate("timer does not move on: \(timer)") }
            } else if let next {
                pending.removeAll { $0 == next }
                now = max(now, next.at)
                deliver(next)
            }
        }
        if steps == 100_000 { violate("endless") }
        now = max(now, end)
    }

    private mutating func deliver(_ item: Pending) {
        guard let process = processes[item.key], !process.emptied || !process.started else { return }
        let key = item.key
        switch item.event {
        case .started:
            if process.exited { return }
            processes[key]?.started = true
        case .exited:
            if process.exited || process.emptied { return }
            processes[key]?.exited = true
            later(0...30, .emptied, key)
        case .emptied:
            if process.emptied { return }
            processes[key]?.emptied = true
        case .keeperLost:
            if process.exited || process.emptied { return }
            processes[key]?.exited = true
        case .startFailed: break
        default: if process.exited || !process.started { return }
        }
        act { machine, now, actions in machine.handle(item.event, for: key, now: now, actions: &actions) }
        // An exit un-routes at once.
        if processes[key]?.exited == true, processes[key]?.routed == true { violate("dead and routed: \(key)") }
    }

    private mutating func check() {
        var live: [Int: Int] = [:]
        for process in processes.values where !process.emptied { live[process.key.slot, default: 0] += 1 }
        for (slot, count) in live where count > 2 { violate("\(count) instances in slot \(slot)") }
        let routed = processes.values.contains { $0.routed }
        if routed != (outlook == .up) { violate("outlook \(outlook) but routed: \(routed)") }
    }
}
