/// `health` of an app block: the active check that decides when an instance is ready and stays so.
package struct AppHealth: Hashable, Sendable {
    /// Path and query to ask for.
    package var uri: String
    /// Time between two checks.
    package var interval: Duration
    /// Time for connecting and for the whole answer.
    package var timeout: Duration
    /// Good answers in a row until an instance counts as healthy.
    package var passes: Int
    /// Bad answers in a row until it does not.
    package var fails: Int
    /// Name of the `match` block that judges an answer, if any.
    package var match: String?

    /// Makes a check; the defaults are the directive's.
    package init(
        uri: String = "/", interval: Duration = .seconds(1), timeout: Duration = .seconds(1), passes: Int = 1,
        fails: Int = 3, match: String? = nil
    ) {
        self.uri = uri
        self.interval = interval
        self.timeout = timeout
        self.passes = max(passes, 1)
        self.fails = max(fails, 1)
        self.match = match
    }
}
