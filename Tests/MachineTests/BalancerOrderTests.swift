import Machine
import Testing
import Wire

/// The order of peers that nginx 1.22 gave for the same configuration, as seen in $upstream_addr (last digit of the
/// port; several when the request went on). The ports there were 18081 … 18084.
@Suite struct BalancerOrderTests {
    static func digits(_ text: String) -> [Int] { text.compactMap(\.wholeNumberValue) }

    static let three = [peer(18081), peer(18082), peer(18083)]
    static let weighted = [peer(18081) { $0.weight = 2 }, peer(18082) { $0.weight = 3 }, peer(18083)]

    @Test func weightedRoundRobinIsSmooth() {
        var harness = BalancerHarness(.roundRobin, [peer(1) { $0.weight = 5 }, peer(2), peer(3) { $0.weight = 2 }])
        #expect(harness.run(16) == Self.digits("1311213113112131"))
    }

    @Test(arguments: [
        (BalancingPolicy.hash, three, "2321211331313323122322312222312213222223"),
        (.hash, weighted, "2321112232222212221212322121222112121212"),
        (.consistentHash, three, "3112131221113211323221222321213112312111"),
        (.consistentHash, weighted, "2212231121111222321221121122222122321221"),
    ])
    func keysGoToTheSamePeersAsWithNginx(policy: BalancingPolicy, peers: [PeerSettings], expected: String) {
        var harness = BalancerHarness(policy, peers)
        let got = (1...40).map { harness.request(key: "\($0)")[0] % 10 }
        #expect(got == Self.digits(expected))
    }

    @Test func hashingGoesOnFromABadPeerAsNginx() {
        var harness = BalancerHarness(.hash, [peer(18081), peer(18084), peer(18083) { $0.isDown = true }, peer(18082)])
        let got = (1...20).map { harness.request(key: "\($0)", bad: [18084]).map { $0 % 10 } }
        let expected = [[1], [4, 1]] + Self.digits("221121222211222221").map { [$0] }
        #expect(got == expected)
    }

    @Test func consistentHashingGoesOnFromABadPeerAsNginx() {
        let peers = [peer(18081), peer(18084) { $0.maxFails = 0 }, peer(18083) { $0.isDown = true }, peer(18082)]
        var harness = BalancerHarness(.consistentHash, peers)
        let got = (1...20).map { harness.request(key: "\($0)", bad: [18084]).map { $0 % 10 } }
        let expected: [[Int]] = [
            [1], [1], [4, 1], [2], [1], [4, 1], [1], [2], [2], [1], [4, 1], [4, 1], [2], [2], [1], [1], [1], [2],
            [4, 2], [4, 2],
        ]
        #expect(got == expected)
    }

    static let byAddress = [peer(18081), peer(18082) { $0.weight = 2 }, peer(18083)]

    @Test func addressHashOfIPv4IsNginx() {
        var harness = BalancerHarness(.addressHash, Self.byAddress)
        let got = (1...30).map { index -> Int in
            let key = ByteView.immortal([127, 0, UInt8(index), 2])
            var attempt = harness.begin(key: key)
            let port = harness.pick(&attempt, key: key)
            harness.release(&attempt)
            return port % 10
        }
        #expect(got == Self.digits("223122312231223122312231223122"))
    }

    @Test func addressHashOfIPv6IsNginx() {
        var harness = BalancerHarness(.addressHash, Self.byAddress)
        let got = (1...30).map { index -> Int in
            // The test sent "::1" … "::30": hexadecimal texts.
            let value = Int("\(index)", radix: 16)!
            let key = ByteView.immortal([UInt8](repeating: 0, count: 15) + [UInt8(value)])
            var attempt = harness.begin(key: key)
            let port = harness.pick(&attempt, key: key)
            harness.release(&attempt)
            return port % 10
        }
        #expect(got == Self.digits("223122312122312231212231223121"))
    }

    @Test func anEmptyKeyGoesByRoundRobin() {
        for policy in [BalancingPolicy.hash, .consistentHash] {
            var harness = BalancerHarness(policy, Self.three)
            #expect(harness.run(6) == [1, 2, 3, 1, 2, 3])
        }
    }

    @Test func consistentHashingMovesOnlyTheKeysOfTheLostPeer() {
        for weight in [1, 10] {
            var all = BalancerHarness(.consistentHash, [peer(8081), peer(8082), peer(8083) { $0.weight = weight }])
            var fewer = BalancerHarness(.consistentHash, [peer(8081), peer(8083) { $0.weight = weight }])
            for key in 1...200 {
                let before = all.request(key: "\(key)")[0]
                if before != 8082 { #expect(fewer.request(key: "\(key)")[0] == before) }
            }
        }
    }
}
