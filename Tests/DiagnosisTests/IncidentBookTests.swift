import Machine
import Testing

@testable import Diagnosis

@Suite struct IncidentBookTests {
    private let start = Timestamp(seconds: 1_795_341_600)
    private let id = IncidentID(seconds: 1_795_341_600, salt: 7)
    private let peer = PeerAddress(parsing: "127.0.0.1:3000")

    private func record(_ reason: ReasonCode, after milliseconds: Int64 = 0, peer: PeerAddress? = PeerAddress(parsing: "127.0.0.1:3000"))
        -> AttemptRecord
    {
        AttemptRecord(
            time: start.advanced(byMilliseconds: milliseconds), upstream: "back", peer: peer, phase: .connecting, reason: reason,
            errorNumber: reason == .connectRefused ? 111 : 0)
    }

    @Test func `records and counts add up exactly, whoever named the incident`() throws {
        var book = IncidentBook()
        let other = IncidentID(seconds: start.seconds, salt: 8), second = start.advanced(byMilliseconds: 1_000)
        book.record(record(.connectRefused), id: id, detail: "", now: start)
        book.count(record(.connectRefused, after: 5), id: id, count: 9_000, last: start.advanced(byMilliseconds: 900), now: second)
        book.count(record(.connReset, after: 6), id: other, count: 999, last: start.advanced(byMilliseconds: 950), now: second)
        book.requests(id, entered: 10_000, saved: 0, failed: 9_000)
        book.requests(other, entered: 0, saved: 1_000, failed: 0)
        let report = try #require(book.report(other))
        #expect(report.id == id && report.aliases == [other])
        #expect(report.attempts == ["connect.refused": 9_001, "conn.reset": 999])
        #expect(report.requestsFailed == 9_000 && report.requestsSaved == 1_000 && report.requestsPending == 0)
        #expect(report.last == start.advanced(byMilliseconds: 950))
    }

    /// Too many were open, or the clock was set: no second incident with the first one's id among its names, which would take its place.
    @Test(arguments: ["crowd", "clock"])
    func `an incident that is closed here and not by its worker goes on`(how: String) throws {
        var limits = IncidentBook.standardLimits
        limits.openMax = 2
        var book = IncidentBook(limits: limits)
        book.record(record(.connectRefused), id: id, detail: "", now: start)
        book.requests(id, entered: 3, saved: 0, failed: 3)
        var time = start.advanced(byMilliseconds: 10)
        if how == "clock" {
            time = start.advanced(byMilliseconds: 3_000_000)
            book.advance(to: time)
        } else {
            for port in 1...5 as ClosedRange<Int64> {
                let other = record(.connectRefused, after: port, peer: PeerAddress(parsing: "127.0.0.1:400\(port)"))
                book.record(other, id: IncidentID(seconds: start.seconds, salt: 50 + UInt16(port)), detail: "", now: start)
            }
        }
        #expect(book.report(id)?.isOpen == false)
        book.record(record(.connectRefused, after: time.since(start)), id: id, detail: "", now: time)
        let report = try #require(book.report(id))
        #expect(report.isOpen && report.attempts == ["connect.refused": 2] && report.requestsFailed == 3 && report.first == start)
        #expect(book.reports.filter { $0.id == id || $0.aliases.contains(id) }.count == 1)
        #expect(book.reports.count(where: \.isOpen) <= 2)
    }

    @Test func `a closed incident's id becomes no other name of one of another kind`() throws {
        var book = IncidentBook()
        book.record(record(.connectRefused), id: id, detail: "", now: start)
        let later = start.advanced(byMilliseconds: 80_000)
        book.advance(to: later)
        book.record(record(.responseTimeout, after: 80_000), id: id, detail: "", now: later)
        #expect(book.reports.count == 2 && book.reports.allSatisfy { $0.aliases.isEmpty })
    }

    @Test func `a worker's clock moves no incident out of the last hour`() throws {
        var book = IncidentBook()
        for (index, time) in [Timestamp(milliseconds: .min), Timestamp(milliseconds: .max)].enumerated() {
            var record = record(.connectRefused, peer: PeerAddress(parsing: "10.0.0.\(index):80"))
            record.time = time
            let id = IncidentID(seconds: start.seconds, salt: UInt16(20 + index))
            book.record(record, id: id, detail: "", now: start)
            book.count(record, id: id, count: 1, last: time, now: start)
            let report = try #require(book.report(id))
            #expect(report.first >= start.advanced(byMilliseconds: -3_600_000) && report.last <= start)
        }
        book.advance(to: start.advanced(byMilliseconds: 70_000))
        #expect(book.reports.allSatisfy { !$0.isOpen })
    }

    @Test func `an empty pool belongs to the incident that the worker named`() throws {
        var book = IncidentBook()
        let second = IncidentID(seconds: start.seconds, salt: 8)
        book.record(record(.connectRefused), id: id, detail: "", now: start)
        book.record(record(.connectRefused, after: 1, peer: PeerAddress(parsing: "127.0.0.1:3001")), id: second, detail: "", now: start)
        book.record(record(.poolEmpty, after: 2, peer: nil), id: id, detail: "", now: start)
        #expect(book.report(id)?.attempts == ["connect.refused": 1, "pool.empty": 1])
        #expect(book.reports.count == 2)
    }

    @Test func `one id for two families of one peer names the first, and neither is lost`() throws {
        var book = IncidentBook()
        book.record(record(.connectRefused), id: id, detail: "", now: start)
        book.record(record(.responseTimeout, after: 1), id: id, detail: "", now: start)
        #expect(book.reports.count == 2)
        #expect(book.report(id)?.attempts == ["connect.refused": 1])
    }

    @Test func `requests that end after the quiet are counted in the closed incident`() throws {
        var book = IncidentBook()
        book.record(record(.connectRefused), id: id, detail: "", now: start)
        book.requests(id, entered: 1, saved: 0, failed: 0)
        #expect(book.report(id)?.requestsPending == 1)
        book.advance(to: start.advanced(byMilliseconds: 70_000))
        book.requests(id, entered: 0, saved: 1, failed: 0)
        let report = try #require(book.report(id))
        #expect(!report.isOpen && report.requestsSaved == 1 && report.requestsPending == 0)
    }

    @Test func `jobs of one incident never run at one time, and each new verdict is in the timeline`() throws {
        var scene = Scene.app("127.0.0.1:3000", [.connectRefused: 3], ["ActiveState": "failed", "Result": "signal"])
        scene.oomKill(-0.5, of: "app.service")
        let system = scene.recorded()
        let begin = scene.failure.first
        var book = IncidentBook()
        var sample = record(.connectRefused)
        sample.time = begin
        book.record(sample, id: id, detail: "", now: begin)
        let first = book.nextJob(now: begin)
        var volatile = try #require(first)
        #expect(volatile.work.step == .volatile)
        let later = begin.advanced(byMilliseconds: 1_500)
        let busy = book.nextJob(now: later)
        #expect(busy == nil)
        volatile.run(on: system)
        book.finish(volatile, now: later)
        #expect(book.report(id)?.verdict?.rule == "P01")
        let second = book.nextJob(now: later)
        var durable = try #require(second)
        #expect(durable.work.step == .durable)
        durable.run(on: system)
        book.finish(durable, now: later)
        let report = try #require(book.report(id))
        #expect(report.verdict?.rule == "P10" && report.verdict?.version == 2)
        #expect(report.timeline.filter { $0.text.hasPrefix("verdict ") }.count == 2)
        #expect(report.timeline.contains { $0.text.hasPrefix("first connect.refused at 127.0.0.1:3000, while connecting, errno 111") })
    }

    /// A process that is stuck in the kernel holds whoever reads its command line.
    @Test func `a look that hangs does not end all verdicts`() throws {
        let system = Scene("127.0.0.1:3000", [.connectRefused: 1]).recorded()
        var book = IncidentBook()
        book.record(record(.connectRefused), id: id, detail: "", now: start)
        let hanging = book.nextJob(now: start)
        var late = try #require(hanging)
        #expect(late.work.step == .volatile)
        let before = book.nextJob(now: start.advanced(byMilliseconds: 29_000))
        #expect(before == nil)
        let now = start.advanced(byMilliseconds: 30_001), next = book.nextJob(now: now)
        var job = try #require(next)
        #expect(job.work.step == .durable)
        job.run(on: system)
        book.finish(job, now: now)
        let verdict = try #require(book.report(id)?.verdict)
        #expect(verdict.gaps.contains("a look at sockets and processes has not ended within 30 s"))
        late.run(on: system)
        book.finish(late, now: now)
        #expect(book.report(id)?.verdict?.version == verdict.version && book.report(id)?.verdict?.gaps == verdict.gaps)
        // Each one that hangs holds a thread: their number is bounded.
        var started = 0, time = now
        for minute in 1...40 as ClosedRange<Int64> {
            time = now.advanced(byMilliseconds: minute * 31_000)
            let other = record(.connectRefused, after: time.since(start), peer: PeerAddress(parsing: "10.0.0.\(minute):80"))
            book.record(other, id: IncidentID(seconds: time.seconds, salt: UInt16(minute)), detail: "", now: time)
            while book.nextJob(now: time) != nil { started += 1 }
        }
        #expect((8...10).contains(started), "\(started)")
    }

    @Test func `evidence goes with the last look, or at the close when none is planned; the verdict stays`() throws {
        let system = Scene("127.0.0.1:3000", [.connectRefused: 1]).recorded()
        var book = IncidentBook(plan: InvestigationPlan(incidentsMax: 1))
        func run(_ now: Timestamp) throws -> InvestigationPlan.Step {
            let next = book.nextJob(now: now)
            var job = try #require(next)
            job.run(on: system)
            book.finish(job, now: now)
            return job.work.step
        }
        book.record(record(.connectRefused), id: id, detail: "", now: start)
        #expect(try run(start) == .volatile)
        #expect(book.evidence(of: id)?.listeners.value != nil)
        #expect(try run(start.advanced(byMilliseconds: 1_500)) == .durable)
        book.advance(to: start.advanced(byMilliseconds: 70_000))
        #expect(book.evidence(of: id)?.listeners.value != nil)
        #expect(try run(start.advanced(byMilliseconds: 70_000)) == .final)
        #expect(book.evidence(of: id)?.listeners.value == nil && book.report(id)?.verdict?.rule == "P01")

        // The plan has room for one: the second incident puts the first out of it.
        let later = start.advanced(byMilliseconds: 80_000), second = IncidentID(seconds: later.seconds, salt: 1)
        book.record(record(.connectRefused, after: 80_000), id: second, detail: "", now: later)
        #expect(try run(later) == .volatile)
        let third = IncidentID(seconds: later.seconds, salt: 2)
        book.record(record(.connectRefused, after: 81_000, peer: PeerAddress(parsing: "127.0.0.1:3001")), id: third, detail: "", now: later)
        #expect(book.evidence(of: second)?.listeners.value != nil)
        book.advance(to: later.advanced(byMilliseconds: 70_000))
        #expect(book.evidence(of: second)?.listeners.value == nil && book.report(second)?.verdict != nil)
    }

    @Test func `the end of an own app is the cause, with its exit, without asking systemd`() throws {
        var book = IncidentBook()
        book.configure([(UpstreamFacts(name: "back", place: "x:1"), "demo")])
        let source = AppHistory.source
        book.happened(
            LifeEvent(time: start.advanced(byMilliseconds: -5_000), kind: .started, line: "app demo.0#1: started", source: source),
            app: "demo", instance: "0#1")
        book.happened(
            LifeEvent(
                time: start.advanced(byMilliseconds: -10), kind: .killed(signal: 11, coreDumped: false),
                line: "app demo.0#1: exited on signal 11", source: source), app: "demo", instance: "0#1")
        var end = AppEnd(
            time: start.advanced(byMilliseconds: -10), instance: "demo.0#1", release: 2, process: 77, signal: 11, ranMilliseconds: 4_990)
        book.ended(end, app: "demo")
        book.record(record(.connReset), id: id, detail: "", now: start)
        book.wrote(["password=x", "panic: nil map"], app: "demo", instance: "demo.0#1")
        book.wrote(["of another"], app: "demo", instance: "demo.1#2")
        let next = book.nextJob(now: start)
        var job = try #require(next)
        job.run(on: Scene("127.0.0.1:3000", [.connReset: 1]).recorded())
        book.finish(job, now: start)
        let report = try #require(book.report(id))
        #expect(report.app == "demo" && report.verdict?.rule == "P07" && report.verdict?.culprit.name == "app demo")
        #expect(report.verdict?.cause == "app demo was killed by signal 11 while it held requests.")
        #expect(report.verdict?.fix.commands == ["goodgate app logs demo"])
        #expect(report.timeline.contains { $0.text == "app demo.0#1: exited on signal 11" })
        end.lastLines = ["password=***", "panic: nil map"]
        #expect(report.ends == [end])
    }

    /// Instances die by turns, each a moment after the request that it broke: the next one's end, or the former's, is not of it.
    @Test func `of an app's ends, that of the failing instance counts; many of a kind are one incident with the newest names`() throws {
        var book = IncidentBook()
        book.configure([(UpstreamFacts(name: "back", place: "x:1"), "demo")])
        var ids: [IncidentID] = []
        for serial in 0..<80 {
            let after = Int64(serial) * 1_700, time = start.advanced(byMilliseconds: after), port = 3000 + serial
            let code = serial % 10 == 1 ? 4 : 3
            ids.append(IncidentID(seconds: time.seconds, salt: UInt16(100 + serial)))
            let peer = PeerAddress(parsing: "127.0.0.1:\(port)")
            book.record(record(.connReset, after: after, peer: peer), id: ids[serial], detail: "", now: time)
            let told = time.advanced(byMilliseconds: 12)
            book.happened(
                LifeEvent(
                    time: told, kind: .exited(code: code), line: "app demo.0#\(serial): exited with code \(code)",
                    source: AppHistory.source),
                app: "demo", instance: "0#\(serial)")
            book.ended(AppEnd(time: told, instance: "demo.0#\(serial)", status: code), app: "demo")
            for later in [20, 1_100] as [Int64] {
                let now = time.advanced(byMilliseconds: later)
                while var job = book.nextJob(now: now) {
                    job.run(on: Scene("127.0.0.1:\(port)", [.connReset: 1]).recorded())
                    book.finish(job, now: now)
                }
            }
        }
        // The first two ends are no crash loop yet.
        #expect(book.reports.count <= 4 && book.reports.reduce(0) { $0 + $1.attemptsTotal } == 80)
        for report in book.reports {
            let numbers = ([report.id] + report.aliases).compactMap { ids.firstIndex(of: $0) }
            #expect(Set(numbers.map { $0 % 10 == 1 }).count == 1, "\(numbers)")
            #expect(report.aliases.count == min(report.attemptsTotal - 1, Incident.aliasesMax))
            if numbers.contains(79) { #expect(report.attemptsTotal > 66 && report.aliases == ids.filter { report.aliases.contains($0) }) }
        }
        #expect(book.report(ids[79]) != nil && book.report(ids[71]) != nil)
        // The oldest names are known none the less: of slow requests that came into it, and to a store that remembers more of them.
        let known = try #require(book.report(ids[2])), id = known.id
        #expect(known.id == book.report(ids[79])?.id && !known.aliases.contains(ids[2]) && book.knows(ids[2]))
        book.requests(ids[2], entered: 1, saved: 0, failed: 1)
        #expect(book.report(ids[79])?.requestsFailed == known.requestsFailed + 1)
        let unknown = IncidentID(seconds: start.seconds - 9, salt: 7)
        let stored = try #require(book.report(id))
        book.inherit(stored, as: unknown)
        book.requests(unknown, entered: 1, saved: 1, failed: 0)
        let after = try #require(book.report(unknown))
        #expect(after.id == id && after.attemptsTotal == stored.attemptsTotal && after.requestsFailed == stored.requestsFailed)
        #expect(after.requestsSaved == stored.requestsSaved + 1)
    }

    /// Two instances of an app, one after the other, each at an address of its own.
    @Test(arguments: [11, 6]) func `instances of an app that end in one way are one incident, others are not`(signal: Int) throws {
        var book = IncidentBook()
        book.configure([(UpstreamFacts(name: "back", place: "x:1"), "demo")])
        var ids: [IncidentID] = []
        for (serial, signal) in [11, signal].enumerated() {
            let time = start.advanced(byMilliseconds: Int64(serial) * 20_000), port = 3000 + serial
            let line = "app demo.0#\(serial): exited on signal \(signal)"
            book.happened(
                LifeEvent(time: time, kind: .killed(signal: signal, coreDumped: false), line: line, source: AppHistory.source),
                app: "demo", instance: "0#\(serial)")
            book.ended(AppEnd(time: time, instance: "demo.0#\(serial)", signal: signal), app: "demo")
            let id = IncidentID(seconds: time.seconds, salt: UInt16(30 + serial))
            ids.append(id)
            let peer = PeerAddress(parsing: "127.0.0.1:\(port)")
            book.record(record(.connReset, after: Int64(serial) * 20_000, peer: peer), id: id, detail: "", now: time)
            book.requests(id, entered: 2, saved: 1, failed: 1)
            // The logs say what had not been told at the first look.
            for later in [0, 1_000] as [Int64] {
                #expect(book.reports.count == serial + 1)
                let now = time.advanced(byMilliseconds: later), next = book.nextJob(now: now)
                var job = try #require(next)
                job.run(on: Scene("127.0.0.1:\(port)", [.connReset: 1]).recorded())
                book.finish(job, now: now)
            }
        }
        #expect(book.reports.count == (signal == 11 ? 1 : 2))
        let report = try #require(book.report(ids[0]))
        #expect(report.verdict?.rule == "P07" && report.aliases == (signal == 11 ? [ids[1]] : []))
        #expect(report.requestsFailed == (signal == 11 ? 2 : 1) && report.requestsSaved == report.requestsFailed)
        guard signal == 11 else { return }
        // Its worker goes on with the name it gave.
        let later = start.advanced(byMilliseconds: 30_000)
        book.record(record(.connReset, after: 30_000, peer: PeerAddress(parsing: "127.0.0.1:3001")), id: ids[1], detail: "", now: later)
        #expect(book.reports.map(\.attempts) == [["conn.reset": 3]])
    }

    @Test func `a request that fails at several instances of an app is one incident, and one failed request`() throws {
        var book = IncidentBook()
        book.configure([(UpstreamFacts(name: "back", place: "x:1"), "demo")])
        for port in 3000...3002 {
            book.record(record(.connReset, peer: PeerAddress(parsing: "127.0.0.1:\(port)")), id: id, detail: "", now: start)
        }
        book.requests(id, entered: 1, saved: 0, failed: 1)
        let report = try #require(book.reports.first)
        #expect(book.reports.count == 1 && report.id == id && report.attempts == ["conn.reset": 3] && report.requestsFailed == 1)
    }

    @Test func `one OOM kill does not make the next crash an OOM kill`() throws {
        var history = AppHistory(app: "demo")
        func add(_ seconds: Int64, _ kind: LifeEvent.Kind, _ instance: String) {
            history.add(
                LifeEvent(time: start.advanced(byMilliseconds: seconds * 1_000), kind: kind, line: "\(kind)", source: AppHistory.source),
                instance: instance)
        }
        add(-7_200, .started, "0#1")
        add(-3_600, .outOfMemory(constraint: ""), "0#1")
        add(-3_600, .killed(signal: 9, coreDumped: false), "0#1")
        #expect(history.unit.result == "oom-kill")
        add(-3_599, .started, "0#2")
        add(0, .killed(signal: 11, coreDumped: false), "0#2")
        #expect(history.unit.result == "signal")
        var investigation = Investigation(incident: id)
        let scene = Scene("127.0.0.1:3000", [.connReset: 1])
        var failure = scene.failure
        failure.ownUnit = history.unit.name
        let verdict = investigation.proceed(
            .volatile, failure: failure, subject: CollectionSubject(peer: peer, since: start, until: start), app: history,
            on: scene.recorded())
        #expect(verdict?.rule == "P07")
    }

    @Test func `a long timeline keeps its beginning and its end`() throws {
        var book = IncidentBook()
        book.configure([(UpstreamFacts(name: "back", place: "x:1"), "demo")])
        for count in 0..<100 as Range<Int64> {
            book.happened(
                LifeEvent(
                    time: start.advanced(byMilliseconds: count * 10), kind: .restartScheduled(count: 0), line: "restart \(count)",
                    source: "s"),
                app: "demo", instance: "")
        }
        book.record(record(.connectRefused), id: id, detail: "", now: start)
        book.record(record(.connectRefused, after: 2_000), id: id, detail: "", now: start.advanced(byMilliseconds: 2_000))
        let lines = try #require(book.report(id)).timeline.map(\.text)
        #expect(lines.count == IncidentReport.linesMax)
        #expect(lines.first?.hasPrefix("first connect.refused") == true || lines.first == "restart 0")
        #expect(lines.last == "last failed attempt" && lines[20] == "63 lines are left out here" && lines.contains("restart 99"))
    }

    /// Runs the volatile and the durable look, and gives the verdict.
    private func verdict(_ record: AttemptRecord, _ facts: UpstreamFacts?, on system: RecordedSystem) throws -> Verdict {
        var book = IncidentBook()
        if let facts { book.configure([(facts, nil)]) }
        book.record(record, id: id, detail: "", now: start)
        for milliseconds in [0, 1_500] as [Int64] {
            let now = start.advanced(byMilliseconds: milliseconds), next = book.nextJob(now: now)
            var job = try #require(next)
            job.run(on: system)
            book.finish(job, now: now)
        }
        return try #require(book.report(id)?.verdict)
    }

    @Test func `own traffic asks the name service, now against then`() throws {
        var facts = UpstreamFacts(name: "back", place: "x:1")
        facts.servers = [.init(text: "api:3000", address: PeerAddress(parsing: "api:3000"))]
        var system = Scene("172.18.0.4:3000", [.connectTimeout: 1]).recorded()
        system.names["api"] = [PeerAddress(parsing: "172.18.0.9:0")]
        let moved = try verdict(record(.connectTimeout, peer: PeerAddress(parsing: "172.18.0.4:3000")), facts, on: system)
        #expect(moved.rule == "P04" && moved.fix.commands == ["goodgate -s reload"])
        system.names["api"] = [PeerAddress(parsing: "172.18.0.4:0")]
        #expect(try verdict(record(.connectTimeout, peer: PeerAddress(parsing: "172.18.0.4:3000")), facts, on: system).rule != "P04")
        system.names = [:]
        let unknown = try verdict(record(.dnsFailed, peer: nil), facts, on: system)
        #expect(unknown.rule == "P05" && unknown.confidence == .proven && unknown.culprit.name == "api")
        var literal = record(.dnsFailed, peer: nil)
        literal.upstream = "backend.internal"
        #expect(try verdict(literal, nil, on: system).culprit.name == "backend.internal")
    }

    @Test func `a server of the configuration is not the app beside it`() throws {
        var facts = UpstreamFacts(name: "back", place: "x:1")
        facts.servers = [.init(text: "127.0.0.1:3000", address: peer)]
        var book = IncidentBook()
        book.configure([(facts, "demo")])
        book.record(record(.connectRefused), id: id, detail: "", now: start)
        #expect(book.report(id)?.app == nil)
    }

    // MARK: releases

    /// What happened to an app before its failure at second 0.
    struct Story: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// Number and second.
        var releases: [(number: Int, at: Int64)] = [(1, -600), (2, -5)]
        /// Release of an instance that ended, and when.
        var ends: [(release: Int, at: Double)] = [(2, -0.01)]
        /// Failures before, for the reason of this one.
        var earlier: [Int64] = []
        var reason = ReasonCode.connReset
        var isWithdrawn = false
        /// Nil: the app as a whole, or what listens there.
        var culprit: Int?
        var rule = "P07"
    }

    private static let stories: [Story] = [
        Story(testDescription: "a new release crashes", culprit: 2),
        Story(testDescription: "and is taken back", isWithdrawn: true, culprit: 2),
        Story(testDescription: "of three only the last one", releases: [(1, -900), (2, -600), (3, -5)], ends: [(3, -0.01)], culprit: 3),
        Story(testDescription: "it answers 503", ends: [], reason: .appAnswered, culprit: 2, rule: "P30"),
        Story(testDescription: "it is slow", ends: [], reason: .responseTimeout, culprit: 2, rule: "P28"),
        Story(testDescription: "what was before it is not known", releases: [(2, -5)]),
        Story(testDescription: "the former one failed so, too", earlier: [-100]),
        Story(testDescription: "the former one answered so, too", ends: [], earlier: [-100], reason: .appAnswered, rule: "P30"),
        Story(testDescription: "the former one crashed, too", ends: [(1, -300), (2, -0.01)]),
        Story(testDescription: "an instance of the former one crashes as it goes", ends: [(1, -0.01)]),
        Story(testDescription: "it served well for an hour", releases: [(1, -90_000), (2, -3_600)], ends: [(2, -0.01)]),
        Story(testDescription: "the former one had no time to fail", releases: [(1, -8), (2, -5)]),
        Story(testDescription: "it came after the failure", releases: [(1, -600), (2, 1)], ends: [(1, -0.01)]),
    ]

    @Test(arguments: stories) func `failures that begin with a release are put down to it, and no others`(story: Story) throws {
        var book = IncidentBook()
        book.configure([(UpstreamFacts(name: "back", place: "x:1"), "demo")])
        func time(_ seconds: Double) -> Timestamp { start.advanced(byMilliseconds: Int64(seconds * 1_000)) }
        for (index, second) in story.earlier.enumerated() {
            let earlier = record(story.reason, after: second * 1_000)
            book.record(earlier, id: IncidentID(seconds: earlier.time.seconds, salt: UInt16(index)), detail: "", now: earlier.time)
        }
        for release in story.releases {
            book.serves(AppRelease(number: release.number, since: time(Double(release.at))), app: "demo")
            // Another instance of it.
            book.serves(AppRelease(number: release.number, since: time(Double(release.at) + 0.5)), app: "demo")
        }
        for end in story.ends {
            let line = "app demo.0#1: exited on signal 11"
            book.happened(
                LifeEvent(time: time(end.at), kind: .killed(signal: 11, coreDumped: false), line: line, source: AppHistory.source),
                app: "demo", instance: "0#1")
            book.ended(AppEnd(time: time(end.at), instance: "demo.0#1", release: end.release, signal: 11), app: "demo")
        }
        if story.isWithdrawn { book.withdrew(2, app: "demo", at: time(0.2)) }
        book.record(record(story.reason), id: id, detail: "", now: start)
        let now = time(2)
        while var job = book.nextJob(now: now) {
            job.run(on: Scene("127.0.0.1:3000", [story.reason: 1]).recorded())
            book.finish(job, now: now)
        }
        let verdict = try #require(book.report(id)?.verdict)
        #expect(verdict.rule == story.rule)
        guard let culprit = story.culprit else {
            #expect(verdict.culprit.kind != .release && !verdict.fix.commands.contains { $0.contains("rollback") }, "\(verdict.culprit)")
            return
        }
        #expect(verdict.culprit == Culprit(.release, "release \(culprit) of app demo"))
        #expect(verdict.confidence == (story.ends.isEmpty ? min(.firm, verdict.confidence ?? .firm) : .proven))
        let since = EvidenceLine(
            "release \(culprit) came into force, 5 s before the first failure", source: AppHistory.source, time: time(-5))
        #expect(verdict.evidence.contains(since), "\(verdict.evidence)")
        #expect(verdict.evidence.contains { $0.text.hasPrefix("release \(culprit - 1) had served for ") })
        #expect((verdict.fix.commands.first == "goodgate rollback demo") == !story.isWithdrawn)
        #expect(verdict.disproof == "The same failures under release \(culprit - 1).")
    }

    // MARK: numbers of an attempt

    @Test func `the numbers of an attempt are in the report, and in the timeline where they tell something`() throws {
        var book = IncidentBook()
        var reset = record(.connReset)
        (reset.phase, reset.errorNumber, reset.requestID, reset.clientStatus) = (.awaitingHead, 104, "ab", 502)
        (reset.bytesWritten, reset.bytesAcknowledged, reset.bytesRead, reset.reused) = (312, 312, 0, true)
        (reset.connectionAge, reset.connectionIdle, reset.duration, reset.method) = (75_000, 61_000, 3, "GET")
        var fresh = reset
        (fresh.reason, fresh.phase, fresh.reused) = (.responseTimeout, .readingHead, false)
        (fresh.connectionIdle, fresh.connectionAge, fresh.bytesAcknowledged, fresh.bytesRead) = (nil, 900, nil, 17)
        (fresh.duration, fresh.requestID) = (1_000, nil)
        var refused = record(.connectRefused, peer: PeerAddress(parsing: "127.0.0.1:3001"))
        (refused.connectionAge, refused.bytesWritten, refused.bytesRead, refused.reused, refused.duration) = (0, 0, 0, false, 0)
        for (salt, attempt) in [reset, fresh, refused].enumerated() {
            book.record(attempt, id: IncidentID(seconds: start.seconds, salt: UInt16(salt)), detail: "", now: start)
        }
        func told(_ salt: UInt16) throws -> (text: String?, record: AttemptReport) {
            let report = try #require(book.report(IncidentID(seconds: start.seconds, salt: salt)))
            return (report.timeline.first?.text, try #require(report.records?.first))
        }
        let first = try told(0)
        #expect(first.text == "first conn.reset at 127.0.0.1:3000, while waiting for the response head, errno 104: the client got an error "
            + "(request ab); 312 of 312 bytes acknowledged, 0 read, connection 75 s old and 61 s idle")
        #expect(first.record == AttemptReport(reset))
        let second = try told(1)
        #expect(second.text?.hasSuffix("; 312 bytes sent, 17 read, new connection, after 1 s") == true, "\(second.text ?? "")")
        let third = try told(2)
        #expect(third.text?.hasSuffix("errno 111: the client got an error") == true, "\(third.text ?? "")")
        #expect(third.record.bytesWritten == nil && third.record.connectionAgeMilliseconds == nil && third.record.isReused == nil)
    }

    @Test func `of many attempts the first and the newest are in the report, and none that was only counted`() throws {
        var book = IncidentBook()
        book.count(record(.connectRefused, after: -1), id: id, count: 50, last: start, now: start)
        #expect(book.report(id)?.records == nil)
        for index in 0..<200 as Range<Int64> {
            var attempt = record(.connectRefused, after: index)
            (attempt.duration, attempt.method) = (index, "GET")
            book.record(attempt, id: id, detail: "", now: start.advanced(byMilliseconds: index))
        }
        let kept = try #require(book.report(id)?.records).compactMap(\.durationMilliseconds)
        #expect(kept == [0, 1, 2, 3, 196, 197, 198, 199] && kept.count == IncidentReport.recordsMax)
    }
}
