import Machine
import Testing
import Wire

/// Failures, windows, tiers and limits: what nginx's own suite expects in upstream.t, upstream_max_conns.t,
/// proxy_next_upstream*.t.
@Suite struct BalancerFailureTests {
    @Test func threeFailuresOfEveryThirdRequestPutThePeerOut() {
        // Every third request on the first port fails; after the third failure it is left alone.
        var harness = BalancerHarness(.roundRobin, [peer(8081) { $0.maxFails = 3 }, peer(8082) { $0.maxFails = 3 }])
        var count = 0
        var answers = [8081: 0, 8082: 0]
        for _ in 0..<30 {
            var attempt = harness.begin()
            while true {
                let port = harness.pick(&attempt)
                var isBad = false
                if port == 8081 {
                    count += 1
                    isBad = count % 3 == 0
                }
                harness.release(&attempt, isBad ? .failed : .succeeded)
                if !isBad {
                    answers[port]! += 1
                    break
                }
            }
        }
        #expect(answers == [8081: 6, 8082: 24])
    }

    @Test func aFailedPeerIsProbedOnceWhenItsWindowIsOver() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2)])
        #expect(harness.request(bad: [1]) == [1, 2])
        #expect(harness.run(4) == [2, 2, 2, 2])
        harness.now += 10_000
        #expect(harness.run(2) == [2, 2], "ten whole seconds are still inside of the window")
        harness.now += 1000
        // The probe runs; meanwhile nobody else gets the peer.
        var (port, attempt) = harness.open()
        for _ in 0..<3 where port != 1 {
            harness.release(&attempt)
            (port, attempt) = harness.open()
        }
        #expect(port == 1)
        #expect(harness.run(3) == [2, 2, 2])
        harness.release(&attempt)
        #expect(harness.run(4).filter { $0 == 1 }.count == 2)
    }

    @Test func aDeadCachedConnectionSaysNothingOfItsPeer() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2)])
        var attempt = harness.begin()
        #expect(harness.pick(&attempt) == 1)
        harness.release(&attempt, .inconclusive)
        attempt.grantTry()
        // Another peer comes first; when there is none left, the one whose connection was dead, once.
        #expect(harness.pick(&attempt) == 2)
        harness.release(&attempt, .failed)
        #expect(harness.pick(&attempt) == 1)
        harness.release(&attempt, .failed)
        #expect(harness.pick(&attempt) == 0)
        harness.now += 11_000
        #expect(harness.request(bad: [], as: .inconclusive) == [2])
        #expect(harness.run(3).contains(1), "its only failure is over")
    }

    @Test func aDeadCachedConnectionTakesNoPeerOut() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2)])
        #expect(harness.request(bad: [1], as: .inconclusive) == [1, 2])
        #expect(harness.run(4).filter { $0 == 1 }.count == 2)
    }

    @Test func aFailedProbePutsThePeerOutForAnotherWindow() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2)])
        _ = harness.request(bad: [1])
        harness.now += 11_000
        var got: [[Int]] = []
        for _ in 0..<4 { got.append(harness.request(bad: [1])) }
        #expect(got.filter { $0 == [1, 2] }.count == 1)
        #expect(harness.run(3) == [2, 2, 2])
    }

    @Test func maxFailsZeroNeverPutsAPeerOut() {
        var harness = BalancerHarness(.roundRobin, [peer(1) { $0.maxFails = 0 }, peer(2)])
        let got = (0..<6).map { _ in harness.request(bad: [1])[0] }
        #expect(got.filter { $0 == 1 }.count == 3)
    }

    @Test func aLonePeerIsNeverPutOut() {
        for policy in [BalancingPolicy.roundRobin, .leastConnections, .addressHash, .hash, .consistentHash, .random] {
            var harness = BalancerHarness(policy, [peer(1)])
            for _ in 0..<5 { #expect(harness.request(key: "k", bad: [1]) == [1]) }
        }
    }

    @Test func aLonePeerAtItsLimitIsBusy() {
        var harness = BalancerHarness(.roundRobin, [peer(1) { $0.maxConnections = 2 }])
        var (first, attempt) = harness.open()
        let second = harness.open().port
        #expect([first, second, harness.open().port] == [1, 1, -1])
        harness.release(&attempt)
        first = harness.open().port
        #expect(first == 1)
    }

    @Test func allPeersFailedMeansNoLivePeer() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2)])
        #expect(harness.request(bad: [1, 2]) == [1, 2])
        #expect(harness.request() == [0])
        harness.now += 11_000
        #expect(Set([harness.request()[0], harness.request()[0], harness.request()[0]]) == [1, 2])
    }

    @Test func backupServersServeOnlyWhenNoPrimaryDoes() {
        var harness = BalancerHarness(
            .roundRobin, [peer(1), peer(2) { $0.isBackup = true }, peer(3) { $0.isBackup = true }])
        #expect(harness.run(3) == [1, 1, 1])
        #expect(harness.request(bad: [1]) == [1, 2])
        #expect(harness.run(4) == [3, 2, 3, 2])
        harness.now += 11_000
        #expect(harness.run(2) == [1, 1])
    }

    @Test func aDownPeerGetsNothingAndGivesNoTry() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2) { $0.isDown = true }])
        #expect(harness.begin().triesLeft == 1)
        #expect(harness.run(3) == [1, 1, 1])
    }

    @Test func triesAreOfBothTiersAndLimited() {
        var harness = BalancerHarness(
            .roundRobin, [peer(1), peer(1) { $0.isBackup = true }, peer(1) { $0.isBackup = true }])
        #expect(harness.begin().triesLeft == 3)
        #expect(harness.begin(tries: 2).triesLeft == 2)
        #expect(harness.request(tries: 2, bad: [1], as: .neutral).count == 2)
        #expect(harness.request(bad: [1], as: .neutral).count == 3)
    }

    @Test func a404DoesNotCountAgainstThePeer() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2)])
        for _ in 0..<4 { #expect(Set(harness.request(bad: [1, 2], as: .neutral)) == [1, 2]) }
        #expect(Set(harness.run(2)) == [1, 2])
    }

    static func opened(_ policy: BalancingPolicy, _ peers: [PeerSettings], _ count: Int) -> [Int] {
        var harness = BalancerHarness(policy, peers)
        return (0..<count).map { _ in harness.open(key: "127.0.0.1").port }
    }

    @Test(arguments: [
        (
            BalancingPolicy.roundRobin, [peer(1) { $0.maxConnections = 2 }, peer(2) { $0.isBackup = true }],
            [1, 1, 2, 2, 2, 2]
        ),
        (
            .roundRobin,
            [
                peer(1) { $0.maxConnections = 2 },
                peer(2) {
                    $0.isBackup = true; $0.maxConnections = 3
                },
            ], [1, 1, 2, 2, 2, -1]
        ),
        (.leastConnections, [peer(1) { $0.maxConnections = 2 }, peer(2) { $0.isBackup = true }], [1, 1, 2, 2, 2, 2]),
        (
            .leastConnections,
            [
                peer(1) { $0.maxConnections = 2 },
                peer(2) {
                    $0.isBackup = true; $0.maxConnections = 3
                },
            ], [1, 1, 2, 2, 2, -1]
        ),
    ])
    func connectionLimitsGoOnToTheBackup(policy: BalancingPolicy, peers: [PeerSettings], expected: [Int]) {
        #expect(Self.opened(policy, peers, 6) == expected)
    }

    @Test(arguments: [
        (
            BalancingPolicy.roundRobin, [peer(1) { $0.maxConnections = 1 }, peer(2) { $0.maxConnections = 1 }],
            [1: 1, 2: 1, -1: 2]
        ),
        (.roundRobin, [peer(1) { $0.maxConnections = 1 }, peer(2)], [1: 1, 2: 3]),
        (
            .roundRobin,
            [
                peer(1) {
                    $0.maxConnections = 1; $0.weight = 2
                }, peer(2),
            ], [1: 1, 2: 3]
        ),
        (.roundRobin, [peer(1), peer(2)], [1: 2, 2: 2]),
        (.leastConnections, [peer(1) { $0.maxConnections = 1 }, peer(2)], [1: 1, 2: 3]),
        (.addressHash, [peer(1) { $0.maxConnections = 1 }, peer(2) { $0.maxConnections = 2 }], [1: 1, 2: 2, -1: 1]),
        (.hash, [peer(1) { $0.maxConnections = 1 }, peer(2) { $0.maxConnections = 2 }], [1: 1, 2: 2, -1: 1]),
        (
            .consistentHash, [peer(1) { $0.maxConnections = 1 }, peer(2) { $0.maxConnections = 2 }],
            [1: 1, 2: 2, -1: 1]
        ),
        (.random, [peer(1) { $0.maxConnections = 2 }, peer(2) { $0.maxConnections = 1 }], [1: 2, 2: 1, -1: 1]),
        (
            .randomTwo(.leastConnections), [peer(1) { $0.maxConnections = 2 }, peer(2) { $0.maxConnections = 1 }],
            [1: 2, 2: 1, -1: 1]
        ),
    ])
    func connectionLimitsHoldForEveryPolicy(policy: BalancingPolicy, peers: [PeerSettings], expected: [Int: Int]) {
        let got = Self.opened(policy, peers, 4)
        #expect(Dictionary(grouping: got) { $0 }.mapValues(\.count) == expected)
    }

    @Test func twoServersWithOneAddressAreTwoPeers() {
        let peers = [peer(1) { $0.maxConnections = 1 }, peer(1) { $0.maxConnections = 1 }, peer(2)]
        let got = Self.opened(.roundRobin, peers, 6)
        #expect(got.filter { $0 == 1 }.count == 2)
        #expect(got.filter { $0 == 2 }.count == 4)
    }

    @Test func everyPolicyAvoidsAFailedPeerAndComesBack() {
        let policies: [BalancingPolicy] = [
            .roundRobin, .leastConnections, .leastTime(.header, inflight: false), .leastTime(.lastByte, inflight: true),
            .addressHash, .hash, .consistentHash, .random, .randomTwo(.leastConnections),
            .randomTwo(.leastTime(.header)),
        ]
        for policy in policies {
            var harness = BalancerHarness(policy, [peer(1), peer(2), peer(3)])
            for key in 0..<20 { _ = harness.request(key: "\(key)", bad: [2]) }
            for key in 0..<20 { #expect(harness.request(key: "\(key)") != [2], "\(policy)") }
            harness.now += 11_000
            var seen = Set<Int>()
            for key in 0..<60 { seen.formUnion(harness.request(key: "\(key)")) }
            #expect(seen == [1, 2, 3] || policy == .addressHash, "\(policy)")
        }
    }
}
