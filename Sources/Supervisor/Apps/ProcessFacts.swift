internal import Glibc

/// What /proc says of processes.
enum ProcessFacts {
    /// Start of a process in clock ticks since boot; nil when there is none.
    static func startTicks(of process: Int32) -> UInt64? {
        fields(of: process).flatMap { $0.count > 19 ? UInt64($0[19]) : nil }
    }

    /// Whether a process that started then still runs: nobody else got its number, and it does not only wait to be collected.
    static func isAlive(_ process: Int32, startTicks: UInt64) -> Bool {
        guard let fields = fields(of: process), fields.count > 19 else { return false }
        return isAlive(fields) && UInt64(fields[19]) == startTicks
    }

    /// Whether a child runs: one that ended and was not collected yet does not.
    static func isAlive(_ child: Int32) -> Bool { fields(of: child).map(isAlive) ?? false }

    private static func isAlive(_ fields: [Substring]) -> Bool { fields.first != "Z" && fields.first != "X" }

    /// The fields of /proc/PID/stat behind the name: state, parent, group, session, …
    static func fields(of process: Int32) -> [Substring]? {
        guard let bytes = try? System.readFile("/proc/\(process)/stat") else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        // The name may contain anything, also parentheses.
        guard let end = text.lastIndex(of: ")") else { return nil }
        return text[text.index(after: end)...].split(separator: " ")
    }

    /// The boot's identifier: with it, a process identifier and its start name a process for ever.
    static var bootIdentifier: String {
        let bytes = (try? System.readFile("/proc/sys/kernel/random/boot_id")) ?? []
        return String(decoding: bytes.prefix { $0 > 0x20 }, as: UTF8.self)
    }

    /// All processes of the instance, by a look at all processes of the host: for where it is done once.
    static func family(app: Int32, keeper: Int32) -> [Int32] { ProcessTree.read().family(app: app, keeper: keeper) }

    /// Inodes of the sockets that a process holds.
    static func socketInodes(of process: Int32) -> Set<UInt64> {
        var inodes: Set<UInt64> = []
        for path in System.glob("/proc/\(process)/fd/*") {
            guard let target = System.linkTarget(path), target.hasPrefix("socket:[") else { continue }
            if let inode = UInt64(target.dropFirst(8).dropLast()) { inodes.insert(inode) }
        }
        return inodes
    }

    /// A variable of the environment that a process was started with, unless it has written something else there.
    static func variable(_ name: String, of process: Int32) -> String? {
        guard let bytes = try? System.readFile("/proc/\(process)/environ") else { return nil }
        let start = Array("\(name)=".utf8)
        return bytes.split(separator: 0).last { $0.starts(with: start) }.map { String(decoding: $0.dropFirst(start.count), as: UTF8.self) }
    }

    /// A process that holds a socket, with its name, for "who took the port". Looks through all processes.
    static func owner(ofSocket inode: UInt64) -> (process: Int32, name: String)? {
        for path in System.glob("/proc/[0-9]*") {
            guard let process = Int32(path.dropFirst(6)), socketInodes(of: process).contains(inode) else { continue }
            let name = (try? System.readFile("\(path)/comm")) ?? []
            return (process, String(decoding: name.prefix { $0 != 10 }, as: UTF8.self))
        }
        return nil
    }

    /// Resident bytes of processes together; pages that they share count for each of them.
    static func residentBytes(of processes: [Int32]) -> UInt64 {
        var pages: UInt64 = 0
        for process in processes {
            guard let bytes = try? System.readFile("/proc/\(process)/statm") else { continue }
            let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
            if fields.count > 1 { pages += UInt64(fields[1]) ?? 0 }
        }
        return pages * UInt64(System.pageSize)
    }
}
