import Machine
import Testing

@testable import Diagnosis

@Suite struct InvestigationTests {
    private let start = Timestamp(seconds: 1_795_341_600)

    @Test func `volatile evidence comes at once, durable later, the last look at the end`() {
        var plan = InvestigationPlan()
        let id = IncidentID(seconds: start.seconds, salt: 1)
        plan.update(id, attempts: 1, now: start)
        #expect(plan.next(now: start) == .init(incident: id, step: .volatile))
        #expect(plan.next(now: start) == nil && plan.delay(now: start) == 1_000)
        #expect(plan.next(now: start.advanced(byMilliseconds: 1_000)) == .init(incident: id, step: .durable))
        plan.update(id, attempts: 9, now: start)
        #expect(plan.next(now: start.advanced(byMilliseconds: 1_100)) == nil)
        plan.update(id, attempts: 10, now: start)
        #expect(plan.next(now: start.advanced(byMilliseconds: 1_200)) == .init(incident: id, step: .volatile))
        plan.close(id)
        #expect(plan.next(now: start.advanced(byMilliseconds: 1_300)) == .init(incident: id, step: .final))
        #expect(plan.delay(now: start) == nil)
    }

    @Test func `a storm of incidents is worked on at a bounded rate`() {
        var plan = InvestigationPlan(rateMax: 10, incidentsMax: 64)
        for salt in 0..<500 as Range<UInt16> {
            plan.update(IncidentID(seconds: start.seconds, salt: salt), attempts: 1, now: start)
        }
        var done = 0
        while plan.next(now: start) != nil { done += 1 }
        #expect(done == 10)
        for second in 1...60 as ClosedRange<Int64> {
            var perSecond = 0
            while plan.next(now: start.advanced(byMilliseconds: second * 1_000)) != nil { perSecond += 1 }
            #expect(perSecond <= 10)
            done += perSecond
        }
        #expect(done == 128)
    }

    @Test func `the verdict grows with the evidence and keeps its number when nothing changes`() {
        var scene = Scene.app("127.0.0.1:3000", [.connectRefused: 3], ["ActiveState": "failed", "Result": "signal"])
        scene.oomKill(-0.5, of: "app.service")
        let system = scene.recorded()
        var investigation = Investigation(incident: IncidentID(seconds: start.seconds, salt: 0))
        let subject = CollectionSubject(
            peer: scene.failure.peer, since: start.advanced(byMilliseconds: -60_000), until: scene.failure.last)
        let first = investigation.proceed(.volatile, failure: scene.failure, subject: subject, on: system)
        #expect(first?.rule == "P01" && first?.version == 1)
        let second = investigation.proceed(.durable, failure: scene.failure, subject: subject, on: system)
        #expect(second?.rule == "P10" && second?.version == 2)
        #expect(investigation.proceed(.final, failure: scene.failure, subject: subject, on: system) == nil)
        #expect(investigation.verdict?.version == 2)
    }

    /// The first look reads no log: what it could not decide must not stay undecided when the second one has.
    @Test func `what is ruled out, and what cannot be read, is told though the verdict stays the same`() throws {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 3])
        scene.kernel(-3_000, "eth0: link up")
        var system = scene.recorded()
        for command in system.commands.keys where command.hasPrefix("journalctl") { system.commands[command] = nil }
        var investigation = Investigation(incident: IncidentID(seconds: start.seconds, salt: 0))
        let subject = CollectionSubject(
            peer: scene.failure.peer, since: start.advanced(byMilliseconds: -60_000), until: scene.failure.last)
        let look = investigation.proceed(.volatile, failure: scene.failure, subject: subject, on: system)
        let first = try #require(look)
        func said(of rule: String, _ verdict: Verdict?) -> String? { verdict?.ruledOut.first { $0.rule == rule }?.text }
        #expect(first.rule == "P01" && said(of: "P10", first)?.hasPrefix("not decided") == true)
        #expect(investigation.proceed(.durable, failure: scene.failure, subject: subject, on: system) == nil)
        let verdict = try #require(investigation.verdict)
        #expect(verdict.version == 1 && verdict.rule == "P01")
        #expect(said(of: "P10", verdict)?.hasPrefix("not decided") == false)
        #expect(verdict.gaps.contains { $0.contains("journal") } && !first.gaps.contains { $0.contains("journal") })
    }

    @Test func `counters that grow between two looks are evidence`() {
        var scene = Scene("127.0.0.1:3000", [.connectTimeout: 5])
        scene.listen("127.0.0.1:3000", by: scene.process("node"))
        func counters(_ overflows: Int) -> String { "TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 0 \(overflows)\n" }
        var investigation = Investigation(incident: IncidentID(seconds: start.seconds, salt: 0))
        let subject = CollectionSubject(
            peer: scene.failure.peer, since: start.advanced(byMilliseconds: -60_000), until: scene.failure.last)
        scene.system.files["/proc/net/netstat"] = counters(7)
        _ = investigation.proceed(.volatile, failure: scene.failure, subject: subject, on: scene.recorded())
        #expect(investigation.verdict?.confidence == .possible, "what was counted before says nothing")
        scene.system.files["/proc/net/netstat"] = counters(12)
        _ = investigation.proceed(.durable, failure: scene.failure, subject: subject, on: scene.recorded())
        #expect(investigation.verdict?.rule == "P19" && investigation.verdict?.confidence == .firm)
        #expect(investigation.verdict?.evidence.contains { $0.text == "ListenOverflows grew by 5" } == true)
        scene.system.files["/proc/net/netstat"] = counters(15)
        _ = investigation.proceed(.volatile, failure: scene.failure, subject: subject, on: scene.recorded())
        #expect(investigation.verdict?.evidence.contains { $0.text == "ListenOverflows grew by 8" } == true)
    }

    @Test func `the last look brings what the journal says by now, and what was seen at the failure stays`() {
        var scene = Scene("127.0.0.1:3000", [.connectTimeout: 5])
        let pid = scene.process("node")
        scene.listen("127.0.0.1:3000", by: pid, queue: 129, max: 128)
        var calm = Scene("127.0.0.1:3000", [.connectTimeout: 5])
        calm.listen("127.0.0.1:3000", by: calm.process("node"))
        var investigation = Investigation(incident: IncidentID(seconds: start.seconds, salt: 0))
        let subject = CollectionSubject(
            peer: scene.failure.peer, since: start.advanced(byMilliseconds: -60_000), until: scene.failure.last)
        _ = investigation.proceed(.volatile, failure: scene.failure, subject: subject, on: scene.recorded())
        _ = investigation.proceed(.durable, failure: scene.failure, subject: subject, on: scene.recorded())
        #expect(investigation.verdict?.rule == "P19" && investigation.verdict?.culprit.kind == .application)
        let before = investigation.verdict
        #expect(investigation.proceed(.final, failure: scene.failure, subject: subject, on: calm.recorded()) == nil)
        #expect(investigation.verdict?.cause == before?.cause && investigation.verdict?.confidence == .proven)
        calm.kernel(1, "nf_conntrack: nf_conntrack: table full, dropping packet")
        _ = investigation.proceed(.final, failure: scene.failure, subject: subject, on: calm.recorded())
        #expect(investigation.verdict?.cause.contains("connection tracking table is full") == true)
    }

    private static let silentPeer = "10.0.0.9:80"

    /// What is volatile may be gone in a moment: it may not wait for a program, a name server or a silent peer, not even for one that
    /// hangs. Durable evidence comes after the journal had time to be written, and may be collected by programs that are a little slow.
    @Test(arguments: [nil, 0, 40, 100])
    func `volatile evidence is in hand within 50 ms of the failure, durable within 2 s`(patience: Int?) throws {
        var scene = Scene(Self.silentPeer, [.connectTimeout: 1], seconds: 0)
        scene.system.errors[Self.silentPeer] = 110
        var plan = InvestigationPlan(), investigation = Investigation(incident: IncidentID(seconds: start.seconds, salt: 1))
        let failed = scene.failure.first, system = ClockedSystem(scene.recorded(), from: failed, each: patience)
        let before = failed.advanced(byMilliseconds: -60_000)
        let subject = CollectionSubject(peer: scene.failure.peer, since: before, until: failed)
        plan.update(investigation.incident, attempts: 1, now: failed)
        for step in [InvestigationPlan.Step.volatile, .durable] {
            system.pass(milliseconds: try #require(plan.delay(now: system.now())))
            #expect(plan.next(now: system.now())?.step == step)
            _ = investigation.proceed(step, failure: scene.failure, subject: subject, on: system)
            if step == .volatile {
                #expect(system.waitedFor == [] && investigation.evidence.probe.value == nil && investigation.verdict != nil)
            }
        }
        #expect(system.waitedFor.isEmpty == false && investigation.evidence.probe.value?.errorNumber == 110)
        let looks = try #require(investigation.verdict?.looks)
        #expect(looks.map(\.step) == [.volatile, .durable] && looks.map(\.time) == [failed, failed.advanced(byMilliseconds: 1_000)])
        #expect(looks[0].afterMilliseconds == 25 && looks[0].tookMilliseconds == 25, "of which all was spent on the silent peer")
        #expect(looks[1].afterMilliseconds == 1_000 + looks[1].tookMilliseconds)
        // What never answers is given up, and the look with it.
        if patience != nil { #expect(looks[1].afterMilliseconds <= 2_000) }
        let page = VerdictText.render(try #require(investigation.verdict))
        #expect(page.contains("looked at   sockets, processes and counters after 25 ms; logs, units and names after "), "\(page)")
    }

    @Test func `a later look counts from the last failure, and only some are kept`() throws {
        var scene = Scene("127.0.0.1:3000", [.connectRefused: 1], seconds: 30)
        let system = ClockedSystem(scene.recorded(), from: scene.failure.last.advanced(byMilliseconds: 3), each: 0)
        var investigation = Investigation(incident: IncidentID(seconds: start.seconds, salt: 1))
        let subject = CollectionSubject(peer: scene.failure.peer, since: scene.failure.first, until: scene.failure.last)
        for _ in 0..<20 {
            _ = investigation.proceed(.volatile, failure: scene.failure, subject: subject, on: system)
            scene.failure.counts[.connectRefused, default: 0] += 10
        }
        #expect(investigation.looks.count == EvidenceLook.countMax)
        #expect(investigation.looks.map(\.afterMilliseconds) == [30_003] + Array(repeating: 3, count: EvidenceLook.countMax - 1))
    }
}
