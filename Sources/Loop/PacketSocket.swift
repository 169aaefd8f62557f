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

    /// Sends a packet without descriptors; never blocks. Returns bytes sent or -errno (-EAGAIN: the other side does not keep up).
    @discardableResult
    public static func send(_ socket: Int32, _ packet: [UInt8]) -> Int {
        // SAFETY: the array is not empty: every packet has a header.
        unsafe packet.withUnsafeBytes { unsafe cs_send_packet(socket, $0.baseAddress!, $0.count, nil, 0) }
    }

    /// Whether the other side has closed.
    public static func isEnded(_ socket: Int32) -> Bool { Socket.peek(socket) == 0 }
}
