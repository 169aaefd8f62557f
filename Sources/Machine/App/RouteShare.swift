/// How much of an app's traffic an instance may get.
package enum RouteShare: Hashable, Sendable {
    /// None: a proven candidate that waits for its turn.
    case none
    /// The slice that a new release is tried with.
    case slice
    /// As much as any other instance.
    case full
}
