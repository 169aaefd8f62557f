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

    /// Takes over the values of a specification.
    package init(_ specification: AppSpecification) {
        hasHealth = specification.health != nil
        startTimeout = specification.startTimeout
        stopSignal = specification.stopSignal
        stopTimeout = specification.stopTimeout
        drainTimeout = specification.drainTimeout
        watchdog = specification.watchdog
        restart = specification.restart
    }
}
