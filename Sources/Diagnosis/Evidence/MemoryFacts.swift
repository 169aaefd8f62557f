/// Memory accounting of one cgroup, version 1 or 2.
package struct MemoryFacts: Sendable, Hashable {
    /// Path of the group below the hierarchy's root.
    package var cgroup: String
    /// OOM kills so far, and since the last reading when there was one.
    package var oomKills: Int
    package var oomKillsDelta: Int?
    /// Bytes; nil: no limit, or not told.
    package var limit: UInt64?
    package var peak: UInt64?
    package var current: UInt64?
    /// Times tasks of the group were throttled by their CPU quota.
    package var cpuThrottled: Int?

    package init(cgroup: String, oomKills: Int, oomKillsDelta: Int? = nil, limit: UInt64? = nil, peak: UInt64? = nil) {
        self.cgroup = cgroup; self.oomKills = oomKills; self.oomKillsDelta = oomKillsDelta; self.limit = limit;
        self.peak = peak
    }
}
