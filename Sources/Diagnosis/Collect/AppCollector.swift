import Foundation

/// Applications under PM2 and supervisord, asked only when their daemon runs (asking PM2 would start one otherwise).
package struct AppCollector: Collector {
    package init() {}
    /// As `Collector` says.
    package var name: String { "PM2 and supervisord" }
    package var isVolatile: Bool { false }

    /// As `Collector` says.
    package func collect(_ subject: CollectionSubject, from system: some SystemReader, into evidence: inout EvidenceSet)
    {
        guard let pids = try? ProcessTable.pids(from: system) else { return }
        var found: [ManagedApp] = [], sources: [String] = [], refused: String?
        for pid in pids {
            guard let raw = try? system.read("/proc/\(pid)/cmdline", limit: 512) else { continue }
            let command = LineText(raw[...])
            if command.hasPrefix("PM2 v"), command.contains("God Daemon") {
                do {
                    found += Self.parsePM2(try system.run(["pm2", "jlist"], deadline: 3_000, limit: 8 << 20))
                    sources.append("pm2 jlist")
                } catch { refused = error.text }
            } else if command.contains("supervisord") {
                do {
                    found += Self.parseSupervisord(
                        try system.run(["supervisorctl", "status"], deadline: 3_000, limit: 1 << 20))
                    sources.append("supervisorctl status")
                } catch { refused = error.text }
            }
        }
        if let refused, found.isEmpty {
            evidence.apps = .unavailable(why: refused)
        } else if !sources.isEmpty {
            evidence.apps = .known(found, source: sources.joined(separator: ", "))
        }
    }

    /// `pm2 jlist`: a JSON array, possibly after lines of chatter.
    package static func parsePM2(_ output: [UInt8]) -> [ManagedApp] {
        guard let start = output.firstIndex(of: 91),
            let list = (try? JSONSerialization.jsonObject(with: Data(output[start...]))) as? [[String: Any]]
        else { return [] }
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
                instances: int("instances") ?? 1, script: environment["pm_exec_path"] as? String ?? "", ports: ports)
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
