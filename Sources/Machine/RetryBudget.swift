/// Limits the retries of an upstream to a share of its recent requests, so that a failing upstream is not hit by its
/// own echo (decision 0008).
///
/// Allowed in the last ten seconds: 20 % of the requests, plus a floor of max(100, most requests in flight at once).
/// Counted in ten buckets of one second. One per upstream and worker; no allocation.
package struct RetryBudget: BitwiseCopyable, Sendable {
    /// Retries allowed per 100 requests.
    package static let percent = 20
    package static let floorMin = 100

    private var requests = InlineArray<10, Int32>(repeating: 0)
    private var retries = InlineArray<10, Int32>(repeating: 0)
    private var peaks = InlineArray<10, Int32>(repeating: 0)
    private var requestSum = 0
    private var retrySum = 0
    private var second: Int64 = 0

    package init() {}

    /// Counts a request (not its retries). O(1).
    ///
    /// - Parameter inFlight: requests of this upstream in flight, with this one.
    package mutating func recordRequest(inFlight: Int, now: Milliseconds) {
        advance(to: now)
        let bucket = Int(second % 10)
        if requests[bucket] < Int32.max {
            requests[bucket] += 1
            requestSum += 1
        }
        peaks[bucket] = max(peaks[bucket], Int32(clamping: inFlight))
    }

    /// Whether one more retry fits; if so, it is counted. O(1).
    package mutating func takeRetry(now: Milliseconds) -> Bool {
        advance(to: now)
        guard retrySum < allowance else { return false }
        retries[Int(second % 10)] += 1
        retrySum += 1
        return true
    }

    /// Retries left in the present window, >= 0.
    package mutating func retriesLeft(now: Milliseconds) -> Int {
        advance(to: now)
        return max(0, allowance - retrySum)
    }

    private var allowance: Int {
        var peak = Int32(0)
        for bucket in 0..<10 { peak = max(peak, peaks[bucket]) }
        return requestSum * RetryBudget.percent / 100 + max(RetryBudget.floorMin, Int(peak))
    }

    /// Clears the buckets of the seconds since the last call.
    private mutating func advance(to now: Milliseconds) {
        let current = wholeSeconds(max(now, 0))
        guard current > second else { return }
        let steps = min(current - second, 10)
        for step in 1...steps {
            let bucket = Int((current - steps + step) % 10)
            requestSum -= Int(requests[bucket])
            retrySum -= Int(retries[bucket])
            requests[bucket] = 0
            retries[bucket] = 0
            peaks[bucket] = 0
        }
        second = current
    }
}
