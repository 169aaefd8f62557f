import Glibc
import Messages
import Testing

@testable import Supervisor

@Suite struct PacketOutboxTests {
    @Test func whatTheSystemDoesNotTakeIsAFailureAndWhoIsGoneIsNone() throws {
        let (ours, theirs) = try System.packetPair()
        let outbox = PacketOutbox(channel: ours, packetsMax: 10)
        #expect(outbox.send([1]) && outbox.takeFailure() == nil)
        // Longer than any buffer of a socket.
        #expect(outbox.send([UInt8](repeating: 0, count: 1 << 24)))
        #expect(outbox.takeFailure() == SystemError(code: EMSGSIZE))
        #expect(outbox.takeFailure() == nil && !outbox.isBehind)
        #expect(System.receive(from: theirs.number, capacity: 10) == [1])
        let silent = PacketOutbox(channel: try System.packetPair().0, packetsMax: 10)
        #expect(silent.send([1]) && silent.takeFailure() == nil && !silent.isBehind)
    }

    @Test func aWorkerThatCannotBeToldIsGivenUp() throws {
        let (ours, theirs) = try System.packetPair()
        let worker = WorkerProcess(id: .init(1), generation: 1, place: 0, column: 0, process: 0, channel: ours)
        // So many descriptors in one packet are more than the system takes.
        worker.send(.endChecks, descriptors: [Descriptor](repeating: theirs, count: 100))
        #expect(worker.takeTrouble() == .unreachable(SystemError(code: EINVAL)))
        worker.send(.endChecks)
        #expect(System.receive(from: theirs.number, capacity: 10) == nil, "it would lack what was before")
    }
}
