/// Requests and failures of the old and of the new release during a soak.
package struct SoakComparison: Hashable, Sendable {
    /// Counts of one side.
    package struct Counts: Hashable, Sendable {
        /// Requests that were answered or failed.
        package var requests: UInt64
        /// Of these, those that failed: no answer, an invalid one, or status 500...599.
        package var failures: UInt64

        /// Makes a pair of counts; more failures than requests are taken as that many requests.
        package init(requests: UInt64 = 0, failures: UInt64 = 0) {
            self.requests = max(requests, failures)
            self.failures = failures
        }
    }

    /// The running release, all its instances together.
    package var old: Counts
    /// The candidate.
    package var new: Counts

    /// Makes a comparison.
    package init(old: Counts = Counts(), new: Counts = Counts()) {
        self.old = old
        self.new = new
    }

    /// Fewer failures than this say nothing.
    package static let failuresMin: UInt64 = 3

    /// Whether the new release is clearly worse: at least three failures, and by two standard deviations more than it would
    /// have if its share were twice the old one's plus 2 %. (It is asked many times during a soak: without the deviations, a
    /// site that always has some errors would soon see an unlucky moment.) Little traffic therefore passes: the check was
    /// passed already, and a site without traffic must be deployable too.
    package var isWorse: Bool {
        guard new.failures >= Self.failuresMin else { return false }
        let oldShare = Double(old.failures) / Double(max(old.requests, 1))
        let bearable = Double(new.requests) * (2 * oldShare + 0.02)
        return Double(new.failures) > bearable + 2 * bearable.squareRoot()
    }
}
