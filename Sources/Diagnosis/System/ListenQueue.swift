/// The accept queue of a listening socket.
package struct ListenQueue: Sendable, Hashable, Codable {
    /// As in `/proc/net/tcp` and `/proc/net/unix`.
    package var inode: UInt64
    /// Connections that wait to be accepted, and how many may.
    package var length: Int
    package var max: Int
    /// Where a TCP socket listens; nil for others, and where it was not told.
    package var address: PeerAddress?
    package init(inode: UInt64, length: Int, max: Int, address: PeerAddress? = nil) {
        self.inode = inode; self.length = length; self.max = max; self.address = address
    }
}
