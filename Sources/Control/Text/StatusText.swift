import Diagnosis
import Foundation

/// `goodgate status` for people. Whatever an app or a configuration can name is escaped.
enum StatusText {
    /// Ends with a newline.
    static func render(_ status: StatusReport, now: Date = Date()) -> String {
        let uptime = span(UInt64(max(0, now.timeIntervalSince(status.startedAt)) * 1000))
        let traffic = status.traffic
        var text = """
            goodgate \(status.version), \(status.state) for \(uptime), process \(status.process), generation \(status.generation)
            configuration \(escape(status.configuration))
            requests \(traffic.requests), connections \(traffic.activeConnections), parked now \(traffic.parkedNow) \
            (\(traffic.parked) in all), retried \(traffic.retried), rescued \(traffic.rescued), failed \(traffic.failed)

            """
        text += "\n" + TextTable.render(
            ["WORKER", "PROCESS", "GENERATION", "STATE", "AGE", "CONNECTIONS", "REQUESTS"],
            status.workers.map { worker in
                [
                    "\(worker.index)", worker.process.map { "\($0)" } ?? "-", "\(worker.generation)", worker.state,
                    span(worker.ageMilliseconds), "\(worker.connections)", "\(worker.requests)",
                ]
            })
        if !status.apps.isEmpty { text += "\n" + apps(status.apps) }
        if !status.upstreams.isEmpty { text += "\n" + upstreams(status.upstreams) }
        return text
    }

    /// The table of apps and instances.
    static func apps(_ apps: [AppReport]) -> String {
        var rows: [[String]] = []
        for app in apps {
            let state = app.rolling ? app.state + ", rolling" : app.running ? app.state : "stopped"
            let next = app.nextStartMilliseconds.map { $0 > 0 ? ", next start in \(span($0))" : "" } ?? ""
            let scale = app.instancesWanted == app.instancesInBlock ? "" : " (\(app.instancesInBlock) in the block)"
            var notes: [String] = []
            if let refused = app.refusedBlock { notes.append("the block was edited and does not run: \(escape(refused))") }
            if !app.differences.isEmpty { notes.append("differs from the block: " + app.differences.map(escape).joined(separator: "; ")) }
            rows.append([
                escape(app.name), state + next, "release \(app.release)", "\(app.instancesWanted) wanted\(scale)", "", "",
                notes.joined(separator: ", "),
            ])
            for instance in app.instances {
                var notes: [String] = []
                if instance.role != "current" { notes.append(instance.role) }
                if instance.restarts > 0 { notes.append("\(instance.restarts) restarts") }
                if instance.failedStarts > 0 { notes.append("\(instance.failedStarts) failed starts") }
                if let failure = instance.lastFailure { notes.append(escape(failure)) }
                if let exit = instance.lastExit { notes.append("before: \(escape(exit))") }
                if let status = instance.status { notes.append(escape(status)) }
                if instance.state == "backing_off", let next = instance.nextMilliseconds { notes.append("starts in \(span(next))") }
                rows.append([
                    "  \(escape(app.name)).\(instance.slot)#\(instance.serial)",
                    instance.state == "backing_off" ? "backing off" : instance.state, "release \(instance.release)",
                    instance.process.map { "process \($0)" } ?? "", escape(instance.address),
                    instance.process == nil ? "" : span(instance.ageMilliseconds), notes.joined(separator: ", "),
                ])
            }
        }
        return TextTable.render(["APP", "STATE", "RELEASE", "PROCESS", "ADDRESS", "AGE", "NOTES"], rows)
    }

    private static func upstreams(_ upstreams: [UpstreamReport]) -> String {
        var rows: [[String]] = []
        for upstream in upstreams {
            for server in upstream.servers {
                let name = server.name == server.address ? server.address : "\(server.name) \(server.address)"
                rows.append([
                    escape(upstream.name), escape(name), server.state + (server.backup ? ", backup" : ""), "\(server.weight)",
                    "\(server.connections)", "\(server.attempts)", "\(server.broken)", "\(server.fails)",
                ])
            }
            if upstream.servers.isEmpty { rows.append([escape(upstream.name), "no server", "", "", "", "", "", ""]) }
        }
        return TextTable.render(["UPSTREAM", "SERVER", "STATE", "WEIGHT", "REQUESTS NOW", "ATTEMPTS", "BROKEN", "FAILS"], rows)
    }

    /// A time as people say it: `850 ms`, `12.3 s`, `4 min 2 s`, `3 h 5 min`, `2 d 1 h`.
    static func span(_ milliseconds: UInt64) -> String {
        let seconds = milliseconds / 1000
        switch seconds {
        case 0: return "\(milliseconds) ms"
        case 1..<60: return "\(seconds).\(milliseconds % 1000 / 100) s"
        case 60..<3600: return "\(seconds / 60) min \(seconds % 60) s"
        case 3600..<86_400: return "\(seconds / 3600) h \(seconds % 3600 / 60) min"
        default: return "\(seconds / 86_400) d \(seconds % 86_400 / 3600) h"
        }
    }

    private static func escape(_ text: String) -> String { TextEscape.terminal(text) }
}

/// Columns for a terminal.
enum TextTable {
    /// Two spaces between columns, the last one ragged, a newline after each row. Numbers stand in columns of `right`.
    static func render(_ head: [String], _ rows: [[String]], right: ClosedRange<Int>? = nil) -> String {
        let all = [head] + rows
        let widths = head.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let pad = String(repeating: " ", count: widths[column] - cell.count)
                line += right?.contains(column) == true ? pad + cell : cell + pad
                if column < row.count - 1 { line += "  " }
            }
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
