/// Limits and counters of the host that several rules ask for; nil where the file was not there.
package struct HostFacts: Sendable, Hashable {
    /// Values of `/proc/sys` and of the security modules.
    package var somaxconn: Int?
    package var portRangeLow: Int?
    package var portRangeHigh: Int?
    package var conntrackCount: Int?
    package var conntrackMax: Int?
    package var filesOpen: Int?
    package var filesMax: Int?
    package var bindV6Only: Bool?
    package var selinuxEnforcing: Bool?
    /// Addresses of this host's interfaces, with port 0; empty when not read.
    package var addresses: [PeerAddress] = []
    /// Differences of `/proc/net/netstat` and `/proc/net/snmp` counters over the incident, such as `ListenOverflows`; empty when only one
    /// reading exists.
    package var counterDeltas: [String: Int64] = [:]
    /// The network namespace of who collects: the host's own, as a rule.
    package var networkNamespace: UInt64?
    /// Sockets to the incident's peer by state (`TIME_WAIT`, `ESTABLISHED`, …).
    package var socketsToPeer: [String: Int] = [:]
    /// Whether a route to the peer exists; nil when not asked.
    package var hasRoute: Bool?
    /// State of the peer's neighbour entry: `FAILED`, `REACHABLE`, …; nil when none.
    package var neighbour: String?
    /// Pressure: share of the last 10 s in which some task waited, per resource (`cpu`, `memory`, `io`), in percent.
    package var pressure: [String: Double] = [:]

    package init() {}
}
