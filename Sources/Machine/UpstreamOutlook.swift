/// What is known about peers of an upstream that are not there yet: told by the supervisor (starts, restarts, deploys
/// of its app).
package struct UpstreamOutlook: Equatable, Sendable {
    /// Starts in a row that did not come to readiness; of the instance that is doing best.
    package var failedStarts: Int
    /// Instances that are starting or being probed now.
    package var starting: Int
    /// When the next start is due (back-off); nil = none is planned.
    package var nextStart: Milliseconds?

    /// Failed starts in a row after which nothing is plausible any more.
    package static let failedStartsMax = 3

    /// Nothing is coming: an upstream without an app, or one that was stopped.
    package static let nothing = UpstreamOutlook()

    package init(failedStarts: Int = 0, starting: Int = 0, nextStart: Milliseconds? = nil) {
        self.failedStarts = failedStarts
        self.starting = starting
        self.nextStart = nextStart
    }

    /// Whether a peer may be there before `deadline`.
    package func isPlausible(before deadline: Milliseconds) -> Bool {
        if failedStarts >= UpstreamOutlook.failedStartsMax { return false }
        if starting > 0 { return true }
        guard let nextStart else { return false }
        return nextStart < deadline
    }

    /// An honest `Retry-After` in whole seconds, 1 or more: until the next start, or until a start that now runs may be
    /// done.
    package func retryAfter(now: Milliseconds) -> Int {
        guard let nextStart, nextStart > now else { return starting > 0 ? 1 : 5 }
        return Int((min(nextStart &- now, 3_600_000) + 999) / 1000)
    }
}
