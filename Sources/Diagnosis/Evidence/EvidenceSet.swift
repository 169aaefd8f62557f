/// Everything the collectors brought for one incident. Rules read it and nothing else.
package struct EvidenceSet: Sendable {
    /// The proxy's worker: its ids, limits and namespace decide what it may reach.
    package var proxy: Observation<ProcessFacts> = .notCollected
    /// Listening TCP sockets of the proxy's network namespace.
    package var listeners: Observation<[Listener]> = .notCollected
    /// Listening TCP sockets of other network namespaces of this host.
    package var foreignListeners: Observation<[Listener]> = .notCollected
    /// Addresses of other network namespaces, by their inode; a namespace whose addresses could not be read is not in it.
    package var foreignAddresses: [UInt64: Set<PeerAddress>] = [:]
    /// Listening unix sockets.
    package var unixListeners: Observation<[Listener]> = .notCollected
    package var socketPath: Observation<PathFacts> = .notCollected
    package var units: Observation<[UnitState]> = .notCollected
    package var apps: Observation<[ManagedApp]> = .notCollected
    /// Events of the journal, oldest first.
    package var journal: Observation<[LifeEvent]> = .notCollected
    /// Events of logs that process managers write themselves, oldest first.
    package var managerLogs: Observation<[LifeEvent]> = .notCollected
    /// What came before was not read; nil: all of it was, as far as it was asked for.
    package var journalFrom: Timestamp?
    /// Events of the kernel log, oldest first.
    package var kernel: Observation<[LifeEvent]> = .notCollected
    package var memory: Observation<[MemoryFacts]> = .notCollected
    package var host: Observation<HostFacts> = .notCollected
    /// The configured name, resolved now.
    package var name: Observation<NameFacts> = .notCollected
    package var sample: Observation<WireSample> = .notCollected
    package var upstream: Observation<UpstreamFacts> = .notCollected
    /// A connection tried now: nil error means it worked.
    package var probe: Observation<ProbeResult> = .notCollected

    /// The last lines the backend's unit wrote, oldest first.
    package var lastLines: Observation<[String]> = .notCollected

    /// When sockets, processes and counters were looked at: what they show is of then. Nil: not known.
    package var looked: Timestamp?

    /// The app behind the peer, when goodgate runs it: known exactly.
    package var own: AppHistory?

    package init() {}

    /// The name servers that the proxy is configured to ask (`resolver`), and where.
    package var resolvers: [Resolver] = []

    /// One name server of a `resolver` directive.
    package struct Resolver: Sendable, Hashable {
        /// As written.
        package var text: String
        package var place: String
        package init(text: String, place: String) { self.text = text; self.place = place }
    }

    /// Parts of what was looked at that were not read.
    package var unread: [String] = []

    /// Names what could not be looked at.
    package var gaps: [String] {
        unread + [
            proxy.unavailableBecause, listeners.unavailableBecause, foreignListeners.unavailableBecause,
            unixListeners.unavailableBecause,
            socketPath.unavailableBecause, units.unavailableBecause, apps.unavailableBecause,
            journal.unavailableBecause,
            kernel.unavailableBecause, memory.unavailableBecause, host.unavailableBecause, name.unavailableBecause,
            sample.unavailableBecause, upstream.unavailableBecause, probe.unavailableBecause,
        ].compactMap { $0 }
    }

    /// What `gather` found.
    private var gathered: [LifeEvent]?

    /// Events of all logs together, oldest first; ends that only systemd's properties tell are among them.
    package var events: [LifeEvent] { gathered ?? collectedEvents }

    /// Makes `events` cheap: many rules ask for them, and nothing is collected any more.
    mutating func gather() { gathered = collectedEvents }

    /// A manager that runs in the foreground writes into the journal as well. O(log(journal)).
    private func isInJournal(_ event: LifeEvent) -> Bool {
        guard let journal = journal.value else { return false }
        let range = event.time.advanced(byMilliseconds: -2_000)...event.time.advanced(byMilliseconds: 2_000)
        var low = 0, high = journal.count
        while low < high {
            let middle = (low + high) / 2
            if journal[middle].time < range.lowerBound { low = middle + 1 } else { high = middle }
        }
        return journal[low...].prefix { range.contains($0.time) }.contains {
            $0.kind == event.kind && $0.unit == event.unit && $0.member == event.member
        }
    }

    private var collectedEvents: [LifeEvent] {
        let logged = (journal.value ?? []) + (kernel.value ?? []) + (managerLogs.value ?? []).filter { !isInJournal($0) }
        let told = (units.value ?? []).compactMap { unit -> LifeEvent? in
            guard let end = unit.end,
                !logged.contains(where: {
                    $0.kind == end.kind && $0.unit == unit.name && abs($0.time.since(end.time)) < 2_000
                })
            else { return nil }
            return end
        }
        return (logged + told + (own?.events ?? [])).sorted { $0.time < $1.time }
    }
}

/// The outcome of a connection tried now.
package struct ProbeResult: Sendable, Hashable {
    /// `errno`, 110 for no answer in time, 0 when it worked.
    package var errorNumber: Int32
    /// Microseconds until connected.
    package var microseconds: Int
    package init(errorNumber: Int32, microseconds: Int = 0) {
        self.errorNumber = errorNumber; self.microseconds = microseconds
    }
}
