/// The way to a unix socket, part by part, as the proxy sees it.
package struct SocketPathCollector: Collector {
    package init() {}
    /// As `Collector` says.
    package var name: String { "the socket's path" }
    package var isVolatile: Bool { true }

    /// As `Collector` says.
    package func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
    {
        guard case .unix(let path)? = subject.peer, path.hasPrefix("/") else { return }
        // The proxy's root and mounts, which may not be ours.
        var root = ""
        if let pid = subject.proxyPID, let theirs = try? system.link("/proc/\(pid)/ns/mnt"),
            let ours = try? system.link("/proc/self/ns/mnt"), theirs != ours
        {
            root = "/proc/\(pid)/root"
        }
        var components: [PathFacts.Component] = [], missing: String?, current = ""
        for part in [Substring("")] + path.split(separator: "/") {
            current += part.isEmpty ? "/" : (current.hasSuffix("/") ? "" : "/") + part
            do {
                let status = try system.status(root + current)
                components.append(.init(path: current, mode: status.mode, uid: status.uid, gid: status.gid))
            } catch {
                if error.errorNumber == 2 || error.errorNumber == 20 {
                    missing = current
                } else {
                    evidence.socketPath = .unavailable(why: error.text)
                    return
                }
                break
            }
        }
        var facts = PathFacts(path: path, components: components, missing: missing)
        if missing != nil {
            facts.existsFor = otherNamespace(path, evidence, system)
            if let directory = components.last?.path, let names = try? system.list(root + directory) {
                for name in names.prefix(512) {
                    let candidate = directory == "/" ? "/" + name : directory + "/" + name
                    if let status = try? system.status(root + candidate), status.isSocket {
                        facts.neighbours.append(candidate)
                    }
                }
            }
        }
        evidence.socketPath = .known(facts, source: "ls -la \(path)")
    }

    /// A process with another mount namespace in which a socket has that path: the one that listens there, if it is known.
    private func otherNamespace(_ path: String, _ evidence: EvidenceSet, _ system: some SystemReader) -> ProcessFacts? {
        guard let ours = try? system.link("/proc/self/ns/mnt"), let pids = try? ProcessTable.pids(from: system) else {
            return nil
        }
        func isSocket(for pid: Int32) -> Bool { (try? system.status("/proc/\(pid)/root\(path)")).map(\.isSocket) ?? false }
        for owner in evidence.listeners(for: .unix(path)).compactMap(\.owner) {
            if let theirs = try? system.link("/proc/\(owner.pid)/ns/mnt"), theirs != ours, isSocket(for: owner.pid) { return owner }
        }
        var seen: Set<String> = [ours]
        for pid in pids {
            guard let namespace = try? system.link("/proc/\(pid)/ns/mnt"), seen.insert(namespace).inserted else {
                continue
            }
            if isSocket(for: pid) {
                return ProcessTable.read(pid, from: system, bootTime: ProcessTable.bootTime(from: system))
            }
        }
        return nil
    }
}
