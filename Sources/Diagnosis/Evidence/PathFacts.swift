/// What stands on the way to a unix socket, as the proxy sees it.
package struct PathFacts: Sendable, Hashable {
    /// One part of the path.
    package struct Component: Sendable, Hashable {
        /// Absolute path.
        package var path: String
        /// Permission bits and file type, as `st_mode`.
        package var mode: UInt32
        package var uid: UInt32
        package var gid: UInt32
        package init(path: String, mode: UInt32, uid: UInt32, gid: UInt32) {
            self.path = path; self.mode = mode; self.uid = uid; self.gid = gid
        }
        /// By the file type in `mode`.
        package var isSocket: Bool { mode & 0o170000 == 0o140000 }
        /// By the file type in `mode`.
        package var isDirectory: Bool { mode & 0o170000 == 0o040000 }
    }

    /// Absolute path.
    package var path: String
    /// Those that exist, from `/` on.
    package var components: [Component]
    /// The first part that does not exist; nil when all do.
    package var missing: String?
    /// A process in whose mount namespace the path does exist (`PrivateTmp=`), when one was found.
    package var existsFor: ProcessFacts?
    /// Other sockets in the same directory: a typing error is likely then.
    package var neighbours: [String] = []

    package init(
        path: String, components: [Component], missing: String?, existsFor: ProcessFacts? = nil,
        neighbours: [String] = []
    ) {
        self.path = path; self.components = components; self.missing = missing
        self.existsFor = existsFor; self.neighbours = neighbours
    }

    /// A component that keeps a process out, and whose right it lacks.
    package struct Barrier: Sendable, Hashable {
        /// Where.
        package var component: Component
        /// As `chmod` names it: the owner `u`, the group `g`, or others `o`. Only the first of these that fits a process counts.
        package var userClass: Character
        /// `w` of a socket, `x` of a directory.
        package var right: Character { component.isSocket ? "w" : "x" }
    }

    /// The components that keep a process with these ids out: directories need x, the socket w. Root is never kept out.
    package func barriers(uid: UInt32, groups: [UInt32]) -> [Barrier] {
        if uid == 0 { return [] }
        return components.compactMap { component in
            let (shift, name): (UInt32, Character) =
                component.uid == uid ? (6, "u") : groups.contains(component.gid) ? (3, "g") : (0, "o")
            let wanted: UInt32 = component.isSocket ? 2 : 1
            return component.mode >> shift & wanted == 0 ? Barrier(component: component, userClass: name) : nil
        }
    }
}
