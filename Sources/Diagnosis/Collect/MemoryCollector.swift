/// Memory accounting of the backend's cgroup, version 2 or 1.
package struct MemoryCollector: Collector {
    package init() {}
    /// As `Collector` says.
    package var name: String { "cgroup memory" }
    package var isVolatile: Bool { true }

    /// As `Collector` says.
    package func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
    {
        var found: [MemoryFacts] = [], refused: SystemError?
        var groups = evidence.backends(of: subject.peer).map(\.unit.controlGroup)
        if let peer = subject.peer { groups += evidence.listeners(for: peer).compactMap { $0.owner?.cgroup } }
        for group in groups where !group.isEmpty && group != "/" && !found.contains(where: { $0.cgroup == group }) {
            do { if let facts = try Self.read(group, from: system) { found.append(facts) } } catch { refused = error }
        }
        if let refused, found.isEmpty {
            evidence.memory = .unavailable(why: refused.text)
        } else if !found.isEmpty {
            evidence.memory = .known(found, source: "/sys/fs/cgroup\(found[0].cgroup)")
        }
    }

    /// nil when the group is gone, which is the rule for a unit that is down.
    package static func read(_ group: String, from system: some SystemReader) throws(SystemError) -> MemoryFacts? {
        let v2 = "/sys/fs/cgroup\(group)", v1 = "/sys/fs/cgroup/memory\(group)"
        do {
            var facts = MemoryFacts(
                cgroup: group, oomKills: value("oom_kill", in: try system.text(v2 + "/memory.events")) ?? 0)
            facts.limit = system.number(v2 + "/memory.max").map { UInt64($0) }
            facts.peak = system.number(v2 + "/memory.peak").map { UInt64($0) }
            facts.current = system.number(v2 + "/memory.current").map { UInt64($0) }
            facts.cpuThrottled = (try? system.text(v2 + "/cpu.stat")).flatMap { value("nr_throttled", in: $0) }
            return facts
        } catch  where error.errorNumber != 2 { throw error } catch {}
        do {
            var facts = MemoryFacts(
                cgroup: group, oomKills: value("oom_kill", in: try system.text(v1 + "/memory.oom_control")) ?? 0)
            if let limit = system.number(v1 + "/memory.limit_in_bytes"), limit < 1 << 60 { facts.limit = UInt64(limit) }
            facts.peak = system.number(v1 + "/memory.max_usage_in_bytes").map { UInt64($0) }
            facts.current = system.number(v1 + "/memory.usage_in_bytes").map { UInt64($0) }
            return facts
        } catch  where error.errorNumber != 2 { throw error } catch {}
        return nil
    }

    /// `name value` lines.
    static func value(_ name: String, in text: String) -> Int? {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count == 2, parts[0] == name { return Int(parts[1]) }
        }
        return nil
    }
}
