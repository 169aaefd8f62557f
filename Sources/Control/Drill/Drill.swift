import Foundation
import NIOCore
import NIOPosix

/// Runs faults under steady load and says what became of each request.
struct Drill {
    let site: DrillSite
    /// Shortest time of load in each fault.
    let time: Duration

    static let clients = 64

    /// - Parameter each: gets each row as it is known.
    func run(_ faults: [DrillFault], each: (DrillRow) -> Void) async throws -> [DrillRow] {
        try site.start()
        guard await site.recovered(without: []) != nil else {
            throw ClientError("goodgate and its app did not start within 30 s; see \(site.folder.path)/error.log")
        }
        let account = LoadAccount()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var rows: [DrillRow] = []
        try await withThrowingTaskGroup(of: Void.self) { load in
            for number in 0..<Self.clients {
                let client = LoadClient(number: number, port: site.port, account: account, group: group)
                load.addTask { await client.run() }
            }
            for (index, fault) in faults.enumerated() {
                let row = try await run(fault, index, account)
                rows.append(row)
                each(row)
            }
            await account.close()
            try await load.waitForAll()
        }
        try await group.shutdownGracefully()
        return rows
    }

    private func run(_ fault: DrillFault, _ index: Int, _ account: LoadAccount) async throws -> DrillRow {
        try await site.prepare(fault)
        await account.enter(fault: index)
        let rescued = await site.status()?.traffic.rescued ?? 0
        try await Task.sleep(for: time / 4)
        let began = ContinuousClock.now
        var injection = try await site.inject(fault, for: time)
        let recovered = await site.recovered(without: injection.gone)
        await site.withdraw(injection)
        if recovered == nil { injection.complaint = injection.complaint ?? "not everything ran again within 30 s" }
        let left = time - (ContinuousClock.now - began)
        try await Task.sleep(for: max(left, time / 4))
        // The next fault begins; the requests of this one end in peace.
        await account.enter(fault: -1)
        for _ in 0..<1_600 where await account.pending(fault: index) > 0 { try await Task.sleep(for: .milliseconds(25)) }
        var row = DrillRow(
            fault, await account.take(fault: index), log: site.newLogLines(), executed: site.executedPosts(),
            kill: injection.kill, recovery: recovered.map { $0 - began })
        row.complaint = injection.complaint
        // A supervisor that was killed has taken its count with it.
        let after = await site.status()?.traffic.rescued ?? 0
        row.rescued = Int(after >= rescued ? after - rescued : after)
        return row
    }
}
