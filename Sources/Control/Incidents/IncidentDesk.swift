import Config
import Diagnosis
import Foundation
import Machine
import Messages

/// Drives the incident book: what happens comes in, collectors run on threads of their own, reports go out to the API and the store.
actor IncidentDesk: AttemptSink {
    private var book = IncidentBook()
    /// `incident_log`; nil: memory only.
    private var store: IncidentStore?
    private var channel: SupervisorChannel?
    /// What the workers' pages say, for `verdict_to`.
    private var bulletin = VerdictBulletin()
    /// When the store was last pruned.
    private var prunedAt = ContinuousClock.now
    private var settings: IncidentLogSettings?
    /// Runs while something is planned, or has to be closed or kept.
    private var isTicking = false
    private var lastActivity = ContinuousClock.now

    /// How often the store is written, quiet incidents are closed and due evidence is looked for, and how long after the last news the
    /// desk goes to rest: longer than the quiet period.
    private static let tick = Duration.milliseconds(250)
    private static let restAfter = Duration.seconds(120)
    private static let pruneInterval = Duration.seconds(600)

    private static var now: Timestamp { Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1_000)) }

    func connect(_ channel: SupervisorChannel) { self.channel = channel }

    func configure(_ configuration: Configuration) {
        let limits = configuration.main.apps.compactMap { app in app.memoryMax.map { (app.name, UInt64(clamping: $0)) } }
        book.configure(UpstreamFacts.list(configuration), memoryLimits: Dictionary(limits) { first, _ in first })
        open(configuration.main.incidentLog)
        if bulletin.want(configuration.http?.showsVerdicts ?? false) {
            book.reports.forEach { bulletin.note($0) }
            work()
        }
    }

    func take(_ attempt: Messages.AttemptRecord) {
        guard let record = Diagnosis.AttemptRecord(attempt) else { return }
        inherit(IncidentID(rawValue: attempt.incident))
        book.record(record, id: IncidentID(rawValue: attempt.incident), detail: attempt.detail, now: Self.now)
        work()
    }

    func take(_ tally: FailureTally) {
        for row in tally.attempts {
            guard let sample = Diagnosis.AttemptRecord(row) else { continue }
            inherit(IncidentID(rawValue: row.incident))
            book.count(
                sample, id: IncidentID(rawValue: row.incident), count: Int(row.count), last: Timestamp(milliseconds: row.last),
                now: Self.now)
        }
        for row in tally.requests {
            inherit(IncidentID(rawValue: row.incident))
            book.requests(
                IncidentID(rawValue: row.incident), entered: Int(row.entered), saved: Int(row.saved), failed: Int(row.failed))
        }
        work()
    }

    /// An incident that is new here may have begun before this process did: then the store has what was kept of it.
    private func inherit(_ id: IncidentID) {
        guard let store, !book.knows(id), let earlier = store.report(id) else { return }
        book.inherit(earlier, as: id)
    }

    func take(_ event: AppEvent) {
        let instance = event.hasInstance ? "\(event.slot)#\(event.serial)" : ""
        for life in LifeEvent.list(event) { book.happened(life, app: event.app, instance: instance) }
        if let end = AppEnd(event) { book.ended(end, app: event.app) }
        let time = Timestamp(milliseconds: Int64(clamping: event.time / 1_000_000)), release = Int(event.release)
        switch event.kind {
        case .ready where release > 0: book.serves(AppRelease(number: release, since: time), app: event.app)
        case .rollFailed: book.withdrew(release, app: event.app, at: time)
        default: break
        }
    }

    func take(_ lastLines: AppLines, of app: String) {
        book.wrote(lastLines.lines, app: app, instance: "\(app).\(lastLines.slot)#\(lastLines.serial)")
    }

    // MARK: what a person asks for

    /// Incidents with a failure since a time, the newest first: those of this process, and older ones of the store.
    func reports(since: Timestamp?) -> [IncidentReport] {
        let list = book.reports.filter { report in since.map { report.last >= $0 } ?? true }
        guard let store else { return list }
        let known = Set(list.map(\.id))
        return (list + store.reports(since: since).filter { !known.contains($0.id) })
            .sorted { $0.last != $1.last ? $0.last > $1.last : $0.id > $1.id }
    }

    /// One incident; nil for an id that is not known.
    func report(_ id: IncidentID) -> IncidentReport? { book.report(id) ?? store?.report(id) }

    // MARK: work

    /// Starts what may run now.
    private func work() {
        lastActivity = .now
        while let job = book.nextJob(now: Self.now) {
            // Collectors read files and wait for commands: not on the threads that tasks share.
            Thread.detachNewThread {
                var job = job
                let system = LiveSystem()
                job.observe(worker: ProcessTable.worker(of: getppid(), from: system))
                job.run(on: system)
                let done = job
                Task { await self.finish(done) }
            }
        }
        guard !isTicking else { return }
        isTicking = true
        Task {
            while self.tickOnce() { try? await Task.sleep(for: Self.tick) }
        }
    }

    private func finish(_ job: IncidentBook.Job) {
        book.finish(job, now: Self.now)
        work()
    }

    /// Returns whether to go on.
    private func tickOnce() -> Bool {
        book.advance(to: Self.now)
        let activity = lastActivity
        work()
        lastActivity = activity
        let changed = book.takeChanged()
        store?.keep(changed)
        changed.forEach { bulletin.note($0) }
        for news in bulletin.turn() { channel?.send(.verdict(news)) }
        if let settings, ContinuousClock.now - prunedAt > Self.pruneInterval {
            prunedAt = .now
            store?.prune(retention: settings.retention, bytesMax: settings.sizeMax)
        }
        isTicking = ContinuousClock.now - lastActivity < Self.restAfter || store?.hasBacklog == true
        return isTicking
    }

    /// Uses the store that the configuration names. Without one that works, memory has to do, and the error log says why.
    private func open(_ settings: IncidentLogSettings?) {
        self.settings = settings
        guard let settings else {
            store = nil
            return
        }
        if store?.path == settings.path {
            store?.prune(retention: settings.retention, bytesMax: settings.sizeMax)
            return
        }
        do {
            store = try IncidentStore(path: settings.path, retention: settings.retention, bytesMax: settings.sizeMax)
        } catch {
            store = nil
            channel?.send(
                .failed("incident_log \"\(settings.path)\" cannot be used, incidents are kept in memory only: \(error)"))
        }
    }
}
