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
    /// Counters read before the incident, to build differences.
    package var countersBefore: [String: Int64]?
    /// All of the host is of interest, whatever it takes; else what concerns the peer, soon.
    package var isOfHost = false
    /// Connections to the peer are of interest: whether all ports are in use. They are counted among all connections of the host.
    package var countsConnections = true

    /// Milliseconds that a command may take, where it would be given more.
    package var commandsMax = 20_000

    package init(peer: PeerAddress?, host: String? = nil, proxyPID: Int32? = nil, since: Timestamp, until: Timestamp) {
        self.peer = peer; self.host = host; self.proxyPID = proxyPID; self.since = since; self.until = until
    }

    /// Whether what commands tell of the network here is what the proxy sees.
    func isInOurNetwork(_ system: some SystemReader) -> Bool {
        guard let proxyPID else { return true }
        let theirs = try? system.link("/proc/\(proxyPID)/ns/net"), ours = try? system.link("/proc/self/ns/net")
        return theirs != nil && theirs == ours
    }
}

/// Brings one kind of evidence. Reads only; bounded in time; says what it may not read.
package protocol Collector: Sendable {
    /// For the list of what was done, such as "listener tables".
    var name: String { get }
    /// Volatile evidence (sockets, processes, counters) is collected within 50 ms of a failure, so it runs no program and waits for nobody;
    /// durable evidence within 2 s.
    var isVolatile: Bool { get }
    /// Whether it tells what was then, whenever it is asked, as a log does; the others tell what is now.
    var isHistory: Bool { get }
    /// Whether it tells of the host, the same for every peer.
    var isHostWide: Bool { get }
    func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
}

extension Collector {
    /// Most are not.
    package var isHistory: Bool { false }
    /// Some are.
    package var isHostWide: Bool { false }
}

/// All collectors, in the order in which they build on each other.
package enum Collectors {
    package static let all: [any Collector] = [
        ProxyCollector(), ListenerCollector(), HostCollector(), PeerCollector(), SocketPathCollector(), ProbeCollector.quick,
        UnitCollector(), AppCollector(),
        JournalCollector(), ManagerLogCollector(), KernelCollector(), MemoryCollector(), NameCollector(), LastLinesCollector(),
        ProbeCollector.patient,
    ]

    /// Runs the collectors of one step (nil: all) one after the other.
    package static func collect(
        _ subject: CollectionSubject, from system: some SystemReader, step: InvestigationPlan.Step? = nil,
        into evidence: inout EvidenceSet
    ) {
        if step == .volatile || step == nil { evidence.looked = system.now() }
        for collector in all where isPart(collector, of: step) {
            collector.collect(subject, from: system, into: &evidence)
        }
    }

    private static func isPart(_ collector: any Collector, of step: InvestigationPlan.Step?) -> Bool {
        switch step {
        case .volatile: collector.isVolatile
        case .durable: !collector.isVolatile
        // What is now, a minute after the last failure, says nothing of it: what was seen then stays.
        case .final: collector.isHistory
        case nil: true
        }
    }
}
