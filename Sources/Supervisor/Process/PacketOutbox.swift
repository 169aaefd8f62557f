internal import CLinux
internal import Glibc
internal import Messages

/// Packets on their way into a channel: what does not fit now waits, in order. Never blocks.
final class PacketOutbox {
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

    /// So much behind, nothing is added that may be lost.
    private static let farBehind = 100

    /// - Parameter packetsMax: Packets that may wait.
    init(channel: Descriptor, packetsMax: Int) {
        self.channel = channel
        self.packetsMax = packetsMax
    }

    /// Whether something waits for room in the channel.
    var isBehind: Bool { sent < waiting.count }
    /// Whether so much waits that news which the next news replace need not be added.
    var isFarBehind: Bool { waiting.count - sent >= Self.farBehind }

    /// Sends a packet, or keeps it until the channel has room.
    /// - Returns: false when too many wait already: the packet is not taken.
    func send(_ bytes: [UInt8], _ descriptors: [Descriptor] = []) -> Bool {
        guard waiting.count - sent < packetsMax else { return false }
        waiting.append(Packet(bytes: bytes, descriptors: descriptors))
        flush()
        return true
    }

    /// Sends a packet now, or not at all.
    /// - Returns: Whether it went.
    func offer(_ bytes: [UInt8]) -> Bool { !isBehind && put(Packet(bytes: bytes, descriptors: [])) == 0 }

    /// Sends what waits, as far as there is room. O(1) per packet.
    func flush() {
        while isBehind {
            let error = put(waiting[sent])
            if error == EAGAIN { break }
            guard error == 0 else {
                // Who is gone is reported by his exit. Anything else (ETOOMANYREFS, ENOBUFS) is to be known: the next packet would go, and
                // tell somebody who lacks this one.
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
            try System.send(packet.bytes, descriptors: packet.descriptors.map(\.number), over: channel.number)
            return 0
        } catch { return error.code }
    }
}
