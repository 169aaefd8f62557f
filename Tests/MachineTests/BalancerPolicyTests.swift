import Machine
import Testing
import Wire

/// What is particular to single policies.
@Suite struct BalancerPolicyTests {
    @Test func leastConnectionsAvoidsTheBusyPeer() {
        var harness = BalancerHarness(.leastConnections, [peer(1), peer(2)])
        #expect(harness.run(10).filter { $0 == 1 }.count == 5)
        let (first, _) = harness.open()
        #expect(first == 1)
        #expect(harness.run(10) == Array(repeating: 2, count: 10))
    }

    @Test func leastConnectionsWeighs() {
        var harness = BalancerHarness(.leastConnections, [peer(1) { $0.weight = 3 }, peer(2)])
        let opened = (0..<8).map { _ in harness.open().port }
        #expect(opened.filter { $0 == 1 }.count == 6)
    }

    /// A request of a given duration, done at once.
    static func spend(_ harness: inout BalancerHarness, _ header: Milliseconds, on slow: Int) -> Int {
        var attempt = harness.begin()
        let port = harness.pick(&attempt)
        let time = port == slow ? header : 1
        harness.release(&attempt, header: time, response: time)
        return port
    }

    @Test(arguments: [LeastTimeMetric.header, .lastByte])
    func leastTimePrefersTheFasterPeer(metric: LeastTimeMetric) {
        var harness = BalancerHarness(.leastTime(metric, inflight: false), [peer(1), peer(2)])
        let got = (0..<10).map { _ in Self.spend(&harness, 1000, on: 1) }
        #expect(got.filter { $0 == 1 }.count == 1)
    }

    @Test func leastTimeWithEqualTimesIsRoundRobin() {
        var harness = BalancerHarness(.leastTime(.header, inflight: false), [peer(1), peer(2)])
        let got = (0..<10).map { _ in Self.spend(&harness, 1, on: 1) }
        #expect(got.filter { $0 == 1 }.count == 5)
    }

    @Test func aSlowPeerGetsAnotherChanceWhenItsTimeHasDecayed() {
        var harness = BalancerHarness(
            .leastTime(.lastByte, inflight: false), [peer(1) { $0.failTimeoutSeconds = 0 }, peer(2)])
        for _ in 0..<10 { _ = Self.spend(&harness, 1000, on: 1) }
        harness.now += 2000
        #expect((0..<10).map { _ in Self.spend(&harness, 1000, on: 1) }.allSatisfy { $0 == 2 })
        harness.now += 6000
        #expect((0..<10).map { _ in Self.spend(&harness, 1000, on: 1) }.filter { $0 == 1 }.count == 1)
    }

    @Test func requestsInFlightCountAgainstAHangingPeer() {
        var harness = BalancerHarness(.leastTime(.lastByte, inflight: true), [peer(1), peer(2)])
        var open: [AttemptState] = []
        for _ in 0..<10 {
            let (port, attempt) = harness.open()
            if port == 1 {
                open.append(attempt)
            } else {
                var done = attempt
                harness.release(&done, header: 1, response: 1)
            }
        }
        harness.now += 2100
        let got = (0..<8).map { _ in harness.open().port }
        #expect(got == Array(repeating: 2, count: 8))
        for var attempt in open { harness.release(&attempt, header: 2100, response: 2100) }
        #expect(harness.balancer.connections(of: harness.slots[0]) == 0)
    }

    @Test(arguments: [AttemptOutcome.failed, .neutral])
    func fastFailuresDoNotMakeAPeerLookFast(outcome: AttemptOutcome) {
        let slow = peer(1) {
            $0.maxFails = 0
            $0.route = [0x31]
        }
        var harness = BalancerHarness(.leastTime(.header, inflight: false), [slow, peer(2)])
        // Sticky requests get to the slow peer: one slow answer, then many fast failures.
        for time in [3000] + Array(repeating: 1, count: 200) as [Milliseconds] {
            var attempt = harness.begin()
            #expect(harness.pick(&attempt, hint: "1") == 1)
            harness.release(&attempt, time == 3000 ? .succeeded : outcome, header: time, response: time)
        }
        #expect((0..<5).map { _ in Self.spend(&harness, 3000, on: 1) }.allSatisfy { $0 == 2 })
    }

    @Test func theHeaderTimeOfARunningRequestCountsWhenItsHeadCame() {
        var harness = BalancerHarness(.leastTime(.header, inflight: true), [peer(1), peer(2)])
        var attempt = harness.begin()
        #expect(harness.pick(&attempt) == 1)
        harness.balancer.headerReceived(&attempt, headerTime: 500, now: harness.now)
        var other = harness.begin()
        #expect(harness.pick(&other) == 2)
        harness.balancer.headerReceived(&other, headerTime: 1, now: harness.now)
        harness.release(&other, header: 1, response: 1)
        harness.release(&attempt, header: 500, response: 9000)
        #expect((0..<5).map { _ in Self.spend(&harness, 500, on: 1) }.allSatisfy { $0 == 2 })
    }

    @Test func randomFollowsTheWeights() {
        var harness = BalancerHarness(.random, [peer(1) { $0.weight = 3 }, peer(2)])
        let share = harness.run(4000).filter { $0 == 1 }.count
        #expect((2850...3150).contains(share))
    }

    @Test func randomTwoTakesTheLessLoadedOfTwo() {
        var harness = BalancerHarness(.randomTwo(.leastConnections), [peer(1), peer(2)])
        let (first, _) = harness.open()
        #expect(harness.run(20).allSatisfy { $0 == 3 - first })
    }

    @Test func randomTwoWithWeightsFillsInProportion() {
        var harness = BalancerHarness(.randomTwo(.leastConnections), [peer(1), peer(2) { $0.weight = 2 }])
        let opened = (0..<30).map { _ in harness.open().port }
        #expect((9...11).contains(opened.filter { $0 == 1 }.count))
    }
}

/// Sticky sessions and draining: upstream_sticky*.t.
@Suite struct BalancerStickyTests {
    static let routed = (1...4).map { number in peer(number) { $0.route = Array("\(number)".utf8) } }

    @Test func theStickyIDIsTheMD5OfTheAddressInHex() {
        let harness = BalancerHarness(.roundRobin, [peer(8081), peer(2) { $0.route = Array("green".utf8) }])
        let (id, count) = harness.balancer.id(of: harness.slots[0])
        #expect(count == 32)
        #expect(String(decoding: (0..<32).map { id[$0] }, as: UTF8.self) == "df2b80dc43705d28db9be6f29fe58da3")
        let (route, length) = harness.balancer.id(of: harness.slots[1])
        #expect(String(decoding: (0..<length).map { route[$0] }, as: UTF8.self) == "green")
    }

    @Test(arguments: [
        BalancingPolicy.roundRobin, .leastConnections, .leastTime(.header, inflight: true), .addressHash, .hash,
        .consistentHash,
        .random, .randomTwo(.leastConnections),
    ])
    func aStickyRequestGoesToItsPeerWithEveryPolicy(policy: BalancingPolicy) {
        var harness = BalancerHarness(policy, Self.routed)
        for number in 1...4 { #expect(harness.run(4, hint: "\(number)") == [number, number, number, number]) }
        #expect(harness.request(key: "k", hint: "nobody")[0] > 0)
    }

    @Test func hugeWeightsKeepTheirSharesOfARing() {
        // With 160 points for each unit this would be 30 million points, counted for a minute.
        var harness = BalancerHarness(
            .consistentHash, [peer(1) { $0.weight = .max }, peer(2) { $0.weight = .max }, peer(3) { $0.weight = .max }, peer(4)])
        var counts: [Int: Int] = [:]
        for number in 0..<3_000 { counts[harness.request(key: "key \(number)")[0], default: 0] += 1 }
        #expect((1...3).allSatisfy { (800...1_200).contains(counts[$0] ?? 0) } && counts[4] ?? 0 < 30, "\(counts)")
    }

    @Test func aDrainingPeerGetsOnlyStickyRequests() {
        var harness = BalancerHarness(.roundRobin, Self.routed)
        #expect(harness.run(8) == [1, 2, 3, 4, 1, 2, 3, 4])
        harness.balancer.setFlag(.draining, true, peer: harness.slots[0], now: 0)
        #expect(harness.run(2, hint: "1") == [1, 1])
        #expect(harness.run(6).filter { $0 == 1 }.isEmpty)
    }

    @Test func aLoneDrainingPeerGetsOnlyStickyRequests() {
        var harness = BalancerHarness(
            .roundRobin,
            [
                peer(1) {
                    $0.route = [0x31]; $0.isDraining = true
                }
            ])
        #expect(harness.run(2, hint: "1") == [1, 1])
        #expect(harness.request() == [0])
    }

    @Test func aStickyRequestGoesOnWhenItsPeerFails() {
        var harness = BalancerHarness(.roundRobin, [peer(1) { $0.route = [0x31] }, peer(2) { $0.route = [0x32] }])
        #expect(harness.request(hint: "2", bad: [2]) == [2, 1])
        #expect(harness.request(hint: "2") == [1])
    }

    @Test func aStickyPeerAtItsLimitLosesItsRequests() {
        let peers = [
            peer(1) {
                $0.route = [0x61]; $0.maxConnections = 2
            },
            peer(2) {
                $0.route = [0x62]; $0.maxConnections = 3
            },
        ]
        var harness = BalancerHarness(.roundRobin, peers)
        let got = (0..<6).map { _ in harness.open(hint: "a").port }
        #expect(got == [1, 1, 2, 2, 2, -1])
    }

    @Test func manyStickyRequestsDoNotStarveTheOthersAfterwards() {
        var harness = BalancerHarness(.roundRobin, Self.routed)
        _ = harness.run(1000, hint: "1")
        // Debt is bounded: after one round the order is even again.
        let after = harness.run(40)
        for number in 1...4 { #expect((8...12).contains(after.filter { $0 == number }.count)) }
    }
}
