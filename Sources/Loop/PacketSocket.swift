import CLinux

/// Packets with descriptors over a SOCK_SEQPACKET socket.
public enum PacketSocket {
    /// The next packet with its descriptors (close-on-exec, the caller's); nil when there is none or the other side is gone.
    /// - Parameter capacity: longest packet in bytes; a longer one is refused as if it had not come.
    public static func receive(_ socket: Int32, capacity: Int) -> (packet: [UInt8], descriptors: [Int32])? {
        var bytes = [UInt8](repeating: 0, count: capacity)
        var descriptors = [Int32](repeating: -1, count: Int(CS_DESCRIPTORS_MAX))
        var count = Int32(descriptors.count)
        // SAFETY: both arrays are as long as the call is told.
        let n = unsafe bytes.withUnsafeMutableBytes { raw in
            unsafe descriptors.withUnsafeMutableBufferPointer { list in
                unsafe cs_receive_packet(socket, raw.baseAddress!, raw.count, list.baseAddress!, &count)
            }
        }
        guard n > 0 else { return nil }
        return (Array(bytes[0..<n]), Array(descriptors[0..<Int(count)]))
    }

    /// Sends a packet, with at most `CS_DESCRIPTORS_MAX` descriptors; never blocks. Returns bytes sent or -errno (-EAGAIN: the other side
    /// does not keep up).
    @discardableResult
    public static func send(_ socket: Int32, _ packet: [UInt8], descriptors: [Int32] = []) -> Int {
        // SAFETY: the array is not empty: every packet has a header.
        unsafe packet.withUnsafeBytes {
            unsafe cs_send_packet(socket, $0.baseAddress!, $0.count, descriptors, Int32(descriptors.count))
        }
    }

    /// Takes the next connection of a listening socket, non-blocking and close-on-exec; nil when there is none.
    public static func accept(_ listener: Int32) -> Int32? {
        var address = SocketAddress()
        let descriptor = Socket.accept(listener, address: &address)
        return descriptor >= 0 ? descriptor : nil
    }

    /// The user of the process that connected; nil when the system does not say.
    public static func peerUser(_ socket: Int32) -> UInt32? {
        var user: UInt32 = 0
        return unsafe cs_peer_user(socket, &user) == 0 ? user : nil
    }

    /// Puts a socket in the place of another descriptor, which is closed.
    public static func move(_ socket: Int32, to place: Int32) -> Bool { cs_move_descriptor(socket, place) == 0 }

    /// Whether the other side has closed.
    public static func isEnded(_ socket: Int32) -> Bool { Socket.peek(socket) == 0 }
}
