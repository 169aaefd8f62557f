import Config
import Testing

@testable import Machine

/// A machine that is driven by hand: time stands still unless told.
final class Bench {
    var machine: AppMachine
    var now: Duration = .seconds(100)
    var actions: [AppAction] = []

    init(instances: Int = 1, _ change: (inout AppSpecification) -> Void = { _ in }) {
        var specification = AppSpecification(name: "api", command: ["/bin/app"], instances: instances)
        change(&specification)
        machine = AppMachine(specification: specification, release: 1)
    }

    @discardableResult
    func act(_ body: (inout AppMachine, Duration, inout [AppAction]) -> Void) -> [AppAction] {
        var new: [AppAction] = []
        body(&machine, now, &new)
        actions += new
        return new
    }

    @discardableResult
    func start() -> [AppAction] { act { machine, now, actions in machine.start(now: now, actions: &actions) } }

    @discardableResult
    func tell(_ event: InstanceEvent, _ slot: Int, _ serial: UInt32) -> [AppAction] {
        act { machine, now, actions in
            machine.handle(event, for: InstanceKey(slot: slot, serial: serial), now: now, actions: &actions)
        }
    }

    /// Lets time pass to the next deadline, which must be within `limit`.
    @discardableResult
    func wait(_ limit: Duration = .seconds(60)) -> [AppAction] {
        guard let deadline = machine.deadline, deadline <= now + limit else { return [] }
        now = max(now, deadline)
        return act { machine, now, actions in machine.timerFired(now: now, actions: &actions) }
    }

    func makeReady(_ slot: Int, _ serial: UInt32) {
        tell(.started(processID: Int32(serial)), slot, serial)
        tell(.portAccepts, slot, serial)
    }

    func die(_ slot: Int, _ serial: UInt32, _ cause: InstanceExit.Cause = .signal(9)) {
        tell(.exited(InstanceExit(cause: cause)), slot, serial)
        tell(.emptied, slot, serial)
    }

    // What the tests look at: a noncopyable value cannot stand in an expectation.
    var outlook: AppOutlook { machine.outlook }
    var deadline: Duration? { machine.deadline }
    var isRolling: Bool { machine.isRolling }
    var activeRelease: UInt32 { machine.activeRelease }
    var snapshots: [AppMachine.InstanceSnapshot] { machine.snapshots }
    var phase: InstanceMachine.Phase? { machine.snapshots.first?.phase }
}

/// The orders among actions, without reports and outlooks.
func orders(_ actions: [AppAction]) -> [AppAction] {
    actions.filter { action in
        switch action {
        case .report, .outlook: false
        default: true
        }
    }
}

@Suite("One instance")
struct InstanceMachineTests {
    private let key = InstanceKey(slot: 0, serial: 1)

    @Test("start, ready, stop: spawn, route, un-route, signal after the drain, forget")
    func wholeLife() {
        let bench = Bench()
        #expect(orders(bench.start()) == [.spawn(key, release: 1)])
        bench.tell(.started(processID: 7), 0, 1)
        #expect(bench.phase == .probing)
        #expect(orders(bench.tell(.portAccepts, 0, 1)) == [.route(key, .full)])
        #expect(orders(bench.act { machine, now, actions in machine.stop(now: now, actions: &actions) }) == [.unroute(key)])
        #expect(bench.phase == .draining)
        #expect(orders(bench.tell(.drained, 0, 1)) == [.stop(key, signal: 15, killAfter: .seconds(30))])
        #expect(orders(bench.tell(.exited(InstanceExit(cause: .status(0))), 0, 1)) == [])
        #expect(orders(bench.tell(.emptied, 0, 1)) == [.forget(key)])
        #expect(bench.phase == .stopped)
        #expect(bench.deadline == nil)
    }

    @Test("an app with a check is not ready when its port accepts, but when the check passes or READY=1 comes", arguments: [
        (InstanceEvent.portAccepts, false), (.healthPassed, true), (.notified(.ready), true),
    ])
    func readiness(event: InstanceEvent, isReady: Bool) {
        let bench = Bench { $0.health = AppHealth() }
        bench.start()
        bench.tell(.started(processID: 7), 0, 1)
        bench.tell(event, 0, 1)
        #expect((bench.phase == .ready) == isReady)
    }

    @Test("a drain that does not end is ended by its time, a stop that is ignored by KILL, and KILL is repeated")
    func impatience() {
        let bench = Bench()
        bench.start()
        bench.makeReady(0, 1)
        bench.act { machine, now, actions in machine.stop(now: now, actions: &actions) }
        #expect(orders(bench.wait()) == [.stop(key, signal: 15, killAfter: .seconds(30))])
        #expect(bench.now == .seconds(130))
        #expect(orders(bench.wait()) == [.kill(key)])
        #expect(bench.now == .seconds(160))
        #expect(orders(bench.wait()) == [.kill(key)])
        #expect(bench.actions.contains(.report(key, .ignoredStopSignal)))
        #expect(bench.actions.contains(.report(key, .notKilled)))
    }

    @Test("the watchdog: WATCHDOG=1 puts it off, its end un-routes and sends ABRT, and counts as a failure")
    func watchdog() {
        let bench = Bench {
            $0.watchdog = .seconds(10)
            $0.restart.condition = .onFailure
        }
        bench.start()
        bench.makeReady(0, 1)
        bench.now += .seconds(9)
        bench.tell(.notified(.watchdog), 0, 1)
        #expect(bench.deadline == bench.now + .seconds(10))
        #expect(orders(bench.wait()) == [.unroute(key), .stop(key, signal: 6, killAfter: .seconds(30))])
        // Even if it then ends as if all were well.
        bench.die(0, 1, .status(0))
        #expect(bench.phase == .backingOff)
    }

    @Test("STOPPING=1 un-routes at once and gives it stop_timeout to end by itself")
    func stopping() {
        let bench = Bench()
        bench.start()
        bench.makeReady(0, 1)
        #expect(orders(bench.tell(.notified(.stopping), 0, 1)) == [.unroute(key)])
        #expect(bench.deadline == bench.now + .seconds(30))
        #expect(orders(bench.wait()) == [.kill(key)])
    }

    @Test("backoff: 100 ms, doubled, capped at 15 s, and never given up")
    func backoff() {
        let bench = Bench()
        bench.start()
        var delays: [Int64] = []
        for serial in UInt32(1)...12 {
            bench.tell(.exited(InstanceExit(cause: .status(1))), 0, serial)
            bench.tell(.emptied, 0, serial)
            let before = bench.now
            bench.wait()
            let (seconds, attoseconds) = (bench.now - before).components
            delays.append(seconds * 1000 + attoseconds / 1_000_000_000_000_000)
        }
        #expect(delays == [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000, 15_000, 15_000])
    }

    @Test("after a stable run the first restart is immediate")
    func stableRun() {
        let bench = Bench()
        bench.start()
        bench.makeReady(0, 1)
        bench.now += .seconds(15)
        bench.die(0, 1)
        #expect(bench.deadline == bench.now)
        #expect(orders(bench.wait()) == [.spawn(InstanceKey(slot: 0, serial: 2), release: 1)])
        bench.makeReady(0, 2)
        bench.now += .seconds(14)
        bench.die(0, 2)
        #expect(bench.deadline == bench.now + .milliseconds(100))
    }

    @Test("restart never and on-failure", arguments: [
        (RestartPolicy.Condition.never, InstanceExit.Cause.signal(9), InstanceMachine.Phase.finished),
        (.onFailure, .status(0), .finished), (.onFailure, .signal(15), .finished), (.onFailure, .status(1), .backingOff),
        (.onFailure, .signal(11), .backingOff), (.always, .status(0), .backingOff),
    ])
    func policies(condition: RestartPolicy.Condition, cause: InstanceExit.Cause, phase: InstanceMachine.Phase) {
        let bench = Bench { $0.restart.condition = condition }
        bench.start()
        bench.makeReady(0, 1)
        bench.die(0, 1, cause)
        #expect(bench.phase == phase)
    }

    @Test("three failed starts in a row make it implausible, and a second of readiness makes up for them")
    func plausibility() {
        let bench = Bench()
        bench.start()
        for serial in UInt32(1)...3 {
            if case .implausible = bench.outlook { Issue.record("too early, at \(serial)") }
            bench.die(0, serial, .status(1))
            bench.wait()
        }
        #expect(bench.outlook == .implausible(nextStart: bench.now))
        bench.makeReady(0, 4)
        #expect(bench.outlook == .up)
        #expect(bench.snapshots[0].failedStartsInRow == 3, "not yet")
        bench.wait(.seconds(1))
        #expect(bench.snapshots[0].failedStartsInRow == 0)
        #expect(bench.deadline == nil)
        bench.die(0, 4)
        #expect(bench.outlook == .coming(nextStart: bench.deadline ?? .zero))
    }

    @Test("who listens and ends at once has not started: the third time nobody waits for it", arguments: [50, 999, 1000])
    func readyForAMoment(milliseconds: Int) {
        let bench = Bench()
        bench.start()
        for serial in UInt32(1)...4 {
            bench.makeReady(0, serial)
            bench.now += .milliseconds(milliseconds)
            bench.die(0, serial, .status(1))
            #expect(bench.snapshots[0].failedStartsInRow == (milliseconds < 1000 ? Int(serial) : 0))
            let isPlausible = if case .coming = bench.outlook { true } else { false }
            #expect(isPlausible == (milliseconds == 1000 || serial < 3))
            bench.wait()
        }
    }

    @Test("events of an earlier spawn are stale: nothing happens, an unknown process is killed")
    func stale() {
        let bench = Bench()
        bench.start()
        bench.makeReady(0, 1)
        #expect(bench.tell(.exited(InstanceExit(cause: .signal(9))), 0, 9) == [])
        let stranger = InstanceKey(slot: 0, serial: 9)
        #expect(bench.tell(.started(processID: 3), 0, 9) == [.kill(stranger)])
        #expect(bench.tell(.emptied, 0, 9) == [.forget(stranger)])
        #expect(bench.phase == .ready)
    }

    @Test("start while it is being stopped: it starts again as soon as it is gone")
    func startDuringStop() {
        let bench = Bench { $0.restart.condition = .never }
        bench.start()
        bench.makeReady(0, 1)
        bench.act { machine, now, actions in machine.stop(now: now, actions: &actions) }
        bench.tell(.drained, 0, 1)
        bench.start()
        bench.die(0, 1, .signal(15))
        #expect(bench.deadline == bench.now)
        #expect(orders(bench.wait()) == [.spawn(InstanceKey(slot: 0, serial: 2), release: 1)])
    }

    @Test("the keeper's death un-routes, kills what is left, and starts anew")
    func keeperLost() {
        let bench = Bench()
        bench.start()
        bench.makeReady(0, 1)
        #expect(orders(bench.tell(.keeperLost, 0, 1)) == [.unroute(key), .kill(key)])
        #expect(orders(bench.tell(.emptied, 0, 1)) == [.forget(key)])
        #expect(bench.phase == .backingOff)
    }
}

@Suite("A roll")
struct ReleaseMachineTests {
    private let specification = AppSpecification(name: "api", command: ["/bin/new"], instances: 2)

    /// Two instances that serve, serials 1 and 2.
    private func serving() -> Bench {
        let bench = Bench(instances: 2)
        bench.start()
        bench.makeReady(0, 1)
        bench.makeReady(1, 2)
        return bench
    }

    private func key(_ slot: Int, _ serial: UInt32) -> InstanceKey { InstanceKey(slot: slot, serial: serial) }

    @Test("a deploy proves the first alone with its slice, then the others, then retires the old ones one at a time")
    func deploy() {
        let bench = serving()
        let new = specification
        let begun = bench.act { machine, now, actions in
            #expect(machine.deploy(new, release: 2, soak: .seconds(10), now: now, actions: &actions) == .accepted)
        }
        #expect(orders(begun) == [.spawn(key(0, 3), release: 2)])
        bench.tell(.started(processID: 3), 0, 3)
        #expect(orders(bench.tell(.portAccepts, 0, 3)) == [.route(key(0, 3), .slice)])
        #expect(orders(bench.wait()) == [.spawn(key(1, 4), release: 2)])
        #expect(bench.now == .seconds(110))
        bench.tell(.started(processID: 4), 1, 4)
        #expect(orders(bench.tell(.portAccepts, 1, 4)) == [
            .route(key(0, 3), .full), .route(key(1, 4), .full), .unroute(key(0, 1)),
        ])
        #expect(orders(bench.tell(.drained, 0, 1)) == [.stop(key(0, 1), signal: 15, killAfter: .seconds(30))])
        bench.tell(.exited(InstanceExit(cause: .signal(15))), 0, 1)
        #expect(orders(bench.tell(.emptied, 0, 1)) == [.forget(key(0, 1)), .unroute(key(1, 2))])
        bench.tell(.drained, 1, 2)
        bench.die(1, 2, .signal(15))
        #expect(!bench.isRolling)
        #expect(bench.activeRelease == 2)
        #expect(bench.actions.contains(.report(nil, .rollEnded(release: 2, .completed))))
        #expect(bench.snapshots.map(\.key) == [key(0, 3), key(1, 4)])
    }

    @Test("a candidate that fails at any point before the commit leaves the old ones untouched", arguments: 0...3)
    func failure(stage: Int) {
        let bench = serving()
        let new = specification
        bench.act { machine, now, actions in
            _ = machine.deploy(new, release: 2, soak: .seconds(10), now: now, actions: &actions)
        }
        let before = bench.actions.count
        switch stage {
        case 0: bench.tell(.startFailed(StartFailure(step: .execute, errorNumber: 2)), 0, 3)
        case 1:
            bench.makeReady(0, 3)
            bench.die(0, 3)
        case 2:
            bench.makeReady(0, 3)
            bench.wait()
            bench.die(1, 4, .status(1))
        default:
            bench.tell(.started(processID: 3), 0, 3)
            bench.wait()
            bench.die(0, 3)
        }
        #expect(bench.actions.contains(.report(nil, .rollEnded(release: 2, .failed(slot: stage == 2 ? 1 : 0)))))
        let touched = orders(Array(bench.actions[before...])).filter { action in
            switch action {
            case .unroute(let key), .stop(let key, _, _), .kill(let key), .forget(let key): key.serial <= 2
            default: false
            }
        }
        #expect(touched == [])
        #expect(bench.activeRelease == 1)
        #expect(bench.outlook == .up)
    }

    @Test("a soak with clearly more errors ends at once", arguments: [
        (SoakComparison.Counts(requests: 100, failures: 0), SoakComparison.Counts(requests: 10, failures: 3), true),
        (.init(requests: 100, failures: 30), .init(requests: 10, failures: 3), false),
        (.init(requests: 100, failures: 0), .init(requests: 10, failures: 2), false),
        (.init(), .init(requests: 1000, failures: 10), false), (.init(), .init(), false),
        (.init(requests: 1000, failures: 10), .init(requests: 100, failures: 9), true),
        (.init(requests: 1000, failures: 10), .init(requests: 100, failures: 6), false),
        (.init(requests: 5000, failures: 0), .init(requests: 500, failures: 100), true),
    ])
    func soak(old: SoakComparison.Counts, new: SoakComparison.Counts, isWorse: Bool) {
        let bench = serving()
        let specification = specification
        bench.act { machine, now, actions in
            _ = machine.deploy(specification, release: 2, soak: .seconds(10), now: now, actions: &actions)
        }
        bench.makeReady(0, 3)
        bench.act { machine, now, actions in
            machine.recordSoak(SoakComparison(old: old, new: new), now: now, actions: &actions)
        }
        #expect(bench.isRolling != isWorse)
    }

    @Test("a fixed address: the old one goes, the new one comes; requests wait meanwhile; a failure brings back the old")
    func fixedAddress() {
        let address = AppListen.fixed(.ipv4(0x7F00_0001, port: 3000))
        let bench = Bench { $0.listen = address }
        bench.start()
        bench.makeReady(0, 1)
        var new = specification
        new.listen = address
        let order = bench.act { [new] machine, now, actions in
            _ = machine.deploy(new, release: 2, soak: .seconds(10), now: now, actions: &actions)
        }
        #expect(orders(order) == [.unroute(key(0, 1))])
        if case .coming = bench.outlook {} else { Issue.record("\(bench.outlook)") }
        bench.tell(.drained, 0, 1)
        bench.tell(.exited(InstanceExit(cause: .signal(15))), 0, 1)
        #expect(orders(bench.tell(.emptied, 0, 1)) == [.forget(key(0, 1)), .spawn(key(0, 2), release: 2)])
        bench.tell(.exited(InstanceExit(cause: .status(1))), 0, 2)
        #expect(orders(bench.tell(.emptied, 0, 2)) == [.forget(key(0, 2)), .spawn(key(0, 3), release: 1)])
        #expect(bench.actions.contains(.report(nil, .rollEnded(release: 2, .reverted))))
        bench.makeReady(0, 3)
        #expect(bench.outlook == .up)
        #expect(bench.activeRelease == 1)
    }

    @Test("a restart replaces one slot after the other")
    func restart() {
        let bench = serving()
        let begun = bench.act { machine, now, actions in _ = machine.restart(now: now, actions: &actions) }
        #expect(orders(begun) == [.spawn(key(0, 3), release: 1)])
        bench.tell(.started(processID: 3), 0, 3)
        #expect(orders(bench.tell(.portAccepts, 0, 3)) == [.route(key(0, 3), .full), .unroute(key(0, 1))])
        bench.tell(.drained, 0, 1)
        bench.tell(.exited(InstanceExit(cause: .signal(15))), 0, 1)
        #expect(orders(bench.tell(.emptied, 0, 1)) == [.forget(key(0, 1)), .spawn(key(1, 4), release: 1)])
        #expect(bench.isRolling)
    }

    @Test("a second deploy is refused, and the first one goes on; it supersedes a roll that cannot end")
    func supersede() {
        let bench = serving()
        let new = specification
        bench.act { machine, now, actions in
            _ = machine.deploy(new, release: 2, soak: .zero, now: now, actions: &actions)
            #expect(machine.deploy(new, release: 3, soak: .zero, now: now, actions: &actions) == .busy)
        }
        bench.makeReady(0, 3)
        bench.makeReady(1, 4)
        bench.act { machine, now, actions in
            #expect(machine.deploy(new, release: 3, soak: .zero, now: now, actions: &actions) == .busy)
        }
        #expect(!bench.actions.contains(.report(nil, .rollEnded(release: 2, .cancelled))))
        // The first old one is on its way out when the second new one dies: the second old one stays.
        bench.die(1, 4)
        bench.tell(.drained, 0, 1)
        bench.die(0, 1, .signal(15))
        #expect(bench.isRolling)
        #expect(!bench.actions.contains(.unroute(key(1, 2))))
        bench.act { machine, now, actions in
            #expect(machine.deploy(new, release: 3, soak: .zero, now: now, actions: &actions) == .accepted)
        }
        #expect(bench.actions.contains(.report(nil, .rollEnded(release: 2, .cancelled))))
        #expect(bench.outlook == .up)
    }

    @Test("a deploy of a stopped app is taken over without a start")
    func stoppedApp() {
        let bench = Bench()
        let new = specification
        let actions = bench.act { machine, now, actions in
            #expect(machine.deploy(new, release: 2, soak: .zero, now: now, actions: &actions) == .accepted)
        }
        #expect(orders(actions) == [])
        #expect(orders(bench.start()) == [.spawn(key(0, 1), release: 2), .spawn(key(1, 2), release: 2)])
    }

    @Test("a deploy mends an app in a crash loop")
    func mends() {
        let bench = Bench()
        bench.start()
        for serial in UInt32(1)...3 {
            bench.die(0, serial, .status(1))
            bench.wait()
        }
        bench.die(0, 4, .status(1))
        var new = specification
        new.instances = 1
        bench.act { [new] machine, now, actions in
            _ = machine.deploy(new, release: 2, soak: .seconds(5), now: now, actions: &actions)
        }
        bench.makeReady(0, 5)
        while bench.now < .seconds(120) { bench.wait() }
        // The old release went on trying meanwhile; its last attempt is killed when its successor has proven itself.
        #expect(bench.actions.contains(.kill(key(0, 6))))
        bench.die(0, 6)
        #expect(!bench.isRolling)
        #expect(bench.outlook == .up)
        #expect(bench.snapshots.map(\.release) == [2])
    }

    @Test("an adopted instance is as old as it is: a long life before the takeover counts")
    func ageOfAdopted() {
        let bench = Bench()
        bench.act { machine, now, actions in
            machine.adopt(
                key(0, 7), release: 1, processID: 70, isReady: true, restarts: 2, runtime: .seconds(60), now: now, actions: &actions)
            machine.start(now: now, actions: &actions)
        }
        #expect(bench.actions.contains(.report(key(0, 7), .ready(after: .zero))), "it is no start")
        #expect(bench.snapshots[0].startedAt == bench.now - .seconds(60))
        bench.now += .milliseconds(10)
        bench.die(0, 7)
        #expect(bench.deadline == bench.now, "at once")
        #expect(bench.snapshots[0].failedStartsInRow == 0)
        let end = InstanceExit(cause: .signal(9))
        #expect(bench.actions.contains(.report(key(0, 7), .exited(end, runtime: .milliseconds(60_010), expected: false))))
    }

    @Test("adopted instances serve at once, the other slots are filled, a second one in a slot goes")
    func adoption() {
        let bench = Bench(instances: 3)
        bench.act { machine, now, actions in
            machine.adopt(
                InstanceKey(slot: 0, serial: 7), release: 1, processID: 70, isReady: true, restarts: 4, now: now, actions: &actions)
            machine.adopt(
                InstanceKey(slot: 1, serial: 8), release: 1, processID: 80, isReady: false, restarts: 0, now: now, actions: &actions)
            machine.adopt(
                InstanceKey(slot: 0, serial: 9), release: 1, processID: 90, isReady: true, restarts: 0, now: now, actions: &actions)
        }
        #expect(orders(bench.actions) == [.route(key(0, 7), .full), .route(key(0, 9), .full), .unroute(key(0, 9))])
        #expect(orders(bench.start()) == [.spawn(key(2, 10), release: 1)])
        #expect(bench.snapshots.first?.restarts == 4)
    }

    /// Whether it was ready, whether the address is fixed, and whether the slot had an instance of the release before.
    @Test("the adopted candidate of a roll that goes on is proven as one that the roll has started", arguments: [
        (true, false, true), (false, false, true), (true, false, false), (false, false, false), (true, true, false), (false, true, false),
    ])
    func adoptedCandidate(isReady: Bool, isFixed: Bool, hasOld: Bool) {
        let listen = isFixed ? AppListen.fixed(.ipv4(0x7F00_0001, port: 3000)) : .port
        let bench = Bench { $0.listen = listen }
        var new = specification
        (new.listen, new.instances) = (listen, 1)
        bench.act { machine, now, actions in
            if hasOld {
                machine.adopt(key(0, 7), release: 1, processID: 70, isReady: true, restarts: 0, now: now, actions: &actions)
            }
            machine.adopt(
                key(0, 8), release: 2, isCandidate: true, processID: 80, isReady: isReady, restarts: 0, now: now, actions: &actions)
        }
        #expect(orders(bench.actions) == (hasOld ? [.route(key(0, 7), .full)] : []), "it gets nothing before its time")
        // What died meanwhile is started again beside it, where two can run.
        #expect(orders(bench.start()) == (hasOld || isFixed ? [] : [.spawn(key(0, 9), release: 1)]))
        let begun = bench.act { [new] machine, now, actions in
            #expect(machine.deploy(new, release: 2, soak: .zero, now: now, actions: &actions) == .accepted)
        }
        #expect(!orders(begun).contains { if case .spawn = $0 { true } else { false } })
        if !isReady {
            #expect(bench.activeRelease == 1)
            bench.tell(.portAccepts, 0, 8)
        }
        #expect(bench.activeRelease == 2)
        #expect(bench.actions.contains(.route(key(0, 8), .full)))
        #expect(bench.actions.contains(.unroute(key(0, 7))) == hasOld)
    }

    @Test("adopted candidates of a roll that is given up go; a soak begins anew", arguments: [true, false])
    func adoptedCandidates(isGivenUp: Bool) {
        let bench = Bench(instances: 2)
        bench.act { machine, now, actions in
            for slot in 0..<2 {
                machine.adopt(
                    key(slot, UInt32(slot + 7)), release: 1, processID: 70, isReady: true, restarts: 0, now: now, actions: &actions)
            }
            machine.adopt(key(0, 9), release: 2, isCandidate: true, processID: 90, isReady: true, restarts: 0, now: now, actions: &actions)
        }
        bench.start()
        if isGivenUp {
            let actions = bench.act { machine, now, actions in machine.withdrawCandidates(now: now, actions: &actions) }
            #expect(orders(actions) == [.unroute(key(0, 9))], "workers of before may have sent it requests")
            #expect(orders(bench.tell(.drained, 0, 9)) == [.stop(key(0, 9), signal: 15, killAfter: .seconds(30))])
            bench.die(0, 9)
            return #expect(bench.snapshots.map(\.release) == [1, 1])
        }
        let new = specification
        let actions = bench.act { machine, now, actions in
            _ = machine.deploy(new, release: 2, soak: .seconds(5), now: now, actions: &actions)
        }
        #expect(orders(actions) == [.route(key(0, 9), .slice)])
        #expect(orders(bench.wait()) == [.spawn(key(1, 10), release: 2)])
        #expect(bench.now == .seconds(105))
    }

    @Test("what is on its way out makes a deploy wait, and the machine says until when")
    func busy() {
        func isBusy(_ bench: Bench) -> Bool { bench.machine.isBusy }
        let bench = serving()
        let new = specification
        #expect(!isBusy(bench))
        func deploy(_ release: UInt32) -> AppMachine.Answer {
            var answer = AppMachine.Answer.refused
            bench.act { machine, now, actions in
                answer = machine.deploy(new, release: release, soak: .zero, now: now, actions: &actions)
            }
            return answer
        }
        #expect(deploy(2) == .accepted)
        #expect(isBusy(bench))
        bench.makeReady(0, 3)
        bench.die(1, 4, .status(1))
        #expect(bench.actions.contains(.report(nil, .rollEnded(release: 2, .failed(slot: 1)))))
        #expect(isBusy(bench) && deploy(3) == .busy, "the first one is still there")
        bench.die(0, 3)
        #expect(!isBusy(bench) && deploy(3) == .accepted)
    }

    @Test("instances of another release than the active one are replaced; what a stop has left can be killed")
    func mixed() {
        let bench = Bench(instances: 2)
        bench.act { machine, now, actions in
            machine.adopt(key(0, 7), release: 1, processID: 70, isReady: true, restarts: 0, now: now, actions: &actions)
            machine.adopt(key(1, 8), release: 5, processID: 80, isReady: true, restarts: 0, now: now, actions: &actions)
            machine.start(now: now, actions: &actions)
        }
        let actions = bench.act { machine, now, actions in
            #expect(machine.completeRoll(now: now, actions: &actions) == .accepted)
        }
        #expect(orders(actions) == [.spawn(key(1, 9), release: 1)])
        bench.makeReady(1, 9)
        #expect(bench.actions.contains(.unroute(key(1, 8))))
        let nothing = bench.act { machine, now, actions in machine.kill(now: now, actions: &actions) }
        #expect(nothing == [], "the app is to run")
        bench.act { machine, now, actions in machine.stop(now: now, actions: &actions) }
        let kills = bench.act { machine, now, actions in machine.kill(now: now, actions: &actions) }
        #expect(Set(orders(kills)) == [.kill(key(0, 7)), .kill(key(1, 8)), .kill(key(1, 9))])
        let again = bench.act { machine, now, actions in machine.kill(now: now, actions: &actions) }
        #expect(again == [])
    }
}
