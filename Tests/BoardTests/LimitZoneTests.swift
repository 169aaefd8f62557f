import Board
import struct TestKit.SeededGenerator
import Testing

/// Memory of a zone, as the supervisor makes it.
@safe private final class ZoneMemory {
    let memory: UnsafeMutableRawBufferPointer
    let words: SharedWords

    init(_ kind: ZoneHeader.Kind, zoneSize: Int) {
        let size =
            kind == .requests
            ? RequestZone.memorySize(zoneSize: zoneSize) : ConnectionZone.memorySize(zoneSize: zoneSize)
        unsafe memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4_096)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
        words = unsafe SharedWords(memory, size: size)!
        ZoneHeader.create(kind, in: words, secret: (1, 2))
    }

    /// At the end of the test: views of the memory do not keep it.
    func free() { unsafe memory.deallocate() }

    var requests: RequestZone { RequestZone(words)! }
    var connections: ConnectionZone { ConnectionZone(words)! }
}

@Suite("Zones that workers share")
struct LimitZoneTests {
    /// A well-mixed number.
    private func hash(_ number: UInt64) -> UInt64 {
        var random = SeededGenerator(seed: number)
        return random.next()
    }

    @Test("a bucket leaks at its rate and rejects above its burst")
    func bucket() {
        let memory = ZoneMemory(.requests, zoneSize: 32_768)
        defer { memory.free() }
        let zone = memory.requests
        func take(_ now: UInt64, burst: Int64 = 1000, counts: Bool = true) -> RequestZone.Outcome {
            zone.take(hash: 7, rate: 1000, burst: burst, now: now, counts: counts)
        }
        #expect(take(10_000, counts: false) == .allowed(excess: 0))
        #expect(take(10_000) == .allowed(excess: 0))
        #expect(take(10_000) == .allowed(excess: 1000))
        #expect(take(10_000) == .rejected(excess: 2000))
        #expect(take(10_500, counts: false) == .rejected(excess: 1500))
        #expect(take(11_000) == .allowed(excess: 1000))
        #expect(take(20_000, counts: false) == .allowed(excess: 0))
        #expect(zone.take(hash: 8, rate: 1000, burst: 0, now: 11_000, counts: true) == .allowed(excess: 0))
        #expect(RequestZone.delay(excess: 1000, after: 0, rate: 1000) == 1000)
        #expect(RequestZone.delay(excess: 1000, after: 1000, rate: 1000) == 0)
        #expect(RequestZone.delay(excess: .max, after: 0, rate: 1) == 366 * 86_400_000, "a clock and a year do not overflow")
    }

    /// nginx's own arithmetic (ngx_http_limit_req_lookup).
    private struct Model {
        var excess: Int64 = 0
        var last: UInt64?

        mutating func take(_ now: UInt64, _ rate: Int64, _ burst: Int64) -> RequestZone.Outcome {
            guard let last else {
                self.last = now
                return .allowed(excess: 0)
            }
            let excess = max(0, self.excess - rate * Int64(now - last) / 1000 + 1000)
            if excess > burst { return .rejected(excess: excess) }
            (self.excess, self.last) = (excess, now)
            return .allowed(excess: excess)
        }
    }

    @Test(
        "agrees with nginx's arithmetic to a thousandth of a request",
        arguments: [
            (1000, 0), (1000, 5000), (16, 3000), (50_000, 20_000), (3_333, 1_000),
        ] as [(Int64, Int64)])
    func model(rate: Int64, burst: Int64) {
        let memory = ZoneMemory(.requests, zoneSize: 32_768)
        defer { memory.free() }
        var model = Model()
        var now: UInt64 = 5_000_000
        var differing = 0
        for step in 0..<3_000 {
            now += hash(UInt64(step)) % UInt64(max(2, 2_000_000 / rate))
            let mine = memory.requests.take(hash: 99, rate: rate, burst: burst, now: now, counts: true)
            let before = model
            let theirs = model.take(now, rate, burst)
            switch (mine, theirs) {
            case (.allowed(let a), .allowed(let b)), (.rejected(let a), .rejected(let b)):
                #expect(abs(a - b) <= 1)
                // Rounding must not add up.
                if case .allowed = mine { model.excess = a }
            case (.allowed(let a), .rejected(let b)), (.rejected(let a), .allowed(let b)):
                #expect(abs(a - b) <= 1)
                // At the very edge: both go on from what was decided here.
                differing += 1
                model = before
                if case .allowed = mine { (model.excess, model.last) = (a, now) }
            }
        }
        #expect(differing <= 30)
    }

    @Test("a full set makes room for new keys, and those start empty")
    func eviction() {
        let memory = ZoneMemory(.requests, zoneSize: 32_768)
        defer { memory.free() }
        for number in 0..<20_000 {
            #expect(
                memory.requests.take(hash: hash(UInt64(number)), rate: 1, burst: 0, now: 1_000_000, counts: true)
                    == .allowed(excess: 0))
        }
        #expect(
            memory.requests.take(hash: hash(19_999), rate: 1, burst: 0, now: 1_000_000, counts: true)
                == .rejected(excess: 1000))
    }

    @Test("as many keys as nginx promises for the size keep their counts, nearly all")
    func capacity() {
        let memory = ZoneMemory(.requests, zoneSize: 1 << 20)
        defer { memory.free() }
        let keys = UInt64((1 << 20) / 128)
        for number in 0..<keys {
            _ = memory.requests.take(hash: hash(number), rate: 1, burst: 0, now: 1_000_000, counts: true)
        }
        let forgotten = (0..<keys).count { number in
            memory.requests.take(hash: hash(number), rate: 1, burst: 0, now: 1_000_000, counts: false)
                == .allowed(excess: 0)
        }
        #expect(forgotten <= 8, "\(forgotten) of \(keys)")
    }

    @Test("whatever stands in the memory, a look-up ends and stays inside", arguments: 0..<100)
    func hostile(seed: UInt64) {
        let memory = ZoneMemory(.requests, zoneSize: 32_768)
        defer { memory.free() }
        let other = ZoneMemory(.connections, zoneSize: 32_768)
        defer { other.free() }
        other.connections.use(column: 3)
        for index in unsafe stride(from: 4_096, to: memory.memory.count, by: 8) {
            let word = hash(seed &* 100_003 &+ UInt64(index))
            unsafe memory.memory.storeBytes(
                of: word % 5 == 0 ? 42 : word % 7 == 0 ? .max : word, toByteOffset: index, as: UInt64.self)
        }
        for index in unsafe stride(from: 24, to: other.memory.count, by: 8) where index < 200_000 {
            unsafe other.memory.storeBytes(of: hash(seed &+ UInt64(index)), toByteOffset: index, as: UInt64.self)
        }
        for number in 0..<200 as Range<UInt64> {
            _ = memory.requests.take(
                hash: number % 3 == 0 ? 42 : hash(number), rate: 1 + Int64(seed), burst: 1000, now: 50_000, counts: true
            )
            if let place = other.connections.enter(hash: hash(number), column: Int(number % 300), limit: 3) {
                other.connections.leave(place)
            }
            other.connections.leave(Int32(truncatingIfNeeded: hash(number)))
        }
    }

    @Test("connections are counted over all columns, and a cleared column gives its own back")
    func connections() throws {
        let memory = ZoneMemory(.connections, zoneSize: 32_768)
        defer { memory.free() }
        let zone = memory.connections
        for column in 1...3 { zone.use(column: column) }
        let first = try #require(zone.enter(hash: hash(5), column: 1, limit: 3))
        _ = try #require(zone.enter(hash: hash(5), column: 2, limit: 3))
        _ = try #require(zone.enter(hash: hash(5), column: 2, limit: 3))
        #expect(zone.enter(hash: hash(5), column: 3, limit: 3) == nil)
        #expect(zone.enter(hash: hash(6), column: 3, limit: 3) != nil)
        #expect(zone.count(hash: hash(5)) == 3)
        zone.leave(first)
        #expect(zone.count(hash: hash(5)) == 2)
        // Worker 2 was killed.
        let size = ConnectionZone.columnSize(zoneSize: 32_768)
        for offset in ConnectionZone.range(of: 2, columnSize: size) { unsafe memory.memory[offset] = 0 }
        #expect(zone.count(hash: hash(5)) == 0)
        #expect(zone.enter(hash: hash(5), column: 1, limit: 1) != nil)
        #expect(zone.enter(hash: hash(5), column: 1, limit: 1) == nil)
    }

    @Test("entering and leaving in any order comes back to nothing")
    func walk() {
        let memory = ZoneMemory(.connections, zoneSize: 32_768)
        defer { memory.free() }
        let zone = memory.connections
        for column in 1...4 { zone.use(column: column) }
        var held: [(key: UInt64, place: Int32)] = []
        var counts: [UInt64: Int] = [:]
        for step in 0..<20_000 as Range<UInt64> {
            let dice = hash(step)
            if dice % 2 == 0 || held.isEmpty {
                let key = dice >> 8 & 31
                let place = zone.enter(hash: hash(key), column: 1 + Int(dice >> 20 % 4), limit: 6)
                #expect((place != nil) == (counts[key, default: 0] < 6))
                if let place {
                    held.append((key, place))
                    counts[key, default: 0] += 1
                }
            } else {
                let gone = held.remove(at: Int(dice >> 30) % held.count)
                zone.leave(gone.place)
                counts[gone.key]! -= 1
            }
        }
        for entry in held { zone.leave(entry.place) }
        for key in 0..<32 as Range<UInt64> { #expect(zone.count(hash: hash(key)) == 0) }
    }

    @Test("memory of another kind, too small or unaligned is refused")
    func refusal() {
        let memory = ZoneMemory(.requests, zoneSize: 32_768)
        defer { memory.free() }
        #expect(ConnectionZone(memory.words) == nil)
        let other = ZoneMemory(.connections, zoneSize: 32_768)
        defer { other.free() }
        #expect(RequestZone(other.words) == nil)
        #expect(unsafe SharedWords(memory.memory, size: memory.memory.count + 8) == nil)
        #expect(unsafe SharedWords(UnsafeMutableRawBufferPointer(rebasing: memory.memory[8...]), size: 4_096) == nil)
        #expect(unsafe RequestZone(SharedWords(memory.memory, size: 2_048)!) == nil)
    }
}
