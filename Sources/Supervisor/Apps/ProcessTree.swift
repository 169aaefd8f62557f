/// All processes of the host at one moment: who is whose child, and in whose session.
struct ProcessTree {
    private var children: [Int32: [Int32]] = [:]
    private var sessions: [Int32: [Int32]] = [:]

    /// Looks through /proc. Some milliseconds for a thousand processes.
    static func read() -> ProcessTree {
        var tree = ProcessTree()
        for path in System.glob("/proc/[0-9]*") {
            guard let process = Int32(path.dropFirst(6)), let fields = ProcessFacts.fields(of: process), fields.count > 3,
                let parent = Int32(fields[1]), let session = Int32(fields[3])
            else { continue }
            tree.add(process, parent: parent, session: session)
        }
        return tree
    }

    mutating func add(_ process: Int32, parent: Int32, session: Int32) {
        children[parent, default: []].append(process)
        sessions[session, default: []].append(process)
    }

    /// All processes of an instance: those of the app's session, and all descendants of these and of its keeper. O(their number).
    func family(app: Int32, keeper: Int32) -> [Int32] {
        var family: Set<Int32> = [app]
        var unvisited = [app] + sessions[app, default: []] + children[keeper, default: []]
        while let process = unvisited.popLast() {
            guard process > 1, process != keeper, family.insert(process).inserted || process == app else { continue }
            for child in children[process, default: []] where !family.contains(child) { unvisited.append(child) }
        }
        return family.sorted()
    }
}
