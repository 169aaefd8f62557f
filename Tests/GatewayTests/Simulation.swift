import Config
import CSimulation
import Glibc
import Loop
import Machine
import Pattern
import Wire

@testable import Gateway

/// One run of a real worker under a simulated kernel: clients, origins and the network do what the seed says.
///
/// What is judged: each request has one well-formed answer, byte for byte that of one origin, or an end of the connection that the
/// rules allow; nothing that must not be repeated is; while one origin is healthy nothing fails that could be repeated; at the end
/// nothing is left.
final class Simulation {
    let seed: UInt64
    let network: SimulatedNetwork
    let plan: SimulationPlan
    var random: RandomSource
    var ledger = Ledger()
    /// By request: how often it was sent, and answered at least in part.
    var sent: [Int]
    var answers: [Int]
    private var clients: [SimulatedClient] = []
    private var hasHealthyOrigin = false
    private var hasRetired = false
    private var mustRetire = false
    private let pauseMax: UInt64

    init(seed: UInt64, directory: String, isTraced: Bool = false) {
        self.seed = seed
        random = RandomSource(seed: seed &* 0x9E37_79B9_7F4A_7C15)
        network = SimulatedNetwork(seed: seed)
        if isTraced { network.trace = [] }
        plan = SimulationPlan(&random, directory: directory)
        sent = plan.requests.map { _ in 0 }
        answers = sent
        pauseMax = [200_000, 3_000_000, 150_000_000][Int(random.next(below: 3))]
    }

    func chance(_ percent: UInt64) -> Bool { random.next(below: 100) < percent }
    /// A pause between two pieces, in nanoseconds.
    func pause() -> UInt64 { 1000 + random.next(below: pauseMax) }
    /// The gateway may close a connection that waits for a request.
    var mayCloseIdle: Bool { plan.configuration.contains("keepalive_timeout 0") || hasRetired || plan.isTight }

    /// An answer that the gateway made itself, or a 503 that it passed on although it might have asked others.
    func judgeOwnStatus(_ status: Int, _ request: Int) {
        let plan = plan.requests[request]
        if plan.badHead != nil {
            if status != 400 && status != 501 { network.fault("status \(status) for the bad request \(request)") }
            return
        }
        let attempts = ledger.attempts[request] ?? []
        // Nothing that keeps it from being sent once more happened to it.
        let isRepeatable = plan.isIdempotent || attempts.isEmpty && ledger.lateCloses == 0
        let isLost = self.plan.streamsRequests && plan.bodyFraming != .none
        guard [502, 503, 504].contains(status), !self.plan.isCalm, !hasHealthyOrigin || !isRepeatable || isLost else {
            return network.fault("status \(status) for request \(request), after \(attempts)")
        }
    }

    /// Runs to the end.
    /// - Returns: what went wrong, empty: nothing.
    func run() -> [String] {
        simulation_begin(SimulatedNetwork.entry, Unmanaged.passUnretained(network).toOpaque())
        defer { simulation_end() }
        guard let worker = start() else { return network.faults }
        let held = worker.value.pool.value.outstanding
        let healthy = plan.isCalm ? -1 : Int(random.next(below: 4))
        for index in 0..<plan.originCount {
            let origin = SimulatedOrigin(index: index, isHealthy: plan.isCalm || index == healthy, self)
            hasHealthyOrigin = hasHealthyOrigin || origin.isHealthy
            network.origins[0x0a00_0001 + UInt32(index)] = origin
        }
        clients = plan.clients.enumerated().map { SimulatedClient($0.offset, $0.element, self) }
        for client in clients { network.after(random.next(below: 20_000_000)) { client.begin() } }
        if let time = plan.retiresAfter {
            let retire = { [self] in
                mustRetire = true
                network.interrupt()
            }
            network.after(time) { [self] in if chance(50) { retire() } else { network.atNextClient(retire) } }
        }
        var turns = 0
        while !network.isStuck, network.faults.isEmpty, !plan.drains || !clients.allSatisfy(\.isDone), worker.tick() {
            turns += 1
            retireIfDue(worker)
            if turns > 300_000 { network.fault("it does not end") }
        }
        if hasRetired { network.goOnAlone() }
        if network.faults.isEmpty { judgeEnd(worker, held) }
        if network.trace != nil {
            worker.value.log.flush(now: worker.now, all: true)
            for log in network.logs.values { network.trace?.append(String(decoding: log, as: UTF8.self)) }
        }
        network.origins = [:]
        clients = []
        free(worker)
        return network.faults
    }

    private func retireIfDue(_ worker: WorkerRef) {
        guard mustRetire, !hasRetired else { return }
        network.note("the worker is told to leave")
        hasRetired = true
        worker.drain(deadline: nil)
    }

    private func start() -> WorkerRef? {
        var bundle = ConfigurationBundle(request: ConfigurationRequest(path: "/simulated.conf", prefix: "/"))
        bundle.files = [ConfigurationFile(path: "/simulated.conf", bytes: Array(plan.configuration.utf8))]
        let outcome = Configuration.parse(bundle, patterns: PatternCompiler())
        guard let configuration = outcome.configuration else {
            network.fault("the configuration: \(outcome.diagnostics.map(\.text))")
            return nil
        }
        do {
            let worker = try WorkerRef.make(configuration, hostName: "host", startedAsNginx: false, seed: seed)
            for (index, file) in worker.value.log.files.enumerated() { file.value.descriptor = CS_SIMULATED + 1_000_000 + Int32(index) }
            let listener = worker.value.http.value.listeners[0]
            listener.value.descriptor = network.listener
            listener.value.isShared = seed % 2 == 0
            network.isListenerExclusive = listener.value.isShared
            worker.value.listeners = [listener]
            worker.listenEvents(listener)
            return worker
        } catch {
            network.fault(error.message)
            return nil
        }
    }

    /// Gives back what a worker would keep for the life of its process: a thousand of them would fill the memory.
    private func free(_ worker: WorkerRef) {
        for file in worker.value.log.files { file.value.buffer.destroy() }
        let pool = worker.value.pool
        pool.value.give(worker.value.inbox)
        worker.destroy()
        pool.destroy()
    }

    // MARK: - The end

    private func judgeEnd(_ worker: WorkerRef, _ held: Int) {
        for client in clients where !client.isDone { network.fault("stuck, \(client.summary)") }
        if plan.drains {
            worker.drain(deadline: nil)
            var turns = 0
            while worker.tick(), turns < 10_000 { turns += 1 }
        }
        worker.value.log.flush(now: worker.now, all: true)
        judgeLogs(worker)
        let left = [
            ("client connections", worker.value.connections.count), ("requests", worker.value.requests.count),
            ("exchanges", worker.value.exchanges.count), ("upstream connections", worker.value.upstreamConnections.count),
            ("descriptors", network.openCount), ("buffers", worker.value.pool.value.outstanding - held),
            ("requests being written", worker.value.counters.writing), ("heads being read", worker.value.counters.reading),
            ("timers", plan.drains || hasRetired ? 0 : worker.value.loop.timers.entryCount),
        ]
        for (what, count) in left where count != 0 { network.fault("\(count) \(what) left at the end") }
        let upstream = worker.value.http.value.upstreams[0]
        for peer in 0..<plan.originCount where upstream.value.balancer.connections(of: peer) != 0 {
            network.fault("the balancer counts \(upstream.value.balancer.connections(of: peer)) connections to origin \(peer)")
        }
        for number in plan.requests.indices where answers[number] > 1 { network.fault("request \(number) had \(answers[number]) answers") }
    }

    private func judgeLogs(_ worker: WorkerRef) {
        for file in worker.value.log.files {
            let text = String(decoding: network.logs[file.value.descriptor] ?? [], as: UTF8.self)
            let lines = text.split(separator: "\n")
            guard file.value.path.hasSuffix("access") else {
                for line in lines where line.contains("[alert]") || line.contains("[emerg]") || line.contains("[crit]") {
                    if !(plan.isTight && line.contains("worker_connections are not enough")) { network.fault("error log: \(line)") }
                }
                continue
            }
            var counts = sent.map { _ in 0 }
            for line in lines {
                guard let path = line.split(separator: " ").first, let number = Int(path.split(separator: "/").last ?? ""),
                    counts.indices.contains(number) else { continue }
                counts[number] += 1
            }
            for number in counts.indices where counts[number] > sent[number] || counts[number] < min(answers[number], 1) {
                if plan.requests[number].badHead != nil, counts[number] == 0 { continue }
                network.fault("\(counts[number]) log lines for request \(number), sent \(sent[number]) times")
            }
        }
    }
}
