import Board
import Loop
import Machine
import Messages

/// What a worker needs to tell of failed attempts.
struct FailureReporter {
    /// Whether error lines end with reason and incident (`error_log_verdict`).
    let appendsVerdict: Bool
    /// Whether built-in pages name the incident: not when started as `nginx`, whose pages scripts know.
    let showsIncident: Bool
    /// What the control process found out about open incidents, if some location has `verdict_to`.
    var verdicts = VerdictTable()
    var ledger = FailureLedger()
    var local = LocalIncidents()
    /// Runs while the ledger has something to tell.
    var timer = TimerID.none
    var isTimerSet = false

    init(appendsVerdict: Bool, showsIncident: Bool) {
        self.appendsVerdict = appendsVerdict
        self.showsIncident = showsIncident
    }
}

extension Ref where Value == Worker {
    /// Milliseconds for which counts are collected before they are sent.
    private var tallyDelay: UInt64 { 100 }

    /// An id for an incident that opens now. 0 is never one.
    func proposeIncident() -> UInt64 {
        let number = value.board.map { $0.view.nextIncidentNumber() } ?? value.random.next()
        return IncidentID(seconds: value.loop.wallClock / 1000, salt: UInt16(truncatingIfNeeded: number)).rawValue
    }

    /// Sends a record of its own; counts it if the channel is full.
    func tell(_ record: @autoclosure () -> AttemptRecord, _ mark: FailureMark, names: () -> (upstream: String, peer: String)) {
        if mark.isRecorded, send(.attempt(record())) { return }
        if mark.isRecorded { value.board?.add(.recordsDropped) }
        let isCounted = value.failures.ledger.add(
            mark.incident, mark.reason, mark.phase, time: value.loop.wallClock, names: names)
        if !isCounted, !mark.isRecorded { value.board?.add(.recordsDropped) }
        setTallyTimer()
    }

    /// A request came into an incident, by a failed attempt or by waiting for the peer.
    func enterIncident(_ incident: IncidentID) {
        if !value.failures.ledger.enter(incident) { value.board?.add(.recordsDropped) }
        setTallyTimer()
    }

    /// A request that came into an incident has ended.
    func endIncident(_ incident: IncidentID, isSaved: Bool) {
        if !value.failures.ledger.end(incident, isSaved: isSaved) { value.board?.add(.recordsDropped) }
        setTallyTimer()
    }

    private func setTallyTimer() {
        guard !value.failures.isTimerSet else { return }
        value.failures.isTimerSet = true
        if value.failures.timer == .none {
            value.failures.timer = value.loop.timers.make(Token(kind: EventKind.worker, slot: 1, generation: 0))
        }
        value.loop.timers.arm(value.failures.timer, at: now + tallyDelay)
    }

    /// Sends what was counted. What the channel does not take stays for the next time.
    func tellFailures() {
        value.failures.isTimerSet = false
        while !value.failures.ledger.isEmpty {
            let attempts = value.failures.ledger.attempts.prefix(FailureTally.rowsMax)
            let requests = value.failures.ledger.requests.prefix(FailureTally.rowsMax)
            let tally = FailureTally(
                attempts: attempts.map {
                    FailureTally.Attempts(
                        incident: $0.incident.rawValue, reason: $0.reason.rawValue, phase: $0.phase.rawValue, count: $0.count,
                        first: $0.first, last: $0.last, upstream: $0.upstream, peer: $0.peer)
                },
                requests: requests.map {
                    FailureTally.Requests(
                        incident: $0.incident.rawValue, entered: $0.entered, saved: $0.saved, failed: $0.failed)
                })
            guard send(.failures(tally)) else { return setTallyTimer() }
            value.failures.ledger.remove(attempts: attempts.count, requests: requests.count)
        }
    }

    private func send(_ report: WorkerReport) -> Bool { Channel.send(MessageLimits.channelDescriptor, report) }
}
