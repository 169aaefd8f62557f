import Config
import Testing

@testable import Machine

/// An instance whose check fails, and what takes its place.
@Suite("Replacing a sick instance")
struct ReplacementTests {
    private func key(_ slot: Int, _ serial: UInt32) -> InstanceKey { InstanceKey(slot: slot, serial: serial) }

    private func orders(_ actions: [AppAction]) -> [AppAction] {
        actions.filter {
            switch $0 {
            case .report, .outlook: false
            default: true
            }
        }
    }

    /// Instances 0#1, 1#2, … that are ready and pass their check, at 100 s. The patience is 6 s, `start_timeout` 30 s.
    private func serving(_ count: Int, _ change: (inout AppSpecification) -> Void = { _ in }) -> Bench {
        let bench = Bench(instances: count) {
            $0.health = AppHealth()
            change(&$0)
        }
        bench.start()
        for slot in 0..<count { pass(bench, slot, UInt32(slot + 1)) }
        return bench
    }

    private func pass(_ bench: Bench, _ slot: Int, _ serial: UInt32) {
        bench.tell(.started(processID: Int32(serial)), slot, serial)
        bench.tell(.healthPassed, slot, serial)
    }

    @Test("one that is silent is replaced after the time it took to find out: the new one first, then the old one")
    func silent() {
        let bench = serving(2)
        #expect(orders(bench.tell(.healthFailed(isSilent: true), 0, 1)) == [], "the balancer avoids it already")
        #expect(orders(bench.wait()) == [.spawn(key(0, 3), release: 1)])
        #expect(bench.now == .seconds(106))
        #expect(bench.actions.contains(.report(key(0, 1), .replacing(isSilent: true))))
        bench.tell(.started(processID: 3), 0, 3)
        #expect(orders(bench.tell(.healthPassed, 0, 3)) == [.route(key(0, 3), .full), .unroute(key(0, 1))])
        #expect(orders(bench.tell(.drained, 0, 1)) == [.stop(key(0, 1), signal: 15, killAfter: .seconds(30))])
        bench.die(0, 1)
        #expect(!bench.isRolling && bench.snapshots.map(\.key) == [key(0, 3), key(1, 2)])
    }

    @Test("one that says that it is not well has start_timeout; one that passes again is left alone")
    func unwell() {
        let bench = serving(2)
        bench.tell(.healthFailed(isSilent: false), 1, 2)
        bench.now += .seconds(20)
        bench.tell(.healthPassed, 1, 2)
        #expect(bench.deadline == nil && bench.actions.contains(.report(key(1, 2), .healthy)))
        bench.tell(.healthFailed(isSilent: false), 1, 2)
        #expect(orders(bench.wait()) == [.spawn(key(1, 3), release: 1)])
        #expect(bench.now == .seconds(150))
    }

    @Test("one that falls silent after it said that it is not well is replaced sooner, one that speaks again later")
    func changes() {
        let bench = serving(2)
        bench.tell(.healthFailed(isSilent: false), 0, 1)
        bench.now += .seconds(10)
        bench.tell(.healthFailed(isSilent: true), 0, 1)
        #expect(bench.deadline == .seconds(116))
        bench.now += .seconds(1)
        bench.tell(.healthFailed(isSilent: false), 0, 1)
        #expect(bench.deadline == .seconds(130))
        #expect(bench.actions.count { $0 == .report(key(0, 1), .unhealthy) } == 1)
    }

    @Test("one that is silent while a deploy soaks is restarted in its place; what says that it is not well is left")
    func silentDuringSoak() {
        let bench = serving(4)
        var new = AppSpecification(name: "api", command: ["/bin/new"], instances: 4)
        new.health = AppHealth()
        bench.act { machine, now, actions in
            _ = machine.deploy(new, release: 2, soak: .seconds(3600), now: now, actions: &actions)
        }
        pass(bench, 0, 5)
        let soakEnd = bench.deadline
        bench.tell(.healthFailed(isSilent: false), 2, 3)
        bench.tell(.healthFailed(isSilent: true), 1, 2)
        #expect(orders(bench.wait()) == [.unroute(key(1, 2))])
        #expect(bench.now == .seconds(106))
        bench.die(1, 2)
        #expect(orders(bench.wait()) == [.spawn(key(1, 6), release: 1)])
        pass(bench, 1, 6)
        #expect(orders(bench.wait()) == [], "start_timeout of the one that is not well")
        #expect(bench.isRolling && bench.deadline == soakEnd && soakEnd == .seconds(3700))
    }

    @Test("a reload that it announced protects it, but not for ever")
    func reload() {
        let bench = serving(1)
        bench.tell(.notified(.reloading), 0, 1)
        bench.now += .seconds(1)
        bench.tell(.healthFailed(isSilent: true), 0, 1)
        #expect(orders(bench.wait()) == [] && bench.now == .seconds(107))
        #expect(orders(bench.wait()) == [.spawn(key(0, 2), release: 1)])
        #expect(bench.now == .seconds(130))
    }

    @Test("when more than half are silent it is the app: they get start_timeout, and go one at a time")
    func appIsSick() {
        let bench = serving(3)
        bench.tell(.healthFailed(isSilent: true), 0, 1)
        bench.now += .seconds(1)
        bench.tell(.healthFailed(isSilent: true), 1, 2)
        #expect(orders(bench.wait()) == [] && orders(bench.wait()) == [])
        #expect(bench.deadline == .seconds(130))
        #expect(orders(bench.wait()) == [.spawn(key(0, 4), release: 1)])
        pass(bench, 0, 4)
        bench.tell(.drained, 0, 1)
        #expect(orders(bench.tell(.exited(InstanceExit(cause: .signal(15))), 0, 1)) == [])
        // One of three is left: that is an instance again, and its time is long over.
        #expect(orders(bench.tell(.emptied, 0, 1)) == [.forget(key(0, 1)), .spawn(key(1, 5), release: 1)])
    }

    @Test("alone, it is replaced as soon as any other: the new one shows whether it is the instance or the app")
    func alone() {
        let bench = serving(1)
        bench.tell(.healthFailed(isSilent: true), 0, 1)
        #expect(orders(bench.wait()) == [.spawn(key(0, 2), release: 1)])
        #expect(bench.now == .seconds(106) && bench.outlook == .up)
        // It does not get ready: what is silent is restarted, nothing is lost by that.
        bench.tell(.started(processID: 2), 0, 2)
        #expect(orders(bench.wait()) == [.stop(key(0, 2), signal: 15, killAfter: .seconds(30))])
        bench.tell(.exited(InstanceExit(cause: .signal(15))), 0, 2)
        #expect(orders(bench.tell(.emptied, 0, 2)) == [.forget(key(0, 2)), .unroute(key(0, 1))])
        // It hangs: neither requests in flight nor its stop signal are waited for as long as usual.
        #expect(bench.deadline == bench.now + .seconds(6))
        #expect(orders(bench.wait()) == [.stop(key(0, 1), signal: 15, killAfter: .seconds(6))])
        #expect(orders(bench.wait()) == [.kill(key(0, 1))])
        bench.die(0, 1)
        #expect(orders(bench.wait()) == [.spawn(key(0, 3), release: 1)])
    }

    @Test("one that says that it is not well stays when its successor gets on no better, and is tried again later")
    func unwellStays() {
        let bench = serving(1)
        bench.tell(.healthFailed(isSilent: false), 0, 1)
        bench.wait()
        bench.tell(.exited(InstanceExit(cause: .status(1))), 0, 2)
        #expect(orders(bench.tell(.emptied, 0, 2)) == [.forget(key(0, 2))])
        #expect(bench.outlook == .up && bench.deadline == bench.now + .seconds(30))
        #expect(orders(bench.wait()) == [.spawn(key(0, 3), release: 1)])
    }

    @Test("at a fixed address the old one has to go first, and gets little time")
    func fixedAddress() {
        let bench = serving(1) { $0.listen = .fixed(.ipv4(0x7F00_0001, port: 3000)) }
        bench.tell(.healthFailed(isSilent: true), 0, 1)
        #expect(orders(bench.wait()) == [.unroute(key(0, 1))])
        #expect(orders(bench.wait()) == [.stop(key(0, 1), signal: 15, killAfter: .seconds(6))])
        #expect(bench.now == .seconds(112))
        bench.tell(.exited(InstanceExit(cause: .signal(15))), 0, 1)
        #expect(orders(bench.tell(.emptied, 0, 1)) == [.forget(key(0, 1)), .spawn(key(0, 2), release: 1)])
    }

    @Test("what has grown is replaced with a delay that grows, too: a new one that is as large again is no reason to hurry")
    func recycling() {
        let bench = Bench()
        bench.start()
        bench.makeReady(0, 1)
        var serial: UInt32 = 1
        var begun: [Duration] = []
        for _ in 0..<600 {
            bench.now += .seconds(1)
            var answer = AppMachine.Answer.refused
            bench.act { machine, now, actions in answer = machine.recycle(slot: 0, now: now, actions: &actions) }
            guard answer == .accepted else { continue }
            begun.append(bench.now)
            serial += 1
            bench.makeReady(0, serial)
            bench.tell(.drained, 0, serial - 1)
            bench.die(0, serial - 1)
        }
        #expect(begun.first == .seconds(101))
        #expect(begun.count < 50, "\(begun.count) in ten minutes")
    }
}
