import Config
import Loop
import Machine
import Wire

extension Ref where Value == Worker {
    /// A worker for a configuration: compiled settings and empty slabs. It has no sockets, logs or board yet.
    /// - Parameter seed: of `random`, request ids and jitter; nil: one of its own for this process.
    static func make(
        _ configuration: Configuration, hostName: String, startedAsNginx: Bool, seed: UInt64? = nil
    ) throws(HTTPCompiler.Failure) -> WorkerRef {
        var compiler = HTTPCompiler(configuration: Ref<Configuration>.immortal(configuration), log: LogWriter(), hostName: hostName)
        let http = Ref<HTTPRuntime>.immortal(try compiler.compile())
        guard let loop = EventLoop(capacity: 512) else { throw HTTPCompiler.Failure(message: "epoll_create1() failed") }
        // More than that no slab holds.
        let limit = min(configuration.main.events.workerConnections, 1 << 24)
        let process = ProcessRights.processID
        let ownSeed = UInt64(bitPattern: loop.wallClock) ^ UInt64(process) << 32
        var options = HeadOptions()
        options.maxLineLength = 1 << 20
        options.maxHeadLength = 1 << 20
        options.maxFields = 1000
        let pool = Ref<BufferPool>.immortal(BufferPool())
        let worker = immortal(Worker(
            loop: loop, pool: pool, inbox: pool.value.take(16384), connections: Slab(limit: limit),
            requests: Slab(limit: limit * 8 + 64), headReaders: Slab(limit: limit), exchanges: Slab(limit: limit * 8 + 64),
            answerReaders: Slab(limit: limit * 2 + 64), upstreamConnections: Slab(limit: limit * 2 + 64),
            followedServers: compiler.followedServers, http: http, log: compiler.takeLog(),
            tempSerial: (ownSeed &* 0x9e37_79b9_7f4a_7c15) >> 32,
            failures: FailureReporter(
                appendsVerdict: configuration.main.appendsVerdictToErrorLog ?? !startedAsNginx, showsIncident: !startedAsNginx),
            identity: WorkerIdentityText(
                serverToken: startedAsNginx ? "nginx/1.31.4" : "goodgate/0.1.0", serverName: startedAsNginx ? "nginx" : "goodgate",
                hostName: ByteView.immortal(Array(hostName.utf8)), processID: process, startedAsNginx: startedAsNginx),
            random: RandomSource(seed: seed ?? ownSeed), responseHeadOptions: options))
        worker.value.workerTimer = worker.value.loop.timers.make(Token(kind: EventKind.worker, slot: 0, generation: 0))
        let shutdownTimeout = configuration.main.workerShutdownTimeout
        worker.value.shutdownTimeout = shutdownTimeout > 0 ? UInt64(shutdownTimeout) : nil
        return worker
    }
}
