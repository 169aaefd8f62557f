import Config
import Testing

@testable import Machine

@Suite("An app under a hostile kernel")
struct AppSimulationTests {
    /// Runs one seed: an hour of crashes, deploys, restarts and scaling, then a stop.
    private func simulate(_ seed: UInt64) -> (violations: [String], spawned: Int, busiest: Int) {
        var random = RandomSource(seed: seed ^ 0xABCD)
        var specification = AppSpecification(
            name: "api", command: ["/bin/app"], instances: 1 + random.below(4),
            listen: random.chance(25) ? .fixed(.ipv4(0x7F00_0001, port: 3000)) : .port)
        if case .fixed = specification.listen { specification.instances = 1 }
        if random.chance(50) { specification.health = AppHealth() }
        specification.restart.condition = [.always, .always, .onFailure, .never][random.below(4)]
        specification.stopTimeout = .seconds(5)
        var kernel = FakeKernel(seed: seed, specification: specification)
        if random.chance(30) { kernel.mood.crashOnBoot = 90 }
        kernel.moodByRelease[3] = FakeKernel.Mood(crashOnBoot: 100)
        kernel.act { machine, now, actions in machine.start(now: now, actions: &actions) }
        var release: UInt32 = 1
        for _ in 0..<(4 + random.below(12)) {
            kernel.run(until: kernel.now + random.milliseconds(0...90_000))
            let choice = random.below(8)
            let count = 1 + random.below(5)
            let new = specification
            release += choice < 3 ? 1 : 0
            let number = release
            kernel.act { machine, now, actions in
                switch choice {
                case 0...2: _ = machine.deploy(
                    new, release: number, soak: .seconds(5), now: now, actions: &actions)
                case 3: _ = machine.restart(now: now, actions: &actions)
                case 4: _ = machine.scale(to: count, now: now, actions: &actions)
                case 5: _ = machine.recycle(slot: 0, now: now, actions: &actions)
                case 6: machine.recordSoak(SoakComparison(new: .init(requests: 10, failures: 9)), now: now,
                                           actions: &actions)
                default: machine.start(now: now, actions: &actions)
                }
            }
        }
        kernel.run(until: kernel.now + .seconds(60))
        kernel.act { machine, now, actions in machine.stop(now: now, actions: &actions) }
        kernel.run(until: kernel.now + .seconds(600))
        if !kernel.machine.isGone { kernel.violate("not gone after stop: \(kernel.machine.snapshots)") }
        if kernel.machine.isRolling { kernel.violate("rolls after stop") }
        if kernel.outlook != .down { kernel.violate("outlook after stop: \(kernel.outlook)") }
        for process in kernel.processes.values where !process.emptied || !process.forgotten {
            kernel.violate("never reaped: \(process)")
        }
        return (kernel.violations, kernel.spawned, kernel.actionsPerSecondMax)
    }

    @Test("does not make it worse when every instance falls silent again and again", arguments: [false, true])
    func overload(isFixed: Bool) {
        for seed in UInt64(0)..<100 {
            var specification = AppSpecification(
                name: "api", command: ["/bin/app"], instances: isFixed ? 1 : 1 + Int(seed % 6),
                listen: isFixed ? .fixed(.ipv4(0x7F00_0001, port: 3000)) : .port)
            specification.health = AppHealth()
            specification.stopTimeout = .seconds(5)
            var kernel = FakeKernel(seed: seed, specification: specification)
            kernel.mood = FakeKernel.Mood(
                crashOnBoot: 0, execFails: 0, neverReady: 0, ignoresStop: 0, crashLater: 0, keeperDies: 0, hangs: true)
            kernel.act { machine, now, actions in machine.start(now: now, actions: &actions) }
            kernel.run(until: kernel.now + .seconds(3600))
            #expect(kernel.violations.isEmpty, "seed \(seed): \(kernel.violations.prefix(3))")
            // A site with one instance has to get a new one each time. With more, an hour has 120 times start_timeout.
            let most = specification.instances + (specification.instances == 1 ? 360 : 180)
            #expect((specification.instances + 20...most).contains(kernel.spawned), "seed \(seed): \(kernel.spawned)")
        }
    }

    @Test("keeps its promises for 2,000 seeds", arguments: 0..<20)
    func manySeeds(block: Int) {
        var spawned = 0
        for seed in (block * 100)..<(block * 100 + 100) {
            let result = simulate(UInt64(seed))
            #expect(result.violations.isEmpty, "seed \(seed): \(result.violations.prefix(3))")
            // At most about twenty actions for each of ten instances in any second: no busy loop.
            #expect(result.busiest < 200, "seed \(seed): \(result.busiest) actions in one second")
            spawned += result.spawned
        }
        #expect(spawned > 500, "the simulation did nothing")
    }
}
