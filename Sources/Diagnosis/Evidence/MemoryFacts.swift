/// Memory accounting of one cgroup, version 1 or 2.
package struct MemoryFacts: Sendable, Hashable {
    /// Path of the group below the hierarchy's root.
    package var cgroup: String
    /// OOM kills so far.
    package var oomKills: Int
    /// Bytes; nil: no limit, or not told.
    package var limit: UInt64?
    package var peak: UInt64?
    package var current: UInt64?
    /// Times tasks of the group were throttled by their CPU quota.
    package var cpuThrottled: Int?

    package init(cgroup: String, oomKills: Int, limit: UInt64? = nil, peak: UInt64? = nil) {
        self.cgroup = cgroup; self.oomKills = oomKills; self.limit = limit;
        self.peak = peak
    }
}
