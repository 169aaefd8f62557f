/// One row of the drill's table: a fault and what became of the requests meanwhile.
struct DrillRow: Codable, Sendable {
    var fault: DrillFault
    var requests = 0
    /// Requests that failed and should not have.
    var failures = 0
    /// How the avoidable failures looked, and how often.
    var failureKinds: [String: Int] = [:]
    /// Requests that failed and that nobody could have saved: POSTs whose head the app had, requests under way in a killed worker.
    var unavoidable: [String] = []
    /// Reused connections that ended before any byte of an answer.
    var idleCloses = 0
    var parked = 0
    var retried = 0
    /// Attempts taken back from the accept queue of an instance that was gone.
    var rescued = 0
    /// POSTs that the app executed more than once, by id.
    var executedTwice: [String] = []
    /// Milliseconds.
    var p50 = 0.0
    var p99 = 0.0
    var slowest = 0.0
    /// Milliseconds from the fault until everything ran as before; nil: it never did.
    var recovery: Double?
    /// What went wrong beside the requests: the fault could not be made, a command said something unexpected.
    var complaint: String?
    /// What else there is to know of this fault here; no failure.
    var note: String?

    var isPassed: Bool { failures == 0 && executedTwice.isEmpty && recovery != nil && complaint == nil }
}

extension DrillRow {
    /// - Parameters:
    ///   - results: of the requests that began in this fault.
    ///   - log: what the gateway wrote of them, by id.
    ///   - executed: how often the app executed a POST, by id.
    ///   - kill: when a process of the gateway itself was killed.
    init(
        _ fault: DrillFault, _ results: [LoadResult], log: [Substring: AccessLine], executed: [Substring: Int],
        kill: ContinuousClock.Instant?, recovery: Duration?
    ) {
        self.fault = fault
        requests = results.count
        self.recovery = recovery.map { $0.milliseconds }
        for result in results {
            let line = log[Substring(result.id)]
            if line?.wasParked == true { parked += 1 }
            if let line, line.attempts > 1 { retried += 1 }
            if result.ending == .idleClosed { idleCloses += 1 }
            if let times = executed[Substring(result.id)], times > 1 { executedTwice.append(result.id) }
            guard result.isFailure else { continue }
            if isUnavoidable(result, line, kill: kill) {
                unavoidable.append(result.id)
            } else {
                failures += 1
                failureKinds["\(result.isPost ? "POST" : "GET") \(result.ending)", default: 0] += 1
            }
        }
        let times = results.filter { !$0.isFailure && $0.ending != .idleClosed }.map { ($0.ended - $0.began).milliseconds }.sorted()
        guard !times.isEmpty else { return }
        p50 = times[times.count / 2]
        p99 = times[min(times.count - 1, times.count * 99 / 100)]
        slowest = times[times.count - 1]
    }

    private func isUnavoidable(_ result: LoadResult, _ line: AccessLine?, kill: ContinuousClock.Instant?) -> Bool {
        if result.isPost, let line, line.bytesSent > 0 { return true }
        guard fault.losesRequestsUnderWay, let kill else { return false }
        // A request that reached the socket of a dying worker is lost with it.
        return line == nil && result.began <= kill + .milliseconds(20) && result.ended >= kill
    }
}

extension Duration {
    var milliseconds: Double { Double(components.seconds) * 1000 + Double(components.attoseconds) / 1e15 }
}
