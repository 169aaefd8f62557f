internal import Glibc

/// Follows a path step by step, as the kernel would, and notes every folder and symbolic link on the way: who owns one of them decides
/// where the path leads.
struct PathWalk {
    /// A folder or a link on the way.
    struct Step {
        var place: String
        var facts: System.FileFacts
    }

    /// What the path leads to: held, but not opened.
    private(set) var entry: Descriptor
    private(set) var facts: System.FileFacts
    private(set) var steps: [Step] = []

    private static let linksMax = 40

    /// - Parameter path: Absolute.
    init(_ path: String) throws(SystemError) {
        let root = try System.openEntry("/")
        entry = root
        facts = try System.facts(of: root)
        var place = ""
        var linkCount = 0
        var names = Array(path.split(separator: "/").map(String.init).reversed())
        while let name = names.popLast() {
            guard facts.kind == S_IFDIR else { throw SystemError(code: ENOTDIR) }
            steps.append(Step(place: place.isEmpty ? "/" : place, facts: facts))
            let next = try System.openEntry(name, in: entry)
            let nextFacts = try System.facts(of: next)
            guard nextFacts.kind == S_IFLNK else {
                (entry, facts) = (next, nextFacts)
                place += "/" + name
                continue
            }
            steps.append(Step(place: "\(place)/\(name)", facts: nextFacts))
            linkCount += 1
            guard linkCount <= Self.linksMax, let target = System.linkTarget("/proc/self/fd/\(entry.number)/\(name)") else {
                throw SystemError(code: ELOOP)
            }
            if target.hasPrefix("/") {
                entry = root
                facts = try System.facts(of: root)
                place = ""
            }
            names += target.split(separator: "/").map(String.init).reversed()
        }
    }

    /// The first place on the way that somebody else than these users can change; nil: there is none.
    func changeable(butBy users: Set<UInt32>) -> String? {
        steps.first { step in
            guard users.contains(step.facts.user) else { return true }
            // With the sticky bit everybody changes only what is his own.
            return step.facts.kind == S_IFDIR && step.facts.mode & 0o022 != 0 && step.facts.mode & 0o1000 == 0
        }?.place
    }

    /// Whether somebody can come to the file and read it without help.
    func isReadable(by identity: KeeperInstructions.Identity) -> Bool { Self.may(identity, 4, facts) && closedFolder(for: identity) == nil }

    /// Whether somebody who comes to it may execute it, or, of a folder, go in.
    func isExecutable(by identity: KeeperInstructions.Identity) -> Bool { Self.may(identity, 1, facts) }

    /// The first folder on the way that somebody may not go into; nil: there is none.
    func closedFolder(for identity: KeeperInstructions.Identity) -> String? {
        steps.first { $0.facts.kind != S_IFLNK && !Self.may(identity, 1, $0.facts) }?.place
    }

    private static func may(_ identity: KeeperInstructions.Identity, _ bit: UInt32, _ facts: System.FileFacts) -> Bool {
        if identity.user == 0 { return true }
        if identity.user == facts.user { return facts.mode >> 6 & bit != 0 }
        let isMember = identity.group == facts.group || identity.groups.contains(facts.group)
        return facts.mode >> (isMember ? 3 : 0) & bit != 0
    }
}
