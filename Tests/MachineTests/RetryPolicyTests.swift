import Machine
import Testing

@Suite struct RetryPolicyTests {
    static let all: RetryConditions = [
        .error, .timeout, .invalidHeader, .http500, .http502, .http503, .http504, .http403, .http404, .http429,
    ]

    static func decide(
        _ failure: AttemptFailure, _ conditions: RetryConditions = .standard, tries: Int = 2, timeout: Milliseconds = 0,
        isLone: Bool = false, hasBudget: Bool = true, _ change: (inout AttemptFacts) -> Void = { _ in }
    ) -> RetryDecision {
        var facts = AttemptFacts(head: .complete)
        change(&facts)
        return RetryPolicy.decide(
            failure, facts, RetrySettings(conditions: conditions, timeout: timeout), triesLeft: tries, isLone: isLone,
            hasBudget: hasBudget)
    }

    static let next = RetryDecision.tryNext(outcome: .failed, isFree: false)
    static func give(_ status: Int) -> RetryDecision { .giveUp(status: status, outcome: .failed, isAborted: false) }

    @Test(arguments: [
        (AttemptFailure.error, 502), (.timeout, 504), (.invalidHeader, 502), (.noLivePeer, 502), (.status(500), 500),
        (.status(503), 503), (.status(504), 504), (.status(403), 403), (.status(404), 404), (.status(429), 429),
    ])
    func statusesAreThoseOfNginx(failure: AttemptFailure, status: Int) {
        #expect(RetryPolicy.status(for: failure) == status)
    }

    @Test(arguments: [
        (AttemptFailure.error, RetryConditions.error), (.timeout, .timeout), (.invalidHeader, .invalidHeader),
        (.status(500), .http500), (.status(502), .http502), (.status(503), .http503), (.status(504), .http504),
        (.status(429), .http429),
    ])
    func aConfiguredFailureGoesOnAndAnotherDoesNot(failure: AttemptFailure, condition: RetryConditions) {
        #expect(Self.decide(failure, condition) == Self.next)
        let without = Self.decide(failure, Self.all.subtracting(condition))
        if case .status = failure {
            #expect(without == .passAnswer)
        } else {
            #expect(without == Self.give(RetryPolicy.status(for: failure)))
        }
        #expect(Self.decide(failure, []) == without)
    }

    @Test(arguments: [403, 404])
    func forbiddenAndNotFoundDoNotCountAgainstThePeer(status: Int) {
        #expect(Self.decide(.status(status), Self.all) == .tryNext(outcome: .neutral, isFree: false))
    }

    @Test func anOrdinaryStatusIsPassedOn() {
        for status in [200, 204, 301, 400, 401, 418, 501, 505] {
            #expect(Self.decide(.status(status), Self.all) == .passAnswer)
        }
    }

    @Test func theLastTryPassesAStatusOnAndGivesUpOnAnError() {
        #expect(Self.decide(.status(503), Self.all, tries: 1) == .passAnswer)
        #expect(Self.decide(.error, Self.all, tries: 1) == Self.give(502))
        #expect(Self.decide(.timeout, Self.all, tries: 0) == Self.give(504))
    }

    @Test func noLivePeerIs502WithoutAnAttempt() {
        #expect(
            Self.decide(.noLivePeer, Self.all, tries: 5) == .giveUp(status: 502, outcome: .neutral, isAborted: false))
    }

    @Test func aPostIsRetriedOnlyWhileItCannotHaveBeenExecuted() {
        let post: (HeadProgress) -> RetryDecision = { head in
            Self.decide(.error) {
                $0.isNonIdempotent = true
                $0.head = head
            }
        }
        #expect(post(.notStarted) == Self.next)
        #expect(post(.partial) == Self.next)
        #expect(post(.complete) == Self.give(502))
        let rescued = Self.decide(.error) {
            $0.isNonIdempotent = true
            $0.isRescued = true
        }
        #expect(rescued == Self.next)
        let allowed = Self.decide(.error, [.error, .nonIdempotent]) { $0.isNonIdempotent = true }
        #expect(allowed == Self.next)
        #expect(Self.decide(.status(503), Self.all) { $0.isNonIdempotent = true } == .passAnswer)
    }

    @Test func aDeadCachedConnectionGivesAFreeTry() {
        let free = RetryDecision.tryNext(outcome: .inconclusive, isFree: true)
        #expect(Self.decide(.error, tries: 1) { $0.isReused = true } == free)
        #expect(Self.decide(.error, tries: 1, isLone: true) { $0.isReused = true } == free)
        #expect(Self.decide(.timeout, tries: 1) { $0.isReused = true } == Self.give(504))
        let forbidden = RetryDecision.giveUp(status: 502, outcome: .inconclusive, isAborted: false)
        #expect(Self.decide(.error, []) { $0.isReused = true } == forbidden)
        let post = Self.decide(.error, tries: 1) {
            $0.isReused = true
            $0.isNonIdempotent = true
        }
        #expect(post == forbidden)
        let cut = Self.decide(.error, tries: 1) {
            $0.isReused = true
            $0.hasAnswerBytes = true
        }
        #expect(cut == .tryNext(outcome: .failed, isFree: true))
    }

    @Test func aLonePeerIsNotTriedAgain() {
        #expect(Self.decide(.error, tries: 3, isLone: true) == Self.give(502))
    }

    @Test func timeIsLimited() {
        #expect(Self.decide(.error, timeout: 1000) { $0.elapsed = 999 } == Self.next)
        #expect(Self.decide(.error, timeout: 1000) { $0.elapsed = 1000 } == Self.give(502))
        #expect(Self.decide(.error, timeout: 0) { $0.elapsed = .max } == Self.next)
    }

    @Test func aLostBodyOrAnEmptyBudgetEndIt() {
        #expect(Self.decide(.error) { $0.isBodyLost = true } == Self.give(502))
        #expect(Self.decide(.error, hasBudget: false) == Self.give(502))
        #expect(Self.decide(.status(503), Self.all, hasBudget: false) == .passAnswer)
    }

    @Test func onceTheClientHasBytesNothingIsRetried() {
        let plain = Self.decide(.error, Self.all, tries: 9) { $0.isAnswerStarted = true }
        #expect(plain == .giveUp(status: 502, outcome: .succeeded, isAborted: true))
    }
}

@Suite struct RetryBudgetTests {
    @Test func theFloorIsAHundred() {
        var budget = RetryBudget()
        let taken = (0..<500).filter { _ in budget.takeRetry(now: 5000) }.count
        #expect(taken == 100)
    }

    @Test func aFifthOfTheLastTenSecondsIsAdded() {
        var budget = RetryBudget()
        for index in 0..<5000 { budget.recordRequest(inFlight: 3, now: Milliseconds(index)) }
        let taken = (0..<5000).filter { _ in budget.takeRetry(now: 5000) }.count
        #expect(taken == 1100)
        #expect(budget.retriesLeft(now: 5000) == 0)
        #expect(budget.retriesLeft(now: 14_999) < 1100)
        #expect(budget.retriesLeft(now: 25_000) == 100)
    }

    @Test func aHighPeakRaisesTheFloor() {
        var budget = RetryBudget()
        budget.recordRequest(inFlight: 700, now: 1000)
        #expect((0..<1000).filter { _ in budget.takeRetry(now: 1000) }.count == 700)
    }

    @Test func sumsStayRightOverRandomTimes() {
        for seed in 0..<200 as Range<UInt64> {
            var random = RandomSource(seed: seed)
            var budget = RetryBudget()
            var now: Milliseconds = 0
            var requests: [Milliseconds] = []
            var retries: [Milliseconds] = []
            for _ in 0..<300 {
                now += Milliseconds(random.next(below: 400))
                if random.next(below: 3) > 0 {
                    budget.recordRequest(inFlight: 1, now: now)
                    requests.append(now)
                } else {
                    let first = now / 1000 - 9
                    let allowed = requests.filter { $0 / 1000 >= first }.count * 20 / 100 + 100
                    let used = retries.filter { $0 / 1000 >= first }.count
                    let isTaken = budget.takeRetry(now: now)
                    #expect(isTaken == (used < allowed))
                    if isTaken { retries.append(now) }
                }
            }
        }
    }
}
