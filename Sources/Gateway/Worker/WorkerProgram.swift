import Board
import Config
import CSystem
import Glibc
import Loop
import Machine
import Messages
import Wire

/// The worker process: from the inherited channel to the event loop.
///
/// It gets everything it needs over the channel (configuration bundle, board, listening sockets, logs), drops its rights, answers `ready`
/// and serves until it is told to drain or stop. When the supervisor dies the channel ends and the worker goes on serving.
package struct WorkerProgram {
    private var hello: WorkerHello?
    private var bundle: Int32 = -1
    private var board: Int32 = -1
    private var listeners: [String: [Int32]] = [:]
    private var logs: [String: Int32] = [:]

    package init() {}

    /// Runs the worker. Returns the process's exit status.
    package mutating func run() -> Int32 {
        ignoreSignals()
        let channel = MessageLimits.channelDescriptor
        guard let identity = receiveSetup(channel) else { return 2 }
        guard let hello else { return 2 }
        guard let worker = build(hello) else { return 2 }
        if identity.changesUser, !dropRights(identity) {
            worker.log(.emergency, "cannot become user \(identity.userName)", errno: errno)
            worker.value.log.flush(now: worker.now, all: true)
            return 2
        }
        _ = cs_set_dumpable(0)
        for listener in worker.value.listeners { worker.listenEvents(listener) }
        _ = cs_set_nonblocking(channel, 1)
        _ = worker.value.loop.add(channel, .readable, Token(kind: EventKind.channel, slot: 0, generation: 0))
        worker.report(.ready(process: getpid()))
        worker.run()
        return 0
    }

    /// Signals reach the supervisor, which sends messages; a terminal's Ctrl-C must not end a worker first.
    private func ignoreSignals() {
        for number in [SIGPIPE, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH] { unsafe signal(number, SIG_IGN) }
        // TERM and QUIT to a worker itself mean what they mean to nginx's workers.
        unsafe signal(SIGTERM) { _ in workerSignal = SIGTERM }
        unsafe signal(SIGQUIT) { _ in workerSignal = SIGQUIT }
    }

    private mutating func receiveSetup(_ channel: Int32) -> WorkerIdentity? {
        _ = cs_set_nonblocking(channel, 0)
        while let (packet, descriptors) = Channel.receive(channel) {
            guard let command = try? WorkerCommand(decoding: packet, descriptorCount: descriptors.count) else { return nil }
            switch command {
            case .hello(let hello):
                self.hello = hello
                bundle = descriptors[0]
                board = descriptors[1]
            case .listeners(let list):
                for entry in list { listeners[entry.name, default: []].append(descriptors[entry.descriptorIndex]) }
            case .logs(let list): for entry in list { logs[entry.name] = descriptors[entry.descriptorIndex] }
            case .run(let identity): return identity
            default: break
            }
        }
        return nil
    }

    private func readBundle() -> [UInt8]? {
        var info = stat()
        guard unsafe cs_fstat(bundle, &info) == 0, info.st_size >= 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(info.st_size))
        var offset = 0
        while offset < bytes.count {
            let n = bytes.withUnsafeMutableBytes { unsafe cs_pread(bundle, $0.baseAddress! + offset, $0.count - offset, Int64(offset)) }
            if n <= 0 { return nil }
            offset += n
        }
        Socket.close(bundle)
        return bytes
    }

    private func build(_ hello: WorkerHello) -> WorkerRef? {
        guard let bytes = readBundle(), let recorded = try? ConfigurationBundle(decoding: bytes) else { return fail("cannot read the configuration bundle") }
        let outcome = Configuration.parse(recorded.request, source: recorded, patterns: PatternCompiler())
        guard let configuration = outcome.configuration else {
            return fail("the configuration does not parse in the worker: \(outcome.diagnostics.first?.text ?? "")")
        }
        var compiler = HTTPCompiler(configuration: Ref.immortal(configuration), log: LogWriter())
        let http: Ref<HTTPRuntime>
        do throws(HTTPCompiler.Failure) {
            http = Ref.immortal(try compiler.compile())
        } catch {
            return fail(error.message)
        }
        let events = configuration.main.events
        guard let loop = EventLoop(capacity: 512) else { return fail("epoll_create1() failed") }
        let limit = events.workerConnections
        var options = HeadOptions()
        options.maxLineLength = 1 << 20
        options.maxHeadLength = 1 << 20
        options.maxFields = 1000
        let name = hello.startedAsNginx
        let pid = getpid()
        let worker = Ref.immortal(Worker(
            loop: loop, pool: Ref.immortal(BufferPool()), connections: Slab(limit: limit), requests: Slab(limit: limit * 4 + 64),
            exchanges: Slab(limit: limit * 4 + 64), upstreamConnections: Slab(limit: limit * 2 + 64), http: http,
            log: compiler.takeLog(), tempSerial: UInt64(pid) * 1000,
            identity: WorkerIdentityText(
                serverToken: name ? "nginx/1.31.4" : "goodgate/0.1.0", serverName: name ? "nginx" : "goodgate",
                hostName: ByteView.immortal(Array(recorded.facts.hostName.utf8)), processID: pid, startedAsNginx: name),
            random: RandomSource(seed: cs_realtime_ns() ^ UInt64(pid) << 32), responseHeadOptions: options))
        worker.value.workerTimer = worker.value.loop.timers.make(Token(kind: EventKind.worker, slot: 0, generation: 0))
        attachLogs(worker)
        attachListeners(worker, hello)
        return worker
    }

    private func attachLogs(_ worker: WorkerRef) {
        for file in worker.value.log.files {
            if let descriptor = logs[file.value.path] { file.value.descriptor = descriptor }
        }
    }

    private func attachListeners(_ worker: WorkerRef, _ hello: WorkerHello) {
        var usable: [Ref<Listener>] = []
        for listener in worker.value.http.value.listeners {
            guard let sockets = listeners[listener.value.key], !sockets.isEmpty else { continue }
            // One socket per worker with reuseport, else one for all.
            listener.value.descriptor = sockets[Int(hello.workerIndex) % sockets.count]
            listener.value.isShared = sockets.count == 1 && hello.workerCount > 1
            listener.value.slot = UInt32(usable.count)
            usable.append(listener)
        }
        worker.value.listeners = usable
    }

    private func fail(_ message: String) -> WorkerRef? {
        Channel.send(MessageLimits.channelDescriptor, .failed(message))
        return nil
    }

    private func dropRights(_ identity: WorkerIdentity) -> Bool {
        let groups = identity.groups
        guard unsafe setgroups(groups.count, groups) == 0, setgid(identity.group) == 0, setuid(identity.user) == 0 else { return false }
        return cs_no_new_privileges() == 0
    }
}

/// Set by the signal handlers, looked at by the loop.
nonisolated(unsafe) var workerSignal: Int32 = 0
