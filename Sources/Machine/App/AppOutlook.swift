/// Whether a request that finds no live instance should wait for one.
package enum AppOutlook: Hashable, Sendable {
    /// At least one instance is routed.
    case up
    /// None is, but one is plausibly coming: at once, or by a start that is due at this time.
    case coming(nextStart: Duration)
    /// None is, and none is plausible: three failed starts in a row. The next try is due at this time.
    case implausible(nextStart: Duration)
    /// None is and none will be: the app was stopped, or its restart policy leaves it at rest.
    case down
}
