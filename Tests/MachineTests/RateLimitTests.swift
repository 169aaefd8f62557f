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

    @Test("says when more may pass", arguments: [(Int64(1000), Int64(0), UInt64(1)), (1000, -2000, 2001), (3, -1, 334)])
    func wait(_ rate: Int64, _ allowance: Int64, _ wait: UInt64) throws {
        #expect(try #require(RateLimit(rate: rate)).wait(allowance) == wait)
    }

    @Test("takes any number", arguments: [1, Int64.max], [Int64.min, 0, Int64.max])
    func extremes(_ rate: Int64, _ other: Int64) throws {
        let limit = try #require(RateLimit(rate: rate, after: other))
        for elapsed in [UInt64(0), 10_000, .max] {
            #expect(limit.allowance(passed: 0, elapsed: elapsed) > 0)
            for passed in [0, Int64.max] { #expect(limit.wait(limit.allowance(passed: passed, elapsed: elapsed)) >= 1) }
        }
    }

    @Test("of nothing or less is none", arguments: [0, -1, Int64.min])
    func none(_ rate: Int64) { #expect(RateLimit(rate: rate) == nil) }
}
