/// What a collection is about.
package struct CollectionSubject: Sendable {
    package var peer: PeerAddress?
    /// The configured name, when the peer came from one.
    package var host: String?
    /// The proxy whose view counts; nil: this process.
    package var proxyPID: Int32?
    /// The time of interest, already widened by what precedes a failure.
    package var since: Timestamp
    package var until: Timestamp
    /// Units to look at besides those found.
    package var units: [String] = []
    /// Counters read before the incident, to build differences.
    package var countersBefore: [String: Int64]?

    package init(peer: PeerAddress?, host: String? = nil, proxyPID: Int32? = nil, since: Timestamp, until: Timestamp) {
        self.peer = peer; self.host = host; self.proxyPID = proxyPID; self.since = since; self.until = until
    }
}

/// Brings one kind of evidence. Reads only; bounded in time; says what it may not read.
package protocol Collector: Sendable {
    /// For the list of what was done, such as "listener tables".
    var name: String { get }
    /// Volatile evidence (sockets, processes, counters) is collected within 50 ms of a failure, durable evidence within 2 s.
    var isVolatile: Bool { get }
    func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
}

/// All collectors, in the order in which they build on each other.
package enum Collectors {
    package static let all: [any Collector] = [
        ProxyCollector(), ListenerCollector(), HostCollector(), SocketPathCollector(), ProbeCollector(),
        UnitCollector(), AppCollector(),
        JournalCollector(), KernelCollector(), MemoryCollector(), NameCollector(), LastLinesCollector(),
    ]

    /// Runs the collectors of one class (nil: all) one after the other.
    package static func collect(
        _ subject: CollectionSubject, from system: some SystemReader, volatile: Bool? = nil,
        into evidence: inout EvidenceSet
    ) {
        for collector in all where volatile == nil || collector.isVolatile == volatile {
            collector.collect(subject, from: system, into: &evidence)
        }
    }
}
