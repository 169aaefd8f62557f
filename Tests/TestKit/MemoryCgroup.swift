import Foundation

/// Whether this process may make control groups that limit memory.
public enum MemoryCgroup {
    /// True where a group below the own one can be made and has a limit: root, and a memory controller of version 1, or of version 2 where
    /// the own group may be divided.
    public static let isWritable: Bool = {
        guard let text = FileManager.default.contents(atPath: "/proc/self/cgroup") else { return false }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            if fields[1] == "memory" {
                let probe = "/sys/fs/cgroup/memory\(fields[2])/goodgate-kit-\(ProcessInfo.processInfo.processIdentifier)"
                guard mkdir(probe, 0o755) == 0 else { continue }
                defer { rmdir(probe) }
                if FileManager.default.fileExists(atPath: probe + "/memory.limit_in_bytes") { return true }
            } else if fields[0] == "0" {
                let own = "/sys/fs/cgroup\(fields[2])"
                let controllers = FileManager.default.contents(atPath: own + "/cgroup.controllers") ?? Data()
                if String(decoding: controllers, as: UTF8.self).contains("memory"),
                    access(own + "/cgroup.subtree_control", W_OK) == 0 { return true }
            }
        }
        return false
    }()
}
