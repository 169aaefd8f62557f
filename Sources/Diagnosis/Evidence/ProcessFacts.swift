/// One process as `/proc/PID` shows it.
package struct ProcessFacts: Sendable, Hashable {
    /// Process id in the reader's namespace.
    package var pid: Int32
    /// `comm`, at most 15 bytes.
    package var name: String
    package var commandLine: String
    package var parent: Int32
    /// When it was started; nil when `/proc/stat` had no boot time.
    package var started: Timestamp?
    /// Its cgroup's path, as `/proc/PID/cgroup` says (the memory controller's on version 1).
    package var cgroup: String?
    /// The systemd unit, taken from the cgroup path.
    package var unit: String?
    package var uid: UInt32?
    /// Supplementary and primary groups.
    package var groups: [UInt32] = []
    /// The inode of its network namespace.
    package var networkNamespace: UInt64?
    /// Open descriptors and the soft limit.
    package var openFiles: Int?
    package var openFilesMax: Int?
    /// Threads in uninterruptible sleep, and all threads.
    package var threadsBlocked: Int = 0
    package var threads: Int = 0
    /// The security label of an LSM, when it has one.
    package var label: String?

    package init(
        pid: Int32, name: String, commandLine: String = "", parent: Int32 = 1, started: Timestamp? = nil,
        cgroup: String? = nil,
        unit: String? = nil, uid: UInt32? = nil, groups: [UInt32] = [], networkNamespace: UInt64? = nil,
        openFiles: Int? = nil,
        openFilesMax: Int? = nil, label: String? = nil
    ) {
        self.pid = pid; self.name = name; self.commandLine = commandLine; self.parent = parent; self.started = started
        self.cgroup = cgroup; self.unit = unit; self.uid = uid; self.groups = groups;
        self.networkNamespace = networkNamespace
        self.openFiles = openFiles; self.openFilesMax = openFilesMax; self.label = label
    }

    /// `node (pid 4711, app.service)`.
    package var text: String { unit.map { "\(name) (pid \(pid), \($0))" } ?? "\(name) (pid \(pid))" }
}
