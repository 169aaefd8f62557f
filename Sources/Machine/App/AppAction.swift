/// What the driver has to do, in this order.
package enum AppAction: Hashable, Sendable {
    /// Start a keeper for this instance, of this release. Answer: `.started` or `.startFailed`.
    case spawn(InstanceKey, release: UInt32)
    /// Tell the workers to send requests to the instance; again with another share: change it.
    case route(InstanceKey, RouteShare)
    /// Tell the workers to send nothing new to the instance. Answer, unless it is dead: `.drained`.
    case unroute(InstanceKey)
    /// Send a signal to the instance's process group; its keeper kills the whole group after `killAfter`.
    case stop(InstanceKey, signal: Int32, killAfter: Duration)
    /// Kill every process of the instance. Answer: `.exited` and `.emptied`. May come more than once.
    case kill(InstanceKey)
    /// Everything about this instance is known: its keeper may end.
    case forget(InstanceKey)
    /// What can be expected of the app has changed (parking, Retry-After).
    case outlook(AppOutlook)
    /// Something an operator wants to know.
    case report(InstanceKey?, AppReport)
}
