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
    /// The running program; nil: the one on PATH.
    package var program: String?

    /// nginx's own test of this configuration.
    package var testCommand: [String] {
        [program ?? "nginx", "-t", "-c", mainFile] + (givenPrefix.map { ["-p", $0] } ?? [])
    }

    /// Asks the process table first, then the program, then the usual places. nil when there is no nginx.
    package static func find(from system: some SystemReader, configuration: String? = nil) -> NginxInstance? {
        var found = NginxInstance(
            mainFile: "/etc/nginx/nginx.conf", prefix: "/usr/share/nginx", errorLog: "/var/log/nginx/error.log",
            accessLog: "/var/log/nginx/access.log")
        found.readProcesses(system)
        if let configuration { found.mainFile = configuration }
        let places = [
            found.mainFile, "/usr/local/nginx/conf/nginx.conf", "/usr/local/etc/nginx/nginx.conf",
            "/opt/nginx/conf/nginx.conf",
            "/usr/local/openresty/nginx/conf/nginx.conf",
        ]
        guard let file = places.first(where: { system.exists($0) }) else { return nil }
        if file != found.mainFile, let slash = file.firstRange(of: "/conf/") {
            found.prefix = String(file[..<slash.lowerBound])
            found.errorLog = found.prefix + "/logs/error.log"
            found.accessLog = found.prefix + "/logs/access.log"
        }
        found.mainFile = file
        return found
    }

    private mutating func readProcesses(_ system: some SystemReader) {
        guard let pids = try? ProcessTable.pids(from: system) else { return }
        var hasMaster = false
        let boot = ProcessTable.bootTime(from: system)
        for pid in pids {
            guard let raw = try? system.read("/proc/\(pid)/cmdline", limit: 2_048) else { continue }
            let command = LineText(raw[...])
            if command.hasPrefix("nginx: master process"), !hasMaster {
                hasMaster = true
                if let path = try? system.link("/proc/\(pid)/exe"), system.exists(path) { program = path }
                let words = command.string.split(whereSeparator: { $0 == " " || $0 == "\0" }).map(String.init)
                for (flag, value) in zip(words, words.dropFirst()) {
                    if flag == "-p" { (prefix, givenPrefix) = (value, value) }
                    if flag == "-c" { mainFile = value.hasPrefix("/") ? value : prefix + "/" + value }
                }
            } else if command.hasPrefix("nginx: worker process"), !command.contains("shutting down") {
                guard let facts = ProcessTable.read(pid, from: system, bootTime: boot) else { continue }
                // The youngest worker has the running configuration.
                if started == nil || facts.started ?? started! > started! { started = facts.started; workerPID = pid }
            }
        }
    }
}
