/// A change of a peer's failure state in this worker, for the board.
package enum PeerPublication: Equatable, Sendable {
    /// Attempts failed: so many more failures, failed and checked now.
    case failed(peer: Int, count: Int)
    /// A failed peer is being probed: checked now.
    case probed(peer: Int)
    /// A probe succeeded: all failures so far are forgiven.
    case recovered(peer: Int)
}

/// The last few publications. Bounded: when nobody takes them (one worker, no board) old ones are overwritten.
struct PublicationQueue {
    private var slots = InlineArray<8, PeerPublication>(repeating: .probed(peer: -1))
    private var head: UInt8 = 0
    private(set) var count: UInt8 = 0

    mutating func append(_ publication: PeerPublication) {
        slots[Int((head &+ count) & 7)] = publication
        if count == 8 { head = (head &+ 1) & 7 } else { count &+= 1 }
    }

    mutating func take() -> PeerPublication? {
        guard count > 0 else { return nil }
        defer {
            head = (head &+ 1) & 7
            count &-= 1
        }
        return slots[Int(head)]
    }
}

/// How peers' failures are shared between workers: the balancer stays a pure machine and never touches the board.
///
/// The driver does, for an upstream whose peers have board slots:
/// - before `pick`: when the board's change counter differs from what it last saw, or a new second began, it reads each
///   peer's totals and calls `absorb`; for `zone` upstreams with `max_conns` or `least_conn` (`usesForeignConnections`)
///   also `setForeignConnections`;
/// - after `pick` and `release`: while `takePublication` gives something, it writes it to its own column and bumps the
///   change counter; it writes `connections(of:)` to its own column.
extension Balancer {
    /// The next change the other workers have to know; nil when there is none. At most 8 are kept. O(1).
    package mutating func takePublication() -> PeerPublication? { publications.take() }

    /// Takes over a peer's failure state as the sum over all workers.
    ///
    /// Values from the board may be anything: `fails` is clamped to 0...2^31-1, times after `now` count as now.
    /// - Parameters:
    ///   - fails: failures not yet forgiven.
    ///   - accessed: the last failure in whole seconds of the shared clock; `Int64.min` for never.
    ///   - checked: the last failure or probe, likewise.
    package mutating func absorb(peer: Int, fails: Int64, accessed: Int64, checked: Int64, now: Milliseconds) {
        guard isPeer(peer) else { return }
        let second = wholeSeconds(now)
        let before = peers[peer].fails
        peers[peer].fails = Int(min(max(fails, 0), Int64(Int32.max)))
        // Our own times are in the sum too, but picks of a peer without failures move `checked` and are not published.
        peers[peer].accessed = max(peers[peer].accessed, min(accessed, second))
        peers[peer].checked = max(peers[peer].checked, min(checked, second))
        let maxFails = peers[peer].maxFails
        // Another worker's probe found it well.
        if maxFails > 0, before >= maxFails, peers[peer].fails < maxFails { startSlowly(peer, now: now) }
        let news = peers[peer].fails - before
        if news > 0, peers[peer].maxFails > 0 {
            // Others' failures cost weight as our own would have.
            let loss = peers[peer].weight / peers[peer].maxFails * min(news, peers[peer].maxFails)
            peers[peer].effectiveWeight = max(0, peers[peer].effectiveWeight - loss)
        }
    }

    /// Whether a pick depends on the other workers' running attempts when these are known.
    package var usesForeignConnections: Bool {
        switch settings.policy {
        case .leastConnections, .leastTime, .randomTwo: true
        default: hasConnectionLimits
        }
    }

    /// Sets the running attempts of the other workers on a peer; clamped to 0...2^31-1. O(1).
    package mutating func setForeignConnections(peer: Int, _ count: Int64) {
        guard isPeer(peer) else { return }
        peers[peer].foreignConnections = Int(min(max(count, 0), Int64(Int32.max)))
    }
}
