import Dispatch
import Foundation
import Glibc
import Messages
import Synchronization

/// The control process's end of the channel to the supervisor.
///
/// Whatever comes is decoded by one thread and given to one consumer in order. Attempts and events that the consumer does not keep up
/// with are dropped and counted; answers never are, because each was asked for, nor are tallies, because they are few.
final class SupervisorChannel: Sendable {
    /// A message, and the descriptors that came with it.
    struct Delivery: Sendable {
        var command: ControlCommand
        var descriptors: [Int32]
    }

    /// What came, in order. Ends with the supervisor.
    let deliveries: AsyncStream<Delivery>

    private let descriptor: Int32
    private let queue = DispatchQueue(label: "goodgate.supervisor")
    private let continuation: AsyncStream<Delivery>.Continuation
    /// Deliveries that nobody took yet.
    private let untaken = Atomic<Int>(0)
    private let droppedCount = Atomic<UInt64>(0)
    private let unsent = Mutex<[[UInt8]]>([])

    private static let untakenMax = 10_000
    private static let retryDelay = DispatchTimeInterval.milliseconds(5)

    /// - Parameter descriptor: a SOCK_SEQPACKET socket. Reading blocks, sending never does.
    init(descriptor: Int32) {
        self.descriptor = descriptor
        ChannelSystem.setBlocking(descriptor)
        (deliveries, continuation) = AsyncStream.makeStream(of: Delivery.self)
    }

    /// Begins to read.
    func start() { Thread.detachNewThread { self.readAll() } }

    /// Attempts and events that were dropped here.
    var dropped: UInt64 { droppedCount.load(ordering: .relaxed) }

    /// The consumer is done with one delivery.
    func taken() { untaken.subtract(1, ordering: .relaxed) }

    private func readAll() {
        while true {
            switch ChannelSystem.receive(from: descriptor, capacity: MessageLimits.packetBytesMax) {
            case .nothing: continue
            case .ended:
                continuation.finish()
                return
            case .packet(let bytes, let descriptors):
                guard let command = try? ControlCommand(decoding: bytes, descriptorCount: descriptors.count) else {
                    for descriptor in descriptors { ChannelSystem.close(descriptor) }
                    send(.failed("a message of the supervisor is not understood (\(bytes.count) bytes)"))
                    continue
                }
                deliver(Delivery(command: command, descriptors: descriptors))
            }
        }
    }

    private func deliver(_ delivery: Delivery) {
        switch delivery.command {
        case .attempt, .event, .lastLines:
            guard untaken.load(ordering: .relaxed) < Self.untakenMax else {
                droppedCount.add(1, ordering: .relaxed)
                return
            }
        default: break
        }
        untaken.add(1, ordering: .relaxed)
        continuation.yield(delivery)
    }

    /// Sends a message; in order, and later if there is no room now.
    /// - Returns: false when it does not fit into a packet.
    @discardableResult
    func send(_ request: ControlRequest) -> Bool {
        guard let packet = try? request.encode() else { return false }
        let mustWait = unsent.withLock { unsent in
            if unsent.isEmpty, ChannelSystem.send(packet, over: descriptor) != EAGAIN { return false }
            unsent.append(packet)
            return unsent.count == 1
        }
        if mustWait { retryLater() }
        return true
    }

    private func retryLater() {
        queue.asyncAfter(deadline: .now() + Self.retryDelay) { [weak self] in
            guard let self else { return }
            let isLeft = unsent.withLock { unsent in
                while let packet = unsent.first, ChannelSystem.send(packet, over: self.descriptor) != EAGAIN { unsent.removeFirst() }
                return !unsent.isEmpty
            }
            if isLeft { retryLater() }
        }
    }
}
