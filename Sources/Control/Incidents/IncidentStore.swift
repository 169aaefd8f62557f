import Diagnosis
import Foundation
import GRDB
import Machine
import Synchronization

/// Incidents on disk: one SQLite file in WAL mode, so that a crash loses nothing that was kept.
final class IncidentStore: Sendable {
    let path: String
    private let queue: DatabaseQueue
    private let backlog = Mutex(Backlog())
    /// Other names that are in the file, with those whose they are: a long incident has many, and is written four times a second.
    private let written = Mutex<[IncidentID: IncidentID]>([:])
    private static let writtenMax = 4_096

    /// Reports read for one list at most.
    private static let listMax = 1_000
    /// Transactions that wait at most: more come only when the disk does not answer at all.
    private static let writesMax = 8
    /// Milliseconds that a transaction waits for somebody else's. Nobody waits for ours.
    private static let patience = 200
    /// Share of the limit that is left after pruning.
    private static let prunedShare = 0.9

    /// Opens the file, makes it if need be, and prunes it.
    ///
    /// - Parameters:
    ///   - retention: seconds that a closed incident is kept.
    ///   - bytesMax: of the file.
    init(path: String, retention: Int, bytesMax: Int) throws {
        self.path = path
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(2)
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
        }
        queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.write { database in
            try database.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS incident (
                        id INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL, report BLOB NOT NULL);
                    CREATE INDEX IF NOT EXISTS incident_last ON incident (last);
                    CREATE TABLE IF NOT EXISTS alias (id INTEGER PRIMARY KEY, incident INTEGER NOT NULL);
                    """)
        }
        try queue.inDatabase { try $0.execute(sql: "PRAGMA busy_timeout = \(Self.patience)") }
        prune(retention: retention, bytesMax: bytesMax)
    }

    /// What is not written yet: the newest report of each incident, oldest first.
    private struct Backlog {
        var entries: [(version: UInt64, report: IncidentReport)] = []
        var lastVersion: UInt64 = 0
        /// Transactions that are not over.
        var writes = 0

        static let entriesMax = 1_024

        mutating func add(_ report: IncidentReport) {
            lastVersion += 1
            entries.removeAll { $0.report.id == report.id }
            entries.append((lastVersion, report))
            if entries.count > Self.entriesMax { entries.removeFirst() }
        }
    }

    /// Whether something is not written yet.
    var hasBacklog: Bool { backlog.withLock { !$0.entries.isEmpty } }

    /// Writes reports, in one transaction, without waiting for it. What a locked file or a full disk does not take is kept, and tried again
    /// with the next call, which may bring none.
    func keep(_ reports: [IncidentReport]) {
        let isDue = backlog.withLock { backlog in
            reports.forEach { backlog.add($0) }
            guard !backlog.entries.isEmpty, backlog.writes < Self.writesMax else { return false }
            backlog.writes += 1
            return true
        }
        guard isDue else { return }
        queue.asyncWrite({ database in
            let entries = self.backlog.withLock { $0.entries }
            try self.write(entries.map(\.report), to: database)
            return entries.last?.version ?? 0
        }, completion: { _, result in
            // What was not committed has to be written again.
            if case .failure = result { self.written.withLock { $0 = [:] } }
            self.backlog.withLock { backlog in
                backlog.writes -= 1
                if case .success(let version) = result { backlog.entries.removeAll { $0.version <= version } }
            }
        })
    }

    /// Whether a name has to be written.
    private func isNews(_ alias: IncidentID, of incident: IncidentID) -> Bool {
        written.withLock { written in
            if written.count >= Self.writtenMax { written = [:] }
            return written.updateValue(incident, forKey: alias) != incident
        }
    }

    private func write(_ reports: [IncidentReport], to database: Database) throws {
        for report in reports {
            let body = try JSONEncoder().encode(report)
            try database.execute(
                sql: "INSERT OR REPLACE INTO incident VALUES (?, ?, ?, ?)",
                arguments: [Int64(report.id.rawValue), report.first.milliseconds, report.last.milliseconds, body])
            // Whoever takes it as another name will have to remove it.
            written.withLock { $0[report.id] = nil }
            for alias in report.aliases where isNews(alias, of: report.id) {
                // What was kept under its own id is part of the report now.
                try database.execute(sql: "DELETE FROM incident WHERE id = ?", arguments: [Int64(alias.rawValue)])
                try database.execute(
                    sql: "INSERT OR REPLACE INTO alias VALUES (?, ?)",
                    arguments: [Int64(alias.rawValue), Int64(report.id.rawValue)])
            }
        }
    }

    /// Removes what is too old, then the oldest until the file is small enough.
    func prune(retention: Int, bytesMax: Int) {
        let oldest = Int64(Date().timeIntervalSince1970 * 1_000) - Int64(retention) * 1_000
        queue.asyncWrite({ database in
            try database.execute(sql: "DELETE FROM incident WHERE last < ?", arguments: [oldest])
            let pageSize = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 4_096
            let used = try Int.fetchOne(database, sql: "SELECT sum(length(report)) FROM incident") ?? 0
            if used > bytesMax - pageSize * 16, used > 0 {
                let count = try Int.fetchOne(database, sql: "SELECT count(*) FROM incident") ?? 0
                let kept = Int(Double(count) * Double(max(0, bytesMax)) / Double(used) * Self.prunedShare)
                try database.execute(
                    sql: "DELETE FROM incident WHERE id NOT IN (SELECT id FROM incident ORDER BY last DESC LIMIT ?)",
                    arguments: [kept])
            }
            try database.execute(sql: "DELETE FROM alias WHERE incident NOT IN (SELECT id FROM incident)")
            try database.execute(sql: "PRAGMA incremental_vacuum")
            self.written.withLock { $0 = [:] }
        }, completion: { _, _ in })
    }

    /// Those with a failure since a time, the newest first.
    func reports(since: Timestamp?) -> [IncidentReport] {
        let rows = try? queue.read { database in
            try Data.fetchAll(
                database, sql: "SELECT report FROM incident WHERE last >= ? ORDER BY last DESC LIMIT ?",
                arguments: [since?.milliseconds ?? 0, Self.listMax])
        }
        return (rows ?? []).compactMap(Self.decode)
    }

    /// One, by its id or one of its other names.
    func report(_ id: IncidentID) -> IncidentReport? {
        let row = try? queue.read { database in
            try Data.fetchOne(
                database,
                sql: "SELECT report FROM incident WHERE id = ?1 OR id = (SELECT incident FROM alias WHERE alias.id = ?1) LIMIT 1",
                arguments: [Int64(id.rawValue)])
        }
        return row.flatMap(Self.decode)
    }

    /// What is kept is not under way any more: the process that followed it has ended.
    private static func decode(_ data: Data) -> IncidentReport? {
        var report = try? JSONDecoder().decode(IncidentReport.self, from: data)
        report?.isOpen = false
        return report
    }
}
