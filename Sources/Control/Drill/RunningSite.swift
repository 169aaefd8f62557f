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
    static let faults: [DrillFault] = [.none, .killOne, .killAll, .hang, .reload, .workerKilled, .rollingRestart]

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

    func isWhole(_ status: StatusReport, without gone: Set<Int32>) -> Bool {
        isWhole(status, without: gone, workers: workers, instances: instances)
    }

    func inject(_ fault: DrillFault, for time: Duration) async throws -> DrillInjection {
        switch fault {
        case .killOne: return await signal(SIGKILL, count: 1)
        case .killAll: return await signal(SIGKILL, count: .max)
        case .hang: return await hang()
        case .reload: return try await reload(times: 20)
        case .workerKilled: return await killWorker()
        case .rollingRestart: return try await restart()
        default:
            try await Task.sleep(for: time)
            return DrillInjection()
        }
    }

    private func restart() async throws -> DrillInjection {
        let before = Set(await readyInstances().compactMap(\.process))
        var last: ProgressReport?
        try await client.send(.POST, AppCommand.resource(appName, "restart")) { line in
            last = try APICoding.decoder.decode(ProgressReport.self, from: Data(line))
        }
        return DrillInjection(gone: before, complaint: last?.succeeded == true ? nil : last?.text ?? "the restart said nothing")
    }

    func withdraw(_ injection: DrillInjection) async { for process in injection.stopped { _ = kill(process, SIGCONT) } }

    func newLogLines() -> [Substring: AccessLine]? { nil }

    func executedPosts() -> [Substring: Int] { [:] }
}
