/// Limits, counters and the host's addresses.
package struct HostCollector: Collector {
    package init() {}
    /// As `Collector` says.
    package var name: String { "limits and counters" }
    package var isVolatile: Bool { true }
    package var isHostWide: Bool { true }

    /// As `Collector` says.
    package func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
    {
        var facts = HostFacts()
        let net = "/proc/sys/net"
        facts.somaxconn = system.number("\(net)/core/somaxconn")
        if let range = try? system.text("\(net)/ipv4/ip_local_port_range") {
            let numbers = range.split(whereSeparator: { $0 == "\t" || $0 == " " || $0 == "\n" }).compactMap { Int($0) }
            if numbers.count == 2 { facts.portRangeLow = numbers[0]; facts.portRangeHigh = numbers[1] }
        }
        facts.conntrackCount = system.number("\(net)/netfilter/nf_conntrack_count")
        facts.conntrackMax = system.number("\(net)/netfilter/nf_conntrack_max")
        if let numbers = (try? system.text("/proc/sys/fs/file-nr"))?.split(whereSeparator: { $0 == "\t" || $0 == "\n" })
            .compactMap({ Int($0) }), numbers.count == 3
        {
            facts.filesOpen = numbers[0]
            facts.filesMax = numbers[2]
        }
        facts.bindV6Only = system.number("\(net)/ipv6/bindv6only").map { $0 == 1 }
        facts.selinuxEnforcing = system.number("/sys/fs/selinux/enforce").map { $0 == 1 }
        facts.addresses = system.interfaceAddresses()
        facts.networkNamespace = (try? system.link("/proc/self/ns/net")).flatMap(ProcessTable.namespaceInode)
        for resource in ["cpu", "memory", "io"] {
            if let text = try? system.read("/proc/pressure/\(resource)", limit: 512),
                let value = LineText(text[...]).after("some avg10=")?.word.string
            {
                facts.pressure[resource] = Double(value)
            }
        }
        let base = Self.base(subject)
        if let before = subject.countersBefore { facts.counterDeltas = Self.difference(before, Self.counters(system, of: subject)) }
        evidence.host = .known(facts, source: "/proc/sys, \(base)")
    }

    /// Where the tables of the proxy's network namespace are.
    fileprivate static func base(_ subject: CollectionSubject) -> String { subject.proxyPID.map { "/proc/\($0)/net" } ?? "/proc/net" }

    /// Counters of `netstat` and `snmp`, by their own names.
    package static func counters(_ system: some SystemReader, of subject: CollectionSubject) -> [String: Int64] {
        let base = base(subject)
        var found: [String: Int64] = [:]
        for file in ["netstat", "snmp"] {
            guard let bytes = try? system.read("\(base)/\(file)", limit: 1 << 18) else { continue }
            parseCounters(bytes, into: &found)
        }
        return found
    }

    /// Pairs of lines: names, then numbers, both beginning with the group's name.
    static func parseCounters(_ bytes: [UInt8], into found: inout [String: Int64]) {
        var names: [LineText] = []
        for line in bytes.split(separator: 10) {
            let fields = LineText(line).fields(512)
            if names.first?.string == fields.first?.string, names.count == fields.count {
                for (name, value) in zip(names, fields).dropFirst() {
                    if let number = value.number { found[name.string] = Int64(number) }
                }
                names = []
            } else {
                names = fields
            }
        }
    }

    static func difference(_ before: [String: Int64], _ after: [String: Int64]) -> [String: Int64] {
        var out: [String: Int64] = [:]
        for (name, value) in after {
            guard let old = before[name], value > old else { continue }
            out[name] = value - old
        }
        return out
    }
}

/// Sockets to the peer, and the way to it. Not part of the host's facts: those are collected once for all peers.
package struct PeerCollector: Collector {
    package init() {}
    /// As `Collector` says.
    package var name: String { "sockets and route to the peer" }
    package var isVolatile: Bool { true }

    /// As `Collector` says.
    package func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
    {
        guard let peer = subject.peer, peer.isIP, case .known(var facts, let source) = evidence.host else { return }
        let base = HostCollector.base(subject)
        if subject.countsConnections { Self.countConnections(to: peer, base: base, system, into: &facts) }
        if !peer.isLoopback { Self.seeNeighbour(peer, base: base, system, into: &facts) }
        if !peer.isLoopback, subject.isInOurNetwork(system) { facts.hasRoute = system.hasRoute(to: peer) }
        evidence.host = .known(facts, source: source)
    }

    private static let stateNames = [
        1: "ESTABLISHED", 2: "SYN_SENT", 4: "FIN_WAIT1", 5: "FIN_WAIT2", 6: "TIME_WAIT", 8: "CLOSE_WAIT",
    ]

    private static func countConnections(
        to peer: PeerAddress, base: String, _ system: some SystemReader, into facts: inout HostFacts
    ) {
        guard let table = try? system.read("\(base)/\(peer.isIPv6 ? "tcp6" : "tcp")", limit: 64 << 20) else { return }
        for row in SocketTable.parseTCP(table) where row.remote == peer {
            facts.socketsToPeer[stateNames[row.state] ?? "other", default: 0] += 1
        }
    }

    private static func seeNeighbour(_ peer: PeerAddress, base: String, _ system: some SystemReader, into facts: inout HostFacts) {
        if let arp = try? system.text("\(base)/arp") {
            for line in arp.split(separator: "\n") {
                let fields = line.split(separator: " ")
                if fields.count > 2, fields[0] == peer.hostText {
                    facts.neighbour = fields[2] == "0x0" ? "FAILED" : "REACHABLE"
                }
            }
        }
    }
}
