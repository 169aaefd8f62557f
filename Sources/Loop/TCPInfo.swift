/// What the kernel knows of a TCP connection (nginx: `$tcpinfo_*`).
public struct TCPInfo: Sendable {
    /// Smoothed round-trip time, in microseconds.
    public let roundTripTime: UInt32
    /// Its variation, in microseconds.
    public let roundTripVariation: UInt32
    /// Congestion window, in segments.
    public let sendWindow: UInt32
    /// Receive window, in bytes.
    public let receiveSpace: UInt32
}
