/// One request of the drill's load, and how it ended, as its client saw it.
struct LoadResult: Sendable {
    /// How a request ended.
    enum Ending: Equatable, Sendable {
        /// A complete answer.
        case answered(status: Int)
        /// A complete answer that was not for this request.
        case mistaken
        /// No connection could be made.
        case refused
        /// The connection ended before an answer.
        case reset
        /// The same, on a connection that had been idle after earlier answers: every client of HTTP has to expect it.
        case idleClosed
        /// The connection ended in the middle of an answer.
        case truncated
        /// No complete answer in time.
        case timedOut
    }

    /// Sent as X-Request-Id.
    var id: String
    var isPost: Bool
    /// Which fault was at work when it began.
    var fault: Int
    var began: ContinuousClock.Instant
    var ended: ContinuousClock.Instant
    var ending: Ending

    /// 5xx, reset or refusal on a fresh connection, truncation, timeout, somebody else's answer.
    var isFailure: Bool {
        switch ending {
        case .answered(let status): status >= 500
        case .idleClosed: false
        default: true
        }
    }
}
