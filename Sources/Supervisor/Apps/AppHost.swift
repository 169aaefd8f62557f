package import Config
package import Machine

/// What the supervisor of apps needs of the program around it: the workers, in one word.
///
/// All calls come from within `serve`, `timerFired`, `childEnded` and the commands, on the supervisor's only thread.
package protocol AppHost: AnyObject {
    /// Monotonic time.
    var now: Duration { get }

    /// Tell the workers to send requests of the app's upstreams to this address; again with another share: change it.
    func route(app: String, instance: InstanceKey, address: NetworkAddress, share: RouteShare)

    /// Tell the workers to send nothing new there. When no request is in flight any more, call
    /// `AppSupervisor.drained`; for a dead instance there is no need.
    func unroute(app: String, instance: InstanceKey, address: NetworkAddress)

    /// Running instances were taken over, and these are all there are: what was routed at another time to others is gone.
    func tookOver(_ instances: [String: Set<InstanceKey>])

    /// Tell the workers whether requests without a live instance should wait. Times are monotonic.
    func outlook(app: String, _ outlook: AppOutlook)

    /// Tell the workers of connections of theirs which the instance at this address never accepted, and which nobody will. After what they
    /// have to know of instances.
    func rescued(app: String, address: NetworkAddress, peers: [NetworkAddress])

    /// Let one worker check the instance, from now on so; its results come by `AppSupervisor.healthChanged`. A ready one counts as
    /// healthy until its check fails.
    func beginHealthCheck(app: String, instance: InstanceKey, address: NetworkAddress, _ health: AppHealth, isReady: Bool)

    /// End the check.
    func endHealthCheck(app: String, instance: InstanceKey)

    /// Requests and failures of an address since some fixed time, from the board.
    func counts(app: String, instance: InstanceKey, address: NetworkAddress) -> SoakComparison.Counts

    /// One line of history, for the error log and for whoever waits for a deploy.
    func report(app: String, instance: InstanceKey?, _ report: AppReport, text: String, level: LogLevel)

    /// What an instance that ended wrote last.
    func lastLines(app: String, _ lines: AppSupervisor.InstanceLines)

    /// A line for the error log that is no part of an instance's life.
    func notice(app: String, text: String, level: LogLevel)
}
