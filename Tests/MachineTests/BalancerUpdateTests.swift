import Machine
import Testing
import Wire

@Suite struct BalancerUpdateTests {
    @Test func unchangedPeersKeepIndexAndFailures() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2), peer(3)])
        _ = harness.request(bad: [1])
        let failed = harness.slots[0]
        let slots = harness.balancer.update(peers: [peer(4), peer(3), peer(1)])
        #expect(slots[2] == failed && slots[1] == harness.slots[2])
        #expect(harness.balancer.fails(of: failed) == 1)
        #expect(harness.balancer.peerCount == 3)
    }

    @Test func aRemovedPeerStaysValidForItsRunningAttempt() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2)])
        var (port, attempt) = harness.open()
        #expect(port == 1)
        let slot = Int(attempt.peer)
        _ = harness.balancer.update(peers: [peer(2), peer(3)])
        #expect(harness.balancer.isPeer(slot) && harness.balancer.connections(of: slot) == 1)
        let replacement = harness.balancer.update(peers: [peer(2), peer(3), peer(4)])
        #expect(!replacement.contains(slot))
        harness.release(&attempt, .failed)
        let isStillPeer = harness.balancer.isPeer(slot)
        #expect(!isStillPeer)
    }

    @Test func aPeerThatComesBackWhileItsOldAttemptRunsIsANewOne() {
        var harness = BalancerHarness(.roundRobin, [peer(1), peer(2)])
        let (_, attempt) = harness.open()
        _ = harness.balancer.update(peers: [peer(2)])
        let slots = harness.balancer.update(peers: [peer(1), peer(2)])
        #expect(slots[0] != Int(attempt.peer))
        #expect(harness.balancer.connections(of: slots[0]) == 0)
    }

    @Test func thePeersMayOutgrowTheCapacity() {
        var harness = BalancerHarness(.consistentHash, [peer(1)])
        let ports = Array(1...200)
        harness = BalancerHarness(.roundRobin, ports.map { peer($0) }, capacity: 4)
        #expect(harness.balancer.capacity >= 200)
        let got = (0..<400).map { _ in harness.request()[0] }
        #expect(got == ports + ports)
    }

    @Test func moreThan64PeersAreAllTriedOnce() {
        var harness = BalancerHarness(.roundRobin, (1...150).map { peer($0) })
        let bad = Set(1...149)
        #expect(harness.request(bad: bad, as: .neutral) == Array(1...150))
        // The bitmap goes back: later requests start clean.
        for _ in 0..<3 { #expect(Set(harness.request(bad: Set(1...150), as: .neutral)) == Set(1...150)) }
        #expect(harness.request(bad: Set(1...150)).count == 150)
        #expect(harness.request() == [0])
    }

    @Test func growingWhileRequestsRunKeepsTheirTriedPeers() {
        var harness = BalancerHarness(.roundRobin, (1...3).map { peer($0) })
        var attempt = harness.begin()
        #expect(harness.pick(&attempt) == 1)
        harness.release(&attempt, .neutral)
        let slots = harness.balancer.update(peers: (1...130).map { peer($0) })
        var seen = Set<Int>()
        for _ in 0..<129 {
            guard
                case .peer(let slot) = harness.balancer.pick(
                    &attempt, key: ByteView(), hint: ByteView(), now: harness.now, random: &harness.random)
            else { break }
            #expect(seen.insert(slot).inserted && slot != slots[0])
            harness.release(&attempt, .neutral)
        }
        #expect(seen.count == 129)
        harness.balancer.finish(&attempt, now: harness.now)
    }

    @Test func noPeersAtAllMeansNoLivePeerWithEveryPolicy() {
        let policies: [BalancingPolicy] = [
            .roundRobin, .leastConnections, .leastTime(.header, inflight: true), .addressHash, .hash, .consistentHash,
            .random,
            .randomTwo(.leastConnections),
        ]
        for policy in policies {
            var harness = BalancerHarness(policy, [])
            #expect(harness.request(key: "k") == [0])
            _ = harness.balancer.update(peers: [peer(1), peer(2)])
            var attempt = harness.begin(key: "k")
            if case .peer = harness.balancer.pick(
                &attempt, key: "k", hint: ByteView(), now: harness.now, random: &harness.random)
            {
            } else {
                Issue.record("no peer after the update with \(policy)")
            }
        }
    }
}
