import Loop
import struct TestKit.SeededGenerator
import Testing

@Suite("TimerHeap")
struct TimerHeapTests {
    private func token(_ n: UInt32) -> Token { Token(kind: 1, slot: n, generation: n) }

    @Test("timers expire in the order of their deadlines, never early")
    func order() {
        var heap = TimerHeap()
        let deadlines: [UInt64] = [50, 10, 30, 20, 40]
        let timers = deadlines.indices.map { heap.make(token(UInt32($0))) }
        for (index, deadline) in deadlines.enumerated() { heap.arm(timers[index], at: deadline) }
        var seen: [UInt32] = []
        for now: UInt64 in stride(from: 5, through: 60, by: 5) {
            while let expired = heap.expire(now: now) {
                #expect(deadlines[Int(expired.slot)] <= now)
                seen.append(expired.slot)
            }
        }
        #expect(seen == [1, 3, 2, 4, 0])
    }

    @Test("moving a deadline later costs no heap change and expires at the later time")
    func later() {
        var heap = TimerHeap()
        let timer = heap.make(token(7))
        heap.arm(timer, at: 100)
        heap.arm(timer, at: 500)
        #expect(heap.entryCount == 1)
        #expect(heap.next == 100)
        #expect(heap.expire(now: 100) == nil)
        #expect(heap.next == 500)
        #expect(heap.expire(now: 499) == nil)
        #expect(heap.expire(now: 500) == token(7))
        #expect(heap.expire(now: 900) == nil)
    }

    @Test("moving a deadline earlier brings it forward")
    func earlier() {
        var heap = TimerHeap()
        let (a, b) = (heap.make(token(1)), heap.make(token(2)))
        heap.arm(a, at: 100)
        heap.arm(b, at: 200)
        heap.arm(b, at: 50)
        #expect(heap.expire(now: 60) == token(2))
        #expect(heap.expire(now: 60) == nil)
        #expect(heap.expire(now: 100) == token(1))
    }

    @Test("a cleared timer never expires, and can be armed again")
    func clear() {
        var heap = TimerHeap()
        let timer = heap.make(token(3))
        heap.arm(timer, at: 10)
        heap.clear(timer)
        #expect(heap.expire(now: 20) == nil)
        heap.arm(timer, at: 30)
        #expect(heap.expire(now: 30) == token(3))
    }

    @Test("random walks agree with a plain list", arguments: 0..<200)
    func walk(seed: Int) {
        var random = SeededGenerator(seed: seed)
        var heap = TimerHeap()
        let timers = (0..<20).map { heap.make(token(UInt32($0))) }
        var model = [UInt64](repeating: 0, count: 20)
        var now: UInt64 = 1
        for _ in 0..<300 {
            let index = Int.random(in: 0..<20, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0, 1:
                model[index] = now + UInt64.random(in: 1...100, using: &random)
                heap.arm(timers[index], at: model[index])
            case 2:
                model[index] = 0
                heap.clear(timers[index])
            default:
                now += UInt64.random(in: 0...40, using: &random)
                var expired: Set<UInt32> = []
                while let token = heap.expire(now: now) { expired.insert(token.slot) }
                let due = Set(model.indices.filter { model[$0] != 0 && model[$0] <= now }.map { UInt32($0) })
                #expect(expired == due)
                for slot in due { model[Int(slot)] = 0 }
            }
            if let next = heap.next, let first = model.filter({ $0 != 0 }).min() { #expect(next <= first) }
        }
    }
}
