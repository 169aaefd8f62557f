internal import CLinux
internal import Glibc
internal import Machine

/// Where the supervisor keeps what has to outlive it: the state of the apps, the sockets of their keepers and of the workers, and those of
/// `listen unix` apps.
struct AppDirectories {
    /// Without a final slash; mode 0711, so that apps and workers can pass through.
    let root: String
    /// Where that is kept of the apps which has to last over a reboot; nil: nowhere.
    var lasting: String?

    /// What tells this supervisor from others on the host.
    var name: String { root.split(separator: "/").last.map { Self.fileName(String($0)) } ?? "" }
    var stateFile: String { root + "/apps.state" }
    var lastingFile: String? { lasting.map { $0 + "/apps.state" } }
    /// What `goodgate drain` has taken out.
    var drainFile: String { root + "/drains" }
    /// Mode 0700: who can open a socket in it commands an app.
    var keepers: String { root + "/keepers" }
    /// Mode 0700: who can open a socket in it takes a worker over.
    var workers: String { root + "/workers" }
    /// One directory per app, owned by the app's user.
    var sockets: String { root + "/sockets" }

    /// Where the supervisor that a file (its pid file, or its configuration) stands for keeps its state.
    ///
    /// - Throws: When the place belongs to somebody else.
    static func path(
        for file: String, user: UInt32 = System.effectiveUser, runtime: String = System.environment("XDG_RUNTIME_DIR") ?? ""
    ) throws(Taken) -> String {
        let path = StatePath.standard(for: file, user: user, runtimeDirectory: runtime)
        // Everybody may make a name in /tmp: a folder, or a link to one.
        let shared = StatePath.shared(by: user)
        if path.hasPrefix(shared + "/"),
            let entry = try? System.openEntry(shared), let facts = try? System.facts(of: entry),
            facts.user != user || facts.kind != S_IFDIR {
            throw Taken(path: shared, owner: facts.user)
        }
        return path
    }

    /// The place for what has to last that belongs to `root`: below what systemd says, else where the distribution or the user keeps such.
    static func lastingPath(for root: String) -> String? {
        guard let name = root.split(separator: "/").last else { return nil }
        if let told = absolute("STATE_DIRECTORY") { return "\(told)/\(name)" }
        if System.isRoot { return "/var/lib/goodgate/\(name)" }
        return userFolder.map { "\($0)/\(name)" }
    }

    /// Where a user who is not root keeps what programs leave (XDG base directories); nil: root, or it is not known.
    static var userFolder: String? {
        if System.isRoot { return nil }
        if let folder = absolute("XDG_STATE_HOME") { return "\(folder)/goodgate" }
        return absolute("HOME").map { "\($0)/.local/state/goodgate" }
    }

    private static func absolute(_ variable: String) -> Substring? {
        System.environment(variable)?.split(separator: ":").first.flatMap { $0.hasPrefix("/") ? $0 : nil }
    }

    /// The place of the state is somebody else's, or no folder.
    struct Taken: Error, Equatable {
        var path: String
        var owner: UInt32

        var text: String {
            "\"\(path)\", the place of the state, is no folder of this user, it belongs to user \(owner): remove it, or set XDG_RUNTIME_DIR"
        }
    }

    /// Makes the directories.
    func prepare() throws(SystemError) {
        try makeRoot()
        try Self.make(keepers, mode: 0o700)
        try Self.make(sockets, mode: 0o711)
    }

    /// Makes the directory itself.
    func makeRoot() throws(SystemError) { try Self.make(root, mode: 0o711) }

    /// Makes the directory of the workers' sockets.
    func prepareWorkers() throws(SystemError) {
        try makeRoot()
        try Self.make(workers, mode: 0o700)
    }

    /// Lets the next supervisor find this state under the name of another pid file.
    func alias(_ path: String) throws(SystemError) {
        guard path != root else { return }
        try? System.remove(path)
        try System.link(path, to: root)
    }

    /// Removes what is empty: without apps, nothing stays behind.
    func removeIfEmpty() { for path in [workers, root] { _ = System.removeDirectory(path) } }

    /// The socket on which a worker waits for the next supervisor. Its name says which process that is, for as long as the host runs.
    func workerSocket(process: Int32, startTicks: UInt64) -> String { "\(workers)/\(process).\(startTicks)" }

    /// What the name of a worker's socket says.
    static func parse(workerSocket path: String) -> (process: Int32, startTicks: UInt64)? {
        let parts = path.split(separator: "/").last?.split(separator: ".", omittingEmptySubsequences: false) ?? []
        guard parts.count == 2, let process = Int32(parts[0]), process > 0, let ticks = UInt64(parts[1]) else { return nil }
        return (process, ticks)
    }

    /// Makes sure that no other process works in this directory. Released with the descriptor and with the process.
    func lock() throws(SystemError) -> Descriptor {
        let file = try System.open(root + "/lock", flags: O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        if lockf(file.number, F_TLOCK, 0) < 0 {
            throw SystemError(code: Glibc.errno == EACCES ? EAGAIN : Glibc.errno)
        }
        return file
    }

    static func make(_ path: String, mode: UInt32) throws(SystemError) {
        do throws(SystemError) {
            try System.makeDirectory(path, mode: mode)
        } catch {
            if error.code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
                try make(String(path[..<slash]), mode: 0o755)
                try System.makeDirectory(path, mode: mode)
            } else if error.code != EEXIST {
                throw error
            } else if !System.exists(path) {
                // A link to where the state of a former pid file was.
                try System.remove(path)
                try System.makeDirectory(path, mode: mode)
            }
        }
        try System.changeMode(path, to: mode)
    }

    /// The socket of a keeper. Everything that adoption needs is in its name, so that it works without the state file.
    func keeperSocket(app: String, key: InstanceKey, release: UInt32) -> String {
        "\(keepers)/\(Self.fileName(app)).\(key.slot).\(key.serial).\(release)"
    }

    /// Where an instance of a `listen unix` app is to listen: a fresh path, so that no file of a former one is in the way.
    func appSocket(app: String, key: InstanceKey) -> String { "\(sockets)/\(Self.fileName(app))/\(key.slot).\(key.serial)" }

    /// What the name of a keeper's socket says.
    static func parse(socket path: String) -> (app: Substring, key: InstanceKey, release: UInt32)? {
        let parts = path.split(separator: "/").last?.split(separator: ".") ?? []
        guard parts.count == 4, let slot = Int(parts[1]), (0..<10_000).contains(slot), let serial = UInt32(parts[2]),
            let release = UInt32(parts[3])
        else { return nil }
        return (parts[0], InstanceKey(slot: slot, serial: serial), release)
    }

    /// The name of an app as part of a file name: without dots and slashes, at most 40 bytes.
    static func fileName(_ app: String) -> String {
        var name = ""
        for byte in app.utf8 {
            let isPlain = byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || (0x30...0x39).contains(byte)
                || (0x41...0x5A).contains(byte & 0xDF)
            name += isPlain ? String(Unicode.Scalar(byte)) : "%" + String(byte, radix: 16)
        }
        guard name.utf8.count > 40 else { return name }
        return String(name.prefix(23)) + "-" + String(app.utf8.fingerprint, radix: 16)
    }
}
