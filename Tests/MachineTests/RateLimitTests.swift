import Machine
import Testing

@Suite("A rate limit")
struct RateLimitTests {
    @Test("lets pass what the seconds so far allow", arguments: [
        (rate: Int64(1000), after: Int64(0), passed: Int64(0), elapsed: UInt64(0), allowance: Int64(1000)),
        (1000, 0, 1000, 999, 0), (1000, 0, 1000, 1000, 1000), (1000, 500, 1000, 0, 500), (1000, 0, 5000, 2_500, -2000),
        (1000, -7, 0, 0, 1000),
    ])
    func allowance(_ rate: Int64, _ after: Int64, _ passed: Int64, _ elapsed: UInt64, _ allowance: Int64) throws {
        #expect(try #require(RateLimit(rate: rate, after: after)).allowance(passed: passed, elapsed: elapsed) == allowance)
    }

    /// One wake-up for each pause: with a shorter wait the loop would ask again and again until the second is over.
    @Test("says when more may pass", arguments: [
        (rate: Int64(1000), passed: Int64(1000), elapsed: UInt64(0), wait: UInt64(1000)), (1000, 1000, 999, 1), (1000, 4000, 2_500, 1500),
        (1000, 4001, 2_500, 1500), (3, 4, 0, 1000), (3, 6, 0, 2000),
    ])
    func wait(_ rate: Int64, _ passed: Int64, _ elapsed: UInt64, _ wait: UInt64) throws {
        let limit = try #require(RateLimit(rate: rate))
        let allowance = limit.allowance(passed: passed, elapsed: elapsed)
        #expect(allowance <= 0)
        #expect(limit.wait(allowance, elapsed: elapsed) == wait)
        #expect(limit.allowance(passed: passed, elapsed: elapsed + wait) > 0)
        #expect(limit.allowance(passed: passed, elapsed: elapsed + wait - 1) <= 0)
    }

    @Test("takes any number", arguments: [1, Int64.max], [Int64.min, 0, Int64.max])
    func extremes(_ rate: Int64, _ other: Int64) throws {
        let limit = try #require(RateLimit(rate: rate, after: other))
        for elapsed in [UInt64(0), 10_000, .max] {
            #expect(limit.allowance(passed: 0, elapsed: elapsed) > 0)
            for passed in [0, Int64.max] { #expect(limit.wait(limit.allowance(passed: passed, elapsed: elapsed), elapsed: elapsed) >= 1) }
        }
    }

    @Test("of nothing or less is none", arguments: [0, -1, Int64.min])
    func none(_ rate: Int64) { #expect(RateLimit(rate: rate) == nil) }
}
