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

    @Test func whatTheSystemIsShortOfIsTriedAgainInOrder() throws {
        var errors = [ETOOMANYREFS, ENOBUFS, ENOMEM]
        var taken: [[UInt8]] = []
        let outbox = PacketOutbox(channel: try System.packetPair().0, packetsMax: 10) { packet, _, _ throws(SystemError) in
            if !errors.isEmpty { throw SystemError(code: errors.removeFirst()) }
            taken.append(packet)
        }
        #expect(outbox.send([1], now: 1_000) && outbox.send([2], now: 1_019))
        for left in [2, 1, 0] {
            #expect(errors.count == left, "not before its time")
            let time = try #require(outbox.retryAt)
            #expect(!outbox.awaitsRoom && taken.isEmpty && outbox.takeFailure() == nil)
            outbox.flush(now: time)
        }
        #expect(taken == [[1], [2]] && !outbox.isBehind && outbox.retryAt == nil)
    }

    @Test func aSystemThatStaysShortIsAFailure() throws {
        let outbox = PacketOutbox(channel: try System.packetPair().0, packetsMax: 10) { _, _, _ throws(SystemError) in
            throw SystemError(code: ETOOMANYREFS)
        }
        let start: UInt64 = 1_000
        #expect(outbox.send([1], now: start))
        var tries = 0
        while let time = outbox.retryAt {
            #expect(outbox.takeFailure() == nil && time <= start + 6_000)
            outbox.flush(now: time)
            tries += 1
        }
        #expect(tries > 100 && outbox.takeFailure() == SystemError(code: ETOOMANYREFS) && !outbox.isBehind)
    }

    @Test func whatAnInstanceWroteLastWaitsForAControlProcessThatIsBehind() throws {
        func words(_ serial: UInt32) -> ControlCommand {
            .lastLines(app: "one", AppLines(slot: 0, serial: serial, release: 1, total: 1, lines: [String](repeating: "x", count: 200)))
        }
        let (ours, theirs) = try System.packetPair()
        let control = ControlProcess(settings: ControlProcessSettings(socketPath: "/"), process: 0, channel: ours)
        var told: UInt32 = 0
        while !control.isBehind {
            told += 1
            control.offer(words(told))
        }
        for _ in 0..<50 {
            told += 1
            control.offer(words(told))
        }
        #expect(control.dropped == 0)
        var heard: [UInt32] = []
        while heard.count < told, let packet = System.receive(from: theirs.number, capacity: 1 << 16) {
            guard case .lastLines(_, let lines) = try ControlCommand(decoding: packet, descriptorCount: 0) else { break }
            heard.append(lines.serial)
            control.flush()
        }
        #expect(heard == Array(1...told))
        while !control.isBehind { control.offer(words(0)) }
        for _ in 0..<200 { control.offer(words(0)) }
        #expect(control.dropped > 50 && control.dropped < 200, "its memory is bounded")
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
