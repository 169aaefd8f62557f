import Wire

/// Answers by name, each until its time is over, with a limit on their number.
struct NameCache {
    private var entries: [DNSName: (outcome: ResolverOutcome, validUntil: Milliseconds)] = [:]
    /// Most names held, >= 1.
    let capacity: Int

    init(capacity: Int) { self.capacity = max(1, capacity) }

    var count: Int { entries.count }

    /// What is known of a name now. O(1).
    func find(_ name: DNSName, now: Milliseconds) -> ResolverOutcome? {
        guard let entry = entries[name], entry.validUntil > now else { return nil }
        return entry.outcome
    }

    /// Keeps an answer. O(1); O(names) when there is no room: what is over goes, or else the one that would have gone
    /// first.
    mutating func keep(_ name: DNSName, _ outcome: ResolverOutcome, until validUntil: Milliseconds, now: Milliseconds) {
        guard validUntil > now else {
            entries[name] = nil
            return
        }
        if entries.count >= capacity, entries[name] == nil {
            entries = entries.filter { $0.value.validUntil > now }
            while entries.count >= capacity, let first = entries.min(by: { $0.value.validUntil < $1.value.validUntil })
            {
                entries[first.key] = nil
            }
        }
        entries[name] = (outcome, validUntil)
    }
}
