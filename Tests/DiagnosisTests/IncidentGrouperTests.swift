import Machine
import struct TestKit.SeededGenerator
import Testing

@testable import Diagnosis

@Suite struct IncidentGrouperTests {
    private let start = Timestamp(seconds: 1_795_341_600)

    private func record(
        _ milliseconds: Int64, _ reason: ReasonCode, upstream: String = "app", peer: String? = "127.0.0.1:3000"
    ) -> AttemptRecord {
        AttemptRecord(
            time: start.advanced(byMilliseconds: milliseconds), upstream: upstream,
            peer: peer.map { PeerAddress(parsing: $0) }, phase: .connecting,
            reason: reason)
    }

    @Test func `a crash that shows as reset, early end and refusal is one incident`() {
        var grouper = IncidentGrouper()
        let first = grouper.record(record(0, .connReset))
        for reason in [ReasonCode.connEndBeforeHead, .connectRefused, .connectRefused, .bodyTruncated] {
            let next = grouper.record(record(100, reason))
            #expect(next.id == first.id && !next.isNew)
        }
        #expect(first.isNew && grouper.openIncidents.count == 1)
        #expect(
            grouper.openIncidents[0].counts == [
                .connReset: 1, .connEndBeforeHead: 1, .connectRefused: 2, .bodyTruncated: 1,
            ])
    }

    @Test func `an empty pool joins the incident that emptied it`() {
        var grouper = IncidentGrouper()
        let cause = grouper.record(record(0, .responseTimeout))
        #expect(grouper.record(record(10, .poolEmpty, peer: nil)).id == cause.id)
        #expect(grouper.record(record(10, .poolEmpty, upstream: "other", peer: nil)).id != cause.id)
    }

    @Test func `other causes, peers and upstreams are other incidents`() {
        var grouper = IncidentGrouper()
        let ids = [
            grouper.record(record(0, .connectRefused)).id, grouper.record(record(0, .responseTimeout)).id,
            grouper.record(record(0, .connKeepaliveRace)).id,
            grouper.record(record(0, .connectRefused, peer: "127.0.0.1:3001")).id,
            grouper.record(record(0, .connectRefused, upstream: "b")).id,
        ]
        #expect(Set(ids).count == 5)
        #expect(grouper.openIncidents.contains { $0.siblings == [PeerAddress(parsing: "127.0.0.1:3001")] })
    }

    @Test func `it closes after the quiet period and opens anew after it`() {
        var grouper = IncidentGrouper()
        let first = grouper.record(record(0, .connectRefused)).id
        #expect(grouper.advance(to: start.advanced(byMilliseconds: 59_999)).isEmpty)
        let closed = grouper.advance(to: start.advanced(byMilliseconds: 60_000))
        #expect(closed.map(\.id) == [first] && closed[0].closed != nil)
        #expect(grouper.record(record(60_001, .connectRefused)).id != first)
        #expect(grouper.record(record(200_000, .connectRefused)).isNew, "also without advance")
        #expect(grouper.advance(to: start.advanced(byMilliseconds: 200_001)).map(\.first) == [start.advanced(byMilliseconds: 60_001)])
        #expect(grouper.advance(to: start.advanced(byMilliseconds: 200_002)).isEmpty)
    }

    @Test func `what a full table closes is told too`() {
        var limits = IncidentGrouper.Limits()
        limits.openMax = 2
        var grouper = IncidentGrouper(limits: limits)
        let first = grouper.record(record(0, .connectRefused, peer: "10.0.0.1:80")).id
        grouper.record(record(1, .connectRefused, peer: "10.0.0.2:80"))
        grouper.record(record(2, .connectRefused, peer: "10.0.0.3:80"))
        #expect(grouper.advance(to: start.advanced(byMilliseconds: 3)).map(\.id) == [first])
    }

    @Test func `a time long before an open incident is another incident`() {
        var grouper = IncidentGrouper()
        let late = grouper.record(record(3_600_000, .connectRefused)).id
        let early = grouper.record(record(0, .connectRefused))
        #expect(early.isNew && early.id != late)
        #expect(grouper.record(record(0, .poolEmpty, peer: nil)).id == early.id)
        #expect(grouper.finish(at: start).map(\.id) == [early.id, late])
    }

    @Test func `times that go back by a second do not give an id twice`() {
        var grouper = IncidentGrouper()
        var ids: [IncidentID] = []
        for (time, peer) in [(0, 1), (1_000, 2), (0, 3), (1_000, 4), (0, 5)] as [(Int64, Int)] {
            ids.append(grouper.record(record(time, .connectRefused, peer: "10.0.0.\(peer):80")).id)
        }
        #expect(Set(ids).count == 5)
        let taken = IncidentID(seconds: start.seconds, salt: 6)
        #expect(grouper.record(record(0, .connectRefused, peer: "10.0.0.6:80"), proposed: taken).id == taken)
        #expect(grouper.record(record(0, .connectRefused, peer: "10.0.0.7:80")).id != taken)
    }

    @Test func `an id proposed by a second worker becomes an alias`() {
        var grouper = IncidentGrouper()
        let mine = IncidentID(seconds: start.seconds, salt: 64), other = IncidentID(seconds: start.seconds, salt: 128)
        #expect(grouper.record(record(0, .connectRefused), proposed: mine).id == mine)
        #expect(grouper.record(record(1, .connectRefused), proposed: other).id == mine)
        #expect(grouper.incident(other)?.id == mine)
    }

    @Test func `an id is free again only when nobody knows its incident`() {
        var limits = IncidentGrouper.Limits()
        (limits.openMax, limits.closedMax) = (4, 8)
        var grouper = IncidentGrouper(limits: limits), ids: [IncidentID] = []
        for index in 0..<200 {
            let found = grouper.record(record(0, .connectRefused, upstream: "u\(index)", peer: "10.0.0.\(index):80"))
            ids.append(found.id)
            let known = grouper.openIncidents + grouper.closed
            #expect(Set(known.map(\.id)).count == known.count && known.count <= 12)
        }
        let first = grouper.record(record(0, .connectRefused, upstream: "x", peer: "10.0.1.1:80"), proposed: ids[0])
        #expect(first.id == ids[0], "it was forgotten")
        let taken = grouper.record(record(0, .connectRefused, upstream: "y", peer: "10.0.1.2:80"), proposed: ids[0])
        #expect(taken.id != ids[0])
    }

    @Test(arguments: 0..<8)
    func `no record of a storm is lost and memory stays bounded`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var limits = IncidentGrouper.Limits()
        limits.openMax = 8
        limits.closedMax = 2_000
        var grouper = IncidentGrouper(limits: limits)
        var time: Int64 = 0
        for _ in 1...2_000 {
            time += Int64(random.next() % 200)
            if random.next() % 400 == 0 { time += 70_000 }
            let reason = ReasonCode.allCases[random.next(below: ReasonCode.allCases.count)]
            grouper.record(record(time, reason, peer: "10.0.0.\(random.next() % 30):80"))
            #expect(grouper.openIncidents.count <= limits.openMax + 1)
        }
        let all = grouper.closed + grouper.openIncidents
        #expect(all.reduce(0) { $0 + $1.attempts } == 2_000)
        #expect(all.allSatisfy { $0.samples.count <= limits.samplesMax && $0.first <= $0.last })
        #expect(Set(all.map(\.id)).count == all.count)
    }
}
