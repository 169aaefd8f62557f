import Testing

@testable import Messages

@Suite("Lists that do not fit into one packet")
struct PartsTests {
    @Test(arguments: [
        ([], []), ([3], [[3]]), ([9], [[9]]), ([30], [[30]]), ([5, 5], [[5, 5]]), ([5, 5, 1], [[5, 5], [1]]), ([6, 5], [[6], [5]]),
        ([30, 1, 30], [[30], [1], [30]]), ([1, 1, 1, 1, 1, 1, 1], [[1, 1, 1], [1, 1, 1], [1]]), ([0, 0, 0, 0], [[0, 0, 0], [0]]),
    ] as [([Int], [[Int]])])
    func packets(list: [Int], parts: [[Int]]) { #expect(list.packets(most: 3, bytes: 10) { $0 } == parts) }

    private func news(_ count: Int, pathBytes: Int = 60) -> UpstreamNews {
        UpstreamNews(
            upstream: "back",
            instances: (0..<count).map { index in
                UpstreamNews.Instance(
                    address: "unix:/" + String(repeating: "x", count: pathBytes) + "\(index)", name: "api.\(index)", slot: UInt32(index))
            },
            starting: 2)
    }

    @Test("the news of any number of instances arrive whole", arguments: [0, 1, 256, 257, 1000], [8, 107])
    func news(count: Int, pathBytes: Int) throws {
        let news = news(count, pathBytes: pathBytes)
        var parts = UpstreamNewsParts()
        var whole: [UpstreamNews] = []
        for part in news.packets {
            let packet = try WorkerCommand.upstream(part).encode()
            guard case .upstream(let told) = try WorkerCommand(decoding: packet, descriptorCount: 0) else {
                Issue.record("another command")
                return
            }
            if let news = parts.take(told) { whole.append(news) }
        }
        #expect(whole == [news])
    }

    @Test("parts that are not of one kind change nothing") func mixed() {
        let parts = news(600).packets
        var assembly = UpstreamNewsParts()
        #expect(assembly.take(parts[0]) == nil)
        #expect(assembly.take(parts[2]) == nil, "one is missing")
        #expect(assembly.take(parts[1]) == nil && assembly.take(parts[2]) == nil)
        #expect(parts.count == 3 && parts.compactMap { assembly.take($0) } == [news(600)])
        #expect(assembly.take(parts[0]) == nil)
        #expect(assembly.take(news(1)) == news(1), "newer news")
    }
}
