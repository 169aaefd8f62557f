internal import Messages

/// The control process as the supervisor sees it: a process, and the channel to it.
final class ControlProcess {
    /// What it was started with.
    let settings: ControlProcessSettings
    let process: Int32
    let channel: Descriptor
    /// Events and last lines that were dropped because too much waited.
    private(set) var dropped: UInt64 = 0
    /// What it said that nobody understands.
    var strayMessages = RepeatedLine()
    private let outbox: PacketOutbox

    /// Packets that may wait. An answer for a thousand instances and upstreams takes a few dozen.
    private static let packetsMax = 2_000

    init(settings: ControlProcessSettings, process: Int32, channel: Descriptor) {
        self.settings = settings
        self.process = process
        self.channel = channel
        outbox = PacketOutbox(channel: channel, packetsMax: Self.packetsMax)
    }

    /// Whether something waits.
    var isBehind: Bool { outbox.isBehind }
    /// Whether it waits for room in the channel.
    var awaitsRoom: Bool { outbox.awaitsRoom }
    /// When `flush` is due although there is room.
    var retryAt: UInt64? { outbox.retryAt }

    /// Sends a message, or keeps it until the channel has room. Never blocks.
    /// - Returns: false when the control process is so far behind that the message was not taken.
    @discardableResult
    func send(_ command: ControlCommand, descriptors: [Descriptor] = []) -> Bool {
        guard let packet = try? command.encode() else { return false }
        return outbox.send(packet, descriptors)
    }

    /// Whether so much waits for it that nothing is added that it can do without.
    var isFarBehind: Bool { outbox.isFarBehind }

    /// Sends what may be lost: it waits as other messages do, but where many wait already it is dropped and counted.
    func offer(_ command: ControlCommand) {
        if isFarBehind || !send(command) { dropped &+= 1 }
    }

    /// Sends what waits.
    func flush() { outbox.flush() }

    /// Why something did not reach it although it is there, since the last call.
    func takeFailure() -> SystemError? { outbox.takeFailure() }

    /// The next message, nil when there is none (or the channel ended).
    func receive() -> Result<ControlRequest, MessageError>? {
        outbox.receive().map { packet in Result { () throws(MessageError) in try ControlRequest(decoding: packet) } }
    }
}

/// What of the settings makes another control process necessary when it changes.
struct ControlProcessSettings: Equatable {
    var socketPath: String
}
