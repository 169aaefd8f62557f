/// How a peer is now, by the gravest reason why it gets no requests.
package enum PeerCondition: Int, CaseIterable, Sendable {
    /// It may get requests.
    case up
    /// Out for `fail_timeout` after `max_fails` failures.
    case failed
    /// Its check failed.
    case unhealthy
    /// Not yet checked.
    case unproven
    /// It only gets requests that carry its sticky id.
    case draining
    /// Marked `down`, or its process is on its way out.
    case down
}
