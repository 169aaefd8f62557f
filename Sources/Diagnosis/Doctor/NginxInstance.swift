/// Where nginx is on this host.
package struct NginxInstance: Sendable {
    /// Its files, processes and start, as far as they are known.
    package var mainFile: String
    package var prefix: String
    package var errorLog: String
    package var accessLog: String
    package var workerPID: Int32?
    package var started: Timestamp?

    /// `-p`, when the running nginx was started with it.
    package var givenPrefix: String?
    /// The running program, when it may be run again; nil: the one on PATH.
    package var program: String?
    /// nginx's own test of this configuration.
    package var testCommand: [String] { command("-t") }
    /// Makes the running nginx read its configuration again.
    package var reloadCommand: [String] { command("-s", "reload") }

    private func command(_ words: String...) -> [String] {
        [program ?? "nginx"] + words + ["-c", mainFile] + (givenPrefix.map { ["-p", $0] } ?? [])
    }

    /// Of a package.
    static let defaultPrefix = "/usr/share/nginx"
    /// Where a configuration is that nobody names, the likeliest first.
    static let places = [
        "/etc/nginx/nginx.conf", "/usr/local/nginx/conf/nginx.conf", "/usr/local/etc/nginx/nginx.conf", "/opt/nginx/conf/nginx.conf",
        "/usr/local/openresty/nginx/conf/nginx.conf",
    ]

    /// Asks the process table first, then the usual places. nil when there is no nginx.
    /// - Parameter gaps: gets what looks like nginx and is not believed.
    package static func find(from system: some SystemReader, configuration: String? = nil, gaps: inout [String]) -> NginxInstance? {
        var found = NginxInstance(
            mainFile: places[0], prefix: defaultPrefix, errorLog: "/var/log/nginx/error.log",
            accessLog: "/var/log/nginx/access.log")
        found.readProcesses(system, configuration, &gaps)
        if let configuration { found.mainFile = configuration }
        // Nobody who names a file means another one.
        let files = configuration.map { [$0] } ?? [found.mainFile] + places.dropFirst()
        guard let file = files.first(where: { system.exists($0) }) else { return nil }
        if file != found.mainFile, let slash = file.firstRange(of: "/conf/") {
            found.prefix = String(file[..<slash.lowerBound])
            found.errorLog = found.prefix + "/logs/error.log"
            found.accessLog = found.prefix + "/logs/access.log"
        }
        found.mainFile = file
        return found
    }

    /// Takes the master that runs with the wanted configuration (nil: the first), and its workers.
    private mutating func readProcesses(_ system: some SystemReader, _ configuration: String?, _ gaps: inout [String]) {
        let masters = NginxMaster.all(from: system, gaps: &gaps)
        let wanted = configuration.map { file in masters.filter { $0.seenFile(prefix: prefix, below: "", system) == file } } ?? masters
        guard let master = wanted.first else {
            if let file = configuration, !masters.isEmpty {
                gaps.append("no running nginx is seen to use \(file): its process is not known")
            }
            return
        }
        for other in masters where other.pid != master.pid {
            let file = other.seenFile(prefix: prefix, below: "", system)
            // One that is being upgraded, or ends, has the same files.
            guard let file, file != (configuration ?? master.seenFile(prefix: prefix, below: "", system)) else { continue }
            let command: ShellCommand = "goodgate doctor -c \(file)"
            gaps.append("another nginx, process \(other.pid), runs with \(file) and is not examined here: \(command.text)")
        }
        program = master.program
        if let given = master.givenPrefix { (prefix, givenPrefix) = (given, given) }
        if let file = master.mainFile(prefix: prefix) { mainFile = file }
        guard let worker = ProcessTable.worker(of: master.pid, from: system) else { return }
        workerPID = worker
        started = ProcessTable.read(worker, from: system, bootTime: ProcessTable.bootTime(from: system))?.started
    }
}

/// A running nginx that may be believed.
///
/// A title is text that every user may give to a process: root must not run, read or edit what a stranger's title names. So a master counts
/// only if root or we ourselves run it, and its program only if nobody else could have written it.
struct NginxMaster {
    let pid: Int32
    /// The words of its command line, behind the title.
    private let words: [String]
    /// Its program, when it may be run again.
    private(set) var program: String?

    /// Names under which nginx and what is made of it are installed.
    private static let names = ["nginx", "openresty", "angie", "tengine", "freenginx"]

    /// Masters that use the files we see, the lowest pid first; those of which that cannot be told last. Another mount namespace alone
    /// says little: `PrivateTmp=` makes one.
    static func all(from system: some SystemReader, gaps: inout [String]) -> [NginxMaster] {
        guard let pids = try? ProcessTable.pids(from: system) else { return [] }
        let own = ProcessTable.user("self", from: system)
        var here: [NginxMaster] = [], elsewhere: [NginxMaster] = []
        for pid in pids {
            guard let raw = try? system.read("/proc/\(pid)/cmdline", limit: 4_096) else { continue }
            let command = LineText(raw[...])
            guard command.hasPrefix("nginx: master process") else { continue }
            let users = ProcessTable.users("\(pid)", from: system)
            // All of them: a set-user-id program keeps the real user of whoever started it, and takes its title from him.
            guard let user = users.first, user == 0 || user == own, users.allSatisfy({ $0 == user }) else {
                let user = users.first.map { "\($0)" } ?? "unknown"
                gaps.append("process \(pid) calls itself nginx, but runs as user \(user): not believed")
                continue
            }
            let words = command.string.split(whereSeparator: { $0 == " " || $0 == "\0" }).map(String.init)
            var master = NginxMaster(pid: pid, words: words)
            let isOurs = master.isOurs(system)
            if isOurs == false {
                gaps.append("the nginx of process \(pid) has other files than this host, as in a container: not looked at")
                continue
            }
            let executable = try? system.link("/proc/\(pid)/exe")
            if let executable, !isNginx(executable) {
                gaps.append("process \(pid) calls itself nginx, but is \(executable): not believed")
                continue
            }
            if let executable {
                if isTrusted(executable, own: own, system) {
                    master.program = executable
                } else {
                    gaps.append("\(executable) of process \(pid) is not run: others may write it, or it was replaced")
                }
            }
            if isOurs == nil { elsewhere.append(master) } else { here.append(master) }
        }
        return here + elsewhere
    }

    /// Whether it uses the files that we see; nil when its namespaces may not be read.
    private func isOurs(_ system: some SystemReader) -> Bool? {
        func namespace(_ kind: String, of process: String) -> String? { try? system.link("/proc/\(process)/ns/\(kind)") }
        guard let mounts = namespace("mnt", of: "\(pid)"), let home = namespace("mnt", of: "self") else { return nil }
        if mounts == home { return true }
        let root = "/proc/\(pid)/root"
        guard namespace("pid", of: "\(pid)") == namespace("pid", of: "self"),
            let file = seenFile(prefix: NginxInstance.defaultPrefix, below: root, system), let theirs = try? system.status(root + file)
        else { return false }
        return theirs == (try? system.status(file))
    }

    private static func isNginx(_ executable: String) -> Bool {
        // A program that was replaced while it runs ends in " (deleted)".
        let name = executable.split(separator: "/").last ?? ""
        return names.contains { name.hasPrefix($0) }
    }

    /// Whether only root, or we ourselves, can have written a program and the directories that lead to it.
    static func isTrusted(_ path: String, own: UInt32?, _ system: some SystemReader) -> Bool {
        guard path.hasPrefix("/"), let file = try? system.status(path), file.isRegular, file.mode & 0o022 == 0,
            file.uid == 0 || file.uid == own
        else { return false }
        var directory = path
        while let slash = directory.lastIndex(of: "/"), directory.count > 1 {
            directory = slash == directory.startIndex ? "/" : String(directory[..<slash])
            guard let status = try? system.status(directory), status.mode & 0o002 == 0, status.uid == 0 || status.uid == own else {
                return false
            }
        }
        return true
    }

    /// `-p` of its command line.
    var givenPrefix: String? { value(of: "-p") }

    /// `-c` of its command line, relative to `-p` or else to `prefix`; nil: the program's own.
    func mainFile(prefix: String) -> String? {
        guard let file = value(of: "-c") else { return nil }
        return file.hasPrefix("/") ? file : (givenPrefix ?? prefix) + "/" + file
    }

    /// The same, or the place where its program has it most likely: one that is there, `root` being its own root directory.
    func seenFile(prefix: String, below root: String, _ system: some SystemReader) -> String? {
        let places = (givenPrefix.map { [$0 + "/conf/nginx.conf"] } ?? []) + NginxInstance.places
        return mainFile(prefix: prefix) ?? places.first { system.exists(root + $0) }
    }

    private func value(of flag: String) -> String? { zip(words, words.dropFirst()).first { $0.0 == flag }?.1 }
}
