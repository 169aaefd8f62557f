internal import Glibc

/// Where the cgroups of instances are made: one directory per hierarchy and instance, below the supervisor's own.
///
/// Version 2 is used where its memory controller can be had (a delegated subtree, or a container), else version 1's
/// memory and pids hierarchies, else a version 2 group without limits, which still kills as a whole; else nothing.
struct CgroupTree: Equatable {
    /// Which kind of limit there is.
    enum Kind: Equatable { case version2, version1, version2WithoutLimits, none }

    let kind: Kind
    /// Directories that exist and may get children.
    let parents: [String]

    /// Nothing can be had.
    static let unavailable = CgroupTree(kind: .none, parents: [])

    private init(kind: Kind, parents: [String]) {
        self.kind = kind
        self.parents = parents
    }

    /// Looks at what this process may do. May move it into a child group of its own (version 2 wants its inner groups
    /// empty), so it is called once, before any other process is started.
    ///
    /// - Parameters:
    ///   - mounts: Content of /proc/self/mountinfo.
    ///   - groups: Content of /proc/self/cgroup.
    static func find(
        mounts: String = System.text("/proc/self/mountinfo"), groups: String = System.text("/proc/self/cgroup")
    ) -> CgroupTree {
        let own = Mounts(mounts: mounts, groups: groups)
        let unified = own.unified.map(base)
        if let unified, let parent = delegate(unified) { return CgroupTree(kind: .version2, parents: [parent]) }
        let parents = ["memory", "pids"].compactMap { own.controllers[$0] }.filter(isWritable)
        if let memory = own.controllers["memory"], parents.contains(memory) {
            return CgroupTree(kind: .version1, parents: parents)
        }
        if let unified, isWritable(unified) { return CgroupTree(kind: .version2WithoutLimits, parents: [unified]) }
        return .unavailable
    }

    /// Makes the groups of an instance. What cannot be made is left out: an app without a limit is better than none.
    ///
    /// - Returns: The directories, for the keeper, and whether the limit is in force.
    func make(name: String, memoryMax: UInt64?) -> (directories: [String], isLimited: Bool) {
        var made: [String] = []
        var isLimited = false
        for parent in parents {
            let path = parent + "/" + name
            guard (try? System.makeDirectory(path, mode: 0o755)) != nil || System.exists(path) else { continue }
            made.append(path)
            if let memoryMax { isLimited = Self.limit([path], memoryMax: memoryMax) || isLimited }
        }
        return (made, isLimited)
    }

    /// Puts a limit on groups that are there: new ones, and those of an instance that is taken over. (Under systemd they lose their
    /// controllers between two supervisors, see Scripts/release-cgroup.)
    ///
    /// - Returns: Whether it is in force.
    static func limit(_ directories: [String], memoryMax: UInt64) -> Bool {
        var isLimited = false
        for path in directories {
            for file in ["memory.max", "memory.limit_in_bytes"] where System.exists("\(path)/\(file)") {
                isLimited = System.put("\(memoryMax)", in: "\(path)/\(file)") || isLimited
            }
            // One group, one fate: without it a single worker of the app may be killed and leave it half alive.
            if System.exists("\(path)/memory.oom.group") { _ = System.put("1", in: "\(path)/memory.oom.group") }
        }
        return isLimited
    }

    /// Bytes that the processes of a group use, without what could be reclaimed at once; nil when it is unknown.
    static func memoryUsed(in directories: [String]) -> UInt64? {
        for directory in directories {
            for (usage, inactive) in [("memory.current", "inactive_file "), ("memory.usage_in_bytes", "total_inactive_file ")] {
                guard let used = UInt64(System.text("\(directory)/\(usage)").split(separator: "\n").first ?? "") else { continue }
                let line = System.text("\(directory)/memory.stat").split(separator: "\n").first { $0.hasPrefix(inactive) }
                let reclaimable = line.flatMap { UInt64($0.dropFirst(inactive.utf8.count)) } ?? 0
                return used - min(used, reclaimable)
            }
        }
        return nil
    }

    /// Kills the members of groups whose keeper is gone, and removes the groups if that leaves them empty.
    ///
    /// - Returns: Whether nothing is left.
    static func killAndRemove(_ directories: [String]) -> Bool {
        var isEmpty = true
        for directory in directories where System.exists(directory) {
            if !System.put("1", in: directory + "/cgroup.kill") {
                for line in System.text(directory + "/cgroup.procs").split(separator: "\n") {
                    if let process = Int32(line), process > 1 { try? System.kill(process, signal: SIGKILL) }
                }
            }
            if !System.removeDirectory(directory), System.exists(directory) { isEmpty = false }
        }
        return isEmpty
    }

    // MARK: -

    private static func isWritable(_ directory: String) -> Bool {
        let probe = directory + "/goodgate-probe-\(System.process)"
        guard (try? System.makeDirectory(probe, mode: 0o755)) != nil else { return false }
        return System.removeDirectory(probe)
    }

    /// Name of the group that a supervisor moves itself into.
    private static let leafName = "goodgate-supervisor"

    /// The group that the instances' groups are made in. After a binary upgrade the supervisor stands in the leaf of the one before it,
    /// which is no place for more: a group below it would give the leaf controllers, and nobody could take those from the unit again.
    private static func base(of group: String) -> String {
        var group = group
        while group.hasSuffix("/" + leafName) { group.removeLast(leafName.utf8.count + 1) }
        return group
    }

    /// Makes the memory controller of version 2 available to children of `directory`.
    private static func delegate(_ directory: String) -> String? {
        guard System.text(directory + "/cgroup.controllers").split(whereSeparator: { $0 == " " || $0 == "\n" }).contains("memory")
        else { return nil }
        let control = directory + "/cgroup.subtree_control"
        if System.text(control).contains("memory") || System.put("+memory", in: control) {
            _ = System.put("+pids", in: control)
            return isWritable(directory) ? directory : nil
        }
        // A group with members cannot have children with controllers: the supervisor moves into a leaf.
        let leaf = directory + "/" + leafName
        guard (try? System.makeDirectory(leaf, mode: 0o755)) != nil || System.exists(leaf) else { return nil }
        for line in System.text(directory + "/cgroup.procs").split(separator: "\n") {
            _ = System.put(String(line), in: leaf + "/cgroup.procs")
        }
        guard System.put("+memory", in: control) else { return nil }
        _ = System.put("+pids", in: control)
        return directory
    }
}
