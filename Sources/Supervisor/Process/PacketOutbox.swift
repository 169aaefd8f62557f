internal import CLinux
internal import Glibc
internal import Messages

/// Packets on their way into a channel: what does not fit now waits, in order. Never blocks.
final class PacketOutbox {
    /// Hands a packet to the system. (Another one in tests.)
    typealias Send = (_ packet: [UInt8], _ descriptors: [Int32], _ channel: Int32) throws(SystemError) -> Void

    private struct Packet {
        var bytes: [UInt8]
        var descriptors: [Descriptor]
    }

    private let channel: Descriptor
    private let packetsMax: Int
    /// Oldest first; those before `sent` are gone.
    private var waiting: [Packet] = []
    private var sent = 0
    /// Why the channel was given up while the other side is there: what waited is lost.
    private var failure: SystemError?
    private let transmit: Send
    /// The system is short of what the next packet takes: when it is tried again, and when it is given up.
    private var shortage: (retryAt: UInt64, giveUpAt: UInt64)?

    /// The pause between tries, in milliseconds. Descriptors on their way are counted by the system, and get fewer as they are read.
    private static let retryInterval: UInt64 = 20
    /// How long it is tried, in milliseconds.
    private static let patience: UInt64 = 5_000

    /// So much behind, nothing is added that may be lost.
    private static let farBehind = 100

    /// - Parameter packetsMax: Packets that may wait.
    init(channel: Descriptor, packetsMax: Int, transmit: @escaping Send = System.send) {
        self.channel = channel
        self.packetsMax = packetsMax
        self.transmit = transmit
    }

    /// Whether something waits for room in the channel.
    var isBehind: Bool { sent < waiting.count }
    /// Whether it waits for the other side to read. The channel of one that waits for the system has room all the time.
    var awaitsRoom: Bool { isBehind && shortage == nil }
    /// When `flush` is due although there is room.
    var retryAt: UInt64? { shortage?.retryAt }
    /// Whether so much waits that news which the next news replace need not be added.
    var isFarBehind: Bool { waiting.count - sent >= Self.farBehind }

    /// Sends a packet, or keeps it until the channel has room.
    /// - Returns: false when too many wait already: the packet is not taken.
    func send(_ bytes: [UInt8], _ descriptors: [Descriptor] = [], now: UInt64 = System.now) -> Bool {
        guard waiting.count - sent < packetsMax else { return false }
        waiting.append(Packet(bytes: bytes, descriptors: descriptors))
        flush(now: now)
        return true
    }

    /// Sends what waits, as far as there is room. O(1) per packet.
    /// - Parameter now: milliseconds of the monotonic clock.
    func flush(now: UInt64 = System.now) {
        if let shortage, now < shortage.retryAt { return }
        while isBehind {
            let error = put(waiting[sent])
            if [ETOOMANYREFS, ENOBUFS, ENOMEM].contains(error), waitForSystem(now: now) { break }
            shortage = nil
            if error == EAGAIN { break }
            guard error == 0 else {
                // Who is gone is reported by his exit. Anything else is to be known: the next packet would go, and tell somebody who lacks
                // this one.
                if ![EPIPE, ECONNRESET, ENOTCONN].contains(error) { failure = failure ?? SystemError(code: error) }
                sent = waiting.count
                break
            }
            waiting[sent] = Packet(bytes: [], descriptors: [])
            sent += 1
        }
        guard sent * 2 >= waiting.count else { return }
        waiting.removeFirst(sent)
        sent = 0
    }

    /// - Returns: false when that has lasted too long.
    private func waitForSystem(now: UInt64) -> Bool {
        let giveUpAt = shortage?.giveUpAt ?? now + Self.patience
        shortage = (retryAt: now + Self.retryInterval, giveUpAt: giveUpAt)
        return now < giveUpAt
    }

    /// What went wrong since the last call.
    func takeFailure() -> SystemError? {
        defer { failure = nil }
        return failure
    }

    /// The next packet of the other side; nil when there is none now, or the channel ended.
    func receive() -> [UInt8]? {
        let packet = System.receive(from: channel.number, capacity: MessageLimits.packetBytesMax)
        return packet?.isEmpty == false ? packet : nil
    }

    private func put(_ packet: Packet) -> Int32 {
        do throws(SystemError) {
            try transmit(packet.bytes, packet.descriptors.map(\.number), channel.number)
            return 0
        } catch { return error.code }
    }
}
