import Foundation
import Messages

/// `GET /v1/status`: everything that `goodgate status` shows.
struct StatusReport: Codable, Equatable, Sendable {
    /// Version of the program, and its process.
    var version: String
    var process: Int32
    var startedAt: Date
    /// `serving`, `paused`, `quitting`, `terminating`.
    var state: String
    /// Path of the configuration, and how often one was put in force.
    var configuration: String
    var generation: UInt32
    var traffic: TrafficReport
    var workers: [WorkerReport]
    var apps: [AppReport]
    var upstreams: [UpstreamReport]
}

/// Sums over all workers since the start.
struct TrafficReport: Codable, Equatable, Sendable {
    var accepted: UInt64
    var requests: UInt64
    var activeConnections: UInt64
    /// Requests that wait now for an instance to come.
    var parkedNow: UInt64
    var parked: UInt64
    var retried: UInt64
    /// Attempts taken back from the accept queue of an instance that was gone.
    var rescued: UInt64
    /// Answers 502, 503 and 504 of the gateway's own.
    var failed: UInt64
    /// Records of failed attempts that nobody had time for.
    var attemptsDropped: UInt64
}

/// A worker process.
struct WorkerReport: Codable, Equatable, Sendable {
    /// nil while its next start is awaited.
    var process: Int32?
    var generation: UInt32
    var index: UInt32
    /// `starting`, `ready`, `draining`, `stopping`, `resting`.
    var state: String
    var ageMilliseconds: UInt64
    var connections: UInt64
    var requests: UInt64
}

/// An app.
struct AppReport: Codable, Equatable, Sendable {
    var name: String
    /// `up`, `coming`, `implausible` (three starts in a row failed), `down`.
    var state: String
    /// Whether it is to run, and whether a deploy or restart is under way.
    var running: Bool
    var rolling: Bool
    /// Time to the next start, when none serves and one is planned.
    var nextStartMilliseconds: UInt64?
    var release: UInt32
    /// What `rollback` goes back to.
    var previousRelease: UInt32?
    var command: [String]
    /// How the release differs from the block of the configuration. Variables by name only.
    var differences: [String]
    /// The block in force was given up, for this reason; what runs is a release of the block before it.
    var refusedBlock: String?
    /// Instances that are wanted, and that the block asks for.
    var instancesWanted: UInt32
    var instancesInBlock: UInt32
    var instances: [InstanceReport]
}

/// An instance of an app.
struct InstanceReport: Codable, Equatable, Sendable {
    var slot: UInt32
    /// Number of the start: 1 for the first of the app.
    var serial: UInt32
    var release: UInt32
    /// `stopped`, `finished`, `backing_off`, `starting`, `probing`, `ready`, `draining`, `stopping`, `killing`, `emptying`.
    var state: String
    /// `current`, `candidate`, `outgoing`.
    var role: String
    var healthy: Bool
    var process: Int32?
    var address: String
    var ageMilliseconds: UInt64
    /// Time to what happens next by itself: the next start, the end of its patience.
    var nextMilliseconds: UInt64?
    var restarts: UInt64
    var failedStarts: UInt32
    var lastExit: String?
    /// Why the last start failed.
    var lastFailure: String?
    /// Its last STATUS=.
    var status: String?
    var lines: UInt64
    var linesDropped: UInt64
}

/// An upstream.
struct UpstreamReport: Codable, Equatable, Sendable {
    var name: String
    var servers: [ServerReport]
}

/// A server of an upstream.
struct ServerReport: Codable, Equatable, Sendable {
    var name: String
    var address: String
    /// `up`, `down`, `draining`, `leaving`, `unhealthy`, `unproven`, `failing`.
    var state: String
    var backup: Bool
    var weight: UInt32
    var connections: UInt64
    var fails: UInt64
    var attempts: UInt64
    var broken: UInt64
}

extension StatusReport {
    /// Puts together what the supervisor answered.
    init(_ hello: ControlHello, _ parts: [ControlCommand]) {
        var overview = SupervisorOverview(phase: .serving, generation: 0)
        workers = []
        apps = []
        upstreams = []
        for part in parts {
            switch part {
            case .overview(_, let told): overview = told
            case .workers(_, let list): workers += list.map(WorkerReport.init)
            case .app(_, let app): apps.append(AppReport(app))
            case .instances(_, let app, let list):
                if let index = apps.lastIndex(where: { $0.name == app }) { apps[index].instances += list.map(InstanceReport.init) }
            case .peers(_, let list):
                for peer in list {
                    if upstreams.last?.name != peer.upstream {
                        if let index = upstreams.firstIndex(where: { $0.name == peer.upstream }) {
                            upstreams.append(upstreams.remove(at: index))
                        } else {
                            upstreams.append(UpstreamReport(name: peer.upstream, servers: []))
                        }
                    }
                    upstreams[upstreams.count - 1].servers.append(ServerReport(peer))
                }
            default: break
            }
        }
        upstreams.sort { $0.name < $1.name }
        version = hello.version
        process = hello.supervisorProcess
        startedAt = Date(timeIntervalSince1970: Double(hello.startedAt / 1_000_000_000))
        state = "\(overview.phase)"
        configuration = hello.configurationPath
        generation = overview.generation
        traffic = TrafficReport(
            accepted: overview.accepted, requests: overview.requests, activeConnections: overview.activeConnections,
            parkedNow: overview.parkedNow, parked: overview.parked, retried: overview.retried, rescued: overview.rescued,
            failed: overview.failed, attemptsDropped: overview.attemptsDropped)
    }
}

extension WorkerReport {
    init(_ worker: WorkerOverview) {
        self.init(
            process: worker.process == 0 ? nil : worker.process, generation: worker.generation, index: worker.index,
            state: "\(worker.state)", ageMilliseconds: worker.age, connections: worker.connections, requests: worker.requests)
    }
}

extension AppReport {
    init(_ app: AppOverview) {
        self.init(
            name: app.name, state: "\(app.outlook)", running: app.isRunning, rolling: app.isRolling,
            nextStartMilliseconds: app.outlook == .coming || app.outlook == .implausible ? app.nextStart : nil,
            release: app.release, previousRelease: app.previousRelease == 0 ? nil : app.previousRelease, command: app.command,
            differences: app.differences, refusedBlock: app.refusedBlock.isEmpty ? nil : app.refusedBlock,
            instancesWanted: app.count, instancesInBlock: app.blockCount, instances: [])
    }
}

extension InstanceReport {
    init(_ instance: InstanceOverview) {
        let state = instance.phase == .backingOff ? "backing_off" : "\(instance.phase)"
        self.init(
            slot: instance.slot, serial: instance.serial, release: instance.release, state: state, role: "\(instance.role)",
            healthy: instance.isHealthy, process: instance.process == 0 ? nil : instance.process, address: instance.address,
            ageMilliseconds: instance.age, nextMilliseconds: instance.next == 0 ? nil : instance.next, restarts: instance.restarts,
            failedStarts: instance.failedStarts, lastExit: instance.lastExit.isEmpty ? nil : instance.lastExit,
            lastFailure: instance.lastFailure.isEmpty ? nil : instance.lastFailure,
            status: instance.status.isEmpty ? nil : instance.status, lines: instance.lines, linesDropped: instance.linesDropped)
    }
}

extension ServerReport {
    init(_ peer: PeerOverview) {
        self.init(
            name: peer.name, address: peer.address, state: "\(peer.state)", backup: peer.isBackup, weight: peer.weight,
            connections: peer.connections, fails: peer.fails, attempts: peer.attempts, broken: peer.broken)
    }
}
