/// One listening socket.
package struct Listener: Sendable, Hashable {
    /// Bound address with its port, or a path.
    package var address: PeerAddress
    package var inode: UInt64
    /// Connections waiting to be accepted.
    package var queue: Int
    /// The accept queue's size; nil when the source does not tell it (`/proc/net/tcp` does not, the kernel's socket diagnosis does).
    package var queueMax: Int?
    /// Who holds it; nil when no process with it was found, or none may be read.
    package var owner: ProcessFacts?
    /// The network namespace it was seen in; nil: the proxy's.
    package var networkNamespace: UInt64?

    package init(
        address: PeerAddress, inode: UInt64 = 0, queue: Int = 0, queueMax: Int? = nil, owner: ProcessFacts? = nil,
        networkNamespace: UInt64? = nil
    ) {
        self.address = address; self.inode = inode; self.queue = queue; self.queueMax = queueMax; self.owner = owner
        self.networkNamespace = networkNamespace
    }

    /// Its accept queue, when it is known.
    mutating func take(_ known: ListenQueue?) {
        guard let known else { return }
        queue = known.length
        queueMax = known.max
    }

    /// Whether a connection to `peer` reaches this socket.
    /// - Parameter v6Only: `/proc/sys/net/ipv6/bindv6only`; the socket's own option cannot be seen, so `::` counts as both unless set.
    package func accepts(_ peer: PeerAddress, v6Only: Bool = false) -> Bool {
        switch (address, peer) {
        case (.unix(let mine), .unix(let theirs)): mine == theirs
        case (.ipv4(let mine, let port), .ipv4(let theirs, let wanted)): port == wanted && (mine == 0 || mine == theirs)
        case (.ipv6(0, 0, let port), .ipv4(_, let wanted)): port == wanted && !v6Only
        case (.ipv6(0, let low, let port), .ipv4(let theirs, let wanted)):
            port == wanted && low == 0xffff_0000_0000 | UInt64(theirs)
        case (.ipv6(let high, let low, let port), .ipv6(let h, let l, let wanted)):
            port == wanted && (high == 0 && low == 0 || high == h && low == l)
        default: false
        }
    }
}
