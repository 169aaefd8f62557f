import Glibc
import Loop
import Testing

@Suite("A packet socket")
struct PacketSocketTests {
    @Test("gives what the other side had sent, also when that ended with packets unread")
    func lastWords() {
        var ends: [Int32] = [-1, -1]
        #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
        PacketSocket.send(ends[0], [1, 2])
        PacketSocket.send(ends[0], [3])
        PacketSocket.send(ends[1], [9])
        // It has not read the 9: the kernel says ECONNRESET first.
        close(ends[0])
        #expect(PacketSocket.receive(ends[1], capacity: 16)?.packet == [1, 2])
        #expect(PacketSocket.receive(ends[1], capacity: 16)?.packet == [3])
        #expect(PacketSocket.receive(ends[1], capacity: 16) == nil)
        #expect(PacketSocket.isEnded(ends[1]))
        close(ends[1])
    }
}
