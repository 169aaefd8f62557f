internal import Glibc

/// The connection to one keeper.
final class KeeperChannel {
    /// What comes from a keeper.
    enum Message {
        case state(KeeperState)
        /// The last lines of the app's output, in a memfd of so many bytes; and how many there ever were, modulo 2^32. One answer for
        /// each question, in their order; without a memfd when the lines cannot be had.
        case lines(Descriptor?, byteCount: UInt64, total: UInt32)
        /// The app's listeners.
        case listeners([Descriptor])
        /// Another supervisor has connected; this channel closes.
        case released
        /// The keeper is gone.
        case closed
    }

    let descriptor: Descriptor

    init(_ descriptor: Descriptor) { self.descriptor = descriptor }

    /// Starts a keeper.
    ///
    /// - Parameters:
    ///   - executable: Path of `goodgate-launch`.
    ///   - key: A number that no other keeper on this host has.
    ///   - listeners: Descriptors the app gets from 3 on, at most 32.
    ///   - log: A descriptor for the app's lines instead of a path.
    /// - Returns: The channel and the keeper's process; it is a child of this process.
    /// - Throws: When the keeper could not be started.
    static func launch(
        executable: String, key: UInt64, instructions: KeeperInstructions, listeners: [Int32] = [], log: Int32? = nil
    ) throws(SystemError) -> (channel: KeeperChannel, process: Int32) {
        let encoded = instructions.encoded
        guard listeners.count <= KeeperProtocol.listenersMax, encoded.count <= KeeperProtocol.instructionsMax else {
            throw SystemError(code: E2BIG)
        }
        let (mine, theirs) = try System.packetPair()
        let memory = try System.sealedMemory(named: "goodgate-instructions", content: encoded)
        var body: [UInt8] = []
        body.appendHost(key)
        body.appendHost(UInt32(listeners.count))
        body.appendHost(UInt32(log == nil ? 0 : 1))
        let packet = KeeperProtocol.packet(kind: KeeperProtocol.launchKind, body: body)
        let descriptors = [memory.number] + listeners + (log.map { [$0] } ?? [])
        try System.send(packet, descriptors: descriptors, over: mine.number)
        let process = try System.spawn(
            System.Program(
                path: executable, arguments: ["goodgate: keeper of \(instructions.name).\(instructions.slot)"],
                environment: [], channel: theirs))
        return (KeeperChannel(mine), process)
    }

    /// Connects to a keeper that an earlier supervisor started.
    /// - Throws: ECONNREFUSED or ENOENT when there is none any more.
    static func connect(path: String) throws(SystemError) -> KeeperChannel {
        KeeperChannel(try System.packetSocket(connectedTo: path))
    }

    /// Sends a command. A full channel means a stuck keeper; the command is lost, and the caller's timer notices.
    /// - Returns: Whether it went.
    @discardableResult
    func send(_ command: KeeperCommand) -> Bool {
        do throws(SystemError) {
            try System.send(command.packet, descriptors: [], over: descriptor.number)
            return true
        } catch { return false }
    }

    /// The next message; nil when there is none now.
    func receive() -> Message? {
        while true {
            let received = System.receivePacket(from: descriptor.number, capacity: KeeperProtocol.packetMax, descriptorsMax: 32)
            guard let (packet, passed) = received else { return nil }
            guard !packet.isEmpty else { return .closed }
            guard let (kind, body) = KeeperProtocol.open(packet) else { continue }
            switch kind {
            case KeeperProtocol.stateKind: return .state(KeeperState(body: body))
            case KeeperProtocol.linesKind:
                return .lines(passed.first, byteCount: Array(body).host(at: 8), total: Array(body).host(at: 4))
            case KeeperProtocol.releasedKind: return .released
            case KeeperProtocol.listenersKind: return .listeners(passed)
            default: continue           // of a newer keeper
            }
        }
    }
}
