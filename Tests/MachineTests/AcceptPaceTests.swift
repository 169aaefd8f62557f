import Testing

@testable import Machine

@Suite("The pace of accepting")
struct AcceptPaceTests {
    /// One turn of the event loop with some connections waiting.
    /// - Returns: how many were taken, and whether the kernel was asked in vain.
    private func turn(_ pace: inout AcceptPace, waiting: Int) -> (taken: Int, isVain: Bool) {
        if waiting >= pace.budget {
            let taken = pace.budget
            pace.tookAll()
            return (taken, false)
        }
        pace.ranDry(after: waiting)
        return (waiting, true)
    }

    @Test("settles where connections come one by one: the kernel is asked in vain less than once in fifty")
    func oneByOne() {
        var pace = AcceptPace()
        var vain = 0
        for round in 0..<2000 where turn(&pace, waiting: 1).isVain && round >= 500 { vain += 1 }
        #expect(vain <= 1500 / 50)
    }

    @Test("a long queue is soon taken in large parts, whatever came before", arguments: [0, 1000])
    func burst(_ before: Int) {
        var pace = AcceptPace()
        for _ in 0..<before { _ = turn(&pace, waiting: 1) }
        var (left, turns) = (4096, 0)
        while left > 0 {
            left -= turn(&pace, waiting: left).taken
            turns += 1
        }
        #expect(turns <= 64 + 6 + 4096 / AcceptPace.most + 1)
    }

    @Test("follows the size of bursts: asked in vain once a burst at first, then seldom", arguments: [2, 7, 16, 64, 500])
    func sizes(_ size: Int) {
        var pace = AcceptPace()
        var vain = 0
        for round in 0..<2000 {
            var left = size
            while left > 0 {
                let (taken, isVain) = turn(&pace, waiting: left)
                left -= taken
                if isVain, round >= 500 { vain += 1 }
                #expect((1...AcceptPace.most).contains(pace.budget))
            }
        }
        // Those of a queue longer than the most are taken in parts of it, and a rest.
        #expect(vain <= (size > AcceptPace.most ? 1500 : 1500 / 20))
    }
}
