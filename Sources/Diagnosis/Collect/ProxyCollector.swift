/// The proxy's own process: its ids, namespace and limits decide what it can reach.
package struct ProxyCollector: Collector {
    package init() {}
    /// As `Collector` says.
    package var name: String { "the proxy's process" }
    package var isVolatile: Bool { true }
    package var isHostWide: Bool { true }

    /// As `Collector` says.
    package func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
    {
        guard let pid = subject.proxyPID else {
            if let link = try? system.link("/proc/self/ns/net"), let namespace = ProcessTable.namespaceInode(link) {
                evidence.proxy = .known(
                    ProcessFacts(pid: 0, name: "goodgate", networkNamespace: namespace), source: "/proc/self")
            }
            return
        }
        guard var facts = ProcessTable.read(pid, from: system, bootTime: ProcessTable.bootTime(from: system)) else {
            evidence.proxy = .unavailable(why: "/proc/\(pid) is not there")
            return
        }
        ProcessTable.addLimits(&facts, from: system)
        evidence.proxy = .known(facts, source: "/proc/\(pid)")
    }
}
