import Config
import Glibc
import Loop
import Machine

// Requests in flight to a peer of which a check has found that it does not answer: those that may be repeated need not wait for a time-out.
extension Ref where Value == Worker {
    /// Takes over what the board says of the peers, now instead of before the next pick: another worker's check changed it.
    func lookAtPeers() {
        let upstreams = value.http.value.upstreams
        for index in upstreams.indices where upstreams[index].value.isChecked {
            let upstream = upstreams[index]
            upstream.absorbNews(now: now)
            leaveUnresponsive(upstream)
        }
    }

    /// Lets requests leave the peers of a group that do not answer.
    func leaveUnresponsive(_ upstream: Ref<Upstream>) {
        let peers = 0..<upstream.value.balancer.capacity
        guard peers.contains(where: { upstream.value.balancer.flags(of: $0).contains(.unresponsive) }) else { return }
        for slot in 0..<UInt32(value.exchanges.capacity) {
            let exchange = value.exchanges[slot]
            guard let connection = exchange.value.connection, exchange.value.upstream == upstream else { continue }
            let flags = upstream.value.balancer.flags(of: connection.value.peer)
            if flags.contains(.unresponsive) { exchange.leaveUnresponsivePeer() }
        }
    }
}

extension Ref where Value == Exchange {
    /// Goes to another peer if there is one and the request may be repeated; else it goes on waiting: the peer may come to itself.
    fileprivate func leaveUnresponsivePeer() {
        let reason: ReasonCode
        switch value.state {
        case .connecting: reason = .connectTimeout
        case .sending: reason = .sendTimeout
        case .awaitingHead: reason = .responseTimeout
        default: return
        }
        guard let phase = phaseBeforeHead, value.attempt.isRunning, canLeave() else { return }
        let message = "upstream does not answer its health check"
        failed(ExchangeFailure(kind: .timeout, level: .error, message: message, reason: reason), phase: phase)
    }

    /// Peers that were there when the request began count as its tries; one that came since, in place of the one that hangs, is one more.
    private func canLeave() -> Bool {
        if case .tryNext = decide(.timeout) { return true }
        guard !upstream.value.balancer.isSingle, upstream.value.balancer.conditions(now: now)[.up] > 0, hasRetryBudget, mayWait(.timeout)
        else { return false }
        value.attempt.grantTry()
        return true
    }
}
