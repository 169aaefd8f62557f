import Machine
import Testing

@Suite struct IdleTimeoutLearnerTests {
    @Test func nothingLearnedMeansTheConfiguredTime() {
        #expect(IdleTimeoutLearner().idleMax(configured: 60_000) == 60_000)
    }

    @Test(arguments: [(5, 4375), (1, 800), (65, 60_000), (20, 18_000)] as [(Int, Milliseconds)])
    func theHeaderCountsLessAMargin(seconds: Int, expected: Milliseconds) {
        var learner = IdleTimeoutLearner()
        learner.sawHeader(timeoutSeconds: seconds)
        #expect(learner.idleMax(configured: 60_000) == expected)
        learner.sawHeader(timeoutSeconds: 0)
        learner.sawHeader(timeoutSeconds: -3)
        #expect(learner.idleMax(configured: 60_000) == expected)
    }

    @Test func aHugeHeaderValueIsHarmless() {
        var learner = IdleTimeoutLearner()
        learner.sawHeader(timeoutSeconds: .max)
        #expect(learner.idleMax(configured: 60_000) == 60_000)
    }

    @Test func twoClosesAfterTheSameTimeAreBelieved() {
        var learner = IdleTimeoutLearner()
        learner.sawClose(idle: 5010)
        #expect(learner.learned == nil)
        learner.sawClose(idle: 5003)
        #expect(learner.learned == 5003)
        #expect(learner.idleMax(configured: 60_000) == 5003 - 625)
    }

    @Test func closesAtRandomTimesAreNot() {
        var learner = IdleTimeoutLearner()
        for idle in [900, 40_000, 7000, 20_000, 3000] as [Milliseconds] { learner.sawClose(idle: idle) }
        #expect(learner.learned == nil)
    }

    @Test func aCloseRightAfterTheAnswerSaysNothing() {
        var learner = IdleTimeoutLearner()
        for _ in 0..<5 { learner.sawClose(idle: 3) }
        #expect(learner.learned == nil)
    }

    @Test func anAnswerAfterALongerTimeRefutesWhatWasLearned() {
        var learner = IdleTimeoutLearner()
        learner.sawClose(idle: 2000)
        learner.sawClose(idle: 2000)
        #expect(learner.learned == 2000)
        learner.sawUse(idle: 2500)
        #expect(learner.learned == nil)
    }

    /// A peer with a fixed timeout and jitter: after a few closes no connection is used in the window in which the peer
    /// may close.
    @Test func everySeedLearnsInTimeAndStaysSafe() {
        for seed in 0..<1000 as Range<UInt64> {
            var random = RandomSource(seed: seed)
            let timeout = Milliseconds(random.next(below: 29_000)) + 1000
            let jitter = max(1, timeout / 20)
            var learner = IdleTimeoutLearner()
            var races = 0
            for _ in 0..<200 {
                let idle = Milliseconds(random.next(below: UInt64(timeout) * 2))
                let closesAt = timeout + Milliseconds(random.next(below: UInt64(jitter)))
                let allowed = learner.idleMax(configured: 60_000)
                if idle < min(allowed, closesAt) {
                    learner.sawUse(idle: idle)
                } else if allowed > closesAt {
                    // The peer was first: had a request come now, it would have met a closing connection.
                    races += 1
                    learner.sawClose(idle: closesAt)
                }
            }
            #expect(races <= 3, "seed \(seed), timeout \(timeout)")
            #expect(learner.idleMax(configured: 60_000) <= timeout, "seed \(seed)")
            #expect(learner.idleMax(configured: 60_000) >= timeout / 2, "seed \(seed)")
        }
    }
}
