import Testing

@testable import Supervisor

@Suite("When the control process runs")
struct ControlMachineTests {
    @Test("it starts when it is wanted, and ends when it is not") func startAndStop() {
        var machine = ControlMachine()
        #expect(machine.want(false, now: 0) == [])
        #expect(machine.want(true, now: 0) == [.spawn])
        #expect(machine.want(true, now: 10) == [])
        #expect(machine.deadline == nil)
        #expect(machine.want(false, now: 20) == [.stop])
        #expect(machine.exited(now: 30) == [])
        #expect(machine.state == .off)
    }

    @Test("one that keeps ending is started with a growing pause, one that lived long at once") func backoff() {
        var machine = ControlMachine()
        _ = machine.want(true, now: 0)
        var now: UInt64 = 0
        for pause: UInt64 in [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000] {
            #expect(machine.exited(now: now) == [.tellPause(pause)])
            #expect(machine.timer(now: now + pause - 1) == [])
            now += pause
            #expect(machine.deadline == now)
            #expect(machine.timer(now: now) == [.spawn])
        }
        #expect(machine.exited(now: now + ControlMachine.stableAfter) == [.spawn])
        #expect(machine.exited(now: now + ControlMachine.stableAfter) == [.tellPause(100)])
    }

    @Test("one that cannot be started is tried again later") func spawnFails() {
        var machine = ControlMachine()
        _ = machine.want(true, now: 0)
        #expect(machine.spawnFailed(now: 5) == [.tellPause(100)])
        #expect(machine.timer(now: 105) == [.spawn])
    }

    @Test("other settings end it and start it anew") func changed() {
        var machine = ControlMachine()
        _ = machine.want(true, now: 0)
        #expect(machine.want(true, isChanged: true, now: 1) == [.stop])
        #expect(machine.want(true, now: 2) == [])
        #expect(machine.exited(now: 3) == [.spawn])
    }

    @Test("one that does not end is killed") func kill() {
        var machine = ControlMachine()
        _ = machine.want(true, now: 0)
        _ = machine.want(false, now: 0)
        #expect(machine.timer(now: ControlMachine.killDelay - 1) == [])
        #expect(machine.timer(now: ControlMachine.killDelay) == [.kill])
        #expect(machine.deadline == nil)
        #expect(machine.exited(now: 9000) == [])
    }

    @Test("it rests no more when it is not wanted") func restEnds() {
        var machine = ControlMachine()
        _ = machine.want(true, now: 0)
        _ = machine.exited(now: 1)
        #expect(machine.want(false, now: 2) == [])
        #expect(machine.deadline == nil)
        #expect(machine.want(true, now: 3) == [.spawn])
    }
}
