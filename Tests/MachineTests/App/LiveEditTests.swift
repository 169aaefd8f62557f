import Config
import Testing

@testable import Machine

@Suite("An edit that needs no new process, in the middle of a roll")
struct LiveEditTests {
    private func update(_ bench: Bench, _ active: AppSpecification, incoming: AppSpecification) {
        bench.act { machine, now, actions in machine.update(active, incoming: incoming, now: now, actions: &actions) }
    }

    @Test("the instances of each release go by their own, after the roll too")
    func policies() {
        var old = AppSpecification(name: "api", command: ["/bin/app"])
        old.watchdog = .seconds(10)
        let bench = Bench { $0 = old }
        bench.start()
        bench.makeReady(0, 1)
        var new = AppSpecification(name: "api", command: ["/bin/new"])
        bench.act { [new] machine, now, actions in
            _ = machine.deploy(new, release: 2, soak: .zero, now: now, actions: &actions)
        }
        (old.stopTimeout, new.stopTimeout) = (.seconds(7), .seconds(7))
        update(bench, old, incoming: new)
        bench.tell(.notified(.watchdog), 0, 1)
        #expect(bench.deadline == bench.now + .seconds(10), "the old one has its watchdog")
        bench.makeReady(0, 2)
        bench.tell(.drained, 0, 1)
        bench.die(0, 1)
        #expect(!bench.isRolling && bench.activeRelease == 2)
        #expect(bench.deadline == nil, "the new one has none")
        bench.die(0, 2)
        bench.wait()
        bench.makeReady(0, 3)
        bench.wait()
        #expect(bench.phase == .ready && bench.deadline == nil, "nor have those that follow")
        let policy = bench.machine.policy
        #expect(policy.stopTimeout == .seconds(7))
    }

    @Test("from a fixed address to one of its own each: the number of instances is that of the edit, if the roll succeeds", arguments: [
        true, false,
    ])
    func count(isGood: Bool) {
        var old = AppSpecification(name: "api", command: ["/bin/app"])
        old.listen = .fixed(.ipv4(0x7F00_0001, port: 3000))
        let bench = Bench { $0 = old }
        bench.start()
        bench.makeReady(0, 1)
        var new = AppSpecification(name: "api", command: ["/bin/app"], instances: 2)
        bench.act { [new] machine, now, actions in
            _ = machine.deploy(new, release: 2, soak: .zero, now: now, actions: &actions)
        }
        (old.instances, new.instances) = (3, 3)
        update(bench, old, incoming: new)
        bench.tell(.drained, 0, 1)
        bench.die(0, 1)
        if isGood { bench.makeReady(0, 2) } else { bench.die(0, 2, .status(1)) }
        #expect(!bench.isRolling)
        #expect(bench.snapshots.map(\.key.slot) == (isGood ? [0, 1, 2] : [0]))
    }
}
