/// What names a peer on the board.
package struct PeerKey: Hashable, Sendable {
    /// Name of the upstream.
    package var upstream: String
    /// In the form of a listen key: `127.0.0.1:3000`, `unix:/path`.
    package var address: String
    /// Which of several equal addresses of the upstream, in the order of the configuration.
    package var ordinal: Int

    package init(upstream: String, address: String, ordinal: Int = 0) {
        self.upstream = upstream
        self.address = address
        self.ordinal = ordinal
    }

    /// The place of an upstream's queue, whose "connections" are the requests that wait. No listen key looks like its address.
    package static func queue(of upstream: String) -> PeerKey { PeerKey(upstream: upstream, address: "queue") }
}
