import Diagnosis
import Foundation
import Machine
import Testing

@testable import Control

/// A file of its own, removed at the end.
private final class StorePath {
    let path = NSTemporaryDirectory() + "goodgate-store-\(UUID().uuidString)/incidents.db"
    init() throws {
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent) }
}

@Suite("The incident store")
struct IncidentStoreTests {
    private let now = Int64(Date().timeIntervalSince1970)

    private func report(_ salt: UInt16, age: Int64 = 0, alias: UInt16? = nil, upstream: String = "back") throws -> IncidentReport {
        let id = IncidentID(seconds: now - age, salt: salt)
        let aliases = alias.map { "\"\(IncidentID(seconds: now, salt: $0).text)\"" } ?? ""
        let time = (now - age) * 1_000
        return try JSONDecoder().decode(
            IncidentReport.self,
            from: Data(
                """
                {"id": "\(id.text)", "aliases": [\(aliases)], "upstream": "\(upstream)", "first": \(time), "last": \(time), "isOpen": true,
                 "attempts": {"connect.refused": 3}, "requestsFailed": 1, "requestsSaved": 2, "requestsPending": 0, "timeline": []}
                """.utf8))
    }

    @Test("keeps a report over a crash, and finds it by every name") func keeps() throws {
        let file = try StorePath()
        let store = try IncidentStore(path: file.path, retention: 3_600, bytesMax: 1 << 30)
        store.keep([try report(1, alias: 9), try report(2, age: 60)])
        #expect(store.reports(since: nil).count == 2)
        // The first one is still open: what it wrote is there although it was never closed.
        let other = try IncidentStore(path: file.path, retention: 3_600, bytesMax: 1 << 30)
        let found = try #require(other.report(IncidentID(seconds: now, salt: 9)))
        #expect(found.id == IncidentID(seconds: now, salt: 1) && found.attempts == ["connect.refused": 3])
        #expect(!found.isOpen)
        #expect(other.reports(since: nil).map { $0.id.rawValue & 0x3ff } == [1, 2])
        #expect(other.reports(since: Timestamp(seconds: now - 10)).count == 1)
        #expect(other.report(IncidentID(seconds: now, salt: 77)) == nil)
    }

    @Test("a file that somebody else has locked holds nobody up, and loses nothing") func locked() throws {
        let file = try StorePath()
        let store = try IncidentStore(path: file.path, retention: 3_600, bytesMax: 1 << 30)
        let holder = Process(), input = Pipe(), output = Pipe()
        holder.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        holder.arguments = ["-c", """
            import sqlite3, sys
            base = sqlite3.connect(sys.argv[1], isolation_level=None)
            base.execute("BEGIN IMMEDIATE")
            print("locked", flush=True)
            sys.stdin.readline()
            """, file.path]
        (holder.standardInput, holder.standardOutput) = (input, output)
        try holder.run()
        defer { holder.terminate() }
        #expect(!output.fileHandleForReading.availableData.isEmpty)
        var one = try report(1)
        let start = ContinuousClock.now
        store.keep([one, try report(2)])
        one.requestsFailed = 500
        // One that waited would do so each time.
        for _ in 0..<20 { store.keep([one]) }
        #expect(ContinuousClock.now - start < .seconds(2))
        // Also when a transaction has been given up.
        Thread.sleep(forTimeInterval: 0.5)
        #expect(store.hasBacklog && store.reports(since: nil).isEmpty)
        input.fileHandleForWriting.write(Data("\n".utf8))
        holder.waitUntilExit()
        store.keep([])
        #expect(store.reports(since: nil).map(\.requestsFailed).sorted() == [1, 500])
        #expect(!store.hasBacklog)
    }

    @Test("replaces what it knows of an incident") func replaces() throws {
        let file = try StorePath()
        let store = try IncidentStore(path: file.path, retention: 3_600, bytesMax: 1 << 30)
        var one = try report(1)
        store.keep([one])
        one.requestsFailed = 500
        store.keep([one])
        #expect(store.reports(since: nil).map(\.requestsFailed) == [500])
    }

    /// The id of an incident outlives the control process: workers keep it.
    @Test("goes on with an incident that a former process had begun") func continues() async throws {
        let file = try StorePath()
        let store = try IncidentStore(path: file.path, retention: 3_600, bytesMax: 1 << 30)
        let earlier = try report(5, age: 30, alias: 6)
        store.keep([earlier])
        var book = IncidentBook()
        let time = Timestamp(seconds: now)
        let peer = PeerAddress(parsing: "127.0.0.1:3000")
        let record = AttemptRecord(time: time, upstream: "back", peer: peer, phase: .connecting, reason: .connectRefused)
        let kept = try #require(store.report(earlier.id))
        #expect(!book.knows(earlier.id))
        book.inherit(kept, as: kept.id)
        book.record(record, id: earlier.id, detail: "", now: time)
        #expect(book.knows(earlier.id))
        for _ in 0..<2 {
            store.keep(book.takeChanged())
            let found = try #require(store.report(earlier.id))
            #expect(found.attempts == ["connect.refused": 4] && found.first == earlier.first && found.last == time)
            #expect(found.requestsFailed == 1 && found.requestsSaved == 2 && found.aliases == earlier.aliases)
            #expect(store.reports(since: nil).count == 1)
        }
        // Another name that a worker uses later: its own row is part of the other one.
        var joined = earlier
        joined.aliases = [IncidentID(seconds: now, salt: 7)]
        store.keep([try report(7)])
        store.keep([joined])
        #expect(store.reports(since: nil).map(\.id) == [earlier.id])
    }

    @Test("goes on with it under another name, once") func renames() throws {
        let file = try StorePath()
        let store = try IncidentStore(path: file.path, retention: 3_600, bytesMax: 1 << 30)
        let earlier = try report(5, age: 30, alias: 6)
        store.keep([earlier])
        var book = IncidentBook()
        let time = Timestamp(seconds: now), other = earlier.aliases[0]
        let peer = PeerAddress(parsing: "127.0.0.1:3000")
        let record = AttemptRecord(time: time, upstream: "back", peer: peer, phase: .connecting, reason: .connectRefused)
        // As the desk does it, for each of two workers.
        for (name, attempts) in [(other, 4), (earlier.id, 5), (other, 6)] {
            if !book.knows(name), let kept = store.report(name) { book.inherit(kept, as: name) }
            book.record(record, id: name, detail: "", now: time)
            store.keep(book.takeChanged())
            for name in [other, earlier.id] { #expect(store.report(name)?.attempts == ["connect.refused": attempts]) }
            #expect(store.reports(since: nil).count == 1)
        }
    }

    @Test("counts requests that end when nothing fails any more") func pending() throws {
        let file = try StorePath()
        let store = try IncidentStore(path: file.path, retention: 3_600, bytesMax: 1 << 30)
        var earlier = try report(5, age: 30, alias: 6)
        earlier.requestsPending = 200
        store.keep([earlier])
        var book = IncidentBook()
        for name in [earlier.id, earlier.aliases[0]] {
            if !book.knows(name), let kept = store.report(name) { book.inherit(kept, as: name) }
            book.requests(name, entered: 0, saved: 100, failed: 0)
            store.keep(book.takeChanged())
        }
        let found = try #require(store.report(earlier.id))
        #expect(found.requestsSaved == 202 && found.requestsPending == 0 && found.attempts == earlier.attempts)
        #expect(store.reports(since: nil).count == 1)
    }

    @Test("forgets what is too old, and the oldest of too much") func prunes() throws {
        let file = try StorePath()
        let store = try IncidentStore(path: file.path, retention: 100_000, bytesMax: 1 << 30)
        let long = String(repeating: "u", count: 4_000)
        store.keep(try (0..<100).map { try report(UInt16($0), age: Int64($0) * 100, upstream: long) })
        store.prune(retention: 5_050, bytesMax: 1 << 30)
        #expect(store.reports(since: nil).count == 51)
        store.prune(retention: 100_000, bytesMax: 150_000)
        let left = store.reports(since: nil)
        #expect(left.count > 10 && left.count < 40)
        #expect(left.first?.id.rawValue == IncidentID(seconds: now, salt: 0).rawValue)
    }

    @Test("says what is wrong with its file") func broken() throws {
        let file = try StorePath()
        try Data(repeating: 0x41, count: 4_096).write(to: URL(fileURLWithPath: file.path))
        #expect(throws: (any Error).self) { try IncidentStore(path: file.path, retention: 1, bytesMax: 1 << 30) }
        #expect(throws: (any Error).self) { try IncidentStore(path: "/nonexistent/x.db", retention: 1, bytesMax: 1 << 30) }
    }
}
