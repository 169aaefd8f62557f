import Foundation
import Glibc

/// What the drill works on: a goodgate with an app, and what can be done to it.
protocol DrillTarget: AnyObject {
    var load: LoadTarget { get }
    /// The app whose processes suffer.
    var appName: String { get }
    var supervisorProcess: Int32? { get }

    /// Begins, or finds it.
    func start() async throws
    /// What is going to be done, and to whom; nil: to nobody's site.
    func announcement(of faults: [DrillFault]) -> String?
    /// Before the load of a fault.
    func prepare(_ fault: DrillFault) async throws
    /// Makes a fault. Faults that last, last about `time`.
    func inject(_ fault: DrillFault, for time: Duration) async throws -> DrillInjection
    /// Gives back what an injection holds.
    func withdraw(_ injection: DrillInjection) async
    /// nil: nobody answers now.
    func status() async -> StatusReport?
    /// Whether everything runs as it should, without these processes.
    func isWhole(_ status: StatusReport, without gone: Set<Int32>) -> Bool
    /// What the gateway's log has got since the last call, by request; nil: it is not the drill's to read.
    func newLogLines() -> [Substring: AccessLine]?
    /// How often each POST was executed.
    func executedPosts() -> [Substring: Int]
}

extension DrillTarget {
    func announcement(of faults: [DrillFault]) -> String? { nil }

    /// The instances that serve now.
    func readyInstances() async -> [InstanceReport] {
        let app = await status()?.apps.first { $0.name == appName }
        return app?.instances.filter { $0.state == "ready" && $0.role == "current" && $0.process != nil } ?? []
    }

    /// Waits until everything runs as it should: all workers, all instances healthy, none of them one of `gone`,
    /// and nothing else on its way out.
    /// - Returns: when; nil: not within the time, or the drill was interrupted.
    func recovered(without gone: Set<Int32>, within limit: Duration = .seconds(30)) async -> ContinuousClock.Instant? {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline, !Task.isCancelled {
            if let status = await status(), isWhole(status, without: gone) { return .now }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return nil
    }

    func isWhole(_ status: StatusReport, without gone: Set<Int32>, workers: Int, instances: Int) -> Bool {
        let ready = status.workers.filter { $0.state == "ready" && !gone.contains($0.process ?? 0) }
        guard status.workers.count == workers, ready.count == workers, let app = status.apps.first(where: { $0.name == appName })
        else { return false }
        let current = app.instances.filter { $0.role == "current" }
        let healthy = current.filter { $0.state == "ready" && $0.healthy && !gone.contains($0.process ?? 0) }
        // One that hung, and got a successor, may still be on its way out.
        let others = app.instances.filter { $0.role != "current" && !($0.role == "outgoing" && gone.contains($0.process ?? 0)) }
        return current.count == instances && healthy.count == instances && others.isEmpty && !gone.contains(status.process)
    }

    func signal(_ number: Int32, count: Int) async -> DrillInjection {
        let processes = await readyInstances().compactMap(\.process).prefix(count)
        guard !processes.isEmpty else { return DrillInjection(complaint: "no instance was ready") }
        for process in processes where kill(process, number) != 0 {
            return DrillInjection(complaint: "signal \(number) to process \(process): \(lastErrorText)")
        }
        return DrillInjection(gone: Set(processes))
    }

    /// Stops an instance; it goes on when the injection is withdrawn.
    func hang() async -> DrillInjection {
        var injection = await signal(SIGSTOP, count: 1)
        injection.stopped = Array(injection.gone)
        return injection
    }

    /// Kills one that gets new requests: what an older generation still serves would be cut, and nothing would be shown.
    func killWorker() async -> DrillInjection {
        guard let process = await status()?.workers.first(where: { $0.state == "ready" })?.process else {
            return DrillInjection(complaint: "no worker was ready")
        }
        let now = ContinuousClock.now
        guard kill(process, SIGKILL) == 0 else {
            return DrillInjection(complaint: "kill -9 of worker \(process): \(lastErrorText)")
        }
        return DrillInjection(gone: [process], kill: now)
    }

    private var lastErrorText: String { POSIXError(POSIXErrorCode(rawValue: errno) ?? .EPERM).localizedDescription }

    /// Tells the supervisor to reload.
    /// - Returns: what went wrong; nil: nothing.
    func reload() -> String? {
        guard let process = supervisorProcess else { return "the supervisor is not known" }
        return kill(process, SIGHUP) == 0 ? nil : "SIGHUP to supervisor \(process): \(lastErrorText)"
    }
}
