import Machine
import Testing
import Wire

@Suite struct StickySessionsTests {
    static let harness = [peer(8081) { $0.route = Array("a".utf8) }, peer(8082) { $0.route = Array("b".utf8) }]

    /// Ids of two peers.
    static func ids() -> (PeerID, PeerID) {
        let harness = BalancerHarness(.roundRobin, Self.harness)
        return (harness.balancer.id(of: harness.slots[0]).id, harness.balancer.id(of: harness.slots[1]).id)
    }

    @Test func aSessionIsFoundUntilItsTimeIsOver() {
        let (a, b) = Self.ids()
        var sessions = StickySessions(capacity: 10, timeout: 2000)
        sessions.learn("value1", id: a, idCount: 1, creates: true, now: 0)
        #expect(sessions.peer(of: "value1", now: 1999)?.id == a)
        #expect(sessions.peer(of: "value2", now: 0) == nil)
        sessions.learn("value1", id: b, idCount: 1, creates: false, now: 1500)
        #expect(sessions.peer(of: "value1", now: 3499)?.id == b)
        #expect(sessions.peer(of: "value1", now: 3500) == nil)
    }

    @Test func lookingDoesNotProlongAndOnlyCreateCreates() {
        let (a, _) = Self.ids()
        var sessions = StickySessions(capacity: 10, timeout: 2000)
        sessions.learn("x", id: a, idCount: 1, creates: false, now: 0)
        #expect(sessions.peer(of: "x", now: 0) == nil)
        sessions.learn("x", id: a, idCount: 1, creates: true, now: 0)
        _ = sessions.peer(of: "x", now: 1900)
        #expect(sessions.peer(of: "x", now: 2000) == nil)
        sessions.learn("x", id: a, idCount: 1, creates: false, now: 2000)
        #expect(sessions.peer(of: "x", now: 2000) == nil, "an expired session is not prolonged")
    }

    @Test func aFullTableForgetsTheLongestUnused() {
        let (a, _) = Self.ids()
        var sessions = StickySessions(capacity: 3, timeout: 1_000_000)
        for (time, name) in ["1", "2", "3"].enumerated() {
            sessions.learn(bytes(name), id: a, idCount: 1, creates: true, now: Milliseconds(time))
        }
        sessions.learn("1", id: a, idCount: 1, creates: false, now: 10)
        sessions.learn("4", id: a, idCount: 1, creates: true, now: 11)
        let found = ["1", "2", "3", "4"].map { sessions.peer(of: bytes($0), now: 12) != nil }
        #expect(found == [true, false, true, true])
    }

    @Test func othersAreToldOfNewSessionsAndNowAndThenThatTheyLive() {
        let (a, b) = Self.ids()
        var sessions = StickySessions(capacity: 3, timeout: 8000)
        func learn(_ id: PeerID, creates: Bool = true, at now: Milliseconds) -> Bool {
            sessions.learn("s", id: id, idCount: 1, creates: creates, now: now)
        }
        let told = [
            learn(a, creates: false, at: 0), learn(a, at: 0), learn(a, at: 1), learn(a, creates: false, at: 999), learn(a, at: 1000),
            learn(a, at: 1001), learn(b, at: 1002), learn(b, at: 1003),
        ]
        #expect(told == [false, true, false, false, true, false, true, false])
        sessions.learn(digest: SessionDigest(of: ByteView("s")), id: b, idCount: 1, creates: true, now: 5000)
        let after = learn(b, at: 5500)
        #expect(!after, "foreign news need not be told again")
    }

    @Test func aTableIsRebuiltFromAnother() {
        let (a, b) = Self.ids()
        var old = StickySessions(capacity: 8, timeout: 1000)
        for index in 0..<8 {
            old.learn(
                bytes("\(index)"), id: index % 2 == 0 ? a : b, idCount: 1, creates: true, now: Milliseconds(index))
        }
        var entries: [(SessionDigest, PeerID, Int, Milliseconds)] = []
        old.forEach { entries.append(($0, $1, $2, $3)) }
        var new = StickySessions(capacity: 8, timeout: 1000)
        for (digest, id, count, lastUse) in entries {
            new.learn(digest: digest, id: id, idCount: count, creates: true, now: lastUse)
        }
        for index in 0..<8 { #expect(new.peer(of: bytes("\(index)"), now: 100)?.id == (index % 2 == 0 ? a : b)) }
    }

    @Test func randomWalksAgreeWithADictionary() {
        let (a, b) = Self.ids()
        let names = (0..<20).map { bytes("s\($0)") }
        for seed in 0..<300 as Range<UInt64> {
            var random = RandomSource(seed: seed)
            var sessions = StickySessions(capacity: 6, timeout: 100)
            var model: [(name: Int, id: PeerID, time: Milliseconds)] = []
            var now: Milliseconds = 0
            for step in 0..<80 {
                now += Milliseconds(random.next(below: 20))
                let name = Int(random.next(below: 20))
                model.removeAll { now - $0.time >= 100 }
                if random.next(below: 2) == 0 {
                    let id = random.next(below: 2) == 0 ? a : b
                    let creates = random.next(below: 3) > 0
                    sessions.learn(names[name], id: id, idCount: 1, creates: creates, now: now)
                    let isKnown = model.contains { $0.name == name }
                    if isKnown || creates {
                        model.removeAll { $0.name == name }
                        if model.count == 6 { model.removeFirst() }
                        model.append((name, id, now))
                    }
                } else if sessions.peer(of: names[name], now: now)?.id != model.first(where: { $0.name == name })?.id {
                    Issue.record("seed \(seed), step \(step)")
                    return
                }
            }
        }
    }
}
