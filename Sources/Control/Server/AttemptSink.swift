import Config
import Messages

/// Where failed attempts and the history of the apps go: the seam for incidents, metrics and alerts.
///
/// All calls come from one task, in the order in which things happened. A sink that has to wait (for a disk, for a collector) keeps what
/// came meanwhile itself, with a limit: while one call runs, no other sink and no answer of the supervisor moves on.
protocol AttemptSink: Sendable {
    /// The supervisor can be told things from now on.
    func connect(_ channel: SupervisorChannel) async
    /// A configuration is in force: at the start, and after each reload.
    func configure(_ configuration: Configuration) async
    /// A worker's attempt to have an upstream answer a request failed.
    func take(_ attempt: AttemptRecord) async
    /// What a worker only counted.
    func take(_ tally: FailureTally) async
    /// Something happened in the life of an app.
    func take(_ event: AppEvent) async
    /// What an instance that ended wrote last. It comes after its end.
    func take(_ lastLines: AppLines, of app: String) async
}

extension AttemptSink {
    func take(_ lastLines: AppLines, of app: String) async {}
}
