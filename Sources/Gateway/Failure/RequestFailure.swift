import Machine

/// What failed attempts left in a request: for its log line, its answer, and the count of requests that were saved.
struct RequestFailure: BitwiseCopyable {
    /// A request counts in as many incidents at most.
    private var ids = InlineArray<4, UInt64>(repeating: 0)
    /// Incidents it counts in; 0: nothing failed.
    private(set) var count = 0
    /// Of the last failed attempt.
    private(set) var incident: IncidentID?
    private(set) var reason = ReasonCode.unknown
    private(set) var phase = AttemptPhase.picking
    private(set) var errno: Int32 = 0
    /// The gateway answers in the upstream's stead.
    var isOurs = false
    /// 502, 503 or 504 if the application itself answered so, else 0.
    var receivedStatus = 0

    /// An attempt failed. Returns whether the request was not known to the incident.
    mutating func enter(
        _ incident: IncidentID, _ reason: ReasonCode, while phase: AttemptPhase = .picking, errno: Int32 = 0
    ) -> Bool {
        self.incident = incident
        self.reason = reason
        self.phase = phase
        self.errno = errno
        for index in 0..<count where ids[index] == incident.rawValue { return false }
        guard count < ids.count else { return false }
        ids[count] = incident.rawValue
        count += 1
        return true
    }

    /// The incident at an index below `count`.
    subscript(index: Int) -> IncidentID { IncidentID(rawValue: ids[index]) }
}
