/// The part of a specification that the life cycle of one instance depends on.
package struct InstancePolicy: Hashable, Sendable {
    /// Whether an active check exists; then an accepting port alone does not make an instance ready.
    package var hasHealth: Bool
    /// See `AppSpecification`.
    package var startTimeout: Duration
    /// See `AppSpecification`.
    package var stopSignal: Int32
    /// See `AppSpecification`.
    package var stopTimeout: Duration
    /// See `AppSpecification`.
    package var drainTimeout: Duration
    /// See `AppSpecification`.
    package var watchdog: Duration?
    /// See `AppSpecification`.
    package var restart: RestartPolicy
    /// How long an instance may leave its check unanswered, after it was found to do so, until it is replaced: as long as
    /// it took at most to find out, and no longer than a start.
    package var patience: Duration

    /// Takes over the values of a specification.
    package init(_ specification: AppSpecification) {
        hasHealth = specification.health != nil
        startTimeout = specification.startTimeout
        stopSignal = specification.stopSignal
        stopTimeout = specification.stopTimeout
        drainTimeout = specification.drainTimeout
        watchdog = specification.watchdog
        restart = specification.restart
        let health = specification.health.map { ($0.interval + $0.timeout) * $0.fails }
        patience = min(max(health ?? startTimeout, .milliseconds(500)), startTimeout)
    }
}
