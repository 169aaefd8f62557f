/// Failures that `proxy_next_upstream` may name.
package struct RetryConditions: OptionSet, BitwiseCopyable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let error = RetryConditions(rawValue: 1 << 0)
    package static let timeout = RetryConditions(rawValue: 1 << 1)
    package static let invalidHeader = RetryConditions(rawValue: 1 << 2)
    package static let http500 = RetryConditions(rawValue: 1 << 3)
    package static let http502 = RetryConditions(rawValue: 1 << 4)
    package static let http503 = RetryConditions(rawValue: 1 << 5)
    package static let http504 = RetryConditions(rawValue: 1 << 6)
    package static let http403 = RetryConditions(rawValue: 1 << 7)
    package static let http404 = RetryConditions(rawValue: 1 << 8)
    package static let http429 = RetryConditions(rawValue: 1 << 9)
    package static let nonIdempotent = RetryConditions(rawValue: 1 << 10)

    /// nginx's default: error and timeout.
    package static let standard: RetryConditions = [.error, .timeout]
}

/// Settings of retries of one location.
package struct RetrySettings: Equatable, Sendable {
    /// `proxy_next_upstream`; empty for `off`.
    package var conditions: RetryConditions
    /// `proxy_next_upstream_timeout`; 0 = no limit.
    package var timeout: Milliseconds
    /// `proxy_next_upstream_tries`; 0 = no limit. For `Balancer.begin`.
    package var tries: Int

    package init(conditions: RetryConditions = .standard, timeout: Milliseconds = 0, tries: Int = 0) {
        self.conditions = conditions
        self.timeout = timeout
        self.tries = tries
    }
}

/// How an attempt failed.
package enum AttemptFailure: Equatable, Sendable {
    /// Connecting, sending or reading failed, or the peer closed without an answer.
    case error
    /// A connect, send or read timeout.
    case timeout
    /// The answer's head was no HTTP, or broke the rules of framing.
    case invalidHeader
    /// A whole answer head came, with this status.
    case status(Int)
    /// There was no peer to try.
    case noLivePeer
}

/// How far the request head got on its way to the peer.
package enum HeadProgress: Equatable, Sendable {
    /// Not connected, or connected and nothing written.
    case notStarted
    case partial
    case complete
}

/// The circumstances of a failed attempt.
package struct AttemptFacts: Equatable, Sendable {
    /// POST, PATCH or LOCK: a second execution may do harm (nginx's set).
    package var isNonIdempotent: Bool
    package var head: HeadProgress
    /// Whether bytes of the request body were sent that cannot be sent again (`proxy_request_buffering off`).
    package var isBodyLost: Bool
    /// Whether the connection came from the idle pool.
    package var isReused: Bool
    /// Whether bytes of the peer's answer came.
    package var hasAnswerBytes: Bool
    /// Whether the client already has bytes of an answer: nothing can be retried.
    package var isAnswerStarted: Bool
    /// Whether the gateway took the connection out of the dead instance's accept queue itself, so that nobody ever read
    /// the request (decision 0008, c).
    package var isRescued: Bool
    /// Milliseconds since the request's first attempt began.
    package var elapsed: Milliseconds

    package init(
        isNonIdempotent: Bool = false, head: HeadProgress = .notStarted, isBodyLost: Bool = false,
        isReused: Bool = false, hasAnswerBytes: Bool = false,
        isAnswerStarted: Bool = false, isRescued: Bool = false, elapsed: Milliseconds = 0
    ) {
        self.isNonIdempotent = isNonIdempotent
        self.head = head
        self.isBodyLost = isBodyLost
        self.isReused = isReused
        self.hasAnswerBytes = hasAnswerBytes
        self.isAnswerStarted = isAnswerStarted
        self.isRescued = isRescued
        self.elapsed = elapsed
    }
}

/// What to do after a failed attempt.
package enum RetryDecision: Equatable, Sendable {
    /// Release the attempt with `outcome` and try the next peer. With `isFree` call `AttemptState.grantTry` after the
    /// release: a cached connection that died says nothing about the peer.
    case tryNext(outcome: AttemptOutcome, isFree: Bool)
    /// Release the attempt with `outcome` and answer with this status (an error page of ours). With `isAborted` the
    /// client already has part of an answer: cut its connection instead.
    case giveUp(status: Int, outcome: AttemptOutcome, isAborted: Bool)
    /// Pass the peer's own answer on, whatever its status; the attempt goes on.
    case passAnswer
}

/// Decides what follows on a failed attempt: nginx's rules, with the refinements of decision 0008. Pure.
package enum RetryPolicy {
    /// - Parameters:
    ///   - failure: what went wrong; a status is asked about before the answer is passed on.
    ///   - facts: its circumstances.
    ///   - settings: of the location.
    ///   - triesLeft: `AttemptState.triesLeft` while the failed attempt is not yet released, i.e. counting it.
    ///   - isLone: `Balancer.isSingle`: the release then leaves no tries.
    ///   - hasBudget: whether the retry budget has room; true for upstreams without one.
    package static func decide(
        _ failure: AttemptFailure, _ facts: AttemptFacts, _ settings: RetrySettings, triesLeft: Int,
        isLone: Bool = false,
        hasBudget: Bool = true
    ) -> RetryDecision {
        let status = status(for: failure)
        if failure == .noLivePeer { return .giveUp(status: status, outcome: .neutral, isAborted: false) }
        guard let condition = condition(for: failure) else { return .passAnswer }
        if facts.isAnswerStarted {
            return .giveUp(status: status, outcome: .succeeded, isAborted: true)
        }

        let isStatus = if case .status = failure { true } else { false }
        // nginx gives a try back for a cached connection that broke before an answer.
        let isFree = facts.isReused && failure == .error
        let triesAfter = (isLone ? 0 : max(0, triesLeft - 1)) + (isFree ? 1 : 0)
        // A request whose head did not get out whole cannot have been executed (nginx asks only whether anything was
        // sent).
        let isExecutable = facts.head == .complete && !facts.isRescued
        var needed = condition
        if isExecutable, facts.isNonIdempotent { needed.insert(.nonIdempotent) }
        let isAllowed =
            triesAfter > 0 && settings.conditions.isSuperset(of: needed) && !facts.isBodyLost
            && !(settings.timeout > 0 && facts.elapsed >= settings.timeout) && hasBudget
        let outcome = outcome(condition, isStale: isFree && !facts.hasAnswerBytes)
        if isAllowed { return .tryNext(outcome: outcome, isFree: isFree) }
        return isStatus ? .passAnswer : .giveUp(status: status, outcome: outcome, isAborted: false)
    }

    /// What a failure says of the peer. nginx counts a cached connection that was closed as a failure of the peer, and
    /// so takes peers out that only have a shorter idle time than it thought.
    private static func outcome(_ condition: RetryConditions, isStale: Bool) -> AttemptOutcome {
        if isStale { return .inconclusive }
        return condition == .http403 || condition == .http404 ? .neutral : .failed
    }

    /// The status nginx answers with after this failure.
    package static func status(for failure: AttemptFailure) -> Int {
        switch failure {
        case .timeout: 504
        case .status(let status): status
        case .error, .invalidHeader, .noLivePeer: 502
        }
    }

    /// The condition a failure falls under; nil for a status that is no failure.
    package static func condition(for failure: AttemptFailure) -> RetryConditions? {
        switch failure {
        case .error: .error
        case .timeout: .timeout
        case .invalidHeader: .invalidHeader
        case .status(500): .http500
        case .status(502): .http502
        case .status(503): .http503
        case .status(504): .http504
        case .status(403): .http403
        case .status(404): .http404
        case .status(429): .http429
        case .status, .noLivePeer: nil
        }
    }
}
