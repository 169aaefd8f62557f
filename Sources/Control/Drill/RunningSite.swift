import Foundation
import Glibc
import NIOHTTP1

/// A goodgate that runs already, with somebody's own app: the drill only looks, asks and kills. GET requests only.
///
/// One task uses it.
final class RunningSite: DrillTarget {
    let load: LoadTarget
    let appName: String
    private let client: ControlClient
    private(set) var supervisorProcess: Int32?
    private var workers = 0
    private var instances = 0

    /// Faults that need nothing of the app but that it is supervised.
    static let faults: [DrillFault] = [.none, .killOne, .killAll, .hang, .workerKilled, .rollingRestart]
    /// The one that does more than it says to somebody's site: it puts in force what the files say now. Only if it is asked for.
    static let faultsOnDemand: [DrillFault] = [.reload]

    /// How long an instance may stay stopped before it goes on, noticed or not.
    private static let hangMax: Duration = .seconds(10)
    /// Old generations of workers that may still drain when another one joins them: with one more, goodgate stops the oldest, with
    /// whatever it still serves.
    private static let drainingMax = 3

    init(client: ControlClient, app: String, load: LoadTarget) {
        self.client = client
        appName = app
        self.load = load
    }

    func start() async throws {
        let status = try await client.get(StatusReport.self, "/v1/status")
        guard let app = status.apps.first(where: { $0.name == appName }) else {
            let names = status.apps.map(\.name).joined(separator: ", ")
            throw ClientError("there is no app \"\(appName)\"; " + (names.isEmpty ? "there is none at all" : "there are \(names)"))
        }
        guard app.running else { throw ClientError("app \(appName) is stopped; goodgate app start \(appName)") }
        supervisorProcess = status.process
        workers = status.workers.count { $0.state != "draining" }
        instances = Int(app.instancesWanted)
    }

    func prepare(_ fault: DrillFault) async throws {}

    func status() async -> StatusReport? { try? await client.get(StatusReport.self, "/v1/status") }

    /// Old workers may take as long as somebody's long requests do.
    func isWhole(_ status: StatusReport, without gone: Set<Int32>) -> Bool {
        var status = status
        status.workers.removeAll { $0.state == "draining" }
        return isWhole(status, without: gone, workers: workers, instances: instances)
    }

    /// What is going to be done, and to whom.
    func announcement(of faults: [DrillFault]) -> String? {
        """
        This works on goodgate process \(supervisorProcess ?? 0): \(workers) workers, app \(appName) with \(instances) instances.
        \(Drill.clients) clients send GET requests to \(load.path) of \(load.authority) all the time. What happens meanwhile:
          \(faults.map(\.rawValue).joined(separator: "\n  "))
        Ctrl-C ends it; an instance that is stopped then goes on.

        """
    }

    func inject(_ fault: DrillFault, for time: Duration) async throws -> DrillInjection {
        switch fault {
        case .killOne: return await signal(SIGKILL, count: 1)
        case .killAll: return await signal(SIGKILL, count: .max)
        case .hang: return await hangForAWhile()
        case .reload: return await reloadAgainAndAgain()
        case .workerKilled: return await killWorker()
        case .rollingRestart: return await restart()
        default:
            try await Task.sleep(for: time)
            return DrillInjection()
        }
    }

    /// Nobody promised that a stopped instance is replaced: it may have no `health`, or children that answer for it.
    private func hangForAWhile() async -> DrillInjection {
        let injection = await hang()
        // By a clock of its own: goodgate may not answer meanwhile.
        let goesOn = Self.letGoOn(injection.stopped, after: Self.hangMax)
        defer { goesOn.cancel() }
        guard !injection.gone.isEmpty, await recovered(without: injection.gone, within: Self.hangMax) == nil else { return injection }
        await withdraw(injection)
        return DrillInjection(
            note: "nobody replaced the stopped process within \(Self.hangMax.components.seconds) s, so it goes on: with \"health\" in its"
                + " block an instance that hangs is found, if the process that goodgate started is the one that answers")
    }

    private static func letGoOn(_ processes: [Int32], after time: Duration) -> Task<Void, any Error> {
        Task.detached {
            try await Task.sleep(for: time)
            for process in processes { _ = kill(process, SIGCONT) }
        }
    }

    /// As on the drill's own site, but no generation is stopped while it serves somebody.
    private func reloadAgainAndAgain() async -> DrillInjection {
        for count in 0..<20 {
            guard let workers = await status()?.workers else { return DrillInjection(complaint: "goodgate does not answer") }
            let draining = Set(workers.filter { $0.state == "draining" }.map(\.generation))
            guard draining.count < Self.drainingMax else {
                return DrillInjection(note: "\(count) reloads: \(draining.count) older generations of workers still have requests to serve")
            }
            if let complaint = reload() { return DrillInjection(complaint: complaint) }
            guard await recovered(without: Set(workers.compactMap(\.process))) != nil else {
                return DrillInjection(complaint: "reload \(count + 1) did not come into force, see the error log")
            }
        }
        return DrillInjection()
    }

    private func restart() async -> DrillInjection {
        let before = Set(await readyInstances().compactMap(\.process))
        var last: ProgressReport?
        do {
            try await client.send(.POST, AppCommand.resource(appName, "restart")) { line in
                last = try APICoding.decoder.decode(ProgressReport.self, from: Data(line))
            }
        } catch { return DrillInjection(complaint: "the restart: \(error)") }
        return DrillInjection(gone: before, complaint: last?.succeeded == true ? nil : last?.text ?? "the restart said nothing")
    }

    func withdraw(_ injection: DrillInjection) async { for process in injection.stopped { _ = kill(process, SIGCONT) } }

    func newLogLines() -> [Substring: AccessLine]? { nil }

    func executedPosts() -> [Substring: Int] { [:] }
}
