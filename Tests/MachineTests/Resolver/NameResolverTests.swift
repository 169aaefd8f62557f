import Config
import Machine
import Testing
import Wire

/// A resolver whose servers the test plays.
private final class Scene {
    var resolver: NameResolver
    var random = RandomSource(seed: 7)
    var now: Machine.Milliseconds = 1_000

    init(servers: Int = 1, valid: Machine.Milliseconds? = nil, usesIPv6: Bool = false) {
        resolver = NameResolver(
            settings: ResolverMachineSettings(serverCount: servers, valid: valid, usesIPv6: usesIPv6))
    }

    var queryCount: Int { resolver.queryCount }
    var cachedCount: Int { resolver.cachedCount }
    func takeAction() -> ResolverAction? { resolver.takeAction() }

    static func name(_ text: String) -> DNSName { DNSName(host: text.utf8)! }

    func lookUp(_ name: String, waiter: UInt64 = 1, timeout: Machine.Milliseconds = 30_000) -> ResolverLookUp {
        resolver.lookUp(Self.name(name), waiter: waiter, timeout: timeout, now: now, random: &random)
    }

    struct Asked {
        let query: Int
        let server: Int
        let usesStream: Bool
        let messages: [[UInt8]]
        let until: Machine.Milliseconds
    }

    /// The next action, which must be a question.
    func asked(_ location: Testing.SourceLocation = #_sourceLocation) throws -> Asked {
        guard
            case .ask(let query, let server, let usesStream, let messages, let until) = try #require(
                takeAction(), sourceLocation: location)
        else { throw Failure.notAsked }
        return Asked(query: query, server: server, usesStream: usesStream, messages: messages, until: until)
    }

    enum Failure: Error { case notAsked, notFinished }

    /// The next action, which must be the end.
    func finished() throws -> (waiters: [UInt64], outcome: ResolverOutcome) {
        guard case .finish(_, let waiters, let outcome) = try #require(takeAction()) else { throw Failure.notFinished }
        return (waiters, outcome)
    }

    /// Gives a message to the machine.
    func receive(_ bytes: [UInt8], query: Int = 0) {
        Bytes.withView(bytes) { resolver.receive($0, query: query, now: now, random: &random) }
    }

    func fire(_ asked: Asked) {
        now = max(now, asked.until)
        resolver.timerFired(query: asked.query, now: now, random: &random)
    }

    func broken(_ query: Int = 0) { resolver.broken(query: query, now: now, random: &random) }
}

/// Composes answers to questions.
private enum Bytes {
    static func withView<Result>(_ bytes: [UInt8], _ body: (ByteView) -> Result) -> Result {
        body(ByteView.immortal(bytes))
    }

    static func answer(
        _ question: [UInt8], code: UInt8 = 0, isTruncated: Bool = false, _ records: [[UInt8]] = [],
        authority: [[UInt8]] = []
    ) -> [UInt8] {
        var bytes = question
        bytes[2] = isTruncated ? 0x83 : 0x81
        bytes[3] = 0x80 | code
        bytes[7] = UInt8(records.count)
        bytes[9] = UInt8(authority.count)
        return bytes + records.joined() + authority.joined()
    }

    static func a(_ last: UInt8, ttl: UInt8 = 60, owner: [UInt8] = [0xc0, 12]) -> [UInt8] {
        owner + [0, 1, 0, 1, 0, 0, 0, ttl, 0, 4, 10, 0, 0, last]
    }

    static func aaaa(_ last: UInt8) -> [UInt8] {
        [0xc0, 12, 0, 28, 0, 1, 0, 0, 0, 60, 0, 16] + [UInt8](repeating: 0, count: 15) + [last]
    }

    static func alias(_ target: String, ttl: UInt8 = 60, owner: [UInt8] = [0xc0, 12]) -> [UInt8] {
        let name = Scene.name(target).bytes
        return owner + [0, 5, 0, 1, 0, 0, 0, ttl, 0, UInt8(name.count)] + name
    }

    static func authority(_ minimum: UInt8) -> [UInt8] {
        [0, 0, 6, 0, 1, 0, 0, 0, minimum, 0, 22, 0, 0] + [UInt8](repeating: 0, count: 19) + [minimum]
    }
}

@Suite("Name resolver")
struct NameResolverTests {
    private func addresses(_ outcome: ResolverOutcome) -> [UInt8] {
        guard case .addresses(let name) = outcome else { return [] }
        return name.addresses.map { if case .ipv4(let address, _) = $0 { UInt8(address & 255) } else { 255 } }.sorted()
    }

    @Test("asks once for all who wait, and remembers the answer for its time")
    func answer() throws {
        let scene = Scene()
        #expect(scene.lookUp("a.net", waiter: 1) == .waits)
        #expect(scene.lookUp("A.NET", waiter: 2) == .waits)
        let asked = try scene.asked()
        #expect(scene.takeAction() == nil)
        #expect(asked.messages.count == 1)
        scene.receive(Bytes.answer(asked.messages[0], [Bytes.a(1, ttl: 5), Bytes.a(2, ttl: 3)]))
        let end = try scene.finished()
        #expect(end.waiters == [1, 2])
        #expect(addresses(end.outcome) == [1, 2])
        scene.now += 2_999
        guard case .known(let known) = scene.lookUp("a.net") else {
            Issue.record("not remembered")
            return
        }
        #expect(addresses(known) == [1, 2])
        scene.now += 1
        #expect(scene.lookUp("a.net") == .waits)
    }

    @Test("valid= takes the place of the answer's own time")
    func valid() throws {
        let scene = Scene(valid: 100_000)
        _ = scene.lookUp("a.net")
        scene.receive(Bytes.answer(try scene.asked().messages[0], [Bytes.a(1, ttl: 0)]))
        _ = try scene.finished()
        scene.now += 99_999
        #expect(scene.lookUp("a.net") != .waits)
    }

    @Test("believes only what has the id of the question and repeats it")
    func foreign() throws {
        let scene = Scene()
        _ = scene.lookUp("a.net")
        let question = try scene.asked().messages[0]
        var otherID = Bytes.answer(question, [Bytes.a(9)])
        otherID[1] ^= 1
        scene.receive(otherID)
        var otherName = Bytes.answer(question, [Bytes.a(9)])
        otherName[13] ^= 1
        scene.receive(otherName)
        var otherType = Bytes.answer(question, [Bytes.a(9)])
        otherType[question.count - 3] = 28
        scene.receive(otherType)
        scene.receive(question)
        scene.receive([1, 2, 3])
        scene.receive(Bytes.answer(question, [Bytes.a(9)]), query: 5)
        #expect(scene.takeAction() == nil)
        scene.receive(Bytes.answer(question, [Bytes.a(1)]))
        #expect(addresses(try scene.finished().outcome) == [1])
    }

    @Test("a record of another name is no address")
    func foreignRecord() throws {
        let scene = Scene()
        _ = scene.lookUp("a.net")
        scene.receive(Bytes.answer(try scene.asked().messages[0], [Bytes.a(9, owner: Scene.name("b.net").bytes)]))
        #expect(try scene.finished().outcome == .failed(.notFound))
    }

    @Test("asks for both kinds of addresses, with ids of their own, and takes both")
    func families() throws {
        let scene = Scene(usesIPv6: true)
        _ = scene.lookUp("a.net")
        let asked = try scene.asked()
        #expect(asked.messages.count == 2)
        #expect(asked.messages[0].prefix(2) != asked.messages[1].prefix(2))
        scene.receive(Bytes.answer(asked.messages[1], [Bytes.aaaa(1)]))
        #expect(scene.takeAction() == nil)
        scene.receive(Bytes.answer(asked.messages[0], [Bytes.a(1)]))
        guard case .addresses(let name) = try scene.finished().outcome else {
            Issue.record("no addresses")
            return
        }
        #expect(
            name.addresses.count == 2 && name.addresses.contains(.ipv4(0x0a00_0001, port: 0))
                && name.addresses.contains(.ipv6(high: 0, low: 1, port: 0)))
    }

    @Test("one kind of addresses does not wait long for the other")
    func halfAnswer() throws {
        let scene = Scene(usesIPv6: true)
        _ = scene.lookUp("a.net")
        let asked = try scene.asked()
        scene.receive(Bytes.answer(asked.messages[0], [Bytes.a(1)]))
        scene.fire(asked)
        #expect(addresses(try scene.finished().outcome) == [1])
    }

    @Test("a server that cannot tell one kind does not spoil the other", arguments: [true, false])
    func halfFailure(failsFirst: Bool) throws {
        let scene = Scene(usesIPv6: true)
        _ = scene.lookUp("a.net")
        let asked = try scene.asked()
        let good = Bytes.answer(asked.messages[0], [Bytes.a(1)])
        let bad = Bytes.answer(asked.messages[1], code: 2)
        scene.receive(failsFirst ? bad : good)
        scene.receive(failsFirst ? good : bad)
        #expect(addresses(try scene.finished().outcome) == [1])
    }

    @Test("follows aliases, within an answer and over several, and the shortest time counts")
    func aliases() throws {
        let scene = Scene()
        _ = scene.lookUp("a.net")
        let first = try scene.asked()
        scene.receive(
            Bytes.answer(
                first.messages[0],
                [Bytes.alias("b.net", ttl: 9), Bytes.alias("c.net", owner: Scene.name("b.net").bytes)]))
        let second = try scene.asked()
        #expect(Array(second.messages[0][12...].prefix(7)) == Scene.name("c.net").bytes)
        scene.receive(
            Bytes.answer(second.messages[0], [Bytes.a(3, owner: Scene.name("d.net").bytes), Bytes.alias("d.net")]))
        let end = try scene.finished().outcome
        #expect(addresses(end) == [3])
        guard case .addresses(let name) = end else { return }
        #expect(name.validUntil == scene.now + 9_000)
    }

    @Test("an alias to a known name counts for its own time")
    func aliasToKnownName() throws {
        let scene = Scene()
        _ = scene.lookUp("c.net")
        scene.receive(Bytes.answer(try scene.asked().messages[0], [Bytes.a(3, ttl: 200)]))
        _ = try scene.finished()
        _ = scene.lookUp("a.net")
        let asked = try scene.asked()
        scene.receive(Bytes.answer(asked.messages[0], [Bytes.alias("c.net", ttl: 30)]), query: asked.query)
        guard case .addresses(let name) = try scene.finished().outcome else { throw Scene.Failure.notFinished }
        #expect(name.addresses.count == 1 && name.validUntil == scene.now + 30_000)
    }

    @Test("aliases that go round, and too many, end")
    func aliasLoops() throws {
        let scene = Scene()
        _ = scene.lookUp("a.net")
        scene.receive(
            Bytes.answer(
                try scene.asked().messages[0],
                [Bytes.alias("b.net"), Bytes.alias("a.net", owner: Scene.name("b.net").bytes)]))
        var asked = 1
        while case .ask(_, _, _, let messages, _)? = scene.takeAction() {
            asked += 1
            try #require(asked < 50)
            scene.receive(Bytes.answer(messages[0], [Bytes.alias("n\(asked).net")]))
        }
        #expect(asked == 17)
        #expect(scene.queryCount == 0)
    }

    @Test("a cut answer is asked for again over TCP, at the same server")
    func truncated() throws {
        let scene = Scene(servers: 2)
        _ = scene.lookUp("a.net")
        let first = try scene.asked()
        scene.receive(Bytes.answer(first.messages[0], isTruncated: true, [Bytes.a(9)]))
        let second = try scene.asked()
        #expect(second.usesStream && !first.usesStream && second.server == first.server)
        scene.receive(Bytes.answer(second.messages[0], [Bytes.a(1)]))
        #expect(addresses(try scene.finished().outcome) == [1])
    }

    @Test("silence is repeated to the next server, later and later, until nobody waits")
    func silence() throws {
        let scene = Scene(servers: 2)
        #expect(scene.lookUp("a.net", timeout: 10_000) == .waits)
        var servers: [Int] = []
        var times: [Machine.Milliseconds] = []
        var ids: Set<[UInt8]> = []
        while case .ask(let query, let server, let usesStream, let messages, let until)? = scene.takeAction() {
            servers.append(server)
            times.append(until - scene.now)
            ids.insert(Array(messages[0].prefix(2)))
            scene.fire(
                Scene.Asked(query: query, server: server, usesStream: usesStream, messages: messages, until: until))
            if scene.queryCount == 0 { break }
        }
        #expect(servers == [0, 1, 0, 1])
        #expect(times == [1_000, 2_000, 4_000, 3_000])
        #expect(ids.count == 1)
        #expect(try scene.finished().outcome == .failed(.timedOut))
    }

    @Test(
        "a server that fails, refuses or cannot be reached gives way to the next; the last one's word is final",
        arguments: [2, 5, 4] as [UInt8])
    func failures(code: UInt8) throws {
        let scene = Scene(servers: 3)
        _ = scene.lookUp("a.net")
        scene.receive(Bytes.answer(try scene.asked().messages[0], code: code))
        #expect(try scene.asked().server == 1)
        scene.broken()
        let last = try scene.asked()
        #expect(last.server == 2)
        scene.receive(Bytes.answer(last.messages[0], code: code))
        #expect(try scene.finished().outcome == .failed(.code(code)))
        #expect(scene.lookUp("a.net") == .waits)
    }

    @Test("servers that cannot be reached are asked again after a while, until nobody waits")
    func unreachable() throws {
        let scene = Scene(servers: 2)
        #expect(scene.lookUp("a.net", timeout: 2_500) == .waits)
        var waits = 0
        while let action = scene.takeAction() {
            switch action {
            case .ask(let query, _, _, _, _): scene.broken(query)
            case .wait(let query, let until):
                waits += 1
                #expect(until > scene.now)
                scene.fire(Scene.Asked(query: query, server: 0, usesStream: false, messages: [], until: until))
            case .finish(_, _, let outcome): #expect(outcome == .failed(.timedOut))
            }
        }
        #expect(waits == 2 && scene.now == 3_500)
    }

    @Test("an answer that comes after the question was repeated counts")
    func lateAnswer() throws {
        let scene = Scene(servers: 2)
        _ = scene.lookUp("a.net")
        let first = try scene.asked()
        scene.fire(first)
        #expect(try scene.asked().messages == first.messages)
        scene.receive(Bytes.answer(first.messages[0], [Bytes.a(1)]))
        #expect(addresses(try scene.finished().outcome) == [1])
    }

    @Test("an answer that is malformed counts as a failure")
    func malformed() throws {
        let scene = Scene()
        _ = scene.lookUp("a.net")
        scene.receive(Bytes.answer(try scene.asked().messages[0], [[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 0]]))
        #expect(try scene.finished().outcome == .failed(.code(1)))
    }

    @Test("that there is no such name is kept for as long as its zone says, but briefly")
    func negative() throws {
        let scene = Scene()
        _ = scene.lookUp("a.net")
        scene.receive(Bytes.answer(try scene.asked().messages[0], code: 3))
        #expect(try scene.finished().outcome == .failed(.notFound))
        #expect(scene.lookUp("a.net") == .waits)
        scene.receive(Bytes.answer(try scene.asked().messages[0], code: 3, authority: [Bytes.authority(200)]))
        _ = try scene.finished()
        #expect(scene.lookUp("a.net") == .known(.failed(.notFound)))
        scene.now += 5_000
        #expect(scene.lookUp("a.net") == .waits)
    }

    @Test("limits hold: names asked for at once, names remembered, addresses of a name")
    func limits() throws {
        let scene = Scene(valid: 1_000_000)
        var settings = ResolverMachineSettings(serverCount: 1, valid: 1_000_000, usesIPv6: false)
        settings.queriesMax = 2
        settings.namesMax = 3
        scene.resolver = NameResolver(settings: settings)
        #expect(scene.lookUp("a.net") == .waits)
        #expect(scene.lookUp("b.net") == .waits)
        #expect(scene.lookUp("c.net") == .known(.failed(.overloaded)))
        #expect(scene.lookUp("a.net", waiter: 2) == .waits)
        var messages = [try scene.asked().messages[0], try scene.asked().messages[0]]
        for query in 0..<2 {
            scene.receive(Bytes.answer(messages[query], (0..<100).map { Bytes.a($0) }), query: query)
            #expect(addresses(try scene.finished().outcome).count == 64)
        }
        for number in 0..<10 {
            #expect(scene.lookUp("n\(number).net") == .waits)
            messages = [try scene.asked().messages[0]]
            scene.receive(Bytes.answer(messages[0], [Bytes.a(1)]))
            _ = try scene.finished()
            #expect(scene.cachedCount <= 3)
        }
    }

    @Test("who leaves is not told")
    func leaving() throws {
        let scene = Scene()
        _ = scene.lookUp("a.net", waiter: 1)
        _ = scene.lookUp("a.net", waiter: 2)
        scene.resolver.leave(Scene.name("a.net"), waiter: 1)
        scene.resolver.leave(Scene.name("b.net"), waiter: 1)
        scene.receive(Bytes.answer(try scene.asked().messages[0], [Bytes.a(1)]))
        #expect(try scene.finished().waiters == [2])
    }

    @Test("whatever comes, every look-up ends, and nothing is left", arguments: 0..<200)
    func walk(seed: UInt64) throws {
        let scene = Scene(servers: 1 + Int(seed % 3), usesIPv6: seed % 2 == 0)
        scene.random = RandomSource(seed: seed)
        var dice = RandomSource(seed: seed &+ 1_000)
        var waiting: Set<UInt64> = []
        var open: [Int: Scene.Asked] = [:]
        func carryOut() {
            while let action = scene.takeAction() {
                switch action {
                case .ask(let query, let server, let usesStream, let messages, let until):
                    #expect(server < 3 && !messages.isEmpty)
                    open[query] = Scene.Asked(
                        query: query, server: server, usesStream: usesStream, messages: messages, until: until)
                case .wait(let query, let until):
                    open[query] = Scene.Asked(
                        query: query, server: 0, usesStream: false, messages: open[query]?.messages ?? [[0]],
                        until: until)
                case .finish(let query, let waiters, _):
                    open[query] = nil
                    for waiter in waiters { #expect(waiting.remove(waiter) != nil) }
                }
            }
        }
        for step in 0..<400 {
            carryOut()
            if step < 300, Bool.random(using: &dice) {
                let waiter = UInt64(step)
                if scene.lookUp("n\(Int.random(in: 0..<5, using: &dice)).net", waiter: waiter, timeout: 3_000) == .waits
                {
                    waiting.insert(waiter)
                }
            }
            guard let asked = open.values.sorted(by: { $0.query < $1.query }).randomElement(using: &dice) else {
                continue
            }
            let question = asked.messages.randomElement(using: &dice)!
            switch Int.random(in: 0..<8, using: &dice) {
            case 0: scene.receive(Bytes.answer(question, [Bytes.a(1), Bytes.aaaa(1)]), query: asked.query)
            case 1:
                scene.receive(Bytes.answer(question, code: UInt8.random(in: 1...5, using: &dice)), query: asked.query)
            case 2:
                scene.receive(
                    Bytes.answer(question, [Bytes.alias("n\(Int.random(in: 0..<8, using: &dice)).net")]),
                    query: asked.query)
            case 3: scene.receive(Bytes.answer(question, isTruncated: true), query: asked.query)
            case 4: scene.broken(asked.query)
            case 5:
                scene.receive(Array(Bytes.answer(question, [Bytes.a(1)]).shuffled(using: &dice)), query: asked.query)
            default: scene.fire(asked)
            }
        }
        for _ in 0..<1_000 where scene.queryCount > 0 || !open.isEmpty {
            carryOut()
            if let asked = open.values.min(by: { $0.until < $1.until }) { scene.fire(asked) }
        }
        #expect(waiting.isEmpty && scene.queryCount == 0)
    }
}
