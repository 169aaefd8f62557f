/// Listening sockets of the proxy's network namespace and of others, and who owns them.
package struct ListenerCollector: Collector {
    package init() {}
    /// As `Collector` says.
    package var name: String { "listener tables" }
    package var isVolatile: Bool { true }
    package var isHostWide: Bool { true }

    /// As `Collector` says.
    package func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
    {
        let base = subject.proxyPID.map { "/proc/\($0)/net" } ?? "/proc/net"
        let bootTime = ProcessTable.bootTime(from: system)
        // Who is asked directly tells of its own namespace only, but of listeners alone, with the size of their queues: the tables have all
        // connections, and take the kernel tens of milliseconds on a large host.
        let told = subject.isInOurNetwork(system) ? system.listenQueues() : []
        var own = told.compactMap { queue in queue.address.map { Listener(address: $0, inode: queue.inode) } }
        do {
            for table in own.isEmpty ? ["tcp", "tcp6"] : [] {
                do { own += Self.listening(try system.read("\(base)/\(table)", limit: 64 << 20)) } catch
                    where error.errorNumber == 2 && table == "tcp6"
                {}
            }
        } catch {
            evidence.listeners = .unavailable(why: error.text)
            return
        }
        var unix: [Listener] = []
        if let table = try? system.read("\(base)/unix", limit: 64 << 20) { unix = SocketTable.parseUnix(table) }
        let queues = Dictionary(told.map { ($0.inode, $0) }) { first, _ in first }
        for index in own.indices { own[index].take(queues[own[index].inode]) }
        for index in unix.indices { unix[index].take(queues[unix[index].inode]) }
        let proxyNamespace = evidence.proxy.value?.networkNamespace
        var wanted = Set((own + unix).map(\.inode))
        var foreign: [Listener] = [], addresses: [UInt64: Set<PeerAddress>] = [:], hidden = 0
        let owners = Self.owners(
            &wanted, foreign: &foreign, addresses: &addresses, hidden: &hidden, proxyNamespace: proxyNamespace, bootTime: bootTime, system)
        for index in own.indices { own[index].owner = owners[own[index].inode] }
        for index in unix.indices { unix[index].owner = owners[unix[index].inode] }
        evidence.listeners = .known(own, source: "\(base)/tcp, \(base)/tcp6")
        evidence.unixListeners = .known(unix, source: "\(base)/unix")
        if proxyNamespace != nil {
            evidence.foreignAddresses = addresses
            let why = "no right to read the network namespaces of \(hidden) process\(hidden == 1 ? "" : "es")"
            // What was found is there; that nothing else is, nobody can say then.
            if hidden > 0, !foreign.isEmpty, !evidence.unread.contains(why) { evidence.unread.append(why) }
            evidence.foreignListeners =
                hidden > 0 && foreign.isEmpty
                ? .unavailable(why: why) : .known(foreign, source: "/proc/PID/net/tcp of other namespaces")
        }
    }

    static func listening(_ bytes: [UInt8]) -> [Listener] {
        SocketTable.parseTCP(bytes).filter { $0.state == 10 }.map {
            Listener(address: $0.local, inode: $0.inode, queue: $0.queue)
        }
    }

    /// The local addresses of a process's network namespace, with port 0; nil when they may not be read.
    private static func addresses(of pid: Int32, _ system: some SystemReader) -> Set<PeerAddress>? {
        guard let tree = try? system.text("/proc/\(pid)/net/fib_trie") else { return nil }
        var found: Set<PeerAddress> = [], leaf: Substring = ""
        for line in tree.split(separator: "\n") {
            if let mark = line.firstRange(of: "|-- ") { leaf = line[mark.upperBound...] }
            if line.contains("host LOCAL") { found.insert(PeerAddress(parsing: leaf)) }
        }
        for line in (try? system.text("/proc/\(pid)/net/if_inet6"))?.split(separator: "\n") ?? [] {
            let digits = line.prefix(32)
            if let high = UInt64(digits.prefix(16), radix: 16), let low = UInt64(digits.suffix(16), radix: 16) {
                found.insert(.ipv6(high, low, port: 0))
            }
        }
        return found
    }

    /// Walks all processes once: finds the holders of the wanted inodes, and one table per other network namespace.
    private static func owners(
        _ wanted: inout Set<UInt64>, foreign: inout [Listener], addresses: inout [UInt64: Set<PeerAddress>], hidden: inout Int,
        proxyNamespace: UInt64?, bootTime: Timestamp?, _ system: some SystemReader
    ) -> [UInt64: ProcessFacts] {
        var owners: [UInt64: ProcessFacts] = [:], seenNamespaces: Set<UInt64> = []
        if let proxyNamespace { seenNamespaces.insert(proxyNamespace) }
        guard let pids = try? ProcessTable.pids(from: system) else { return owners }
        for pid in pids.prefix(20_000) {
            var link: String?
            do { if proxyNamespace != nil { link = try system.link("/proc/\(pid)/ns/net") } } catch {
                if error.errorNumber == 13 || error.errorNumber == 1 { hidden += 1 }
            }
            if let namespace = link.flatMap(ProcessTable.namespaceInode), seenNamespaces.insert(namespace).inserted {
                for table in ["tcp", "tcp6"] {
                    guard let bytes = try? system.read("/proc/\(pid)/net/\(table)", limit: 16 << 20) else { continue }
                    for var listener in listening(bytes) {
                        listener.networkNamespace = namespace
                        foreign.append(listener)
                        wanted.insert(listener.inode)
                    }
                }
                addresses[namespace] = self.addresses(of: pid, system)
            }
            guard !wanted.isEmpty, let inodes = try? system.sockets(of: pid) else { continue }
            var facts: ProcessFacts?
            for inode in inodes where wanted.contains(inode) && owners[inode] == nil {
                if facts == nil { facts = ProcessTable.read(pid, from: system, bootTime: bootTime) }
                owners[inode] = facts
            }
        }
        for index in foreign.indices { foreign[index].owner = owners[foreign[index].inode] }
        return owners
    }
}
