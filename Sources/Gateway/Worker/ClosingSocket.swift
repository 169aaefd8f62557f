/// A client's socket that is closed at the end of a turn.
struct ClosingSocket {
    let descriptor: Int32
    /// The last bytes wait in the kernel for the end of the connection, so that both leave in one packet.
    let holdsBytes: Bool
}
