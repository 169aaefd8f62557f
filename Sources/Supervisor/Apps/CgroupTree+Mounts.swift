extension CgroupTree {
    /// The cgroup directories of a process, worked out from its mountinfo and cgroup files.
    struct Mounts: Equatable {
        /// Version 2.
        var unified: String?
        /// Version 1, by controller.
        var controllers: [String: String] = [:]

        /// - Parameters:
        ///   - mounts: Content of /proc/self/mountinfo.
        ///   - groups: Content of /proc/self/cgroup.
        init(mounts: String, groups: String) {
            var paths: [Substring: Substring] = [:]
            for line in groups.split(separator: "\n") {
                let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
                guard fields.count == 3 else { continue }
                for controller in fields[1].split(separator: ",", omittingEmptySubsequences: false) {
                    paths[controller] = fields[2]
                }
            }
            for line in mounts.split(separator: "\n") {
                let fields = line.split(separator: " ")
                guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 3, fields.count > 4 else { continue }
                let (root, point, type) = (fields[3], fields[4], fields[dash + 1])
                if type == "cgroup2", unified == nil, let path = paths[""] {
                    unified = Self.directory(path, root: root, point: point)
                } else if type == "cgroup" {
                    for option in fields[dash + 3].split(separator: ",") where controllers[String(option)] == nil {
                        guard let path = paths[option] else { continue }
                        controllers[String(option)] = Self.directory(path, root: root, point: point)
                    }
                }
            }
        }

        /// In a container the mounted part of the hierarchy may begin at the container's own group.
        private static func directory(_ path: Substring, root: Substring, point: Substring) -> String {
            var rest = path
            if root != "/", rest.hasPrefix(root) { rest = rest.dropFirst(root.count) }
            while rest.hasSuffix("/") { rest.removeLast() }
            return String(point) + rest
        }
    }
}
