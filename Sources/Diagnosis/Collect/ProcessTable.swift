/// Reads `/proc/PID`.
package enum ProcessTable {
    /// The facts of one process; nil when it is gone or may not be read at all.
    package static func read(_ pid: Int32, from system: some SystemReader, bootTime: Timestamp?) -> ProcessFacts? {
        let base = "/proc/\(pid)"
        guard let stat = try? system.read(base + "/stat", limit: 4_096),
            var facts = parseStat(stat, pid: pid, bootTime: bootTime)
        else { return nil }
        if let command = try? system.read(base + "/cmdline", limit: 4_096) {
            facts.commandLine = String(decoding: command.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
            while facts.commandLine.hasSuffix(" ") { facts.commandLine.removeLast() }
        }
        if let groups = try? system.text(base + "/cgroup") {
            facts.cgroup = memoryCgroup(groups)
            facts.unit = unitCgroup(groups).flatMap(unit(ofCgroup:))
        }
        if let status = try? system.text(base + "/status") { parseStatus(status, into: &facts) }
        if let namespace = try? system.link(base + "/ns/net") { facts.networkNamespace = namespaceInode(namespace) }
        return facts
    }

    /// The effective user of a process, or of `self`.
    package static func user(_ pid: String, from system: some SystemReader) -> UInt32? {
        guard let status = try? system.text("/proc/\(pid)/status") else { return nil }
        var facts = ProcessFacts(pid: 0, name: "")
        parseStatus(status, into: &facts)
        return facts.uid
    }

    /// The real, effective, saved and file system user of a process; empty when it is gone.
    static func users(_ pid: String, from system: some SystemReader) -> [UInt32] {
        guard let status = try? system.text("/proc/\(pid)/status"),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Uid:") })
        else { return [] }
        return line.split(separator: "\t").dropFirst().compactMap { UInt32($0) }
    }

    /// Descriptors and limits: dearer, so on request only.
    package static func addLimits(_ facts: inout ProcessFacts, from system: some SystemReader) {
        let base = "/proc/\(facts.pid)"
        facts.openFiles = (try? system.list(base + "/fd"))?.count
        if let limits = try? system.text(base + "/limits") {
            for line in limits.split(separator: "\n") where line.hasPrefix("Max open files") {
                let fields = line.dropFirst(14).split(separator: " ")
                facts.openFilesMax = fields.first.flatMap { Int($0) }
            }
        }
        if let label = try? system.text(base + "/attr/current") {
            let text = String(label.prefix { $0 != "\0" && $0 != "\n" })
            facts.label = text.isEmpty || text == "unconfined" ? nil : text
        }
        guard let tasks = try? system.list(base + "/task") else { return }
        facts.threads = tasks.count
        for task in tasks.prefix(256) {
            guard let stat = try? system.read("\(base)/task/\(task)/stat", limit: 1_024), let state = state(stat) else {
                continue
            }
            if state == 68 { facts.threadsBlocked += 1 }  // D
        }
    }

    /// `/proc/stat`'s boot time.
    package static func bootTime(from system: some SystemReader) -> Timestamp? {
        guard let text = try? system.read("/proc/stat", limit: 1 << 20) else { return nil }
        return LineText(text[...]).after("btime ")?.number.map { Timestamp(seconds: Int64($0)) }
    }

    /// Process ids, ascending.
    package static func pids(from system: some SystemReader) throws(SystemError) -> [Int32] {
        try system.list("/proc").compactMap { Int32($0) }.sorted()
    }

    /// The youngest worker of a supervisor that does not drain; nil when none is seen.
    package static func worker(of supervisor: Int32, from system: some SystemReader) -> Int32? {
        guard let pids = try? pids(from: system) else { return nil }
        return pids.last { pid in
            // The parent first: the command line of a process that is stuck in the kernel may hold its reader as well.
            guard let stat = try? system.read("/proc/\(pid)/stat", limit: 4_096),
                parseStat(stat, pid: pid, bootTime: nil)?.parent == supervisor,
                let raw = try? system.read("/proc/\(pid)/cmdline", limit: 256)
            else { return false }
            let command = LineText(raw[...])
            return command.contains(": worker process") && !command.contains("shutting down")
        }
    }

    static func parseStat(_ bytes: [UInt8], pid: Int32, bootTime: Timestamp?) -> ProcessFacts? {
        // The name may hold spaces and brackets: it ends at the last ")".
        guard let open = bytes.firstIndex(of: 40), let close = bytes.lastIndex(of: 41), open < close else { return nil }
        let name = String(decoding: bytes[(open + 1)..<close], as: UTF8.self)
        let fields = LineText(bytes[(close + 1)...]).fields()
        guard fields.count > 19, let parent = fields[1].number, let ticks = fields[19].number else { return nil }
        // Clock ticks of /proc are 1/100 s on every Linux architecture.
        let started = bootTime.map { $0.advanced(byMilliseconds: Int64(ticks) * 10) }
        return ProcessFacts(pid: pid, name: name, parent: Int32(truncatingIfNeeded: parent), started: started)
    }

    private static func state(_ bytes: [UInt8]) -> UInt8? {
        guard let close = bytes.lastIndex(of: 41) else { return nil }
        return bytes[(close + 1)...].first { $0 != 32 }
    }

    private static func parseStatus(_ text: String, into facts: inout ProcessFacts) {
        for line in text.split(separator: "\n") {
            if line.hasPrefix("Uid:") {
                facts.uid = line.split(separator: "\t").dropFirst(2).first.flatMap { UInt32($0) }
            } else if line.hasPrefix("Gid:") {
                if let gid = line.split(separator: "\t").dropFirst(2).first.flatMap({ UInt32($0) }) {
                    facts.groups.insert(gid, at: 0)
                }
            } else if line.hasPrefix("Groups:") {
                facts.groups += line.dropFirst(7).split(whereSeparator: { $0 == " " || $0 == "\t" }).compactMap {
                    UInt32($0)
                }
            }
        }
    }

    /// The path that memory accounting uses: version 2's, or version 1's memory line.
    static func memoryCgroup(_ text: String) -> String? {
        path(in: text, wanting: { $0 == "memory" }) ?? path(in: text, wanting: { _ in false })
    }

    /// The path systemd manages: `name=systemd`, or version 2's.
    static func unitCgroup(_ text: String) -> String? {
        path(in: text, wanting: { $0 == "name=systemd" }) ?? path(in: text, wanting: { _ in false })
    }

    private static func path(in text: String, wanting: (Substring) -> Bool) -> String? {
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            if parts[1].split(separator: ",").contains(where: wanting) { return String(parts[2]) }
            if parts[0] == "0", parts[1].isEmpty, !wanting("memory"), !wanting("name=systemd") {
                return String(parts[2])
            }
        }
        return nil
    }

    /// The unit in a cgroup path: its last component with a unit's ending.
    package static func unit(ofCgroup path: String) -> String? {
        path.split(separator: "/").last { $0.hasSuffix(".service") || $0.hasSuffix(".scope") }.map(String.init)
    }

    /// `net:[4026531840]`.
    static func namespaceInode(_ text: String) -> UInt64? {
        LineText(text).after("[")?.number.map { UInt64($0) }
    }
}
