package import Machine

/// Groups failed attempts into incidents. A pure machine: records and times in, incidents out; bounded memory; exact counts.
///
/// ```
///             first record of a key                    no record for `quietPeriod`
///   (nothing) ─────────────────────▶ open ──────────────────────────────▶ closed (kept: closedMax newest)
///                                     │ ▲
///                                     └─┘ further records: counted; the first and the newest are kept as samples
/// ```
/// A key is upstream, peer and the family of the reason: what a dead process causes (refused, reset, early end, missing socket) is one
/// family, because a crash shows as several of them. `pool.empty` has no peer and joins the upstream's open incident that caused it.
package struct IncidentGrouper: Sendable {
    /// Bounds of time and memory.
    package struct Limits: Sendable {
        /// Milliseconds without a failure after which an incident is over.
        package var quietPeriod: Int64 = 60_000
        package var openMax = 256
        package var closedMax = 1_024
        package var samplesMax = 24
        package init() {}
    }

    private struct Key: Hashable {
        var upstream: String
        var peer: PeerAddress?
        var family: Int
        init(upstream: String, peer: PeerAddress?, family: Int) { self.upstream = upstream; self.peer = peer; self.family = family }
        init(_ incident: Incident) { self.init(upstream: incident.upstream, peer: incident.peer, family: incident.family) }
    }

    /// As given to `init`.
    package let limits: Limits
    private var open: [Key: Incident] = [:]
    /// Closed incidents, oldest first.
    package private(set) var closed: [Incident] = []
    /// How many of the newest of them `advance` has not told yet.
    private var closedUntold = 0
    private var salt: UInt16 = 0
    /// Ids and aliases of all incidents that are known: a new one is found without looking at each of them.
    private var taken: Set<IncidentID> = []
    private var formerNames = FormerNames()

    package init(limits: Limits = Limits()) { self.limits = limits }

    /// Open incidents, oldest first.
    package var openIncidents: [Incident] {
        open.values.sorted { $0.first != $1.first ? $0.first < $1.first : $0.id < $1.id }
    }

    /// An incident by its id or one of its aliases. O(incidents).
    package func incident(_ id: IncidentID) -> Incident? {
        if let key = key(of: id) { return open[key] }
        return closedIndex(of: id).map { closed[$0] }
    }

    /// Another name of an incident that is known: it is found by it from now on.
    package mutating func addName(_ name: IncidentID, to id: IncidentID) {
        taken.insert(name)
        taken.subtract(formerNames.add([name], of: id))
    }

    /// Takes one failed attempt.
    /// - Parameters:
    ///   - proposed: the id the worker gave it on the spot; it becomes the incident's own or an alias.
    ///   - host: configured name of the peer.
    ///   - times: attempts that this one stands for, the last of them at `last`.
    /// - Returns: the id it belongs to, and whether it opened an incident. O(1) but for a full table.
    @discardableResult
    package mutating func record(
        _ record: AttemptRecord, proposed: IncidentID? = nil, host: String? = nil, detail: String = "",
        detailNumber: Int? = nil, times: Int = 1, last: Timestamp? = nil
    ) -> (id: IncidentID, isNew: Bool) {
        var key = Key(upstream: record.upstream, peer: record.peer, family: record.reason.family)
        if record.reason == .poolEmpty, let cause = causeOfEmptyPool(record) { key = cause }
        if record.reason == .bodyTruncated, let cause = malformed(key, record) { key = cause }
        if let proposed, let known = self.key(of: proposed), joins(record, known) { key = known }
        expireIfQuiet(key, at: record.time)
        var isNew = false
        let isReopened = open[key] == nil && proposed.map { reopen(key, $0) } ?? false
        if open[key] == nil {
            if open.count >= limits.openMax {
                closeQuiet(at: record.time)
                if open.count >= limits.openMax {
                    // Counted in one incident per upstream, without a peer.
                    key = Key(upstream: record.upstream, peer: nil, family: 255)
                    if open[key] == nil { closeOldest(at: record.time) }
                }
            }
            if open[key] == nil {
                isNew = true
                let id = proposed.flatMap { taken.contains($0) ? nil : $0 } ?? nextID(record.time)
                taken.insert(id)
                open[key] = Incident(
                    id: id, upstream: record.upstream, peer: key.peer, first: record.time, last: record.time, family: key.family)
            }
        }
        if isReopened, open.count > limits.openMax { closeOldest(at: record.time, but: key) }
        let id = add(
            record, to: key, proposed: proposed, host: host, detail: detail, number: detailNumber, times: times)
        if let last, let seen = open[key]?.last, last > seen { open[key]?.last = last }
        return (id, isNew)
    }

    /// Tells how requests fared that came into an incident, open or closed: all numbers are added.
    ///
    /// - Returns: the incident's own id; nil for one that is not known.
    package mutating func requests(_ id: IncidentID, entered: Int, saved: Int, failed: Int) -> IncidentID? {
        func add(_ incident: inout Incident) {
            incident.requestsPending = max(0, incident.requestsPending + entered - saved - failed)
            incident.requestsSaved += saved
            incident.requestsFailed += failed
        }
        if let key = key(of: id), var incident = open[key] {
            add(&incident)
            open[key] = incident
            return incident.id
        }
        guard let index = closedIndex(of: id) else { return nil }
        add(&closed[index])
        return closed[index].id
    }

    /// Puts an open incident together with an earlier one, of which it turned out to be a part: it is an alias from now on.
    package mutating func merge(_ id: IncidentID, into earlier: IncidentID) {
        guard let target = key(of: earlier), let source = key(of: id), source != target, let incident = open.removeValue(forKey: source)
        else { return }
        open[target]?.absorb(incident, samplesMax: limits.samplesMax)
        taken.subtract(formerNames.add(open[target]?.boundAliases() ?? [], of: earlier))
    }

    /// Closes what has been quiet. Returns the incidents that were closed since the last call, by whatever, oldest first.
    package mutating func advance(to now: Timestamp) -> [Incident] {
        closeQuiet(at: now)
        defer { closedUntold = 0 }
        return Array(closed.suffix(closedUntold))
    }

    /// Closes everything, as at the end of reading, and puts together what is one: several logs, read one after the other, tell of one
    /// incident in pieces.
    ///
    /// - Returns: all incidents that are known, by their first failure; the ids of the pieces are aliases.
    package mutating func finish(at now: Timestamp) -> [Incident] {
        for incident in openIncidents { close(incident, at: now) }
        open = [:]
        var out: [Incident] = [], newest: [Key: Int] = [:]
        for incident in closed.sorted(by: { $0.first != $1.first ? $0.first < $1.first : $0.id < $1.id }) {
            if let index = newest[Key(incident)], isNear(out[index], incident.first) {
                out[index].absorb(incident, samplesMax: limits.samplesMax)
            } else {
                newest[Key(incident)] = out.count
                out.append(incident)
            }
        }
        for index in out.indices.reversed() where out[index].peer == nil && out[index].counts.keys.allSatisfy({ $0 == .poolEmpty }) {
            let empty = out[index]
            let cause = out.indices.last {
                out[$0].upstream == empty.upstream && out[$0].peer != nil
                    && (isNear(out[$0], empty.first) || isNear(out[$0], empty.last) || isNear(empty, out[$0].first))
            }
            guard let cause else { continue }
            out[cause].absorb(empty, samplesMax: limits.samplesMax)
            out.remove(at: index)
        }
        closed = out
        return out
    }

    /// Whether a time is within an incident or less than the quiet period away from it, on either side.
    private func isNear(_ incident: Incident, _ time: Timestamp) -> Bool {
        time.since(incident.last) < limits.quietPeriod && incident.first.since(time) < limits.quietPeriod
    }

    private mutating func closeQuiet(at now: Timestamp) {
        let due = open.filter { now.since($0.value.last) >= limits.quietPeriod }
        for (key, incident) in due.sorted(by: { $0.value.last < $1.value.last }) {
            open[key] = nil
            close(incident, at: now)
        }
    }
}

extension IncidentGrouper {
    private mutating func add(
        _ record: AttemptRecord, to key: Key, proposed: IncidentID?, host: String?, detail: String, number: Int?, times: Int
    ) -> IncidentID {
        guard var incident = open.removeValue(forKey: key) else { return proposed ?? nextID(record.time) }
        incident.counts[record.reason, default: 0] += times
        incident.times.add(record.time, count: times)
        incident.first = min(incident.first, record.time)
        incident.last = max(incident.last, record.time)
        if let proposed, proposed != incident.id, !incident.aliases.contains(proposed),
            !open.values.contains(where: { $0.id == proposed }), !closed.contains(where: { $0.id == proposed })
        {
            incident.addAlias(proposed)
            taken.insert(proposed)
            taken.subtract(formerNames.add(incident.boundAliases(), of: incident.id))
        }
        if let peer = record.peer, incident.peer != nil { incident.addSibling(peer) }
        if incident.host == nil { incident.host = host }
        if incident.detail.isEmpty { incident.detail = String(detail.prefix(256)) }
        if incident.detailNumber == nil { incident.detailNumber = number }
        // The first two thirds stay, the rest is a ring of the newest.
        let kept = limits.samplesMax * 2 / 3
        if incident.samples.count < limits.samplesMax {
            incident.samples.append(record)
        } else if limits.samplesMax > kept {
            incident.samples.remove(at: kept)
            incident.samples.append(record)
        }
        open[key] = incident
        noteSibling(record)
        return incident.id
    }

    /// The peers of one upstream that fail in one time know of each other.
    private mutating func noteSibling(_ record: AttemptRecord) {
        guard let peer = record.peer, open.count > 1, open.count <= 64 else { return }
        for key in Array(open.keys) where key.upstream == record.upstream && key.peer != nil && key.peer != peer {
            open[key]?.addSibling(peer)
        }
    }

    /// Whether a record belongs to the open incident that its worker named: where no peer was picked, the worker knows the cause best, and
    /// one incident may be of several instances of an app.
    private func joins(_ record: AttemptRecord, _ key: Key) -> Bool {
        key.upstream == record.upstream && (record.peer == nil || key.peer == nil || record.reason.family == key.family)
    }

    private func causeOfEmptyPool(_ record: AttemptRecord) -> Key? {
        open.filter {
            $0.key.upstream == record.upstream && $0.key.peer != nil && isNear($0.value, record.time)
        }
        .max { $0.value.last != $1.value.last ? $0.value.last < $1.value.last : $0.value.id < $1.value.id }?.key
    }

    /// A connection that is cut after its answer could not be understood belongs to that.
    private func malformed(_ key: Key, _ record: AttemptRecord) -> Key? {
        let cause = Key(upstream: key.upstream, peer: key.peer, family: ReasonCode.responseWrongProtocol.family)
        guard let incident = open[cause], isNear(incident, record.time), record.time.since(incident.last) < 2_000, open[key] == nil
        else { return nil }
        return cause
    }

    /// Also when the time goes back by more than the quiet period, as from the end of one log to the beginning of the next.
    private mutating func expireIfQuiet(_ key: Key, at now: Timestamp) {
        guard let incident = open[key], !isNear(incident, now) else { return }
        open[key] = nil
        close(incident, at: now)
    }

    /// A worker goes on with an incident that is closed here: too many were open, or the clock was set.
    private mutating func reopen(_ key: Key, _ id: IncidentID) -> Bool {
        let found = closed.lastIndex { Key($0) == key && ($0.id == id || $0.aliases.contains(id)) }
        guard let index = found else { return false }
        if index >= closed.count - closedUntold { closedUntold -= 1 }
        var incident = closed.remove(at: index)
        incident.closed = nil
        open[key] = incident
        return true
    }

    private mutating func closeOldest(at now: Timestamp, but kept: Key? = nil) {
        guard
            let oldest = open.lazy.filter({ $0.key != kept }).min(by: {
                $0.value.last != $1.value.last ? $0.value.last < $1.value.last : $0.value.id < $1.value.id
            })
        else { return }
        open[oldest.key] = nil
        close(oldest.value, at: now)
    }

    private mutating func close(_ incident: Incident, at now: Timestamp) {
        var incident = incident
        incident.closed = now
        closed.append(incident)
        closedUntold += 1
        guard closed.count > limits.closedMax else { return }
        for old in closed.prefix(closed.count - limits.closedMax) { taken.subtract([old.id] + old.aliases) }
        closed.removeFirst(closed.count - limits.closedMax)
    }

    /// An id that no known incident has; times may come in any order.
    private mutating func nextID(_ time: Timestamp) -> IncidentID {
        var id = IncidentID(rawValue: 0)
        for tried in 0..<4_096 as Range<Int64> {
            salt &+= 1
            id = IncidentID(seconds: time.seconds + tried / 1_024, salt: salt)
            if !taken.contains(id) { break }
        }
        return id
    }

    private func key(of id: IncidentID) -> Key? {
        func find(_ id: IncidentID) -> Key? { open.first { $0.value.id == id || $0.value.aliases.contains(id) }?.key }
        return find(id) ?? (closedIndex(of: id, hasFormer: false) == nil ? formerNames.owners(of: id).lazy.compactMap(find).first : nil)
    }

    private func closedIndex(of id: IncidentID, hasFormer: Bool = true) -> Int? {
        func find(_ id: IncidentID) -> Int? { closed.lastIndex { $0.id == id || $0.aliases.contains(id) } }
        return find(id) ?? (hasFormer ? formerNames.owners(of: id).lazy.compactMap(find).first : nil)
    }
}
