/// How many bytes may have passed by now at a rate (nginx: `limit_rate`, `proxy_limit_rate`). Seconds count as a whole, the one that has
/// begun included.
///
/// Rates come from variables and from answers, so every number is taken: what is out of range becomes the end of the range, far beyond
/// any link.
package struct RateLimit {
    private let rate: Int64
    private let after: Int64

    /// - Parameters:
    ///   - rate: bytes per second; 0 or less is no limit, and nil.
    ///   - after: bytes that pass before the rate holds.
    package init?(rate: Int64, after: Int64 = 0) {
        guard rate > 0 else { return nil }
        self.rate = min(rate, 1 << 40)
        self.after = min(max(0, after), 1 << 50)
    }

    /// Bytes that may pass now; 0 or less: none, before `wait` is over.
    /// - Parameters:
    ///   - passed: bytes so far.
    ///   - elapsed: milliseconds since the first.
    package func allowance(passed: Int64, elapsed: UInt64) -> Int64 {
        let seconds = Int64(min(elapsed / 1000, 1 << 20)) + 1
        return rate * seconds + after - min(passed, 1 << 50)
    }

    /// Milliseconds until there is an allowance again: to the begin of a second, as the allowance grows by whole seconds.
    package func wait(_ allowance: Int64, elapsed: UInt64) -> UInt64 {
        UInt64(max(0, -allowance) / rate + 1) * 1000 - elapsed % 1000
    }
}
