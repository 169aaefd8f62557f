import Messages
import Testing

@testable import Control

@Suite("When an order for an app is over")
struct OrderJudgeTests {
    private typealias Judge = AppOperation.Judge
    private typealias Verdict = AppOperation.Verdict

    /// Slot, serial, state, whether there is a process, failed starts in a row.
    private typealias Instance = (slot: UInt32, serial: UInt32, state: String, lives: Bool, failed: UInt32)

    private func app(
        _ list: [Instance], wanted: UInt32 = 1, running: Bool = true, rolling: Bool = false, release: UInt32 = 1
    ) -> AppReport {
        AppReport(
            name: "api", state: "up", running: running, rolling: rolling, nextStartMilliseconds: nil, release: release,
            previousRelease: nil, command: [], differences: [], refusedBlock: nil, instancesWanted: wanted, instancesInBlock: wanted,
            instances: list.map { instance in
                InstanceReport(
                    slot: instance.slot, serial: instance.serial, release: 1, state: instance.state, role: "current", healthy: true,
                    process: instance.lives ? 7 : nil, address: "", ageMilliseconds: 0, nextMilliseconds: nil, restarts: 0,
                    failedStarts: instance.failed, lastExit: "exit status 3", lastFailure: nil, status: nil, lines: 0, linesDropped: 0)
            })
    }

    @Test("a start out of a pause is judged by its own attempt, not by those before it") func backoff() {
        let before = app([(0, 4, "backing_off", false, 3)])
        var judge = Judge(app: "api", goal: .running, release: 1, before: before)
        #expect(judge.judge(before) == nil, "not begun")
        #expect(judge.judge(app([(0, 5, "starting", true, 3)])) == nil, "the count stays until it is ready")
        var failing = judge
        let verdict = failing.judge(app([(0, 5, "backing_off", false, 4)]))
        #expect(verdict == Verdict(succeeded: false, text: "api.0#5 did not become ready (exit status 3); it is tried again"))
        #expect(judge.judge(app([(0, 5, "ready", true, 0)]))?.succeeded == true)
    }

    @Test("a start that the restart policy does not repeat is said to be the last") func lastStart() {
        var judge = Judge(app: "api", goal: .running, release: 1, before: nil)
        let verdict = judge.judge(app([(0, 1, "finished", false, 1)]))
        let text = "api.0#1 did not become ready (exit status 3); it is not started again (restart)"
        #expect(verdict == Verdict(succeeded: false, text: text))
    }

    @Test("a restart does not end with the one before it, a deploy with the end of its release") func rolls() {
        func event(_ kind: AppEvent.Kind, release: UInt32) -> AppEvent {
            var event = AppEvent(time: 1, kind: kind, app: "api", level: 5, text: "\(kind)")
            event.release = release
            return event
        }
        let before = app([(0, 4, "ready", true, 0)], release: 2)
        var restart = Judge(app: "api", goal: .rolled, release: 2, before: before)
        #expect(restart.hear(event(.rollCompleted, release: 2)) == nil, "the restart before it")
        #expect(restart.hear(event(.rollBegan, release: 2)) == nil)
        #expect(restart.hear(event(.rollFailed, release: 2)) == Verdict(succeeded: false, text: "rollFailed"))
        // A stopped app takes a release without a roll.
        var deploy = Judge(app: "api", goal: .rolled, release: 3, before: before)
        #expect(deploy.hear(event(.rollCompleted, release: 2)) == nil)
        #expect(deploy.hear(event(.rollCompleted, release: 3))?.succeeded == true)
        var start = Judge(app: "api", goal: .running, release: 2, before: before)
        #expect(start.hear(event(.rollBegan, release: 2)) == nil && start.hear(event(.rollCompleted, release: 2)) == nil)
    }

    @Test("a deploy of a stopped app that is seen to be over proves nothing, and says so") func stoppedDeploy() {
        var judge = Judge(app: "api", goal: .rolled, release: 3, before: app([], running: false, release: 2))
        let after = app([], running: false, release: 3)
        #expect(judge.judge(after) == nil && judge.judge(after) == nil)
        #expect(judge.judge(after) == Verdict(
            succeeded: true, text: "release 3 is taken at the next start, unproven: the app is stopped"))
    }

    @Test("what fails again after it was ready counts") func failsLater() {
        var judge = Judge(app: "api", goal: .running, release: 1, before: app([(0, 4, "backing_off", false, 3)], wanted: 2))
        #expect(judge.judge(app([(0, 5, "ready", true, 0), (1, 6, "starting", true, 0)], wanted: 2)) == nil)
        #expect(judge.judge(app([(0, 7, "backing_off", false, 1), (1, 6, "starting", true, 0)], wanted: 2))?.succeeded == false)
    }

    @Test("all that are wanted must be ready, and no other may live") func running() {
        let before = app([(0, 1, "ready", true, 0)])
        func verdict(_ list: [Instance], wanted: UInt32 = 2, running: Bool = true, rolling: Bool = false) -> Bool? {
            var judge = Judge(app: "api", goal: .running, release: 1, before: before)
            return judge.judge(app(list, wanted: wanted, running: running, rolling: rolling))?.succeeded
        }
        #expect(verdict([(0, 1, "ready", true, 0), (1, 2, "probing", true, 0)]) == nil)
        #expect(verdict([(0, 1, "ready", true, 0), (1, 2, "ready", true, 0)]) == true)
        #expect(verdict([(0, 1, "ready", true, 0), (1, 2, "ready", true, 0)], rolling: true) == nil)
        #expect(verdict([(0, 1, "ready", true, 0), (1, 2, "draining", true, 0)], wanted: 1) == nil)
        #expect(verdict([(0, 1, "ready", true, 0), (1, 2, "backing_off", false, 1)]) == false)
        #expect(verdict([], running: false) == false, "somebody stopped it")
    }

    @Test("a scale of a stopped app is done at once, and what is left of its processes is another order's affair")
    func scaledWhileStopped() {
        let before = app([(0, 1, "stopping", true, 0)], running: false)
        for (wanted, text) in [(3, "app api: 3 instances, once it is started"), (1, "app api: 1 instance, once it is started")] {
            var judge = Judge(app: "api", goal: .scaled, release: 1, before: before)
            let verdict = judge.judge(app([(0, 1, "stopping", true, 0)], wanted: UInt32(wanted), running: false))
            #expect(verdict == Verdict(succeeded: true, text: text))
        }
        var judge = Judge(app: "api", goal: .scaled, release: 1, before: nil)
        #expect(judge.judge(app([(0, 1, "ready", true, 0)], wanted: 2)) == nil, "one that runs is waited for")
    }

    @Test("what ran to its end, and is not started again, is not waited for") func finished() {
        let list: [Instance] = [(0, 1, "ready", true, 0), (1, 2, "finished", false, 0)]
        var judge = Judge(app: "api", goal: .running, release: 1, before: nil)
        #expect(judge.judge(app(list, wanted: 2)) == nil, "it may be about to start")
        #expect(judge.judge(app(list, wanted: 3)) == nil)
        for _ in 0..<2 { #expect(judge.judge(app(list, wanted: 2)) == nil) }
        #expect(judge.judge(app(list, wanted: 2)) == Verdict(succeeded: true, text: "app api: 1 of 2 instances ready, 1 finished"))
    }

    @Test("an app that a reload takes away ends every order") func removed() {
        for (goal, succeeds) in [(AppOperation.Goal.stopped, true), (.running, false), (.rolled, false)] {
            var judge = Judge(app: "api", goal: goal, release: 1, before: app([]))
            #expect(judge.judge(nil)?.succeeded == succeeds)
        }
    }

    @Test("a stop ends with the last process") func stopped() {
        var judge = Judge(app: "api", goal: .stopped, release: 1, before: nil)
        #expect(judge.judge(app([(0, 1, "stopping", true, 0)], running: false)) == nil)
        for state in ["starting", "killing", "emptying"] {
            #expect(judge.judge(app([(0, 1, state, false, 0)], running: false)) == nil, "its process may be about to come, or go")
        }
        #expect(judge.judge(app([(0, 1, "stopped", false, 0)], running: false)) == Verdict(succeeded: true, text: "app api: stopped"))
    }

    @Test("a roll whose end was not heard ends after three quiet looks", arguments: [(UInt32(2), true), (1, false)])
    func rolled(release: UInt32, succeeds: Bool) {
        var judge = Judge(app: "api", goal: .rolled, release: 2, before: nil)
        let quiet = app([], release: release)
        #expect(judge.judge(quiet) == nil && judge.judge(quiet) == nil)
        #expect(judge.judge(app([], rolling: true)) == nil, "not over after all")
        #expect(judge.judge(quiet) == nil && judge.judge(quiet) == nil)
        #expect(judge.judge(quiet)?.succeeded == succeeds)
    }
}
