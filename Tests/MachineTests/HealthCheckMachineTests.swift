import Machine
import Testing

@Suite struct HealthCheckMachineTests {
    /// Runs checks with the given results ("+-"); the state after each ("?", "h", "u").
    static func run(_ settings: HealthCheckSettings, known: HealthState? = nil, _ results: String) -> String {
        var random = RandomSource(seed: 1)
        var machine = HealthCheckMachine(settings: settings, known: known, now: 0, random: &random)
        var states = ""
        for result in results {
            let now = machine.deadline
            #expect(machine.advance(settings: settings, now: now - 1, random: &random) == .none)
            #expect(machine.advance(settings: settings, now: now, random: &random) == .startCheck)
            _ = machine.result(
                passed: result == "+", check: machine.checkSerial, settings: settings, now: now + 1, random: &random)
            states.append(machine.state == .healthy ? "h" : machine.state == .unhealthy ? "u" : "?")
        }
        return states
    }

    @Test(arguments: [
        (1, 1, "+-+-", "huhu"), (3, 2, "+--+---+-++", "hhhhhhuuuuh"), (2, 1, "--+", "uuh"),
        (1, 3, "-++-+++", "uuuuuuh"),
    ])
    func statesFollowTheCounts(fails: Int, passes: Int, results: String, expected: String) {
        #expect(Self.run(HealthCheckSettings(fails: fails, passes: passes), results) == expected)
    }

    @Test func aNewPeerIsUnprovenOnlyWhenChecksAreMandatory() {
        var random = RandomSource(seed: 1)
        let mandatory = HealthCheckSettings(isMandatory: true, isPersistent: false)
        #expect(HealthCheckMachine(settings: mandatory, known: nil, now: 0, random: &random).state == .unproven)
        #expect(HealthCheckMachine(settings: mandatory, known: .healthy, now: 0, random: &random).state == .unproven)
        let persistent = HealthCheckSettings(isMandatory: true, isPersistent: true)
        #expect(HealthCheckMachine(settings: persistent, known: .healthy, now: 0, random: &random).state == .healthy)
        #expect(
            HealthCheckMachine(settings: persistent, known: .unhealthy, now: 0, random: &random).state == .unhealthy)
        let optional = HealthCheckSettings(isMandatory: false)
        #expect(HealthCheckMachine(settings: optional, known: nil, now: 0, random: &random).state == .healthy)
    }

    @Test func aCheckThatTakesTooLongFailsAndItsLateResultIsIgnored() {
        let settings = HealthCheckSettings(interval: 1000, timeout: 300)
        var random = RandomSource(seed: 1)
        var machine = HealthCheckMachine(settings: settings, known: .healthy, now: 0, random: &random)
        #expect(machine.advance(settings: settings, now: 0, random: &random) == .startCheck)
        let check = machine.checkSerial
        #expect(machine.deadline == 300)
        #expect(machine.advance(settings: settings, now: 300, random: &random) == .changed(.unhealthy))
        #expect(machine.result(passed: true, check: check, settings: settings, now: 310, random: &random) == .none)
        #expect(machine.deadline == 1300)
        #expect(machine.advance(settings: settings, now: 1300, random: &random) == .startCheck)
        #expect(machine.result(passed: true, check: check, settings: settings, now: 1301, random: &random) == .none)
        #expect(machine.isChecking)
    }

    @Test func jitterSpreadsTheChecks() {
        let settings = HealthCheckSettings(interval: 1000, jitter: 500)
        var random = RandomSource(seed: 5)
        var starts = Set<Milliseconds>()
        for _ in 0..<50 {
            var machine = HealthCheckMachine(settings: settings, known: nil, now: 0, random: &random)
            #expect((0...500).contains(machine.deadline))
            let start = machine.deadline
            _ = machine.advance(settings: settings, now: start, random: &random)
            _ = machine.result(
                passed: true, check: machine.checkSerial, settings: settings, now: start, random: &random)
            #expect((start + 1000...start + 1500).contains(machine.deadline))
            starts.insert(machine.deadline - start)
        }
        #expect(starts.count > 20)
    }

    /// Any results, late or in time, and any clock: states follow from rows of results, no check is lost, and none runs twice at a time.
    @Test(arguments: 0..<300 as Range<UInt64>) func anyWalkFollowsTheModel(seed: UInt64) {
        var random = RandomSource(seed: seed)
        func below(_ bound: UInt64) -> Milliseconds { Milliseconds(random.next(below: bound)) }
        let settings = HealthCheckSettings(
            interval: 1 + below(2000), jitter: below(500), timeout: 1 + below(1000), fails: 1 + Int(below(4)),
            passes: 1 + Int(below(4)), isMandatory: below(2) == 0, isPersistent: below(2) == 0)
        let known: HealthState? = [nil, .healthy, .unhealthy, .unproven][Int(below(4))]
        var now = below(10_000)
        var machine = HealthCheckMachine(settings: settings, known: known, now: now, random: &random)
        var (model, row, lastStart) = (machine.state, 0, now)
        var lateCheck: UInt32?
        for _ in 0..<200 {
            var ended: Bool?
            var action = HealthCheckAction.none
            let isChecking = machine.isChecking
            if isChecking, below(3) > 0 {
                now += below(UInt64(settings.timeout))
                ended = below(2) == 0
                action = machine.result(
                    passed: ended!, check: machine.checkSerial, settings: settings, now: now, random: &random)
            } else {
                now = max(now, machine.deadline) + below(50)
                if isChecking { (ended, lateCheck) = (false, machine.checkSerial) }
                action = machine.advance(settings: settings, now: now, random: &random)
                if !isChecking {
                    #expect(action == .startCheck && machine.isChecking)
                    #expect(now - lastStart <= settings.timeout + settings.interval + settings.jitter + 200)
                    lastStart = now
                }
            }
            if let late = lateCheck, late != machine.checkSerial || !machine.isChecking {
                let before = machine
                #expect(machine.result(passed: true, check: late, settings: settings, now: now, random: &random) == .none)
                #expect(machine == before, "a late result changes nothing")
            }
            guard let passed = ended else { continue }
            let isAgainst = passed != (model == .healthy)
            row = isAgainst || model == .unproven ? row + 1 : 0
            let needed = model == .unproven ? 1 : model == .healthy ? settings.fails : settings.passes
            let expected: HealthState = row >= needed ? (passed ? .healthy : .unhealthy) : model
            #expect(machine.state == expected && !machine.isChecking)
            #expect(action == (expected == model ? .none : .changed(expected)))
            if expected != model { row = 0 }
            model = expected
        }
    }
}
