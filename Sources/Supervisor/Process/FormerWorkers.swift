internal import CLinux
internal import Glibc
internal import Messages

/// A worker that another supervisor started, and what it answered to ours.
final class FormerWorker {
    /// Who is here, and what comes next.
    enum Standing {
        /// It has not answered yet. Next: either of the others.
        case unknown
        /// Its supervisor lives: it may be told of upstreams. Next: orphan.
        case supervised
        /// It follows this supervisor.
        case orphan
    }

    let worker: WorkerProcess
    private let startTicks: UInt64
    private(set) var standing = Standing.unknown
    /// Its listening sockets, once it is an orphan.
    private(set) var sockets: [Descriptor] = []

    init(_ worker: WorkerProcess, startTicks: UInt64) {
        self.worker = worker
        self.startTicks = startTicks
    }

    /// Most sockets that are taken from one worker, and most packets that are read at one time: it may be in a stranger's hands.
    private static let socketsMax = 4096
    private static let packetsMax = 128

    /// Reads what it says until it has said where it stands, or nothing more is there.
    /// - Returns: false when the connection ended.
    func read() -> Bool {
        for _ in 0..<Self.packetsMax where standing != .orphan {
            let packet = System.receivePacket(
                from: worker.channel.number, capacity: MessageLimits.packetBytesMax, descriptorsMax: Int(CS_DESCRIPTORS_MAX))
            guard let packet else { return true }
            guard !packet.bytes.isEmpty else { return false }
            guard case .inheritance(let isOrphan, let isComplete) = try? WorkerReport(decoding: packet.bytes) else { continue }
            guard isOrphan else {
                standing = .supervised
                continue
            }
            if sockets.count < Self.socketsMax { sockets += packet.descriptors }
            if isComplete { standing = .orphan }
        }
        return true
    }

    /// Its sockets, which are the caller's from now on.
    func takeSockets() -> [Descriptor] {
        defer { sockets = [] }
        return sockets
    }

    /// Ends it, if the process still is the one that it was.
    func kill() {
        guard ProcessFacts.startTicks(of: worker.process) == startTicks else { return }
        try? System.kill(worker.process, signal: SIGKILL)
    }
}

/// The workers of other supervisors, found by the sockets on which they wait for the next one.
///
/// A supervisor that dies leaves workers behind that serve on. The next one connects to each; the kernel tells each side who the other one
/// is, the worker knows whether its supervisor is gone, and sends its listening sockets. So there is neither a moment without a listener
/// nor one with two supervisors.
struct FormerWorkers {
    private(set) var list: [FormerWorker] = []
    private var nextNumber = FormerWorkers.firstNumber
    let directories: AppDirectories

    /// Time for the workers' answers, in milliseconds.
    private static let answerTime: UInt64 = 3000
    /// Their numbers begin here, so that none is that of a worker of this supervisor.
    private static let firstNumber = 1 << 32

    /// Connects to all that are there, and waits until each has answered or three seconds are over. Sockets without a process are removed.
    init(in directories: AppDirectories) {
        self.directories = directories
        look()
        let deadline = System.now + Self.answerTime
        for former in list {
            repeat {
                let now = System.now
                let time = now < deadline ? Int32(clamping: deadline - now) : 0
                guard System.waitReadable(former.worker.channel.number, milliseconds: time), former.read() else { break }
            } while former.standing == .unknown && System.now < deadline
        }
    }

    /// Connects to those that are new.
    /// - Returns: the new ones; they have not answered yet.
    @discardableResult
    mutating func look(except known: Set<Int32> = []) -> [FormerWorker] {
        var found: [FormerWorker] = []
        for path in System.glob(directories.workers + "/*") {
            guard let (process, ticks) = AppDirectories.parse(workerSocket: path), !known.contains(process) else { continue }
            do throws(SystemError) {
                let channel = try System.packetSocket(connectedTo: path)
                let worker = WorkerProcess(
                    id: WorkerID(nextNumber), generation: 0, place: 0, column: 0, process: process, channel: channel)
                nextNumber += 1
                worker.successorSocket = path
                found.append(FormerWorker(worker, startTicks: ticks))
                list.append(found[found.count - 1])
            } catch {
                // A socket of a process that lives is one that does not listen yet.
                if error.code == ECONNREFUSED, !ProcessFacts.isAlive(process, startTicks: ticks) { try? System.remove(path) }
            }
        }
        return found
    }

    /// Whether a worker lives that follows another supervisor, or nobody.
    /// - Parameter own: the workers that follow this one.
    func othersLive(besides own: Set<Int32>) -> Bool {
        let known = own.union(list.filter { $0.standing != .supervised }.map(\.worker.process))
        return System.glob(directories.workers + "/*").contains { path in
            guard let (process, ticks) = AppDirectories.parse(workerSocket: path), !known.contains(process) else { return false }
            return ProcessFacts.isAlive(process, startTicks: ticks)
        }
    }

    var orphans: [FormerWorker] { list.filter { $0.standing == .orphan } }

    mutating func remove(_ former: FormerWorker) { list.removeAll { $0 === former } }

    /// The listening sockets of the orphans. They have most of them together; each is taken once.
    func takeListeners(log: ErrorLog) -> ListenerTable {
        var table = ListenerTable()
        var seen = Set<UInt64>()
        for socket in orphans.flatMap({ $0.takeSockets() }) {
            guard let identity = System.identity(ofListener: socket.number), seen.insert(identity).inserted else { continue }
            table.inherit(socket, log: log)
        }
        return table
    }

    /// Gives up those whose supervisor lives.
    mutating func dismissSupervised() { list.removeAll { $0.standing == .supervised } }
}
