/// `restart always|on-failure|never backoff=FIRST..LAST`: whether and when an ended instance is started again.
package struct RestartPolicy: Hashable, Sendable {
    /// After which ends an instance is started again.
    package enum Condition: String, Hashable, Sendable {
        /// After every end.
        case always
        /// Only after an end that is not clean (`InstanceExit.isClean`).
        case onFailure
        /// After none.
        case never
    }

    /// After which ends.
    package var condition: Condition
    /// Delay before the second start in a row; doubled for each further one. At least `firstDelayMin`.
    package var firstDelay: Duration
    /// The delay never grows beyond this. The machine never gives up.
    package var lastDelay: Duration

    /// A first delay below this is taken as this, so that no configuration makes a busy loop.
    package static let firstDelayMin: Duration = .milliseconds(10)

    /// Makes a policy; the defaults are the directive's.
    package init(
        condition: Condition = .always, firstDelay: Duration = .milliseconds(100), lastDelay: Duration = .seconds(15)
    ) {
        self.condition = condition
        self.firstDelay = max(firstDelay, Self.firstDelayMin)
        self.lastDelay = max(lastDelay, self.firstDelay)
    }
}
