/// `health_check` of an upstream (NGINX Plus's parameters).
package struct HealthCheckSettings: Equatable, Sendable {
    /// Between the end of one check and the start of the next.
    package var interval: Milliseconds
    /// Up to so much is added to each interval, at random.
    package var jitter: Milliseconds
    package var timeout: Milliseconds
    /// Failed checks in a row that make a peer unhealthy, >= 1.
    package var fails: Int
    /// Passed checks in a row that make it healthy again, >= 1.
    package var passes: Int
    /// Whether a new peer gets no traffic before its first pass.
    package var isMandatory: Bool
    /// With `isMandatory`: a peer that was healthy before a reload stays so until its first check.
    package var isPersistent: Bool

    package init(
        interval: Milliseconds = 5000, jitter: Milliseconds = 0, timeout: Milliseconds = 5000, fails: Int = 1,
        passes: Int = 1,
        isMandatory: Bool = true, isPersistent: Bool = true
    ) {
        self.interval = max(1, interval)
        self.jitter = max(0, jitter)
        self.timeout = max(1, timeout)
        self.fails = max(1, fails)
        self.passes = max(1, passes)
        self.isMandatory = isMandatory
        self.isPersistent = isPersistent
    }
}

/// What is known of a peer by checks.
package enum HealthState: Equatable, BitwiseCopyable, Sendable {
    /// No check ended yet.
    case unproven, healthy, unhealthy
}

/// What the driver has to do.
package enum HealthCheckAction: Equatable, Sendable {
    case none
    /// Start a check; its result has to come within the settings' timeout.
    case startCheck
    /// Publish the new state.
    case changed(HealthState)
}

/// The active checks of one peer.
///
/// ```
///            first pass                      `fails` failures in a row
/// unproven ─────────────► healthy ──────────────────────────────────► unhealthy
///     │                      ▲                                            │
///     │  first failure       └────────── `passes` passes in a row ────────┘
///     └──────────────────────────────────────────────────────────────────►
///
/// waiting(until) ── due ──► checking(since) ── result or timeout ──► waiting
/// ```
/// Pure: times and a random number in, actions out. One per checked peer, in the one worker that runs the checks.
package struct HealthCheckMachine: BitwiseCopyable, Equatable, Sendable {
    /// What is known of the peer.
    package private(set) var state: HealthState
    /// When `advance` has to be called next: a check is due or has run out of time.
    package private(set) var deadline: Milliseconds
    /// Whether a check runs.
    package private(set) var isChecking = false
    /// Results in a row that speak against `state`.
    private var streak = 0
    /// For telling late results of a check that timed out.
    private var serial: UInt32 = 0

    /// - Parameters:
    ///   - known: the state from before a reload, or from another worker; nil for a new peer.
    ///   - now: the first check is due at once, or within the jitter.
    package init(settings: HealthCheckSettings, known: HealthState?, now: Milliseconds, random: inout RandomSource) {
        switch known {
        case .healthy where settings.isPersistent || !settings.isMandatory: state = .healthy
        case .unhealthy: state = .unhealthy
        default: state = settings.isMandatory ? .unproven : .healthy
        }
        deadline = now &+ Milliseconds(random.next(below: UInt64(settings.jitter) + 1))
    }

    /// A number of the running check, to be given with its result.
    package var checkSerial: UInt32 { serial }

    /// Does what is due at `now`. Call at `deadline` or later; calls before it do nothing.
    package mutating func advance(settings: HealthCheckSettings, now: Milliseconds, random: inout RandomSource)
        -> HealthCheckAction
    {
        guard now >= deadline else { return .none }
        if isChecking { return finish(false, settings: settings, now: now, random: &random) }
        isChecking = true
        serial &+= 1
        deadline = now &+ settings.timeout
        return .startCheck
    }

    /// The result of a check. A late one, of a check that has timed out, does nothing.
    ///
    /// - Parameter check: `checkSerial` when the check was started.
    package mutating func result(
        passed: Bool, check: UInt32, settings: HealthCheckSettings, now: Milliseconds, random: inout RandomSource
    ) -> HealthCheckAction {
        guard isChecking, check == serial else { return .none }
        return finish(passed, settings: settings, now: now, random: &random)
    }

    private mutating func finish(
        _ passed: Bool, settings: HealthCheckSettings, now: Milliseconds, random: inout RandomSource
    ) -> HealthCheckAction {
        isChecking = false
        deadline = now &+ settings.interval &+ Milliseconds(random.next(below: UInt64(settings.jitter) + 1))
        switch (state, passed) {
        case (.unproven, true): return change(to: .healthy)
        case (.unproven, false): return change(to: .unhealthy)
        case (.healthy, true), (.unhealthy, false):
            streak = 0
            return .none
        case (.healthy, false):
            streak += 1
            return streak >= settings.fails ? change(to: .unhealthy) : .none
        case (.unhealthy, true):
            streak += 1
            return streak >= settings.passes ? change(to: .healthy) : .none
        }
    }

    private mutating func change(to new: HealthState) -> HealthCheckAction {
        state = new
        streak = 0
        return .changed(new)
    }
}
