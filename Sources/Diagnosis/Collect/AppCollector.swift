import Foundation

/// Applications under PM2 and supervisord, asked only when their daemon runs: asking PM2 would start one otherwise, and each user has
/// one of his own.
package struct AppCollector: Collector {
    package init() {}
    /// As `Collector` says.
    package var name: String { "PM2 and supervisord" }
    package var isVolatile: Bool { false }
    package var isHostWide: Bool { true }

    /// As `Collector` says.
    package func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
    {
        guard let pids = try? ProcessTable.pids(from: system) else { return }
        var found: [ManagedApp] = [], sources: [String] = [], refused: String?
        var pm2: [String]?, seesPM2 = false, seesSupervisord = false
        let own = ProcessTable.user("self", from: system)
        for pid in pids where pm2 == nil || !seesSupervisord {
            guard let raw = try? system.read("/proc/\(pid)/cmdline", limit: 512) else { continue }
            let command = LineText(raw[...])
            if command.hasPrefix("PM2 v"), command.contains("God Daemon") {
                seesPM2 = true
                if pm2 == nil, own != nil, ProcessTable.user("\(pid)", from: system) == own { pm2 = Self.question(command) }
            } else if !seesSupervisord, command.contains("supervisord") {
                seesSupervisord = true
            }
        }
        if let pm2 {
            do {
                if let apps = Self.parsePM2(try system.run(pm2, deadline: min(3_000, subject.commandsMax), limit: 8 << 20)) {
                    found += apps
                    sources.append("pm2 jlist")
                } else {
                    refused = "pm2 jlist gave no list"
                }
            } catch { refused = error.text }
        } else if seesPM2 {
            refused = "PM2 runs as another user, and answers only that one"
        }
        if seesSupervisord {
            do {
                // It reads the settings, and loads the plug-ins, of a file in the current directory, which may belong to anybody.
                let question = ["env", "-C", "/", "supervisorctl", "status"]
                found += Self.parseSupervisord(try system.run(question, deadline: min(3_000, subject.commandsMax), limit: 1 << 20))
                sources.append("supervisorctl status")
            } catch { refused = error.text }
        }
        if let refused, found.isEmpty {
            evidence.apps = .unavailable(why: refused)
        } else if !sources.isEmpty {
            evidence.apps = .known(found, source: sources.joined(separator: ", "))
        }
    }

    /// The command that asks this very daemon: `PM2 v6.0.8: God Daemon (/home/deploy/.pm2)` names its directory, and for another one a
    /// daemon would be started.
    static func question(_ title: LineText) -> [String] {
        let home = title.between("(", ")")?.string ?? ""
        return home.hasPrefix("/") ? ["env", "PM2_HOME=\(home)", "pm2", "jlist"] : ["pm2", "jlist"]
    }

    /// `pm2 jlist`: a JSON array in a line of its own, possibly after lines of chatter; nil when there is none.
    package static func parsePM2(_ output: [UInt8]) -> [ManagedApp]? {
        let line = output.split(separator: 10).last { $0.starts(with: [91, 123]) || $0.elementsEqual([91, 93]) }
        guard let line, let list = (try? JSONSerialization.jsonObject(with: Data(line))) as? [[String: Any]] else { return nil }
        return list.prefix(1_000).map { item in
            let environment = item["pm2_env"] as? [String: Any] ?? [:]
            func int(_ key: String) -> Int? {
                (environment[key] as? NSNumber)?.intValue ?? (environment[key] as? String).flatMap { Int($0) }
            }
            var ports: [UInt16] = []
            for key in ["PORT", "HTTP_PORT", "APP_PORT", "SERVER_PORT", "port"] {
                if let port = int(key).flatMap({ UInt16(exactly: $0) }), port > 0 { ports.append(port) }
            }
            return ManagedApp(
                supervisor: .pm2, name: item["name"] as? String ?? "?", status: environment["status"] as? String ?? "",
                pid: Int32(truncatingIfNeeded: (item["pid"] as? NSNumber)?.intValue ?? 0),
                restarts: int("restart_time") ?? 0,
                unstableRestarts: int("unstable_restarts") ?? 0, execMode: environment["exec_mode"] as? String ?? "",
                waitReady: environment["wait_ready"] as? Bool ?? false, killTimeout: int("kill_timeout"),
                listenTimeout: int("listen_timeout"),
                instances: int("instances") ?? 1, interpreter: environment["exec_interpreter"] as? String ?? "", ports: ports)
        }
    }

    /// `name   RUNNING   pid 123, uptime 0:01:02`.
    package static func parseSupervisord(_ output: [UInt8]) -> [ManagedApp] {
        output.split(separator: 10).compactMap { line in
            let fields = LineText(line).fields(5)
            guard fields.count >= 2, let state = fields.dropFirst().first?.string, state.allSatisfy({ $0.isUppercase })
            else { return nil }
            let pid = LineText(line).after("pid ")?.number ?? 0
            return ManagedApp(
                supervisor: .supervisord, name: fields[0].string, status: state, pid: Int32(truncatingIfNeeded: pid))
        }
    }
}
