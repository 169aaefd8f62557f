package import Machine

/// The incidents of this gateway's own traffic and their verdicts: from a failed attempt to what a person reads. A pure machine.
///
/// ```
///   record, count ──▶ IncidentGrouper ──▶ InvestigationPlan ──nextJob──▶ (driver runs the collectors) ──finish──▶ verdict, version + 1
///   life of apps  ──▶ AppHistory ───────────────────────────────▲
/// ```
/// Collecting takes time and is the driver's: it takes a job, runs it elsewhere, and brings it back. Two jobs may run at one time, one of
/// volatile evidence and one of durable, never two of one incident.
package struct IncidentBook: Sendable {
    /// Work on one incident: values, to be run without this machine.
    package struct Job: Sendable {
        /// What to do, and what it works on.
        package let work: InvestigationPlan.Work
        /// Grows by `run`.
        package internal(set) var investigation: Investigation
        let failure: FailureCase
        private(set) var subject: CollectionSubject
        let upstream: UpstreamFacts?
        let app: AppHistory?
        fileprivate let serial: Int

        init(
            serial: Int, work: InvestigationPlan.Work, investigation: Investigation, failure: FailureCase, subject: CollectionSubject,
            upstream: UpstreamFacts?, app: AppHistory?
        ) {
            self.serial = serial; self.work = work; self.investigation = investigation; self.failure = failure; self.subject = subject
            self.upstream = upstream; self.app = app
        }

        /// Names the proxy's process: its user, its limits and its namespaces decide what it may reach.
        package mutating func observe(worker: Int32?) { subject.proxyPID = worker }

        /// Collects and judges. Takes milliseconds for volatile evidence, up to seconds for durable.
        package mutating func run(on system: some SystemReader) {
            _ = investigation.proceed(work.step, failure: failure, subject: subject, upstream: upstream, app: app, on: system)
        }
    }

    private struct Entry: Sendable {
        var investigation: Investigation
        /// When each version of the verdict was given, and its title.
        var versions: [(time: Timestamp, text: String)] = []
        /// What an incident of an app was put down to: the rule, and how the process ended of which it tells. Nil: it is not known yet.
        var cause: [String]?
    }

    private var grouper: IncidentGrouper
    private var plan: InvestigationPlan
    private var entries: [IncidentID: Entry] = [:]
    /// The job of volatile evidence that is under way (true), and that of the rest.
    private var running: [Bool: (serial: Int, incident: IncidentID, since: Timestamp)] = [:]
    private var serial = 0
    /// Jobs that were given up and have not come back.
    private var lost: Set<Int> = []
    /// Milliseconds that a job may take: a process that is stuck in the kernel, or a dead file server, may hold it for ever.
    private static let jobMax: Int64 = 30_000
    /// Milliseconds after the failures that the end of a process made within which that end is told. A look that reads logs comes later.
    private static let tellMax: Int64 = 1_000
    /// Each holds a thread: beyond it nothing is given up, and nothing more is started.
    private static let lostMax = 8
    private var apps: [String: AppHistory] = [:]
    /// By upstream: what the configuration says, and the app behind it.
    private var upstreams: [String: (facts: UpstreamFacts, app: String?)] = [:]
    /// `memory_max` of apps, in bytes.
    private var memoryLimits: [String: UInt64] = [:]
    /// Incidents whose report changed since the last `takeChanged`.
    private var changed: Set<IncidentID> = []
    /// What processes before this one had kept of incidents that go on, by each of its names.
    private var former: [IncidentID: IncidentReport] = [:]
    /// Beyond it, those of incidents that are known no more are forgotten.
    private static let formerMax = 1_024

    /// - Parameter limits: `quietPeriod` is longer than the board's, so that no worker goes on with an id that is closed here.
    package init(limits: IncidentGrouper.Limits = IncidentBook.standardLimits, plan: InvestigationPlan = InvestigationPlan()) {
        grouper = IncidentGrouper(limits: limits)
        self.plan = plan
    }

    /// Those of a running gateway.
    package static var standardLimits: IncidentGrouper.Limits {
        var limits = IncidentGrouper.Limits()
        limits.quietPeriod = 65_000
        return limits
    }

    // MARK: what comes in

    /// A configuration is in force.
    ///
    /// - Parameter memoryLimits: `memory_max` of the apps that have one, in bytes.
    package mutating func configure(_ list: [(facts: UpstreamFacts, app: String?)], memoryLimits: [String: UInt64] = [:]) {
        self.memoryLimits = memoryLimits
        upstreams = Dictionary(list.map { ($0.facts.name, $0) }) { first, _ in first }
    }

    /// A failed attempt.
    ///
    /// - Parameter id: what the worker calls the incident.
    package mutating func record(_ record: AttemptRecord, id: IncidentID, detail: String, now: Timestamp) {
        let found = grouper.record(Self.bounded(record, now), proposed: id, detail: detail)
        touch(found.id, now)
    }

    /// Failed attempts that were only counted: `sample` stands for them, at the time of the first.
    package mutating func count(_ sample: AttemptRecord, id: IncidentID, count: Int, last: Timestamp, now: Timestamp) {
        let found = grouper.record(Self.bounded(sample, now), proposed: id, times: count, last: min(last, now))
        touch(found.id, now)
    }

    /// Times are a worker's, and one that was taken over may send any: within the last hour.
    private static func bounded(_ record: AttemptRecord, _ now: Timestamp) -> AttemptRecord {
        var record = record
        record.time = min(max(record.time, now.advanced(byMilliseconds: -3_600_000)), now)
        return record
    }

    /// Whether an incident is known by this id.
    package func knows(_ id: IncidentID) -> Bool { grouper.incident(id) != nil || former[id] != nil }

    /// What a process before this one had kept of an incident that goes on: workers keep its id, and would open it empty.
    ///
    /// - Parameter name: what it goes on under. If the report is of this process, that is a name which is not known here any more.
    package mutating func inherit(_ report: IncidentReport, as name: IncidentID) {
        if let known = grouper.incident(report.id) { return grouper.addName(name, to: known.id) }
        keepFormer(report)
    }

    private mutating func keepFormer(_ report: IncidentReport) {
        for name in [report.id] + report.aliases { former[name] = report }
        if former.count > Self.formerMax { former = former.filter { $0.value.id == report.id || grouper.incident($0.key) != nil } }
    }

    /// Requests that came into an incident, and that ended.
    package mutating func requests(_ id: IncidentID, entered: Int, saved: Int, failed: Int) {
        if let known = grouper.requests(id, entered: entered, saved: saved, failed: failed) {
            changed.insert(known)
        } else if var earlier = former[id] {
            // It has not failed any more, at least not under this name.
            earlier.count(entered: entered, saved: saved, failed: failed)
            keepFormer(earlier)
            changed.insert(([earlier.id] + earlier.aliases).compactMap { grouper.incident($0)?.id }.first ?? earlier.id)
        }
    }

    /// Something happened to an app.
    package mutating func happened(_ event: LifeEvent, app: String, instance: String) {
        apps[app, default: AppHistory(app: app)].add(event, instance: instance)
    }

    /// An instance of a release of an app is ready to serve.
    package mutating func serves(_ release: AppRelease, app: String) { apps[app, default: AppHistory(app: app)].serves(release) }

    /// A release of an app was given up.
    package mutating func withdrew(_ release: Int, app: String, at time: Timestamp) {
        apps[app, default: AppHistory(app: app)].withdrew(release, at: time)
    }

    /// An instance of an app ended, and nobody had asked it to.
    package mutating func ended(_ end: AppEnd, app: String) { apps[app, default: AppHistory(app: app)].ended(end) }

    /// What an instance of an app that ended wrote last.
    package mutating func wrote(_ lines: [String], app: String, instance: String) {
        guard apps[app]?.wrote(lines, instance: instance) == true else { return }
        // It is told after the end, perhaps after the last attempt.
        for incident in grouper.openIncidents where self.app(of: incident) == app { changed.insert(incident.id) }
    }

    /// Closes what has been quiet.
    package mutating func advance(to now: Timestamp) {
        for incident in grouper.advance(to: now) {
            plan.close(incident.id)
            changed.insert(incident.id)
            forgetEvidence(incident.id)
        }
        let known = Set(grouper.closed.map(\.id) + grouper.openIncidents.map(\.id))
        if entries.count > known.count { entries = entries.filter { known.contains($0.key) } }
    }

    /// Evidence is megabytes and verdicts are not: what has no look before it gives its evidence back. A job that runs has a copy.
    private mutating func forgetEvidence(_ id: IncidentID) {
        if !plan.isPlanned(id) { entries[id]?.investigation.forgetEvidence() }
    }

    /// What is held for an incident.
    func evidence(of id: IncidentID) -> EvidenceSet? { entries[id]?.investigation.evidence }

    private mutating func touch(_ id: IncidentID, _ now: Timestamp) {
        guard let incident = grouper.incident(id) else { return }
        changed.insert(incident.id)
        plan.update(incident.id, attempts: incident.attempts, now: now)
    }

    // MARK: work

    /// The next piece of work that may run now; nil when there is none.
    package mutating func nextJob(now: Timestamp) -> Job? {
        giveUp(at: now)
        let busy = running
        let next = plan.next(now: now) { [grouper] work in
            guard busy[work.step == .volatile] == nil else { return false }
            let incident = grouper.incident(work.incident)?.id ?? work.incident
            return !busy.values.contains { $0.incident == incident }
        }
        guard let work = next, let incident = grouper.incident(work.incident) else { return nil }
        let (failure, subject) = failure(of: incident, now: now)
        serial += 1
        running[work.step == .volatile] = (serial, incident.id, now)
        return Job(
            serial: serial, work: InvestigationPlan.Work(incident: incident.id, step: work.step),
            investigation: entries[incident.id]?.investigation ?? Investigation(incident: incident.id), failure: failure,
            subject: subject, upstream: upstreams[incident.upstream]?.facts,
            app: app(of: incident).flatMap { history(of: $0, before: incident) })
    }

    /// Does not wait any longer for jobs that hang: one would end all verdicts.
    private mutating func giveUp(at now: Timestamp) {
        for (isVolatile, job) in running where abs(now.since(job.since)) > Self.jobMax && lost.count < Self.lostMax {
            running[isVolatile] = nil
            lost.insert(job.serial)
            var entry = entries[job.incident] ?? Entry(investigation: Investigation(incident: job.incident))
            entry.investigation.miss("a look at \(isVolatile ? "sockets and processes" : "logs and units") has not ended within 30 s")
            entries[job.incident] = entry
        }
    }

    /// A job was run.
    package mutating func finish(_ job: Job, now: Timestamp) {
        let id = job.work.incident
        // What it brings so late would take the place of what was found since.
        if lost.remove(job.serial) != nil { return }
        running[job.work.step == .volatile] = nil
        // It was put together with another one meanwhile.
        guard grouper.incident(id)?.id == id else { return }
        var entry = entries[id] ?? Entry(investigation: job.investigation)
        let before = entry.versions.count
        entry.investigation = job.investigation
        if let verdict = job.investigation.verdict, verdict.version > before {
            let confidence = verdict.confidence.map { " (\($0.name))" } ?? ""
            entry.versions.append((now, "verdict \(verdict.version): \(verdict.title)\(confidence)"))
        }
        let isTold = entry.cause != nil || job.work.step != .volatile
        if let incident = grouper.incident(id), isTold || now.since(incident.last) >= Self.tellMax {
            entry.cause = cause(of: incident, job.investigation.verdict) ?? entry.cause
        }
        entries[id] = entry
        forgetEvidence(id)
        changed.insert(id)
        mergeLike(id, now)
    }

    /// Each instance of an app has an address of its own, so that a crash loop begins as one incident per instance: those that came to one
    /// verdict are one.
    private mutating func mergeLike(_ id: IncidentID, _ now: Timestamp) {
        guard let incident = grouper.incident(id), incident.closed == nil, let app = app(of: incident), let cause = entries[id]?.cause
        else { return }
        let like = grouper.openIncidents.filter { other in
            other.upstream == incident.upstream && other.family == incident.family
                && (other.id == id || self.app(of: other) == app && entries[other.id]?.cause == cause)
        }
        guard let first = like.first else { return }
        for other in like.dropFirst() {
            grouper.merge(other.id, into: first.id)
            plan.forget(other.id)
            entries[other.id] = nil
            changed.remove(other.id)
            touch(first.id, now)
        }
    }

    /// What an incident of an app is put down to now; nil: there is no verdict, or its end is not remembered any more.
    private func cause(of incident: Incident, _ verdict: Verdict?) -> [String]? {
        guard let rule = verdict?.rule, let app = app(of: incident) else { return nil }
        let ends = apps[app]?.ends(around: incident, count: AppHistory.endsMax) ?? []
        let end = ends.filter { $0.time.since(incident.last) < Self.tellMax }.min {
            abs($0.time.since(incident.last)) < abs($1.time.since(incident.last))
        }
        return end == nil && entries[incident.id]?.cause?.first == rule ? nil : [rule, end?.words ?? ""]
    }

    /// Milliseconds until something is due; nil when nothing is planned.
    package func delay(now: Timestamp) -> Int64? { plan.delay(now: now) }

    private func failure(of incident: Incident, now: Timestamp) -> (FailureCase, CollectionSubject) {
        var failure = incident.failureCase(now: now)
        if let app = app(of: incident) { failure.ownUnit = AppHistory(app: app).unit.name }
        failure.host = host(of: incident)
        failure.proxy = "goodgate"
        var subject = CollectionSubject(
            peer: incident.peer, host: failure.host, since: incident.first.advanced(byMilliseconds: -600_000),
            until: max(incident.last, min(now, incident.last.advanced(byMilliseconds: 5_000))))
        subject.countsConnections = failure.has([.localPorts])
        return (failure, subject)
    }

    private func history(of app: String, before incident: Incident) -> AppHistory? {
        guard var history = apps[app] else { return nil }
        history.unit.memoryMax = memoryLimits[app]
        for other in grouper.openIncidents + grouper.closed where other.first < incident.first && self.app(of: other) == app {
            // The other may go on: what came after the beginning of this one began with it.
            let last = min(other.last, incident.first)
            for reason in other.counts.keys { history.earlier[reason] = max(history.earlier[reason] ?? last, last) }
        }
        return history
    }

    /// The name behind an incident: the only one that the configuration gives for its peer, or that did not resolve.
    private func host(of incident: Incident) -> String? {
        // What a variable gave goes by its name when that did not resolve.
        let isName = incident.peer == nil && incident.counts[.dnsFailed] != nil && !incident.upstream.contains { $0 == "/" || $0 == "$" }
        let written =
            upstreams[incident.upstream]?.facts.servers.map(\.address) ?? (isName ? [PeerAddress(parsing: incident.upstream)] : [])
        if let peer = incident.peer, written.contains(peer) { return nil }
        let names = written.compactMap { address -> String? in
            guard case .name(let host, let port) = address, incident.peer?.port ?? port == port else { return nil }
            return host
        }
        return Set(names).count == 1 ? names.first : nil
    }

    /// The app behind an incident: that of its upstream, unless the peer is one of the servers that stand in the configuration.
    private func app(of incident: Incident) -> String? {
        guard let upstream = upstreams[incident.upstream], let app = upstream.app else { return nil }
        if let peer = incident.peer, upstream.facts.servers.contains(where: { $0.address == peer }) { return nil }
        return app
    }

    // MARK: what a person reads

    /// Incidents that changed since the last call.
    package mutating func takeChanged() -> [IncidentReport] {
        defer { changed = [] }
        return changed.sorted().compactMap { grouper.incident($0).map(report) ?? former[$0] }
    }

    /// All that are known, the newest first.
    package var reports: [IncidentReport] {
        (grouper.openIncidents + grouper.closed).sorted { $0.last != $1.last ? $0.last > $1.last : $0.id > $1.id }.map(report)
    }

    /// One, by its id or one of its other names.
    package func report(_ id: IncidentID) -> IncidentReport? { grouper.incident(id).map(report) }

    private func report(_ incident: Incident) -> IncidentReport {
        let entry = entries[incident.id], app = app(of: incident)
        var lines: [IncidentReport.Line] = []
        var seen: Set<ReasonCode> = []
        for sample in incident.samples where seen.insert(sample.reason).inserted {
            let call = sample.errorNumber > 0 ? ", errno \(sample.errorNumber)" : ""
            let place = "at \(sample.peer?.text ?? incident.upstream), while \(sample.phase.name)\(call)"
            let request = sample.requestID.map { " (request \($0))" } ?? ""
            let facts = AttemptReport(sample).facts.map { "; \($0)" } ?? ""
            let text = "first \(sample.reason.name) \(place): \(sample.action.name)\(request)\(facts)"
            lines.append(.init(time: sample.time, text: text, source: "attempt records"))
        }
        if let app, let history = apps[app] {
            for event in history.events
            where event.time >= incident.first.advanced(byMilliseconds: -60_000)
                && event.time <= incident.last.advanced(byMilliseconds: 65_000)
            {
                // An OOM kill and the end that it was are one line of the supervisor.
                if lines.last?.text == event.line, lines.last?.time == event.time { continue }
                lines.append(.init(time: event.time, text: SecretMask.mask(event.line), source: event.source))
            }
        }
        for line in entry?.investigation.verdict?.evidence ?? [] {
            guard let time = line.time, line.source != "attempt records", line.source != AppHistory.source else { continue }
            lines.append(.init(time: time, text: line.text, source: line.source))
        }
        for version in entry?.versions ?? [] { lines.append(.init(time: version.time, text: version.text, source: "goodgate")) }
        let ends = app.flatMap { apps[$0] }?.ends(around: incident, count: IncidentReport.endsMax) ?? []
        if incident.attempts > 1 { lines.append(.init(time: incident.last, text: "last failed attempt", source: "attempt records")) }
        var report = IncidentReport(
            id: incident.id, aliases: incident.aliases, upstream: incident.upstream, app: app, peer: incident.peer?.text,
            first: incident.first, last: incident.last, isOpen: incident.closed == nil,
            attempts: Dictionary(uniqueKeysWithValues: incident.counts.map { ("\($0.key.name)", $0.value) }),
            requestsFailed: incident.requestsFailed, requestsSaved: incident.requestsSaved,
            requestsPending: incident.requestsPending, verdict: entry?.investigation.verdict, ends: ends.isEmpty ? nil : ends,
            records: IncidentReport.records(incident.samples), timeline: IncidentReport.timeline(lines))
        var continued: Set<IncidentID> = []
        for id in [incident.id] + incident.aliases {
            if let earlier = former[id], continued.insert(earlier.id).inserted { report.continues(earlier) }
        }
        return report
    }
}
