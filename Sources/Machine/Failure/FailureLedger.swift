/// What a worker has still to tell of its failures: a bounded number of full records per second, and counts for all that is over it.
///
/// A storm makes thousands of failed attempts per second. The first ones of each incident and reason get a record each; the others are
/// counted by incident, reason and phase until the driver sends the counts. What cannot be sent stays and grows, so no count is lost while
/// the table has room.
package struct FailureLedger: Sendable {
    /// Failed attempts that got no record of their own.
    package struct Attempts: Sendable, Equatable {
        /// What makes a row.
        package var incident: IncidentID
        package var reason: ReasonCode
        package var phase: AttemptPhase
        /// Name of the group.
        package var upstream: String
        /// Address as text; empty when no peer was picked.
        package var peer: String
        /// How many.
        package var count: UInt32
        /// Wall clock in milliseconds since 1970.
        package var first: Int64
        package var last: Int64
    }

    /// Requests whose attempts failed: how many came into an incident, and how those that have ended ended.
    package struct Requests: Sendable, Equatable {
        /// The incident they came into.
        package var incident: IncidentID
        /// How many came, were served all the same, and failed.
        package var entered: UInt32 = 0
        package var saved: UInt32 = 0
        package var failed: UInt32 = 0
    }

    /// Rows of each table.
    package let rowsMax: Int
    package private(set) var attempts: [Attempts] = []
    package private(set) var requests: [Requests] = []
    private var records: SecondBudget
    private let likeMax: Int
    /// Records of the second `told`, by incident and reason; as many rows at most as there are records in a second.
    private var like: [(incident: IncidentID, reason: ReasonCode, count: Int)] = []
    private var told: Milliseconds = 0

    /// - Parameters:
    ///   - recordsMax: full records per second.
    ///   - likeMax: those of one incident and reason. They come at the beginning of the second, all at once, and who judges them keeps a
    ///     few: with 100 of them, requests that failed nowhere waited for that work.
    package init(recordsMax: Int = 100, likeMax: Int = 10, rowsMax: Int = 256) {
        records = SecondBudget(max: recordsMax)
        self.likeMax = likeMax
        self.rowsMax = rowsMax
    }

    /// Nothing is left to be told.
    package var isEmpty: Bool { attempts.isEmpty && requests.isEmpty }

    /// Whether a failed attempt may have a record of its own now. O(records of this second), which in a storm are those of few incidents.
    package mutating func takeRecord(_ incident: IncidentID, _ reason: ReasonCode, now: Milliseconds) -> Bool {
        if now / 1_000 != told {
            told = now / 1_000
            like.removeAll(keepingCapacity: true)
        }
        guard let row = like.lastIndex(where: { $0.incident == incident && $0.reason == reason }) else {
            guard records.take(now: now) else { return false }
            like.append((incident, reason, 1))
            return true
        }
        guard like[row].count < likeMax, records.take(now: now) else { return false }
        like[row].count += 1
        return true
    }

    /// Counts a failed attempt without a record.
    ///
    /// - Parameter names: of upstream and peer; asked for only when the row is new.
    /// - Returns: false when the table is full: the count is lost. O(rows).
    package mutating func add(
        _ incident: IncidentID, _ reason: ReasonCode, _ phase: AttemptPhase, time: Int64,
        names: () -> (upstream: String, peer: String)
    ) -> Bool {
        // In a storm most are like the last one.
        let found = attempts.lastIndex { $0.incident == incident && $0.reason == reason && $0.phase == phase }
        if let found {
            attempts[found].count &+= 1
            attempts[found].last = max(attempts[found].last, time)
            return true
        }
        guard attempts.count < rowsMax else { return false }
        let names = names()
        attempts.append(
            Attempts(
                incident: incident, reason: reason, phase: phase, upstream: names.upstream, peer: names.peer, count: 1,
                first: time, last: time))
        return true
    }

    /// A request comes into an incident by its first failed attempt there. False: the table is full.
    package mutating func enter(_ incident: IncidentID) -> Bool { change(incident) { $0.entered &+= 1 } }

    /// A request that came into an incident has ended. False: the table is full.
    package mutating func end(_ incident: IncidentID, isSaved: Bool) -> Bool {
        change(incident) { if isSaved { $0.saved &+= 1 } else { $0.failed &+= 1 } }
    }

    /// The first rows of each table were told.
    package mutating func remove(attempts: Int, requests: Int) {
        self.attempts.removeFirst(min(attempts, self.attempts.count))
        self.requests.removeFirst(min(requests, self.requests.count))
    }

    private mutating func change(_ incident: IncidentID, _ body: (inout Requests) -> Void) -> Bool {
        if let found = requests.lastIndex(where: { $0.incident == incident }) {
            body(&requests[found])
            return true
        }
        guard requests.count < rowsMax else { return false }
        var row = Requests(incident: incident)
        body(&row)
        requests.append(row)
        return true
    }
}
