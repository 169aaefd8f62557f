import Machine
import Testing
import Wire

@Suite("limit_req and limit_conn zones")
struct LimitTests {
    @Test("a bucket leaks at its rate and rejects above its burst")
    func bucket() {
        var zone = LeakyBuckets(rate: 1000, capacity: 10) // 1r/s
        #expect(zone.check("a", burst: 1000, now: 10_000, counts: true) == .allowed(excess: 0))
        #expect(zone.check("a", burst: 1000, now: 10_000, counts: true) == .allowed(excess: 1000))
        #expect(zone.check("a", burst: 1000, now: 10_000, counts: true) == .rejected(excess: 2000))
        #expect(zone.check("a", burst: 1000, now: 11_000, counts: true) == .allowed(excess: 1000))
        #expect(zone.check("b", burst: 0, now: 11_000, counts: true) == .allowed(excess: 0))
        #expect(zone.delay(excess: 1000, after: 0) == 1000)
        #expect(zone.delay(excess: 1000, after: 1000) == 0)
    }

    @Test("looking without counting changes nothing")
    func look() {
        var zone = LeakyBuckets(rate: 1000, capacity: 10)
        for _ in 0..<5 { #expect(zone.check("a", burst: 0, now: 5000, counts: false) == .allowed(excess: 0)) }
        #expect(zone.check("a", burst: 0, now: 5000, counts: true) == .allowed(excess: 0))
        #expect(zone.check("a", burst: 0, now: 5000, counts: true) == .rejected(excess: 1000))
    }

    @Test("a full zone forgets the key used longest ago, never grows")
    func eviction() {
        var zone = LeakyBuckets(rate: 1, capacity: 3)
        for key in ["a", "b", "c", "d"] as [ByteView] { _ = zone.check(key, burst: 0, now: 1000, counts: true) }
        #expect(zone.keyCount == 3)
        #expect(zone.check("a", burst: 0, now: 1000, counts: true) == .allowed(excess: 0))
        #expect(zone.check("d", burst: 0, now: 1000, counts: true) == .rejected(excess: 1000))
    }

    @Test("connections are counted per key and given back")
    func connections() throws {
        var zone = ConnectionCounts(capacity: 2)
        let first = zone.enter("a", limit: 1)
        let again = zone.enter("a", limit: 1)
        let other = zone.enter("b", limit: 1)
        let third = zone.enter("c", limit: 1)
        #expect(again == nil)
        #expect(other != nil)
        #expect(third == nil, "no room for a third key: refused, as nginx does")
        zone.leave(try #require(first))
        let after = zone.enter("a", limit: 1)
        #expect(after != nil)
    }
}
