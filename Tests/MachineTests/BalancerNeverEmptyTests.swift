import Machine
import Testing
import Wire

/// Upstreams with `app`, `health_check` or `panic on`, and slow starts.
@Suite struct BalancerNeverEmptyTests {
    @Test func withAllPeersFailedTheLongestFailedOneIsUsed() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2), peer(3)], neverEmpty: true)
        #expect(harness.request(bad: [1])[0] == 1)
        harness.now += 2000
        let tried = harness.request(bad: [2, 3])
        #expect(Set(tried.prefix(2)) == [2, 3] && tried.last == 1)
        var attempt = harness.begin()
        #expect(harness.pick(&attempt) > 0)
        harness.release(&attempt)
    }

    @Test func aLastResortIsMarkedAndNeverADownPeer() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2), peer(3)], neverEmpty: true)
        for slot in harness.slots { harness.balancer.setFlag(.unhealthy, true, peer: slot, now: 0) }
        harness.balancer.setFlag(.down, true, peer: harness.slots[0], now: 0)
        var attempt = harness.begin()
        let port = harness.pick(&attempt)
        #expect(port == 2)
        #expect(attempt.isLastResort)
        harness.balancer.setFlag(.unhealthy, false, peer: harness.slots[2], now: 0)
        harness.release(&attempt, .neutral)
        #expect(harness.pick(&attempt) == 3)
        #expect(!attempt.isLastResort)
        harness.release(&attempt)
        for slot in harness.slots { harness.balancer.setFlag(.down, true, peer: slot, now: 0) }
        #expect(harness.request() == [0])
    }

    @Test func anUnprovenPeerComesBeforeAnUnhealthyOne() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2)], neverEmpty: true)
        harness.balancer.setFlag(.unhealthy, true, peer: harness.slots[0], now: 0)
        harness.balancer.setFlag(.unproven, true, peer: harness.slots[1], now: 0)
        #expect(harness.request() == [2])
        #expect(harness.request(bad: [2]) == [2, 1])
    }

    @Test func anUnresponsivePeerComesLastAndAnUnprovenOneNotAtAllWhenItsPassIsMandatory() {
        for provesFirst in [false, true] {
            var harness = BalancerHarness(
                .roundRobin, [peer(1), peer(2), peer(3)], neverEmpty: true, provesFirst: provesFirst)
            harness.balancer.setFlag([.unhealthy, .unresponsive], true, peer: harness.slots[0], now: 0)
            harness.balancer.setFlag(.unhealthy, true, peer: harness.slots[1], now: 0)
            harness.balancer.setFlag(.unproven, true, peer: harness.slots[2], now: 0)
            #expect(harness.request(bad: [1, 2, 3]) == (provesFirst ? [2, 1, 0] : [3, 2, 1]))
            let conditions = harness.balancer.conditions(now: 0)
            #expect((conditions[.unhealthy], conditions[.unproven], conditions[.up]) == (2, 1, 0))
        }
    }

    @Test func aPeerThatAnotherWorkerFoundWellStartsSlowly() {
        var harness = BalancerHarness(.roundRobin, [peer(1) { $0.slowStart = 10_000 }, peer(2)])
        let slot = harness.slots[0]
        harness.balancer.absorb(peer: slot, fails: 1, accessed: harness.now / 1000, checked: harness.now / 1000, now: harness.now)
        #expect(Set(harness.run(10)) == [2])
        harness.now += 11_000
        harness.balancer.absorb(peer: slot, fails: 0, accessed: 0, checked: 0, now: harness.now)
        #expect(harness.run(100).count { $0 == 1 } <= 5)
        harness.now += 10_000
        #expect((45...55).contains(harness.run(100).count { $0 == 1 }))
    }

    @Test func lastResortsShareTheLoad() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2)], neverEmpty: true)
        for slot in harness.slots { harness.balancer.setFlag(.unproven, true, peer: slot, now: 0) }
        var attempts = [harness.begin(), harness.begin()]
        #expect(Set(attempts.indices.map { harness.pick(&attempts[$0]) }) == [1, 2])
        for index in attempts.indices { harness.release(&attempts[index]) }
    }

    @Test func aPlainUpstreamStaysEmpty() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2)])
        _ = harness.request(bad: [1, 2])
        #expect(harness.request() == [0])
    }

    @Test func aPeerWithManyServerErrorsIsPutOutUnlessItIsTheLast() {
        var harness = BalancerHarness(.roundRobin, [peer(1) { $0.maxFails = 3 }, peer(2)], neverEmpty: true)
        var isOut = false
        for index in 0..<40 where !isOut {
            isOut = harness.balancer.recordAnswer(peer: harness.slots[0], isServerError: true, now: harness.now)
            #expect(isOut == (index == 19))
        }
        #expect(isOut)
        #expect(harness.run(5) == [2, 2, 2, 2, 2])
        var second = false
        for _ in 0..<100 where !second {
            second = harness.balancer.recordAnswer(peer: harness.slots[1], isServerError: true, now: harness.now)
        }
        #expect(!second)
    }

    @Test func aFewServerErrorsAreForgiven() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2)], neverEmpty: true)
        for index in 0..<1000 {
            harness.now += 10
            let isOut = harness.balancer.recordAnswer(
                peer: harness.slots[0], isServerError: index % 3 == 0, now: harness.now)
            #expect(!isOut)
        }
    }

    @Test func oldServerErrorsDoNotCount() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2)], neverEmpty: true)
        for _ in 0..<19 { harness.balancer.recordAnswer(peer: harness.slots[0], isServerError: true, now: harness.now) }
        harness.now += 11_000
        let isOut = harness.balancer.recordAnswer(peer: harness.slots[0], isServerError: true, now: harness.now)
        #expect(!isOut)
    }

    @Test(arguments: [BalancingPolicy.roundRobin, .leastConnections])
    func aSlowStarterGetsAGrowingShare(policy: BalancingPolicy) {
        var harness = BalancerHarness(policy, [peer(1) { $0.slowStart = 10_000 }, peer(2), peer(3)])
        harness.balancer.setFlag(.down, true, peer: harness.slots[0], now: harness.now)
        _ = harness.run(10)
        harness.balancer.setFlag(.down, false, peer: harness.slots[0], now: harness.now)
        var shares: [Int] = []
        for _ in 0..<11 {
            let before = harness.run(300).filter { $0 == 1 }.count
            shares.append(before)
            harness.now += 1000
        }
        #expect(shares == shares.sorted())
        #expect(shares[0] <= 5 && (40...70).contains(shares[5]) && shares[10] == 100)
    }

    @Test func aPeerRecoveredFromFailuresStartsSlowly() {
        var harness = BalancerHarness(.roundRobin, [peer(1) { $0.slowStart = 10_000 }, peer(2)])
        _ = harness.request(bad: [1])
        harness.now += 11_000
        let shortly = harness.run(100).filter { $0 == 1 }.count
        #expect((1...5).contains(shortly))
        harness.now += 10_000
        #expect((45...55).contains(harness.run(100).filter { $0 == 1 }.count))
    }
}
