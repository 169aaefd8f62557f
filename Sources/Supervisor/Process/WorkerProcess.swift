internal import Messages

/// A worker as the supervisor sees it: a process, and the channel to it.
final class WorkerProcess {
    let id: WorkerID
    /// Number of its generation; 0: another supervisor started it.
    let generation: Int
    /// Index among the workers of its generation.
    let place: Int
    let column: Int
    let process: Int32
    let channel: Descriptor
    /// The socket on which it waits for the next supervisor; nil: none could be made.
    var successorSocket: String?
    /// What it said that nobody understands.
    var strayMessages = RepeatedLine()
    private let outbox: PacketOutbox
    /// What went wrong in sending and is not told yet.
    private var trouble: Trouble?
    private var isGivenUp = false

    /// Why something does not reach a worker.
    enum Trouble: Equatable {
        /// A message is larger than a packet: a bug here. The worker lacks it.
        case tooLarge
        /// It has not read for so long that no more is kept for it: it can only be replaced.
        case deaf
        /// The system does not take a message. What comes after it would go to somebody who lacks it.
        case unreachable(SystemError)
    }

    /// Packets that may wait: all sessions of a large zone, and news of apps for as long as the worker is swapped out.
    private static let packetsMax = 20_000

    init(id: WorkerID, generation: Int, place: Int, column: Int, process: Int32, channel: Descriptor) {
        self.id = id
        self.generation = generation
        self.place = place
        self.column = column
        self.process = process
        self.channel = channel
        outbox = PacketOutbox(channel: channel, packetsMax: Self.packetsMax)
    }

    /// Whether something waits for room in the channel.
    var awaitsRoom: Bool { outbox.awaitsRoom }
    /// When `flush` is due although there is room.
    var retryAt: UInt64? { outbox.retryAt }
    /// Whether so much waits that what may be lost is not sent.
    var isFarBehind: Bool { outbox.isFarBehind }

    /// Sends a message, or keeps it until the channel has room. Never blocks.
    func send(_ command: WorkerCommand, descriptors: [Descriptor] = []) {
        guard !isGivenUp else { return }
        guard let packet = try? command.encode() else {
            trouble = .tooLarge
            return
        }
        if outbox.send(packet, descriptors) { noteFailure() } else { giveUp(.deaf) }
    }

    /// Sends what waits.
    func flush() {
        outbox.flush()
        noteFailure()
    }

    private func noteFailure() { if let error = outbox.takeFailure() { giveUp(.unreachable(error)) } }

    private func giveUp(_ reason: Trouble) {
        isGivenUp = true
        trouble = reason
    }

    /// What went wrong since the last call.
    func takeTrouble() -> Trouble? {
        defer { trouble = nil }
        return trouble
    }

    /// Sends named descriptors in as many packets as they need.
    func send(_ list: [(name: String, descriptor: Descriptor)], as command: ([NamedDescriptor]) -> WorkerCommand) {
        // Beside each name: its length, and its index.
        for part in list.packets(most: MessageLimits.descriptorsMax, size: { $0.name.utf8.count + 4 }) {
            let names = part.enumerated().map { NamedDescriptor(name: $1.name, descriptorIndex: $0) }
            send(command(names), descriptors: part.map { $0.descriptor })
        }
    }

    /// Tells the slots of peers in as many packets as they need.
    func send(_ places: [PeerPlace]) {
        for part in places.packets(most: PeerPlace.perPacketMax, size: \.encodedBytesMax) { send(.peers(part)) }
    }

    /// The next message of the worker, nil when there is none (or the channel ended).
    func receive() -> Result<WorkerReport, MessageError>? {
        outbox.receive().map { packet in Result { () throws(MessageError) in try WorkerReport(decoding: packet) } }
    }
}
