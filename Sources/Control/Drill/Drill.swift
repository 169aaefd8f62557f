import Foundation
import NIOCore
import NIOPosix

/// Runs faults under steady load and says what became of each request.
struct Drill {
    let site: any DrillTarget
    /// Shortest time of load in each fault.
    let time: Duration

    static let clients = 64

    /// - Parameters:
    ///   - begin: gets, before anything is done, what is going to be done to a site that is not the drill's own.
    ///   - each: gets each row as it is known.
    func run(
        _ faults: [DrillFault], begin: (String?) -> Void = { _ in }, each: (DrillRow) -> Void
    ) async throws -> [DrillRow] {
        try await site.start()
        begin(site.announcement(of: faults))
        guard await site.recovered(without: []) != nil else {
            throw ClientError("after 30 s not all workers and instances of app \(site.appName) are ready and healthy")
        }
        let account = LoadAccount()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let target = site.load
        let outcome = await withTaskGroup(of: Void.self) { load in
            for number in 0..<Self.clients {
                let client = LoadClient(number: number, target: target, account: account, group: group)
                load.addTask { await client.run() }
            }
            var rows: [DrillRow] = []
            var failure: (any Error)?
            do {
                for (index, fault) in faults.enumerated() {
                    let row = try await run(fault, index, account)
                    rows.append(row)
                    each(row)
                }
            } catch {
                failure = error
                // Whatever became of the drill, nobody waits for answers any more.
                load.cancelAll()
            }
            // The clients are waited for in any case, so they have to know of the end.
            await account.close()
            await load.waitForAll()
            return (rows: rows, failure: failure)
        }
        try await group.shutdownGracefully()
        if let failure = outcome.failure { throw failure }
        return outcome.rows
    }

    private func run(_ fault: DrillFault, _ index: Int, _ account: LoadAccount) async throws -> DrillRow {
        try await site.prepare(fault)
        await account.enter(fault: index)
        let before = await site.status()?.traffic
        try await Task.sleep(for: time / 4)
        let began = ContinuousClock.now
        var injection = try await site.inject(fault, for: time)
        let recovered = await site.recovered(without: injection.gone)
        await site.withdraw(injection)
        try Task.checkCancellation()
        if recovered == nil { injection.complaint = injection.complaint ?? "not everything ran again within 30 s" }
        let left = time - (ContinuousClock.now - began)
        try await Task.sleep(for: max(left, time / 4))
        // The next fault begins; the requests of this one end in peace.
        await account.enter(fault: -1)
        for _ in 0..<1_600 where await account.pending(fault: index) > 0 { try await Task.sleep(for: .milliseconds(25)) }
        let log = site.newLogLines()
        var row = DrillRow(
            fault, await account.take(fault: index), log: log ?? [:], executed: site.executedPosts(),
            kill: injection.kill, recovery: recovered.map { $0 - began })
        row.complaint = injection.complaint
        row.note = injection.note
        if let before, let after = await site.status()?.traffic {
            row.rescued = Self.increase(before.rescued, after.rescued)
            // Without a log of its own: of everybody's requests.
            if log == nil {
                row.parked = Self.increase(before.parked, after.parked)
                row.retried = Self.increase(before.retried, after.retried)
            }
        }
        return row
    }

    /// A supervisor that was killed has taken its counts with it.
    private static func increase(_ before: UInt64, _ after: UInt64) -> Int { Int(clamping: after >= before ? after - before : after) }
}
