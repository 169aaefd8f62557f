package import Machine

/// Says when evidence for which incident is due. A pure machine: incidents and times in, work out; at a bounded rate.
///
/// ```
///   opened ──▶ volatile (at once) ──▶ durable (`durableDelay` later) ──▶ done ──┬─▶ (attempts grew tenfold) ──▶ volatile …
///                                                                              └─▶ closed ──▶ final ──▶ forgotten
/// ```
/// Volatile evidence (sockets, processes, counters) is gone in an instant, so it comes first; the journal needs a moment to be written.
package struct InvestigationPlan: Sendable {
    /// What to collect.
    package enum Step: String, Sendable, Hashable, Codable {
        case volatile, durable, final
    }
    /// One piece of work.
    package struct Work: Sendable, Hashable {
        /// For which incident, and which kind.
        package var incident: IncidentID
        package var step: Step
        package init(incident: IncidentID, step: Step) { self.incident = incident; self.step = step }
    }

    private enum State: Sendable {
        case volatileDue(since: Timestamp)
        case durableDue(at: Timestamp)
        case done
        case finalDue
    }
    private struct Entry: Sendable {
        var state: State
        /// Attempts at the last look; ten times as many are worth another.
        var attemptsSeen: Int
    }

    /// Milliseconds between the volatile and the durable collection.
    package let durableDelay: Int64
    /// Incidents known at most; the newest are kept.
    package let incidentsMax: Int
    private var entries: [IncidentID: Entry] = [:]
    private var budget: SecondBudget

    /// - Parameter rateMax: collections per second at most; the rest waits.
    package init(durableDelay: Int64 = 1_000, rateMax: Int = 10, incidentsMax: Int = 256) {
        self.durableDelay = durableDelay
        budget = SecondBudget(max: rateMax)
        self.incidentsMax = incidentsMax
    }

    /// An incident was opened or has grown to so many attempts. O(1) but for a full table.
    package mutating func update(_ incident: IncidentID, attempts: Int, now: Timestamp) {
        guard let entry = entries[incident] else {
            if entries.count >= incidentsMax, let oldest = entries.keys.min() { entries[oldest] = nil }
            entries[incident] = Entry(state: .volatileDue(since: now), attemptsSeen: max(attempts, 1))
            return
        }
        guard case .done = entry.state, attempts >= entry.attemptsSeen.multipliedReportingOverflow(by: 10).partialValue
        else { return }
        entries[incident] = Entry(state: .volatileDue(since: now), attemptsSeen: attempts)
    }

    /// Whether anything may still be collected for it.
    package func isPlanned(_ incident: IncidentID) -> Bool { entries[incident] != nil }

    /// An incident is over: one last look, at what the journal says by now.
    package mutating func close(_ incident: IncidentID) {
        if entries[incident] != nil { entries[incident]?.state = .finalDue }
    }

    /// An incident is part of another one now.
    package mutating func forget(_ incident: IncidentID) { entries[incident] = nil }

    /// The next piece of work, volatile before durable before final, the oldest first; nil when nothing is due or the rate is used up.
    ///
    /// - Parameter mayRun: whether the driver can do a piece now; what it cannot stays due.
    package mutating func next(now: Timestamp, where mayRun: (Work) -> Bool = { _ in true }) -> Work? {
        guard let (incident, step) = due(now, mayRun), budget.take(now: now.milliseconds) else { return nil }
        switch step {
        case .volatile: entries[incident]?.state = .durableDue(at: now.advanced(byMilliseconds: durableDelay))
        case .durable: entries[incident]?.state = .done
        case .final: entries[incident] = nil
        }
        return Work(incident: incident, step: step)
    }

    /// Milliseconds until something is due; nil when nothing is planned.
    package func delay(now: Timestamp) -> Int64? {
        entries.values.compactMap { entry -> Int64? in
            switch entry.state {
            case .volatileDue, .finalDue: 0
            case .durableDue(let at): max(at.since(now), 0)
            case .done: nil
            }
        }.min()
    }

    private func due(_ now: Timestamp, _ mayRun: (Work) -> Bool) -> (IncidentID, Step)? {
        var best: (id: IncidentID, step: Step, rank: Int)?
        for (id, entry) in entries {
            let step: Step, rank: Int
            switch entry.state {
            case .volatileDue: (step, rank) = (.volatile, 0)
            case .durableDue(let at) where at <= now: (step, rank) = (.durable, 1)
            case .finalDue: (step, rank) = (.final, 2)
            default: continue
            }
            if let found = best, (found.rank, found.id) <= (rank, id) { continue }
            guard mayRun(Work(incident: id, step: step)) else { continue }
            best = (id, step, rank)
        }
        return best.map { ($0.id, $0.step) }
    }
}
