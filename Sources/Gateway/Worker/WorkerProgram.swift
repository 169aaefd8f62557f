import Board
import Config
import Glibc
import Loop
import Machine
import Messages
import Pattern
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
    private var zones: [String: Int32] = [:]
    private var peers: [PeerPlace] = []
    private var sessions: [StickySession] = []
    private var verdicts = VerdictTable()
    private var news: [UpstreamNews] = []
    private var succession = Succession()
    private var drains: [ServerDrain] = []

    package init() {}

    /// Runs the worker. Returns the process's exit status.
    package mutating func run() -> Int32 {
        prepareSignals()
        let channel = MessageLimits.channelDescriptor
        guard let identity = receiveSetup(channel) else { return 2 }
        guard let hello else { return 2 }
        guard let worker = build(hello) else { return 2 }
        if identity.changesUser, !ProcessRights.become(user: identity.user, group: identity.group, groups: identity.groups) {
            worker.log(.emergency, "cannot become user \(identity.userName)", errno: errno)
            worker.value.log.flush(now: worker.now, all: true)
            return 2
        }
        ProcessRights.seal()
        for listener in worker.value.listeners { worker.listenEvents(listener) }
        Socket.setBlocking(channel, false)
        worker.awaitSupervisor(succession)
        worker.report(.ready(process: ProcessRights.processID))
        worker.run()
        return 0
    }

    /// Signals reach the supervisor, which sends messages; a terminal's Ctrl-C must not end a worker first. TERM and QUIT to a worker
    /// itself mean what they mean to nginx's workers.
    private func prepareSignals() {
        ProcessRights.catchSignals([SIGTERM, SIGQUIT])
        ProcessRights.ignore([SIGPIPE, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH])
    }

    private mutating func receiveSetup(_ channel: Int32) -> WorkerIdentity? {
        Socket.setBlocking(channel, true)
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
            case .zones(let list): for entry in list { zones[entry.name] = descriptors[entry.descriptorIndex] }
            case .peers(let list): peers += list
            case .sessions(let list): sessions += list
            case .upstream(let one): news.append(one)
            case .successor: succession = Succession(listener: descriptors[0], owner: ProcessRights.user)
            case .drainServer(let one): drains.append(one)
            case .verdict(let news): verdicts.take(news)
            case .run(let identity): return identity
            default: break
            }
        }
        return nil
    }

    private func readBundle() -> [UInt8]? {
        guard let info = File.info(bundle) else { return nil }
        let buffer = Ref<Buffer>.immortal(Buffer(capacity: max(1, Int(info.size))))
        defer { buffer.destroy() }
        while Int64(buffer.count) < info.size {
            if buffer.read(from: bundle, at: Int64(buffer.count), limit: Int(info.size)) <= 0 { return nil }
        }
        Socket.close(bundle)
        return buffer.view.array
    }

    private func build(_ hello: WorkerHello) -> WorkerRef? {
        guard let bytes = readBundle(), let recorded = try? ConfigurationBundle(decoding: bytes) else { return fail("cannot read the configuration bundle") }
        let outcome = Configuration.parse(recorded.request, source: recorded, patterns: PatternCompiler())
        guard let configuration = outcome.configuration else {
            return fail("the configuration does not parse in the worker: \(outcome.diagnostics.first?.text ?? "")")
        }
        let worker: WorkerRef
        do throws(HTTPCompiler.Failure) {
            worker = try .make(configuration, hostName: recorded.facts.hostName, startedAsNginx: hello.startedAsNginx)
        } catch {
            return fail(error.message)
        }
        attachLogs(worker)
        attachListeners(worker, hello)
        attachBoard(worker, hello)
        worker.attachZones(zones, column: Int(hello.boardColumn))
        worker.take(sessions)
        for one in news { worker.take(one) }
        for one in drains { worker.take(one) }
        worker.value.failures.verdicts = verdicts
        for server in worker.value.followedServers { server.start(worker) }
        return worker
    }

    private func attachLogs(_ worker: WorkerRef) {
        for file in worker.value.log.files {
            if let descriptor = logs[file.value.path] { file.value.descriptor = descriptor }
        }
    }

    private func attachBoard(_ worker: WorkerRef, _ hello: WorkerHello) {
        worker.value.board = BoardColumn(mapping: board, bytes: Int(clamping: hello.boardBytes), column: Int(hello.boardColumn))
        Socket.close(board)
        guard worker.value.board != nil else { return worker.log(.alert, "the memory shared with the other workers cannot be used") }
        worker.take(peers)
    }

    private func attachListeners(_ worker: WorkerRef, _ hello: WorkerHello) {
        var usable: [Ref<Listener>] = []
        for listener in worker.value.http.value.listeners {
            guard let sockets = listeners[listener.value.key], !sockets.isEmpty else { continue }
            // One socket for all workers; with reuseport each its own, and those of workers that there were before: the kernel goes on
            // giving connections to them.
            for (place, socket) in sockets.enumerated() {
                let one = place == 0 ? listener : listener.another()
                one.value.descriptor = socket
                one.value.isShared = sockets.count == 1 && hello.workerCount > 1
                one.value.slot = UInt32(usable.count)
                usable.append(one)
            }
        }
        worker.value.listeners = usable
    }

    private func fail(_ message: String) -> WorkerRef? {
        Channel.send(MessageLimits.channelDescriptor, .failed(message))
        return nil
    }
}
