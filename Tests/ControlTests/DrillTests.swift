import Foundation
import TestKit
import Testing

@testable import Control

/// The drill when something goes wrong in it.
@Suite(.blocking) struct DrillErrorTests {
    /// A site on which no fault can be made. Nobody listens at its port.
    private final class BrokenSite: DrillTarget {
        let load = LoadTarget.demo(port: 1)
        let appName = "demo"
        let supervisorProcess: Int32? = nil
        var isWithdrawn = false
        var workers: [WorkerReport] = []
        /// Called when a fault has been made.
        let made: () -> Void

        init(_ made: @escaping () -> Void = {}) { self.made = made }

        func start() async throws {}
        func prepare(_ fault: DrillFault) async throws {}
        func inject(_ fault: DrillFault, for time: Duration) async throws -> DrillInjection {
            guard fault != .killOne else { throw ClientError("nobody can be killed here") }
            made()
            return DrillInjection(gone: [1], stopped: [0])
        }
        func withdraw(_ injection: DrillInjection) async { isWithdrawn = injection.stopped == [0] }
        func status() async -> StatusReport? {
            StatusReport(
                version: "", process: 1, startedAt: Date(), state: "serving", configuration: "", generation: 1,
                traffic: TrafficReport(
                    accepted: 0, requests: 0, activeConnections: 0, parkedNow: 0, parked: 0, retried: 0, rescued: 0, failed: 0,
                    attemptsDropped: 0),
                workers: workers, apps: [], upstreams: [])
        }
        /// Before the fault; after it, never.
        func isWhole(_ status: StatusReport, without gone: Set<Int32>) -> Bool { gone.isEmpty }
        func newLogLines() -> [Substring: AccessLine]? { nil }
        func executedPosts() -> [Substring: Int] { [:] }
    }

    @Test(.timeLimit(.minutes(20))) func `an error in a fault ends the load and the drill, and is what it says`() async throws {
        let drill = Drill(site: BrokenSite(), time: .milliseconds(40))
        let error = await #expect(throws: ClientError.self) { _ = try await drill.run([.killOne]) { _ in } }
        #expect(error?.message == "nobody can be killed here")
    }

    @Test(.timeLimit(.minutes(20))) func `an interrupted drill undoes what it did, and ends`() async throws {
        let (made, sign) = AsyncStream.makeStream(of: Void.self)
        let work = Task(executorPreference: BlockingTests.executor) {
            let site = BrokenSite { sign.yield() }
            do { _ = try await Drill(site: site, time: .milliseconds(40)).run([.hang]) { _ in } } catch {}
            return site.isWithdrawn
        }
        for await _ in made { break }
        let began = ContinuousClock.now
        work.cancel()
        #expect(await work.value)
        #expect(ContinuousClock.now - began < .seconds(29), "not the 30 s in which all is to be well again")
    }

    @Test(arguments: [
        ("http://a", "a", 80, "/", "a"), ("http://a:8080/x?y=1", "a", 8080, "/x?y=1", "a:8080"),
        ("http://127.0.0.1:1/", "127.0.0.1", 1, "/", "127.0.0.1:1"),
        ("http://[::1]:65535/", "::1", 65535, "/", "[::1]:65535"), ("http://[::1]/", "::1", 80, "/", "[::1]"),
    ])
    func `a URL says where to connect and what the field Host has`(
        url: String, host: String, port: Int, path: String, authority: String
    ) throws {
        let target = try #require(LoadTarget(url: url))
        #expect((target.host, target.port) == (host, port))
        #expect((target.path, target.authority) == (path, authority))
    }

    @Test(arguments: ["http://a:0/", "http://a:65536/", "http://[::1]:70000/"]) func `a port that is none is refused`(url: String) {
        #expect(LoadTarget(url: url) == nil)
    }

    @Test func `a worker that only ends what it has is not the one that is killed`() async throws {
        var processes: [Process] = []
        for _ in 0..<2 {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sleep")
            process.arguments = ["60"]
            try process.run()
            processes.append(process)
        }
        defer { for process in processes { process.terminate() } }
        let site = BrokenSite()
        site.workers = zip(processes, ["draining", "ready"]).map { process, state in
            WorkerReport(
                process: process.processIdentifier, generation: 1, index: 0, state: state, ageMilliseconds: 0, connections: 0, requests: 0)
        }
        let injection = await site.killWorker()
        #expect(injection.gone == [processes[1].processIdentifier] && injection.complaint == nil)
        processes[1].waitUntilExit()
        #expect(processes[0].isRunning)
        site.workers.removeLast()
        #expect(await site.killWorker().complaint == "no worker was ready")
    }

    /// What clients saw of 30 POSTs that an instance had when it was killed, and of one that was answered and executed twice.
    @Test func `each POST that nobody may repeat is listed, and each that was executed twice`() throws {
        let now = ContinuousClock.now
        func post(_ id: String, _ ending: LoadResult.Ending) -> LoadResult {
            LoadResult(id: id, isPost: true, fault: 0, began: now, ended: now + .milliseconds(3), ending: ending)
        }
        let lost = (100..<130).map { "drill-\($0)" }
        let lines = (lost.map { "\($0) 502 120|-|127.0.0.1:1" } + ["drill-7 201 120|-|127.0.0.1:1"]).compactMap { AccessLine($0[...]) }
        let row = DrillRow(
            .killOne, lost.map { post($0, .answered(status: 502)) } + [post("drill-7", .answered(status: 201))],
            log: Dictionary(uniqueKeysWithValues: lines.map { ($0.id, $0) }), executed: ["drill-7": 2, "drill-100": 1], kill: nil,
            recovery: .milliseconds(80))
        #expect(row.failures == 0 && row.unavoidable == lost && row.executedTwice == ["drill-7"] && !row.isPassed)
        let text = DrillText.render(row)
        let words = text.split { $0 == " " || $0 == "," || $0 == "\n" }
        for id in lost + ["drill-7"] { #expect(words.contains(id[...]), "\(id) in \(text)") }
        #expect(text.contains("\n    30 that nobody may repeat: drill-100, ") && text.contains("\n    1 executed twice: drill-7"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= DrillText.header.count }, "\(text)")
        #expect(DrillText.summary([row]).hasSuffix("1 POSTs executed twice: NOT passed: kill -9 of one instance"))
    }
}
